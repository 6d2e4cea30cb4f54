"""Rejection sampling fine-tuning (RFT, Yuan et al. 2023): many samples of a question, and one row for each path.

A sample is kept if its answer is right, its arithmetic holds, and no other kept sample takes the same path, which is
its equalities in their order. All samples are asked at once and folded in the order of their numbers, so the rows are a
function of the answers and never of which came first.

The published code finds equalities in the calculator marks of GSM8K only, `<<48/2=24>>`; answers of an API teacher have
none, so all of them would be one path. Here they are read from plain text and LaTeX as well, see `equations`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, NamedTuple

from personamath.errors import BadInput
from personamath.methods import estimates
from personamath.methods.arithmetic.equations import read_path
from personamath.methods.edit_distance import edit_distance
from personamath.methods.method import Column, Kind, Method, Outline, Seeds, Step, Usage
from personamath.methods.prompts import INFERENCE, Prompt
from personamath.methods.requests import Requests
from personamath.methods.work import Work
from personamath.records import Dropped, Persona, Problem, Solution

REJECTION = "rejection"
"""The method's only step, and its only kind of request."""

# Outcomes of a right answer that is not kept.
WRONG_ARITHMETIC = "wrong arithmetic"
REPEATED = "repeats another path"

LONGEST = 4_000
"""Words of a solution that are compared. Longer completions are rare, and the cost grows with the square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection(Method):
    """Solve each seed problem K times and keep the right solutions that take different paths."""

    k: Annotated[int, "samples of each seed problem (100 in the paper, with a 7B model)"] = 8

    prompts: ClassVar[Mapping[str, Prompt]] = {"inference": INFERENCE}
    outline: ClassVar[Outline] = Outline(
        method="rejection",
        title="rejection sampling of different solutions",
        how="""\
1. The teacher solves every seed problem {k} times.
2. A solution is kept if its final answer equals the reference answer and every equality of numbers in it holds.
3. Solutions with the same equalities in the same order take the same path to the answer; one of each path is kept. It
   is the one whose wording is farther, in edit distance, from those of the other paths.

The questions are the seed problems, unchanged. The teacher never sees a reference answer.""",
        cite="arXiv 2308.01825",
        steps=(Step(REJECTION, "samples", "different solutions of seed problems"),),
        kinds=(Kind(REJECTION, "Solve the seed problem", REJECTION, "solve"),),
        columns={"sample": Column("Which of the samples of its seed problem it is, from 0.", "number")},
    )

    def __post_init__(self) -> None:
        """Refuse a number of samples that makes no rows."""
        if self.k < 1:
            raise BadInput(f"k is {self.k}: it must be at least 1")

    def check(self, personas: Sequence[Persona], requests: Requests) -> list[str]:
        """Warn of a temperature at which all samples come out alike."""
        alike = self.k > 1 and requests.of(REJECTION).temperature == 0
        return [f"temperature is 0: all {self.k} samples of a problem will come out alike"] if alike else []

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """All samples, then those to keep, in the order of their numbers."""
        samples = await asyncio.gather(*(_sample(seed, number, work) for number in range(self.k)))
        return _different(work.correct(samples), work)

    def attempts(self, kept: Mapping[str, int]) -> Mapping[str, int]:
        """K samples."""
        return {REJECTION: self.k}

    def expected(self, seeds: Seeds, personas: Sequence[Persona]) -> Mapping[str, Usage]:
        """K requests for each seed problem."""
        return {REJECTION: estimates.times(estimates.solve(seeds.question_characters), seeds.count * self.k)}


async def _sample(seed: Problem, number: int, work: Work) -> Solution | Dropped:
    """One solution of the seed problem. Sample 0 is the request that other methods begin with, so it is paid once."""
    problem = replace(seed, id=sample_id(seed.id, number))
    solution = await work.solve(problem, REJECTION, number)
    return solution if isinstance(solution, Dropped) else replace(solution, columns={"sample": number})


def sample_id(seed_id: str, number: int) -> str:
    """The id of a sample's row, e.g. `gsm8k-train-00007/s0003`; sample 0 has the seed problem's own."""
    return f"{seed_id}/s{number:04}" if number else seed_id


class _Kept(NamedTuple):
    """A solution that is kept so far, its place among the right ones, and its words to compare."""

    place: int
    solution: Solution
    words: list[str]


def _different(solutions: Sequence[Solution], work: Work) -> list[Solution]:
    """One solution of each path, in the order of the samples: of two, the one that is farther from the other paths.

    A tie keeps the earlier sample. More samples may replace a solution by another of its path, as in the paper, so
    rows of a smaller K need not be among those of a larger one; its paths are.
    """
    kept: dict[tuple[str, ...], _Kept] = {}
    for place, solution in enumerate(solutions):
        path = read_path(solution.response)
        if not path.holds:
            work.recount(REJECTION, WRONG_ARITHMETIC)
            continue
        sample = _Kept(place, solution, solution.response.split()[:LONGEST])
        if path.key in kept:
            work.recount(REJECTION, REPEATED)
            others = [other.words for key, other in kept.items() if key != path.key]
            if _distances(sample.words, others) <= _distances(kept[path.key].words, others):
                continue
        kept[path.key] = sample
    return [sample.solution for sample in sorted(kept.values())]


def _distances(words: Sequence[str], others: Sequence[Sequence[str]]) -> int:
    return sum(edit_distance(words, other) for other in others)
