"""The server of tests/support/programs.py: it has imported what programs share, and forks for each of them.

Requests come in over the socket whose descriptor is the first argument: JSON of `module`, `script` or `code`,
`arguments`, `environment` and `folder`, with the program's stdin, stdout and stderr, and a pipe on which the server
writes two lines: the program's process id, and its exit status once it has ended. It serves until the socket is closed.

The second argument says what is imported, one of `PRELOADED`. Training starts programs that start others, so its server
also takes requests, each over a connection of its own, from tests/support/forked_python.py, which is `sys.executable`
in its programs. The third argument is the descriptor of the socket for these, the fourth that `sys.executable`. A
program ends with the connection over which it was asked for.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NamedTuple

# What programs import in their course.
PRELOADED = {
    # `_read_environment` has these read a program's environment, not that of the server.
    "commands": (
        *("personamath.commands.augment", "personamath.runs.dataset", "personamath.teachers.simulated"),
        *("matplotlib.figure", "mpl_toolkits", "pandas", "pyarrow.parquet", "genai_prices.data_snapshot", "httpx2"),
        *("huggingface_hub.hf_api", "huggingface_hub.hf_file_system"),
    ),
    # These, too; but all programs have the server's number of threads.
    "training": (
        *("accelerate.commands.launch", "torch.distributed.run", "deepspeed", "datasets", "peft", "trl"),
        *("transformers.trainer", "transformers.models.llama.modeling_llama", "safetensors.torch", "sympy"),
        *("lm_eval.evaluator", "lm_eval.models.huggingface", "transformers.cli.serve", "evaluate"),
        *("personamath.training.trainer", "personamath.training.grpo.trainer", "personamath_hub.models.card"),
        # A grid of methods also makes the data.
        *("personamath.commands.augment", "personamath.runs.dataset", "matplotlib.figure", "mpl_toolkits"),
    ),
}
READ_THE_ENVIRONMENT = ("datasets", "transformers", "torch")
MOST_BYTES = 1 << 20
"""A request holds an environment and a command line, which the system limits, too."""
DESCRIPTORS = 4


class Running(NamedTuple):
    """A program that was started and has not been waited for."""

    pid: int
    status: int
    """The descriptor of its pipe."""


class Server:
    """It, with the sockets over which programs are asked for."""

    def __init__(self, control: socket.socket, listener: socket.socket | None) -> None:
        self._control, self._listener = control, listener
        self._selector = selectors.DefaultSelector()
        self._asked: dict[socket.socket, int] = {}
        """The programs that end with a connection, by process id."""
        self._running: set[int] = set()

    def serve(self) -> dict[str, Any] | None:
        """Start programs until `control` is closed. Return twice: the request in each program, None in the server."""
        with self._selector:
            for channel in filter(None, (self._control, self._listener)):
                self._selector.register(channel, selectors.EVENT_READ)
            while True:
                for key, _ in self._selector.select():
                    if isinstance(key.data, Running):
                        self._wait(key.fd, key.data)
                    elif key.fileobj is self._listener:
                        connection, _ = self._listener.accept()
                        self._selector.register(connection, selectors.EVENT_READ)
                    elif isinstance(key.fileobj, socket.socket):
                        message, descriptors, _, _ = socket.recv_fds(key.fileobj, MOST_BYTES, DESCRIPTORS)
                        if message:
                            pid = self._start(descriptors)
                            if pid == 0:
                                return dict(json.loads(message))
                            self._asked[key.fileobj] = pid
                        elif key.fileobj is self._control:
                            return None
                        else:
                            self._left(key.fileobj)

    def _start(self, descriptors: list[int]) -> int:
        """Fork, as `os.fork` does."""
        status = descriptors[-1]
        pid = os.fork()
        if pid == 0:
            self._selector.close()
            for channel in (self._control, self._listener, *self._asked):
                if channel:
                    channel.detach()
            _take(descriptors[:-1])
            return 0
        for descriptor in descriptors[:-1]:
            os.close(descriptor)
        os.write(status, b"%d\n" % pid)
        self._running.add(pid)
        self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, Running(pid, status))
        return pid

    def _wait(self, descriptor: int, program: Running) -> None:
        """Say how a program ended."""
        _, status = os.waitpid(program.pid, 0)
        self._running.discard(program.pid)
        with contextlib.suppress(BrokenPipeError):  # nobody asks any more
            os.write(program.status, b"%d\n" % os.waitstatus_to_exitcode(status))
        os.close(program.status)
        self._selector.unregister(descriptor)
        os.close(descriptor)

    def _left(self, connection: socket.socket) -> None:
        """End what was asked for by somebody who has gone."""
        pid = self._asked.pop(connection, 0)
        if pid in self._running:
            os.kill(pid, signal.SIGKILL)
        self._selector.unregister(connection)
        connection.close()


def _take(descriptors: list[int]) -> None:
    """Make them stdin, stdout and stderr, and close all others, which are the server's and other programs'."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(len(descriptors), os.sysconf("SC_OPEN_MAX"))


def main() -> dict[str, Any] | None:
    """Import, then serve."""
    control, kind = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
    for module in PRELOADED[kind]:
        __import__(module)
    early = [module for module in READ_THE_ENVIRONMENT if module in sys.modules]
    assert kind == "training" or not early, f"these read the server's environment instead of the program's: {early}"
    gc.freeze()  # the programs do not write to what they share
    if kind != "training":
        return Server(control, None).serve()
    listener, python = socket.socket(fileno=int(sys.argv[3])), sys.argv[4]
    request = Server(control, listener).serve()
    if request:
        sys.executable = python
    return request


def _read_environment() -> None:
    """Read the program's Hub and its caches where they were read from the server's environment."""
    for name in ("huggingface_hub.constants", "datasets.config"):
        if module := sys.modules.get(name):
            importlib.reload(module)
    if module := sys.modules.get("huggingface_hub.hf_api"):
        module.api.endpoint = sys.modules["huggingface_hub.constants"].ENDPOINT


if __name__ == "__main__" and (request := main()):
    os.environ.clear()
    os.environ.update(request["environment"])
    _read_environment()
    os.chdir(request["folder"])
    sys.argv[1:] = request["arguments"]
    if script := request.get("script"):
        sys.argv[0] = script
        sys.path[0] = str(Path(script).parent)
        runpy.run_path(script, run_name="__main__")
    elif code := request.get("code"):
        sys.argv[0] = "-c"
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
    else:
        name = request["module"]
        is_package = hasattr(sys.modules.get(name), "__path__")
        sys.modules.pop(f"{name}.__main__" if is_package else name, None)  # so that it runs as `__main__` alone
        runpy.run_module(name, run_name="__main__", alter_sys=True)
