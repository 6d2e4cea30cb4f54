"""The pool: many answers at once, without blocking the loop, whatever happens to its processes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from personamath.answers import Grade, Grader, equivalent, grade
from personamath.answers.pool import Workers
from personamath.answers.symbolic import PAIR_LIMIT, SymbolicWorker
from tests.support import programs

pytestmark = pytest.mark.slow

EASY = ("0.5", r"It is \boxed{\frac{1}{2}}.")
OPEN = ("6", r"\boxed{\sum_{k=1}^{3} k}")
ENDLESS = ("6", r"\boxed{\sum_{k=1}^{3} \sinh(10^{10})}")

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


def test_the_pool_grades_as_the_plain_function_does() -> None:
    pairs = [EASY, OPEN, ("7", OPEN[1]), ("5", "no box"), ("(1,2)", r"\boxed{(1, 2)}"), ("x+1", r"\boxed{1+x}")] * 5

    async def graded() -> list[Grade]:
        async with Grader(workers=2) as grader:
            return await asyncio.gather(*(grader.grade(*pair) for pair in pairs))

    assert asyncio.run(graded()) == [grade(*pair) for pair in pairs]
    workers = Workers(1)
    try:
        assert workers.grade_all(pairs) == [grade(*pair) for pair in pairs]
    finally:
        workers.close()


def test_cheap_pairs_need_no_process() -> None:
    async def graded() -> Grade:
        return await Grader().grade(*EASY)

    before = set(children(os.getpid())) if Path("/proc/self").is_dir() else set()
    assert asyncio.run(graded()).correct
    assert not Path("/proc/self").is_dir() or set(children(os.getpid())) <= before


def test_the_loop_stays_responsive_while_a_pair_takes_its_time() -> None:
    async def longest_pause_beside(work: asyncio.Task[Grade]) -> float:
        pauses, last = [0.0], time.perf_counter()
        while not work.done():
            await asyncio.sleep(0.005)
            pauses.append(time.perf_counter() - last)
            last = time.perf_counter()
        return max(pauses)

    async def measured() -> tuple[float, Grade]:
        async with Grader() as grader:
            work = asyncio.create_task(grader.grade(*ENDLESS))
            return await longest_pause_beside(work), await work

    pause, verdict = asyncio.run(measured())
    assert verdict == Grade(False, r"\sum_{k=1}^{3} \sinh(10^{10})", "symbolic", "timed out")
    assert pause < PAIR_LIMIT / 2


def test_a_pair_that_times_out_leaves_the_next_ones_alone() -> None:
    async def graded() -> list[Grade]:
        async with Grader() as grader:
            return [await grader.grade(*pair) for pair in (OPEN, ENDLESS, OPEN, ENDLESS, OPEN)]

    assert [verdict.correct for verdict in asyncio.run(graded())] == [True, False, True, False, True]


@NEEDS_PROC
def test_a_verdict_does_not_depend_on_how_busy_the_machine_is() -> None:
    before = set(children(os.getpid()))
    worker = SymbolicWorker()
    worker.start()
    (pid,) = set(children(os.getpid())) - before
    os.kill(pid, signal.SIGSTOP)  # as a busy machine would for longer than a pair may take
    outcomes: list[str] = []
    thread = threading.Thread(target=lambda: outcomes.append(worker.compare(OPEN[0], r"\sum_{k=1}^{3} k")))
    thread.start()
    time.sleep(1.5 * PAIR_LIMIT)
    os.kill(pid, signal.SIGCONT)
    thread.join(timeout=30)
    worker.close()
    assert outcomes == ["equal"]


def test_many_pairs_that_time_out_leave_the_first_and_the_last_alone() -> None:
    worker = SymbolicWorker(limit=0.2)
    pairs = [OPEN[0], *["7"] * 5, OPEN[0]]
    sums = [r"\sum_{k=1}^{3} k", *[r"\sum_{k=1}^{3} \sinh(10^{10})"] * 5, r"\sum_{k=1}^{3} k"]
    outcomes = [worker.compare(reference, answer) for reference, answer in zip(pairs, sums, strict=True)]
    worker.close()
    assert outcomes == ["equal", *["timed out"] * 5, "equal"]


@NEEDS_PROC
def test_a_killed_worker_is_replaced() -> None:
    async def graded() -> list[Grade]:
        async with Grader() as grader:
            before = set(children(os.getpid()))
            verdicts = [await grader.grade(*OPEN)]
            for worker in set(children(os.getpid())) - before:
                os.kill(worker, signal.SIGKILL)
            return [*verdicts, await grader.grade(*OPEN)]

    assert [verdict.correct for verdict in asyncio.run(graded())] == [True, True]


@NEEDS_PROC
def test_a_worker_may_not_take_the_machine_s_memory() -> None:
    import resource

    before = set(children(os.getpid()))
    worker = SymbolicWorker()
    assert worker.compare(OPEN[0], r"\sum_{k=1}^{3} k") == "equal"
    limits = [resource.prlimit(pid, resource.RLIMIT_DATA) for pid in set(children(os.getpid())) - before]
    worker.close()
    assert [limit < 500 * 2**20 for limit, _ in limits] == [True]


def test_a_worker_killed_under_a_pair_tries_it_once_more_and_then_gives_up() -> None:
    worker = SymbolicWorker()
    worker.start()
    outcomes: list[str] = []
    thread = threading.Thread(target=lambda: outcomes.append(worker.compare("6", r"\sum_{k=1}^{3} \sinh(10^{10})")))
    thread.start()
    worker.close()
    thread.join(timeout=10)
    assert outcomes == ["worker ended"]


def test_the_pool_works_off_the_main_thread() -> None:
    async def graded() -> Grade:
        async with Grader() as grader:
            return await grader.grade(*OPEN)

    verdicts: list[Grade] = []
    thread = threading.Thread(target=lambda: verdicts.append(asyncio.run(graded())))
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


def test_real_outputs_are_graded_alike_in_the_pool(data: Path) -> None:
    lines = (data / "answers" / "pairs.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
    pairs = [pair for pair in map(json.loads, lines) if pair["form"] == "full"][:200]

    async def graded() -> list[Grade]:
        async with Grader() as grader:
            return await asyncio.gather(*(grader.grade(pair["gold"], pair["candidate"]) for pair in pairs))

    assert asyncio.run(graded()) == [grade(pair["gold"], pair["candidate"]) for pair in pairs]
