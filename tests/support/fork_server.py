"""The server of tests/support/programs.py: it has imported what programs share, and forks for each of them.

All processes of a test session share it. It starts programs until the process ends whose id is the first argument, the
session's main one. The second argument says what is imported, one of `PRELOADED`; the third is its folder, which it
removes in the end.

Requests are JSON of `module`, `script` or `code`, `arguments`, `environment` and `folder`, with the program's stdin,
stdout and stderr, and a pipe on which the server writes two lines: the program's process id, and its exit status once
it has ended. They come in over two sockets, whose descriptors are the fourth and fifth argument. Over the first, a
connection brings any number of requests. Over the second, it brings one, whose program ends with the connection: it is
from tests/support/forked_python.py, which is `sys.executable` in programs of training and of Ray: these start others.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import selectors
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Any, NamedTuple

# What programs import in their course.
PRELOADED = {
    # `_read_environment` has these read a program's environment, not that of the server.
    "commands": (
        *("personamath.commands.augment", "personamath.runs.dataset", "personamath.teachers.simulated"),
        *("matplotlib.figure", "mpl_toolkits", "pandas", "pyarrow.parquet", "genai_prices.data_snapshot", "httpx2"),
        *("matplotlib.backends.backend_agg", "aiohttp", "PIL.ImageDraw", "PIL.ImageFont"),
        *("huggingface_hub.hf_api", "huggingface_hub.hf_file_system", "huggingface_hub.repocard"),
        *("personamath.commands.plan", "personamath.commands.report", "genai_prices.data", "mpmath"),
        *("PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.JpegImagePlugin", "PIL.PpmImagePlugin"),
        *("personamath.report.write", "personamath.teachers.batch", "openai.resources.batches"),
        *("openai.resources.files", "anyio._backends._asyncio"),
        *("datasets", "datasets.packaged_modules.json.json", "pyarrow.dataset", "pyarrow.json", "scipy.io"),
        *("multiprocess.pool", "dill", "xxhash"),
        *("fsspec.implementations.http", "fsspec.implementations.local", "fsspec.implementations.dirfs"),
        *("tqdm.contrib.concurrent", "charset_normalizer", "xml.dom.minidom", "unittest.mock"),
    ),
    # These, too; but all programs have the server's number of threads.
    "training": (
        *("accelerate.commands.launch", "torch.distributed.run", "deepspeed", "datasets", "peft", "trl"),
        *("transformers.trainer", "transformers.models.llama.modeling_llama", "safetensors.torch", "sympy"),
        *("lm_eval.evaluator", "lm_eval.models.huggingface", "transformers.cli.serve", "evaluate", "pytablewriter"),
        *("personamath.training.trainer", "personamath.training.grpo.trainer", "personamath_hub.models.card"),
        *("personamath.training.processes", "personamath.training.saving", "trl.scripts.utils", "scipy.io"),
        # DeepSpeed's engine imports torch's compilers for them.
        *("torch._dynamo.backends.debugging", "deepspeed.runtime.zero.muon.muon_optimizer"),
        *("deepspeed.module_inject.auto_ep_layer", "torch.distributed.algorithms.ddp_comm_hooks"),
        # A grid of methods also makes the data.
        *("personamath.commands.augment", "personamath.runs.dataset", "matplotlib.figure", "mpl_toolkits"),
        *("matplotlib.backends.backend_agg", "aiohttp", "PIL.ImageDraw", "PIL.ImageFont"),
    ),
}
# And what Ray imports, which itself reads its settings from the program's environment while it is imported.
PRELOADED["ray"] = (
    *(*PRELOADED["commands"], "personamath.runs.ray.run", "pyarrow.compute"),
    *("jsonschema", "requests", "cloudpickle", "msgpack", "google.protobuf.json_format", "psutil"),
    "pydantic.v1.dataclasses",
)
READ_THE_ENVIRONMENT = ("transformers", "torch")
MOST_BYTES = 1 << 20
"""A request holds an environment and a command line, which the system limits, too."""
DESCRIPTORS = 4


class Running(NamedTuple):
    """A program that was started and has not been waited for."""

    pid: int
    status: int
    """The descriptor of its pipe."""


class Asking(Enum):
    """What can be read from a socket."""

    LISTENER = auto()
    MANY = auto()
    ONE = auto()


class Server:
    """It, with the sockets over which programs are asked for."""

    def __init__(self, session: int, many: socket.socket, one: socket.socket) -> None:
        self._session = os.pidfd_open(session)
        self._many, self._one = many, one
        self._selector = selectors.DefaultSelector()
        self._connections: set[socket.socket] = set()
        self._asked: dict[socket.socket, int] = {}
        """The programs that end with a connection, by process id."""
        self._running: set[int] = set()

    def serve(self) -> dict[str, Any] | None:
        """Start programs until the session ends. Return twice: the request in each program, None in the server."""
        with self._selector:
            self._selector.register(self._session, selectors.EVENT_READ)
            for listener in (self._many, self._one):
                self._selector.register(listener, selectors.EVENT_READ, Asking.LISTENER)
            while True:
                for key, _ in self._selector.select():
                    if key.fd == self._session:
                        return None
                    if isinstance(key.data, Running):
                        self._wait(key.fd, key.data)
                        continue
                    assert isinstance(key.fileobj, socket.socket)
                    if key.data is Asking.LISTENER:
                        self._accept(key.fileobj)
                    elif request := self._read(key.fileobj, ends=key.data is Asking.ONE):
                        return request

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        self._connections.add(connection)
        asking = Asking.MANY if listener is self._many else Asking.ONE
        self._selector.register(connection, selectors.EVENT_READ, asking)

    def _read(self, connection: socket.socket, ends: bool) -> dict[str, Any] | None:
        """Start what is asked for over a connection, and return the request in that program."""
        message, descriptors, _, _ = socket.recv_fds(connection, MOST_BYTES, DESCRIPTORS)
        if not message:
            self._left(connection)
            return None
        request: dict[str, Any] = json.loads(message)
        if str(request.get("module")).partition(".")[0] == "lm_eval":
            read_lm_evals_tasks()
        pid = self._start(descriptors)
        if ends:
            self._asked[connection] = pid
        return request if pid == 0 else None

    def _start(self, descriptors: list[int]) -> int:
        """Fork, as `os.fork` does."""
        status = descriptors[-1]
        pid = os.fork()
        if pid == 0:
            self._selector.close()
            for channel in (self._many, self._one, *self._connections):
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
        self._connections.discard(connection)
        connection.close()


def prepare_training() -> None:
    """Settle for all programs what each would do in its course.

    Processes of DeepSpeed exchange tensors by gloo alone. On a CPU they would also compile an operation for inference,
    which training does not use, and load it in each process.
    """
    from deepspeed import ops
    from transformers.conversion_mapping import get_checkpoint_conversion_mapping

    ops.__compatible_ops__["deepspeed_shm_comm"] = False
    get_checkpoint_conversion_mapping("llama")  # builds the table of all models


@functools.cache
def read_lm_evals_tasks() -> None:
    """Read one folder of lm_eval's own 14,000 tasks, once for all programs: all would take seven seconds of CPU."""
    from lm_eval.tasks import __file__ as package
    from lm_eval.tasks._index import TaskIndex

    own, build = Path(package).parent, TaskIndex.build
    known = build([own / "gsm8k"])

    def with_known(paths: Sequence[Path], **options: Any) -> Any:
        return known | build(paths[1:], **options) if paths[:1] == [own] else build(paths, **options)

    TaskIndex.build = staticmethod(with_known)
    gc.freeze()


def _take(descriptors: list[int]) -> None:
    """Make them stdin, stdout and stderr, and close all others, which are the server's and other programs'."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(len(descriptors), os.sysconf("SC_OPEN_MAX"))


def main() -> dict[str, Any] | None:
    """Import, then serve."""
    session, kind, folder = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    many, one = (socket.socket(fileno=int(argument)) for argument in sys.argv[4:6])
    for module in PRELOADED[kind]:
        __import__(module)
    early = [module for module in READ_THE_ENVIRONMENT if module in sys.modules]
    assert kind == "training" or not early, f"these read the server's environment instead of the program's: {early}"
    if kind == "training":
        prepare_training()
    gc.freeze()  # the programs do not write to what they share
    request = Server(session, many, one).serve()
    if request is None:
        shutil.rmtree(folder)
    elif kind != "commands":
        sys.executable = str(folder / "python")
    return request


def _read_environment() -> None:
    """Read the program's Hub and its caches where they were read from the server's environment."""
    for name in ("huggingface_hub.constants", "datasets.config"):
        if module := sys.modules.get(name):
            importlib.reload(module)
    if module := sys.modules.get("huggingface_hub.hf_api"):
        module.api.endpoint = sys.modules["huggingface_hub.constants"].ENDPOINT


def run(request: dict[str, Any]) -> None:
    """Run the program that was asked for, in the process that was forked for it."""
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.path[1:1] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path not in ("", *sys.path)]
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


def leave(ended: list[int]) -> None:
    """End a program that has ended with this status, if any, once its threads and what it left to `atexit` have.

    Python would also take apart all that is imported: half a second of CPU in a program of training.
    """
    if ended:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return  # Python says why
        os._exit(ended[0])


if __name__ == "__main__":
    ended: list[int] = []
    atexit.register(leave, ended)  # before all others, so that it comes last
    try:
        if request := main():
            run(request)
        ended.append(0)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            ended.append(end.code or 0)
        raise
