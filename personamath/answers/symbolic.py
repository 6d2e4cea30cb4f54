"""The last resort: math-verify, in a process of its own, with a hard limit on the time it may take.

Symbolic algebra has no bound that can be known beforehand, and cannot be interrupted from inside; so it runs where it
can be killed.
"""

import atexit
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Literal

PAIR_LIMIT = 1.0
"""Seconds one pair may take before its worker is killed and the pair is not equal, `timed out`."""

START_LIMIT = 60.0
"""Seconds a worker may take to import what it needs; usually less than one."""

GRACE = 2.0
"""Seconds after the limit at which a worker ends itself: it outlives its parent by no more than limit and grace, even
deep inside a computation that never yields to Python."""

LONGEST = 200
UNBOUNDED = re.compile(
    r"\\text|\d\)?_|!|\d{7}|\.\.\."  # words; bases; factorials; large numbers, as limits of sums; and so on
    r"|\^\s*\{?[-+]?\d{3}|\^\s*(?:\{[^{}]*|\w*)\^"  # large exponents and towers of them
    r"|(?:[({\[][^(){}\[\]]*){7}"  # deep nesting
)
"""What math-verify is never asked about: it cannot know, or would take all the time there is."""

Outcome = Literal["equal", "different", "timed out", "worker ended"]

Task = Literal["answer", "completion"]
"""What is compared with a bare reference answer: a bare answer, or all of a completion."""


def is_bounded(text: str) -> bool:
    """Whether an answer in normal form is small enough to be given to symbolic algebra."""
    return len(text) <= LONGEST and not UNBOUNDED.search(text)


class SymbolicWorker:
    """One process, started at the first pair and again whenever it was killed; safe to call from any thread."""

    def __init__(self, task: Task = "answer", limit: float = PAIR_LIMIT) -> None:
        self._task, self._limit = task, limit
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def start(self) -> None:
        """Start the process ahead of the first pair."""
        with self._lock:
            self._running()

    def compare(self, reference: str, answer: str) -> Outcome:
        """Whether math-verify takes the two for equal, within `limit` seconds once the process runs."""
        with self._lock:
            for _ in range(2):  # once more when the process had been killed from outside
                reply, timed_out = self._ask(reference, answer)
                if reply:
                    return "equal" if json.loads(reply) else "different"
                self._stop()
                if timed_out:
                    return "timed out"
            return "worker ended"

    def close(self) -> None:
        """Kill the process, also from under a running comparison; none is started again."""
        self._closed = True
        if self._process is not None:
            self._process.kill()
        with self._lock:
            self._stop()

    def _ask(self, reference: str, answer: str) -> tuple[str, bool]:
        """The reply, empty if the process ended first, and whether that was for the time it took."""
        process = self._running()
        if process is None:
            return "", False
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps([reference, answer]) + "\n")
            process.stdin.flush()
        except OSError:
            return "", False
        return read_line(process, self._limit)

    def _running(self) -> subprocess.Popen[str] | None:
        if self._process is None and not self._closed:
            # -P, for the modules beside the script are not to be taken for others of their names.
            script = str(Path(__file__).with_name("worker.py"))
            command = [sys.executable, "-P", script, self._task, str(self._limit + GRACE)]
            pipe, null = subprocess.PIPE, subprocess.DEVNULL
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, text=True)
            read_line(self._process, START_LIMIT)
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def read_line(process: subprocess.Popen[str], limit: float) -> tuple[str, bool]:
    """One line of the process's output, and whether it was killed because none came within `limit` seconds."""
    expired = threading.Event()

    def kill() -> None:
        expired.set()
        process.kill()

    timer = threading.Timer(limit, kill)
    timer.daemon = True
    timer.start()
    try:
        assert process.stdout is not None
        return process.stdout.readline(), expired.is_set()
    finally:
        timer.cancel()


shared = SymbolicWorker()
"""The worker of `grade` and `equivalent`; pools bring their own."""


def _leave_to_parent() -> None:
    """A forked child takes a worker of its own: two processes cannot share one conversation."""
    global shared
    shared = SymbolicWorker()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
atexit.register(lambda: shared.close())
