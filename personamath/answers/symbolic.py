"""The last resort: math-verify, in a process of its own, with a hard limit on the time it may take.

Symbolic algebra has no bound that can be known beforehand, and cannot be interrupted from inside; so it runs where it
can be killed. Only integrals, sums, products, limits and derivatives are given to it, as it takes letters in any case
for the same and reads on where it does not understand.
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

from personamath.answers.normal_form import FUNCTIONS

PAIR_LIMIT = 1.0
"""Seconds of CPU time one pair may take before it is ended and not equal, `timed out`."""

START_LIMIT = 300.0
"""Seconds a worker may take to import what it needs and to warm up; usually two, but the machine may be busy."""

PATIENCE = 60.0
"""Seconds by the clock for each second of CPU time, after which a worker is given up."""

LONGEST = 200
UNBOUNDED = re.compile(
    r"\\text|\d\)?_|!|\d{7}|\.\.\."  # words; bases; factorials; large numbers, as limits of sums; and so on
    r"|\^\s*\{?[-+]?\d{3}|\^\s*(?:\{[^{}]*|\w*)\^"  # large exponents and towers of them
    r"|(?:[({\[][^(){}\[\]]*){7}"  # deep nesting
)
"""What math-verify is never asked about: it cannot know, or would take all the time there is."""

ASKED = re.compile(r"\\(?:int|sum|prod|lim)(?![A-Za-z])|\\frac\{d\}\{d ?[a-z]\}")
"""What one side at least must have: all else is decided by the other rules, or not at all."""
COMMAND = re.compile(r"\\([A-Za-z]+)")
COMMANDS = frozenset(["int", "sum", "prod", "lim", "to", "frac", "sqrt", "pi", "infty", "binom", "theta", *FUNCTIONS])
"""What math-verify reads as it is meant."""
MISREAD = re.compile(r"[A-Z'<>;&]|(?<!_\{[a-z])=|\\frac\{d\^|\\frac\{d ?[a-z]\}\{d|(?<![A-Za-z])[fgh]\(|,")
"""What it reads otherwise: capital letters, primes, second derivatives, unknown functions."""

Outcome = Literal["equal", "different", "timed out", "worker ended"]

Task = Literal["value", "answer", "completion"]
"""What is compared with a bare reference answer: a bare answer, exactly; or, by math-verify's own rule, a bare answer
or all of a completion."""


def is_asked(one: str, other: str) -> bool:
    """Whether two answers in normal form are a question for symbolic algebra."""
    if not ("\\" in one + other and (ASKED.search(one) or ASKED.search(other))):
        return False
    are_known = COMMANDS.issuperset(COMMAND.findall(one + " " + other))
    return are_known and not MISREAD.search(f"{one} {other}") and is_bounded(one) and is_bounded(other)


def is_bounded(text: str) -> bool:
    """Whether an answer in normal form is small enough to be given to symbolic algebra."""
    return len(text) <= LONGEST and not UNBOUNDED.search(text)


class SymbolicWorker:
    """One process, started at the first pair and again whenever it was killed; safe to call from any thread."""

    def __init__(self, task: Task = "value", limit: float = PAIR_LIMIT) -> None:
        self._task, self._limit = task, limit
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def start(self) -> None:
        """Start the process ahead of the first pair."""
        with self._lock:
            self._running()

    def compare(self, reference: str, answer: str) -> Outcome:
        """Whether the two are equal by symbolic algebra, within `limit` seconds of CPU time once the process runs."""
        with self._lock:
            for _ in range(2):  # once more when the process had been killed from outside
                reply, timed_out = self._ask(reference, answer)
                if reply:
                    outcome: Outcome = json.loads(reply)
                    return outcome
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
        by_the_clock = self._limit * (PATIENCE if hasattr(os, "fork") else 1)
        return read_line(process, by_the_clock)

    def _running(self) -> subprocess.Popen[str] | None:
        if self._process is None and not self._closed:
            # -P, for the modules beside the script are not to be taken for others of their names.
            script = str(Path(__file__).with_name("worker.py"))
            command = [sys.executable, "-P", script, self._task, str(self._limit)]
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
