"""The pool: many answers at once, without blocking the loop, whatever happens to its processes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from personamath.answers import Grade, Grader, equivalent, grade
from personamath.answers.pool import Workers
from personamath.answers.symbolic import PAIR_LIMIT, SymbolicWorker
from tests.support import programs

pytestmark = pytest.mark.slow

EASY = ("0.5", r"It is \boxed{\frac{1}{2}}.")
OPEN = ("6", r"\boxed{\sum_{k=1}^{3} k}")
ENDLESS = ("6", r"\boxed{\sum_{k=1}^{3} \sinh(10^{10})}")
PAIRS = [EASY, OPEN, ("7", OPEN[1]), ("5", "no box"), ("(1,2)", r"\boxed{(1, 2)}"), ("x+1", r"\boxed{1+x}")] * 5

SHORT_LIMIT = 0.2
"""Seconds of CPU time that a pair may take of the worker that the tests share: a hundred times what `OPEN` takes."""

NEEDS_PROC = pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="reads processes from /proc")


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def runs(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends_within(seconds: float, pids: list[int]) -> bool:
    """Whether all processes end in time."""
    deadline = time.monotonic() + seconds
    while any(runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(runs(pid) for pid in pids)


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    """A pool of two processes, which start with its first pairs: two seconds of CPU."""
    with asyncio.Runner() as runner:
        grader = runner.run(Grader(workers=2).__aenter__())
        yield grader
        runner.run(grader.__aexit__(None, None, None))


def grade_in_turn(grader: Grader, *pairs: tuple[str, str]) -> list[Grade]:
    """The grades of pairs of which each is graded before the next is given."""

    async def graded() -> list[Grade]:
        return [await grader.grade(*pair) for pair in pairs]

    return asyncio.run(graded())


def grade_at_once(grader: Grader, pairs: list[tuple[str, str]]) -> list[Grade]:
    """The grades of pairs that are given all at once."""

    async def graded() -> list[Grade]:
        return await asyncio.gather(*(grader.grade(*pair) for pair in pairs))

    return asyncio.run(graded())


def test_the_pool_grades_as_the_plain_function_does(grader: Grader) -> None:
    assert grade_at_once(grader, PAIRS) == [grade(*pair) for pair in PAIRS]


def test_real_outputs_are_graded_alike_in_the_pool(data: Path, grader: Grader) -> None:
    lines = (data / "answers" / "pairs.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
    rows = [row for row in map(json.loads, lines) if row["form"] == "full"][:200]
    pairs = [(row["gold"], row["candidate"]) for row in rows]
    assert grade_at_once(grader, pairs) == [grade(*pair) for pair in pairs]


def test_cheap_pairs_need_no_process() -> None:
    before = set(children(os.getpid())) if Path("/proc/self").is_dir() else set()
    assert grade_in_turn(Grader(), EASY)[0].correct
    assert not Path("/proc/self").is_dir() or set(children(os.getpid())) <= before


def test_the_loop_stays_responsive_while_a_pair_takes_its_time(grader: Grader) -> None:
    async def longest_pause_beside(work: asyncio.Task[Grade]) -> float:
        pauses, last = [0.0], time.perf_counter()
        while not work.done():
            await asyncio.sleep(0.005)
            pauses.append(time.perf_counter() - last)
            last = time.perf_counter()
        return max(pauses)

    async def measured() -> tuple[float, Grade]:
        work = asyncio.create_task(grader.grade(*ENDLESS))
        return await longest_pause_beside(work), await work

    pause, verdict = asyncio.run(measured())
    assert verdict == Grade(False, r"\sum_{k=1}^{3} \sinh(10^{10})", "symbolic", "timed out")
    assert pause < PAIR_LIMIT / 2


def test_a_list_is_graded_in_order_also_behind_a_pair_that_times_out() -> None:
    workers = Workers(1)
    try:
        behind = [verdict.why for verdict in workers.grade_all([OPEN, ENDLESS, OPEN])]
        verdicts = workers.grade_all(PAIRS)
    finally:
        workers.close()
    assert behind == [grade(*OPEN).why, "timed out", grade(*OPEN).why]
    assert verdicts == [grade(*pair) for pair in PAIRS]


class StartedWorker(NamedTuple):
    worker: SymbolicWorker
    pid: int
    """0 where there is no /proc to read it from."""


@pytest.fixture(scope="module")
def started() -> Iterator[StartedWorker]:
    """A worker that is ready for pairs, with a short limit."""
    before = set(children(os.getpid()))
    worker = SymbolicWorker(limit=SHORT_LIMIT)
    worker.start()
    (pid,) = set(children(os.getpid())) - before or {0}
    yield StartedWorker(worker, pid)
    worker.close()


@NEEDS_PROC
def test_a_verdict_does_not_depend_on_how_busy_the_machine_is(started: StartedWorker) -> None:
    os.kill(started.pid, signal.SIGSTOP)  # as a busy machine would for longer than a pair may take
    outcomes: list[str] = []
    thread = threading.Thread(target=lambda: outcomes.append(started.worker.compare(OPEN[0], r"\sum_{k=1}^{3} k")))
    thread.start()
    time.sleep(1.5 * SHORT_LIMIT)
    os.kill(started.pid, signal.SIGCONT)
    thread.join(timeout=30)
    assert outcomes == ["equal"]


def test_many_pairs_that_time_out_leave_the_first_and_the_last_alone(started: StartedWorker) -> None:
    pairs = [OPEN[0], *["7"] * 5, OPEN[0]]
    sums = [r"\sum_{k=1}^{3} k", *[r"\sum_{k=1}^{3} \sinh(10^{10})"] * 5, r"\sum_{k=1}^{3} k"]
    outcomes = [started.worker.compare(reference, answer) for reference, answer in zip(pairs, sums, strict=True)]
    assert outcomes == ["equal", *["timed out"] * 5, "equal"]


@NEEDS_PROC
def test_a_worker_may_not_take_the_machine_s_memory(started: StartedWorker) -> None:
    import resource

    assert started.worker.compare(OPEN[0], r"\sum_{k=1}^{3} k") == "equal"
    limit, _ = resource.prlimit(started.pid, resource.RLIMIT_DATA)
    assert 0 < limit < 500 * 2**20  # no limit is -1


@NEEDS_PROC
def test_pairs_in_turn_need_one_process_and_one_that_is_killed_is_replaced() -> None:
    async def graded() -> list[Grade]:
        async with Grader(workers=2) as grader:
            before = set(children(os.getpid()))
            verdicts = [await grader.grade(*OPEN), await grader.grade(*OPEN)]
            (worker,) = set(children(os.getpid())) - before
            os.kill(worker, signal.SIGKILL)
            return [*verdicts, await grader.grade(*OPEN)]

    assert [verdict.correct for verdict in asyncio.run(graded())] == [True, True, True]


def test_a_worker_killed_under_a_pair_tries_it_once_more_and_then_gives_up() -> None:
    worker = SymbolicWorker()
    worker.start()
    outcomes: list[str] = []
    thread = threading.Thread(target=lambda: outcomes.append(worker.compare("6", r"\sum_{k=1}^{3} \sinh(10^{10})")))
    thread.start()
    worker.close()
    thread.join(timeout=10)
    assert outcomes == ["worker ended"]


def test_the_pool_works_off_the_main_thread(grader: Grader) -> None:
    verdicts: list[Grade] = []
    thread = threading.Thread(target=lambda: verdicts.extend(grade_in_turn(grader, OPEN)))
    thread.start()
    thread.join(timeout=30)
    assert [verdict.correct for verdict in verdicts] == [True]


def test_the_plain_functions_work_in_many_threads_at_once() -> None:
    verdicts: list[bool] = []

    def work() -> None:
        verdicts.append(grade(*OPEN).correct and equivalent(r"\sqrt{8}", r"2\sqrt2") and not equivalent("x", "y"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert verdicts == [True] * 8


@NEEDS_PROC
def test_leaving_ends_every_process_even_under_a_pair() -> None:
    async def started() -> list[int]:
        before = set(children(os.getpid()))
        async with Grader(workers=2) as grader:
            await asyncio.gather(*(grader.grade(*OPEN) for _ in range(8)))
            work = asyncio.create_task(grader.grade(*ENDLESS))
            await asyncio.sleep(0.1)
            workers = set(children(os.getpid())) - before
        assert (await work).why == "worker ended"
        return list(workers)

    workers = asyncio.run(started())
    assert workers
    assert ends_within(5, workers)


PARENT = """
import asyncio, json, os, sys
from personamath.answers import Grader

async def main():
    async with Grader() as grader:
        await grader.grade("6", r"\\\\boxed{\\\\sum_{k=1}^{3} k}")
        print("ready", flush=True)
        await grader.grade("6", sys.argv[1]) if len(sys.argv) > 1 else await asyncio.sleep(60)

asyncio.run(main())
""".replace("\\\\\\\\", "\\\\")


@NEEDS_PROC
@pytest.mark.parametrize("busy_with", [[], [ENDLESS[1]]], ids=["idle", "busy"])
def test_workers_die_with_a_parent_that_is_killed(busy_with: list[str]) -> None:
    with programs.start(PARENT, *busy_with, stdout=programs.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        workers = children(parent.pid)
        assert workers
        parent.kill()
    assert ends_within(10, workers)


@NEEDS_PROC
def test_control_c_ends_parent_and_workers() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        assert parent.stdout.readline() == "ready\n"
        workers = children(parent.pid)
        os.killpg(parent.pid, signal.SIGINT)
        error = parent.stderr.read()
    assert workers
    assert "KeyboardInterrupt" in error
    assert "worker.py" not in error  # the workers say nothing
    assert ends_within(5, workers)
