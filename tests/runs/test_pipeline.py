"""The order in which seed problems are taken up, and how a run ends that cannot go on."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from personamath.errors import BadInput, RunDirectoryError
from personamath.journal.store import Journal
from personamath.methods import PersonaMath
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Completion, Problem, Request
from personamath.runs.pipeline import Spool, new_first
from personamath.runs.run import run as run_recipe

RECIPE = Recipe(problems=("gsm8k",), teacher="teacher-1", method=PersonaMath(k1=0, k2=0))


def seed(number: int) -> Problem:
    return Problem(f"gsm8k-train-{number:05}", "gsm8k", f"What is {number} + {number}?", str(2 * number))


def test_what_is_not_begun_comes_first_and_everything_once() -> None:
    begun = {0, 1, 2, 5}
    times_read = 0

    def problems() -> Iterator[Problem]:
        nonlocal times_read
        times_read += 1
        return map(seed, range(8))

    order = [position for position, problem in new_first(problems, lambda one: int(one.id[-5:]) in begun)]
    assert order == [3, 4, 6, 7, 0, 1, 2, 5] and times_read == 2
    assert [*new_first(problems, lambda _: False)] == [*enumerate(map(seed, range(8)))] and times_read == 3


class Slow:
    """Answers the first request at once, the others later."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        await asyncio.sleep(0.3 if len(self.asked) > 1 else 0)
        return Completion(r"$\boxed{1}$", "stop")


class FullDisk(Spool):
    def add(self, position: int, outcome: Outcome) -> None:
        raise RunDirectoryError("no room")


def run(directory: Path, problems: Iterator[Problem], spool: Spool) -> tuple[list[Request], list[Request]]:
    """What was asked, and what of it is in the journal, by a run that ends with an error."""
    slow = Slow()
    with Journal(directory) as journal, spool:
        seeds = enumerate(problems)
        with pytest.raises((BadInput, RunDirectoryError)):
            asyncio.run(run_recipe(RECIPE, seeds, slow, journal, spool, concurrency=4, window=4))
        return slow.asked, [request for request in slow.asked if journal.has(request.digest)]


def torn() -> Iterator[Problem]:
    yield from map(seed, range(4))
    raise BadInput("a torn line")


def test_a_run_that_cannot_go_on_waits_for_what_is_in_flight(tmp_path: Path) -> None:
    asked, kept = run(tmp_path / "torn", torn(), Spool(tmp_path / "torn"))
    assert asked == kept and len(asked) >= 4
    asked, kept = run(tmp_path / "full", map(seed, range(20)), FullDisk(tmp_path / "full"))
    assert asked == kept and len(asked) >= 4


def test_rows_on_a_full_disk_are_one_line_and_leave_nothing(tmp_path: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("storage cannot be mounted here")
    try:
        with pytest.raises(RunDirectoryError, match=r"cannot write .*full.*make room, then run the same command"):
            Spool(tmp_path).__enter__()
        assert not [*tmp_path.iterdir()]
        subprocess.run(["mount", "-o", "remount,size=1m", tmp_path], check=True)
        with Spool(tmp_path) as spool:
            assert not [*spool.rows()] and not [*spool.answers()]
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=False)
