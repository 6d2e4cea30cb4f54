"""Run Python modules in processes of their own, with one live line of progress on a terminal."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, TextIO

from personamath.errors import BadInput

REFRESH_S = 0.2
LOG_LINES = 15
TAIL_BYTES = 4_096
"""Enough of a log to hold its last progress bar."""
BAR = re.compile(r"%\|[^|\r\n]*\|\s*(\d+)/(\d+) \[")
"""A progress bar of tqdm, e.g. ` 12%|█▏  | 72/600 [00:03<00:25, 21.0it/s]`."""


class Process(NamedTuple):
    """A module to run."""

    label: str
    """Its name in the line of progress."""
    arguments: Sequence[str]
    """The module and its arguments."""
    log: Path
    """Receives all output."""


def run_together(processes: Sequence[Process], stream: TextIO | None = None) -> None:
    """Run processes at the same time, each with one thread, and show on a terminal how far each is.

    Raises `BadInput` with the end of the log of the first that fails; the others are then ended.
    """
    stream = stream or sys.stderr
    # One thread each: the demo's models are too small for more, and on a busy machine threads wait for one another.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    with ExitStack() as stack:
        running = []
        for one in processes:
            log = stack.enter_context(one.log.open("w", encoding="utf-8"))
            started = subprocess.Popen(
                [sys.executable, "-m", *one.arguments], stdout=log, stderr=subprocess.STDOUT, env=environment
            )
            stack.callback(_end, started)
            running.append((one, started))
        _wait(running, stream)


def _wait(running: Sequence[tuple[Process, "subprocess.Popen[bytes]"]], stream: TextIO) -> None:
    live, start = stream.isatty(), time.monotonic()
    try:
        while True:
            codes = [started.poll() for _, started in running]
            for (one, _), code in zip(running, codes, strict=True):
                if code:
                    raise BadInput(_failure(one, code))
            if None not in codes:
                return
            if live:
                parts = [f"{one.label} {_progress(one.log)}" for one, _ in running]
                stream.write(f"\r\x1b[2K{', '.join(parts)} · {time.monotonic() - start:.0f} s")
                stream.flush()
            time.sleep(REFRESH_S)
    finally:
        if live:
            stream.write("\r\x1b[2K")
            stream.flush()


def _progress(log: Path) -> str:
    """Return what the last progress bar in a log says, e.g. `72/600`; `starts` before the first."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        bars = BAR.findall(file.read().decode(errors="replace"))
    return "{}/{}".format(*bars[-1]) if bars else "starts"


def _failure(one: Process, code: int) -> str:
    lines = one.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LOG_LINES:]
    return f"{one.arguments[0]} ended with status {code}; {one.log} ends:\n" + "\n".join(lines)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process that still runs, e.g. after Ctrl-C."""
    if process.poll() is None:
        process.terminate()
    process.wait()
