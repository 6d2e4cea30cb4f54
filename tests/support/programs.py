"""Programs of this project in processes of their own, which start with their imports done.

A test that starts `python -m personamath.commands.cli` pays a second of CPU for the interpreter and its imports, and
another for the server that it asks. `start` forks a process that has both behind it; what it runs is the same module,
as `__main__`, in a process with its own memory, environment, signals and end. What it shares with the others is the
seed of Python's hashes, so a test of two processes' bytes starts one of them with `subprocess`.
"""

import atexit
import fcntl
import functools
import json
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, NamedTuple, Self

REPO = Path(__file__).parent.parent.parent
CLI = "personamath.commands.cli"
Kind = Literal["commands", "training", "ray"]
"""What is imported already, see `PRELOADED` of tests/support/fork_server.py."""
PIPE, STDOUT, DEVNULL = subprocess.PIPE, subprocess.STDOUT, subprocess.DEVNULL
COMMANDS = {
    "accelerate": "accelerate.commands.accelerate_cli",
    "lm_eval": "lm_eval",
    "personamath": CLI,
    "trl": "trl.cli.main",
}
"""Their modules; see `commands`."""
RUN_LIMIT_S = 300.0
"""Seconds that `run` waits, far above what a run takes on a busy machine."""


class Program:
    """A program that runs, as much of `subprocess.Popen` as the tests use."""

    def __init__(self, arguments: Sequence[str], status: int, own: dict[str, IO[str] | None]) -> None:
        self.args = arguments
        self.stdin, self.stdout, self.stderr = own.get("stdin"), own.get("stdout"), own.get("stderr")
        self.returncode: int | Any = None  # typed as `Popen`'s: None only while it runs
        self._status = os.fdopen(status, "rb")
        self.pid = int(self._status.readline())

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has ended."""
        status = self._look(timeout)
        if status is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        return status

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it wrote until it ended, on stdout and on stderr."""
        if self.stdin:
            self.stdin.close()
        texts = ["", ""]
        readers = [
            threading.Thread(target=_read, args=(pipe, texts, place), daemon=True)
            for place, pipe in enumerate((self.stdout, self.stderr))
            if pipe
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        return texts[0], texts[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self.stdout, self.stderr, self.stdin):
            if pipe:
                pipe.close()
        self.wait()


def _read(pipe: IO[str], texts: list[str], place: int) -> None:
    texts[place] = pipe.read()


def start(
    program: str,
    *arguments: object,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
    kind: Kind = "commands",
    **streams: Any,
) -> Program:
    """Start `python -m program arguments` in a folder, by default the current one.

    A program that ends with .py is a script; one of several lines is run as `python -c` runs it. `streams` are `stdin`,
    `stdout` and `stderr`, as `subprocess.Popen`'s.
    """
    words = [str(argument) for argument in arguments]
    environment = dict(os.environ if environment is None else environment)
    if kind == "training" and "HF_ENDPOINT" not in environment:
        environment["HF_HUB_OFFLINE"] = "1"  # whoever starts it
    request = {
        _how(program): program,
        "arguments": words,
        "environment": environment,
        "folder": str(folder or Path.cwd()),
    }
    descriptors, own = _streams(streams)
    status, theirs = os.pipe()
    socket.send_fds(_server(kind).control, [json.dumps(request).encode()], [*descriptors, theirs])
    os.close(theirs)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if name in own:
            os.close(descriptors[number])
    return Program([program, *words], status, own)


def _how(program: str) -> Literal["module", "script", "code"]:
    if "\n" in program:
        return "code"
    return "script" if program.endswith(".py") else "module"


def _streams(wanted: dict[str, Any]) -> tuple[list[int], dict[str, IO[str] | None]]:
    """The program's three descriptors, and this side of those that are pipes."""
    descriptors: list[int] = []
    own: dict[str, IO[str] | None] = {}
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        match wanted.get(name):
            case subprocess.PIPE:
                read, write = os.pipe()
                ours, theirs = (write, read) if name == "stdin" else (read, write)
                own[name] = os.fdopen(ours, "w" if name == "stdin" else "r")
                descriptors.append(theirs)
            case subprocess.DEVNULL:
                own[name] = None
                descriptors.append(os.open(os.devnull, os.O_RDWR))
            case subprocess.STDOUT:
                descriptors.append(descriptors[1])
            case None:
                descriptors.append(number)
            case file:
                descriptors.append(file if isinstance(file, int) else file.fileno())
    return descriptors, own


def run(
    program: str,
    *arguments: object,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
    kind: Kind = "commands",
    limit_s: float = RUN_LIMIT_S,
) -> subprocess.CompletedProcess[str]:
    """Start a program and wait for its end, as `subprocess.run` with `capture_output` does."""
    pipes = {"stdout": PIPE, "stderr": PIPE}
    with start(program, *arguments, environment=environment, folder=folder, kind=kind, **pipes) as started:
        try:
            output, errors = started.communicate(limit_s)
        finally:
            started.kill()
        return subprocess.CompletedProcess(started.args, started.wait(), output, errors)


def commands() -> Path:
    """A folder for the PATH of a script: its `python` and the commands of `COMMANDS` run as with `kind="training"`."""
    return _server("training").folder


class _Server(NamedTuple):
    control: socket.socket
    folder: Path
    """Has its sockets, and the commands of its programs."""


@functools.cache
def _server(kind: Kind) -> _Server:
    """The session's server, which is started for its first program and ends with the session."""
    worker = "PYTEST_XDIST_TESTRUNUID" in os.environ
    name = os.environ["PYTEST_XDIST_TESTRUNUID"][:16] if worker else str(os.getpid())
    folder = Path(tempfile.gettempdir()) / f"personamath-{name}-{kind}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "many").exists():
            _start_server(kind, folder, session=os.getppid() if worker else os.getpid())
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.connect(str(folder / "many"))
    atexit.register(control.close)
    return _Server(control, folder)


def _start_server(kind: Kind, folder: Path, session: int) -> None:
    """Start the server of the session whose main process has this id."""
    many, one = (_listening(folder / name) for name in ("many", "one"))
    python = folder / "python"
    words = [sys.executable, "-IS", str(Path(__file__).with_name("forked_python.py")), str(folder / "one")]
    _write_command(python, [*words, sys.executable])
    for name, module in COMMANDS.items():
        _write_command(folder / name, [str(python), "-m", module])
    # A library's threads do not live on in what is forked. Nothing is asked of a network while it imports.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    passed = (many.fileno(), one.fileno())
    command = ["-m", "tests.support.fork_server", str(session), kind, str(folder), *map(str, passed)]
    process = subprocess.Popen(
        [sys.executable, *command], pass_fds=passed, cwd=REPO, env=environment, stdin=subprocess.DEVNULL
    )
    many.close()
    one.close()
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        del process  # it runs on


def _listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    listener.listen()
    return listener


def _write_command(path: Path, words: Sequence[str]) -> None:
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    path.chmod(0o755)
