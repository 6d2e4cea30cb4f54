"""Seed problems are kept as they are, or not at all."""

import pytest

from personamath.records import Problem
from personamath.runs.kept_problems import AT_ONCE, KeptProblems
from personamath.sources.seed_problems import Skipped


def items(count: int) -> list[Problem | Skipped]:
    problems = [Problem(f"own-{n}", "own", f"What is {n} + ½?", str(n), level=n % 5 or None) for n in range(count)]
    return [Skipped("own-x", "no answer"), *problems]


@pytest.mark.parametrize("count", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_all_problems_come_back_in_order_as_often_as_wanted(count: int) -> None:
    given, kept = items(count), KeptProblems()
    assert list(kept.over(given)) == given and kept.whole
    one, other = iter(kept), iter(kept)
    assert list(one) == list(other) == given[1:]


def test_too_many_are_not_kept() -> None:
    given, kept = items(5 * AT_ONCE), KeptProblems(most_bytes=3_000)
    assert list(kept.over(given)) == given
    assert not kept.whole and list(kept) == []
