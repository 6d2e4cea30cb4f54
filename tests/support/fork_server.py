"""The server of tests/support/programs.py: it has imported what programs share, and forks for each of them.

Requests come in over the socket whose descriptor is the argument: JSON of `module`, `arguments`, `environment` and
`folder`, with the program's stdin, stdout and stderr, and a pipe on which the server writes two lines: the program's
process id, and its exit status once it has ended. It serves until the socket is closed.
"""

import contextlib
import gc
import json
import os
import runpy
import selectors
import socket
import sys
from typing import Any, NamedTuple

# What a run imports in its course. Nothing that reads the environment when it is imported, as a program has its own.
PRELOADED = (
    *("personamath.commands.augment", "personamath.runs.dataset", "personamath.teachers.simulated"),
    *("matplotlib.figure", "mpl_toolkits", "pandas", "pyarrow.parquet", "genai_prices.data_snapshot", "httpx2"),
)
READ_THE_ENVIRONMENT = ("huggingface_hub.constants", "datasets", "transformers", "torch")
MOST_BYTES = 1 << 20
"""A request holds an environment and a command line, which the system limits, too."""
DESCRIPTORS = 4


class Running(NamedTuple):
    """A program that was started and has not been waited for."""

    pid: int
    status: int
    """The descriptor of its pipe."""


def serve(control: socket.socket) -> dict[str, Any] | None:
    """Start programs until the socket is closed. Return twice: the request in each program, None in the server."""
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not control:
                    _wait(selector, key)
                    continue
                message, descriptors, _, _ = socket.recv_fds(control, MOST_BYTES, DESCRIPTORS)
                if not message:
                    return None
                status = descriptors[-1]
                pid = os.fork()
                if pid == 0:
                    selector.close()
                    control.close()
                    _take(descriptors[:-1])
                    return dict(json.loads(message))
                for descriptor in descriptors[:-1]:
                    os.close(descriptor)
                os.write(status, b"%d\n" % pid)
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, Running(pid, status))


def _take(descriptors: list[int]) -> None:
    """Make them stdin, stdout and stderr, and close all others, which are the server's and other programs'."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(len(descriptors), os.sysconf("SC_OPEN_MAX"))


def _wait(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """Say how a program ended."""
    program: Running = key.data
    _, status = os.waitpid(program.pid, 0)
    with contextlib.suppress(BrokenPipeError):  # nobody asks any more
        os.write(program.status, b"%d\n" % os.waitstatus_to_exitcode(status))
    os.close(program.status)
    selector.unregister(key.fileobj)
    os.close(key.fd)


def main() -> dict[str, Any] | None:
    """Import, then serve."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for module in PRELOADED:
        __import__(module)
    early = [module for module in READ_THE_ENVIRONMENT if module in sys.modules]
    assert not early, f"these read the environment of the server instead of the program's: {early}"
    gc.freeze()  # the programs do not write to what they share
    return serve(control)


if __name__ == "__main__" and (request := main()):
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv[1:] = request["arguments"]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
