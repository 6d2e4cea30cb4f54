"""Rejection sampling fine-tuning (RFT, Yuan et al. 2023): many samples of a question, and one row for each path.

A sample is kept if its answer is right, its arithmetic holds, and no other kept sample takes the same path, which is
its equalities in their order. All samples are asked at once and folded in the order of their numbers, so the rows are a
function of the answers and never of which came first.

The published code finds equalities in the calculator marks of GSM8K only, `<<48/2=24>>`; answers of an API teacher have
none, so all of them would be one path. Here they are read from plain text and LaTeX as well, see `equations`.

With `until_right` it is DART (Tong et al. 2024): a problem is sampled in waves until that many solutions are right, and
the first of those are kept, whatever their paths.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, NamedTuple

from personamath.errors import BadInput
from personamath.methods import estimates
from personamath.methods.arithmetic.equations import read_path
from personamath.methods.edit_distance import edit_distance
from personamath.methods.method import ADDED_LATER, Column, Kind, Method, Outline, Seeds, Step, Usage
from personamath.methods.prompts import INFERENCE, Prompt
from personamath.methods.quotas import Share, next_wave, quota, samples_and_waves
from personamath.methods.requests import Requests
from personamath.methods.work import UNANSWERED, Work
from personamath.records import Dropped, Persona, Problem, Solution

REJECTION = "rejection"
"""The method's only step, and its only kind of request."""

# Outcomes of a right answer that is not kept.
WRONG_ARITHMETIC = "wrong arithmetic"
REPEATED = "repeats another path"
REPEATED_TEXT = "repeats another solution"
BEYOND = "beyond the quota"

LONGEST = 4_000
"""Words of a solution that are compared. Longer completions are rare, and the cost grows with the square."""


_SHARES: dict[Share, str] = {
    "uniform": "The quota of every problem is {until_right} right solutions.",
    "fail-rate": "The quota of a problem is {until_right} times the share of its first {k} solutions that are not "
    "right, rounded up, and at least 1: the harder, the more.",
}
_UNTIL_RIGHT = """\
1. The teacher solves every seed problem {k} times. A solution is right if its final answer equals the reference answer,
   every equality of numbers in it holds, and no earlier solution has the same words.
2. {share} The teacher solves the problem again until the quota is met, at most {max_samples} times in all.
3. The first right solutions are kept, up to the quota. A problem that does not reach it keeps what it has.

The questions are the seed problems, unchanged. The teacher never sees a reference answer."""
_PROBLEMS = 50
"""Problems of different difficulty that an estimate of a quota's cost stands on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection(Method):
    """Solve each seed problem K times and keep the right solutions that take different paths."""

    k: Annotated[int, "samples of each seed problem (100 in the paper, with a 7B model)"] = 8
    until_right: Annotated[
        int | None, "DART: after K samples, ask for more until this many are right; none takes only K"
    ] = field(default=None, metadata=ADDED_LATER)
    share: Annotated[
        Share,
        "`uniform`: until_right solutions of every problem; `fail-rate`: in proportion to its fail rate in K samples",
    ] = field(default="uniform", metadata=ADDED_LATER)
    max_samples: Annotated[int, "maximum samples of a problem that does not reach until_right (2048 in DART)"] = field(
        default=100, metadata=ADDED_LATER
    )

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
        kinds=(Kind(REJECTION, "solve the seed problem", REJECTION, "solve"),),
        columns={"sample": Column("Which of the samples of its seed problem it is, from 0.", "number")},
    )

    def __post_init__(self) -> None:
        """Refuse a number of samples that makes no rows."""
        for name, value in (("k", self.k), ("until_right", self.until_right)):
            if value is not None and value < 1:
                raise BadInput(f"{name} is {value}: it must be at least 1")
        if self.until_right is None:
            if self.share != "uniform":
                raise BadInput(
                    f"share is {self.share}: set until_right, the number of solutions of the hardest problem"
                )
        elif self.max_samples < self.k:
            raise BadInput(f"max_samples is {self.max_samples}: it must be at least k, which is {self.k}")

    @property
    def described(self) -> Outline:
        """The outline, or DART's with a quota."""
        if self.until_right is None:
            return self.outline
        how = Prompt(_UNTIL_RIGHT).fill(share=_SHARES[self.share])
        filled = Prompt(how).fill(until_right=str(self.until_right), max_samples=str(self.max_samples))
        title = "rejection sampling until enough solutions are right"
        return replace(self.outline, title=title, how=filled, cite="arXiv 2407.13690")

    @property
    def waves(self) -> int:
        """One; with a quota, those of the problem that is solved at the worst rate, or never."""
        return max(waves for _, waves in self._samples((0.0, *_rates(estimates.ASSUMED_SOLVED))))

    def check(self, personas: Sequence[Persona], requests: Requests) -> list[str]:
        """Warn of a temperature at which all samples come out alike."""
        several = self.k > 1 or self.until_right is not None
        alike = several and requests.of(REJECTION).temperature == 0
        samples = f"{self.k} samples" if self.until_right is None else "samples"
        return [f"temperature is 0: all {samples} of a problem will come out alike"] if alike else []

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """All samples, then those to keep, in the order of their numbers."""
        samples = await _samples(seed, range(self.k), work)
        if self.until_right is None:
            return _different(work.correct(samples), work)
        right = len(_right(work.correct(samples)))
        wanted = quota(self.until_right, self.share, right, self.k)
        # After a sample without an answer nothing more is asked: the same command will ask that sample again.
        while all(map(_answered, samples)) and (more := next_wave(wanted, right, len(samples), self.max_samples)):
            samples += await _samples(seed, range(len(samples), len(samples) + more), work)
            right = len(_right(work.correct(samples)))
        return _up_to(wanted, work.correct(samples), work)

    def attempts(self, kept: Mapping[str, int]) -> Mapping[str, int]:
        """K samples; with a quota nobody knows."""
        return {REJECTION: self.k} if self.until_right is None else {}

    def expected(self, seeds: Seeds, personas: Sequence[Persona]) -> Mapping[str, Usage]:
        """K requests for each seed problem; with a quota, what problems of different difficulty take."""
        each = self._samples(_rates(estimates.solved_share(seeds)))
        samples = sum(asked for asked, _ in each) / len(each)
        return {REJECTION: estimates.times(estimates.solve(seeds.question_characters), seeds.count * samples)}

    def _samples(self, rates: Sequence[float]) -> list[tuple[int, int]]:
        """How many samples, in how many waves, problems take that are solved at these rates."""
        if self.until_right is None:
            return [(self.k, 1) for _ in rates]
        return [samples_and_waves(self.k, self.until_right, self.share, self.max_samples, rate) for rate in rates]


def _rates(solved: float) -> list[float]:
    """How often problems of a source are solved that are solved this often on average.

    Ours: the rates of a source spread as a power of a uniform number, so most problems are easy and a few hopeless.
    """
    return [((place + 0.5) / _PROBLEMS) ** (1 / solved - 1) for place in range(_PROBLEMS)]


async def _samples(seed: Problem, numbers: range, work: Work) -> list[Solution | Dropped]:
    return await asyncio.gather(*(_sample(seed, number, work) for number in numbers))


def _answered(sample: Solution | Dropped) -> bool:
    return isinstance(sample, Solution) or sample.reason not in UNANSWERED


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
            work.recount(REJECTION, WRONG_ARITHMETIC, solution)
            continue
        sample = _Kept(place, solution, solution.response.split()[:LONGEST])
        if path.key in kept:
            others = [other.words for key, other in kept.items() if key != path.key]
            is_nearer = _distances(sample.words, others) <= _distances(kept[path.key].words, others)
            work.recount(REJECTION, REPEATED, solution if is_nearer else kept[path.key].solution)
            if is_nearer:
                continue
        kept[path.key] = sample
    return [sample.solution for sample in sorted(kept.values())]


def _distances(words: Sequence[str], others: Sequence[Sequence[str]]) -> int:
    return sum(edit_distance(words, other) for other in others)


def _judged(solutions: Sequence[Solution]) -> Iterator[tuple[Solution, str | None]]:
    """Each solution with a right answer, and why it is not right all the same, for a quota."""
    texts = set[str]()
    for solution in solutions:
        text = " ".join(solution.response.split())
        fault = REPEATED_TEXT if text in texts else None if read_path(solution.response).holds else WRONG_ARITHMETIC
        texts.add(text)
        yield solution, fault


def _right(solutions: Sequence[Solution]) -> list[Solution]:
    return [solution for solution, fault in _judged(solutions) if fault is None]


def _up_to(wanted: int, solutions: Sequence[Solution], work: Work) -> list[Solution]:
    """The first `wanted` right solutions in the order of the samples; the others are counted by why they are left."""
    kept: list[Solution] = []
    for solution, fault in _judged(solutions):
        if fault is None and len(kept) < wanted:
            kept.append(solution)
        else:
            work.recount(REJECTION, fault or BEYOND, solution)
    return kept
