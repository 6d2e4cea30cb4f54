"""Run one program where it can do no harm: in a fresh interpreter, with limits, behind walls of the kernel.

What is covered: time, memory, processes, output; the network; reading files other than Python's and the system's
libraries; changing any file; signals to other processes; the environment, of which nothing reaches the program. It gets
no input. What is not covered: a fault of the kernel, and what a wall that the kernel refuses would have covered; see
`Isolation`.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from personamath.errors import PersonaMathError
from personamath.programs.syscalls import seccomp_filter

CPU_S = 5
"""Seconds of CPU: those of MAmmoTH, whose programs mostly take a few milliseconds. sympy's start takes one."""
WALL_S = 10.0
"""Seconds in all, for a program that sleeps, and for a machine that is busy."""
MEMORY_BYTES = 2**30
"""Of addresses. numpy and sympy take a quarter of it."""
OPEN_FILES = 16
"""Importing opens a few at a time."""
OUTPUT_BYTES = 4 * 2**10
"""An answer has a few characters; what prints more is lost in a loop."""
LIMITS = {
    "RLIMIT_AS": MEMORY_BYTES,
    "RLIMIT_NOFILE": OPEN_FILES,
    "RLIMIT_FSIZE": 0,  # no file is written
    "RLIMIT_CORE": 0,
    "RLIMIT_NPROC": 0,  # no process is started; it does not hold for root, so the filter refuses it too
}
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",  # sets of texts have one order, so that a program prints the same every time
    "OPENBLAS_NUM_THREADS": "1",  # numpy would start a thread for each core, and may start none
    "OMP_NUM_THREADS": "1",
}
"""The whole environment of a program: nothing of this process's, where the keys are."""
FLAGS = ("-P", "-s", "-B", "-X", "utf8")
"""`-I` without `-E`, which would ignore the hash seed; bytecode is not written."""
JAIL = Path(__file__).with_name("jail.py")
START_S = 30.0
"""Seconds that a jail may take to start on a busy machine; then the sandbox is at fault, not the program."""

Outcome = Literal["ended", "ran too long", "raised an error", "printed too much", "printed nothing", "not run yet"]
"""The last one is for readers of a run that goes on; nothing that ran has it."""


class Result(NamedTuple):
    """What became of a program."""

    outcome: Outcome
    """`ended` if it ended by itself, without an error, after it had printed something."""
    line: str = ""
    """The last line of its output that is not empty; `""` unless it ended."""


class SandboxFailed(PersonaMathError):
    """A program could not be started."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """What the kernel gives to keep programs in."""

    walls: tuple[str, ...]
    """`namespaces`, `landlock` and `seccomp`, as far as there are."""

    @property
    def open(self) -> tuple[str, ...]:
        """What no wall covers here, e.g. `reading files`; a program that passes the gate has no plain way to it."""
        covered = {
            "network": {"namespaces", "seccomp"},
            "reading files": {"landlock"},
            "changing files": {"landlock", "seccomp"},
            "starting processes": {"seccomp"},
            "signals to other processes": {"namespaces", "seccomp"},
        }
        return tuple(what for what, by in covered.items() if not by.intersection(self.walls))

    def as_dict(self) -> dict[str, list[str]]:
        """For run.json."""
        return {"walls": list(self.walls), "not isolated": list(self.open)}


def run_program(source: str, cpu_s: int = CPU_S, wall_s: float = WALL_S) -> Result:
    """Run a program to its end or its limits of time; blocks. Raises `SandboxFailed` if it cannot be started."""
    return _run(source, cpu_s, wall_s)[1]


@cache
def isolation() -> Isolation:
    """The walls on this machine, found by running an empty program."""
    return Isolation(_run("", CPU_S, WALL_S)[0])


class _Ended(NamedTuple):
    output: bytes
    status: int | None
    """None if it was ended at its limit of time or output."""


def _run(source: str, cpu_s: int, wall_s: float) -> tuple[tuple[str, ...], Result]:
    given = {
        "source": source,
        "limits": LIMITS | {"RLIMIT_CPU": cpu_s},
        "readable": _readable(),
        "filter": seccomp_filter().hex(),
    }
    status_read, status_write = os.pipe()
    with tempfile.TemporaryDirectory(prefix="personamath-program-") as scratch, os.fdopen(status_read, "rb") as status:
        try:
            process = subprocess.Popen(
                [sys.executable, *FLAGS, str(JAIL), str(status_write)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=scratch,
                env=ENVIRONMENT,
                pass_fds=[status_write],
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxFailed(f"cannot start a process for a program ({error.strerror}); make room for it") from None
        finally:
            os.close(status_write)
        with process:
            try:
                assert process.stdin
                process.stdin.write(json.dumps(given).encode())
                process.stdin.close()
                walls = _walls(status)
                ended = _watch(process, wall_s)
            except BrokenPipeError:
                walls = None
            finally:
                _kill(process)
    if walls is None:
        raise SandboxFailed(f"the sandbox for programs does not start: run `{sys.executable} {JAIL}` to see why")
    return walls, _result(ended)


def _walls(status: BinaryIO) -> tuple[str, ...] | None:
    """The walls that a jail says it has; None if it ended, or said nothing in time."""
    said = select.select([status], [], [], START_S)[0] and status.read()
    return tuple(json.loads(said)) if said else None


def _watch(process: "subprocess.Popen[bytes]", wall_s: float) -> _Ended:
    """Read the output until its end, its limit, or the limit of time; then wait for the process as long."""
    assert process.stdout
    until = time.monotonic() + wall_s
    output = bytearray()
    while len(output) <= OUTPUT_BYTES:
        left = until - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            return _Ended(bytes(output), None)
        part = os.read(process.stdout.fileno(), OUTPUT_BYTES + 1)
        if not part:
            try:
                return _Ended(bytes(output), process.wait(max(0.0, until - time.monotonic())))
            except subprocess.TimeoutExpired:  # it closed its output and goes on
                return _Ended(bytes(output), None)
        output += part
    return _Ended(bytes(output), None)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End all processes of a program: its session is its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS refuses where only a dead leader is left
        process.kill()
    process.wait()


_DIED_BY_SIGNAL = 128  # as the jail passes it on
_AT_A_LIMIT = {-signal.SIGKILL, -signal.SIGXCPU, _DIED_BY_SIGNAL + signal.SIGKILL, _DIED_BY_SIGNAL + signal.SIGXCPU}


def _result(ended: _Ended) -> Result:
    if len(ended.output) > OUTPUT_BYTES:
        return Result("printed too much")
    if ended.status is None or ended.status in _AT_A_LIMIT:
        return Result("ran too long")
    if ended.status:
        return Result("raised an error")
    lines = [line.strip() for line in ended.output.decode("utf-8", "replace").splitlines() if line.strip()]
    return Result("ended", lines[-1]) if lines else Result("printed nothing")


@cache
def _readable() -> list[str]:
    """The folders of Python's modules and of the system's libraries."""
    homes = [Path(prefix) / lib for prefix in (sys.prefix, sys.base_prefix) for lib in ("lib", "lib64")]
    system = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"]
    # A project in development is on the path too, with whatever is beside it: its folder stays closed.
    return [str(path) for path in dict.fromkeys([*homes, *map(Path, system)]) if path.exists()]
