"""Reflection against plain new tries: what each recovers of the problems whose first answer is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from personamath.evaluation.scores import Comparison
from personamath.evaluation.scores.comparison import compare
from personamath.methods import PersonaMath, Resample
from personamath.report.analysis.rows import RunData

REFLECTED, TRIED_AGAIN = "stage2_reflection", "stage2_resample"
"""The kinds of requests, and steps, that recover a problem whose first answer is wrong."""


class SecondChance(NamedTuple):
    """A persona run and a resample run, on the seed problems that both answered wrong at first."""

    reflection: str
    resample: str
    wrong: int
    """Seed problems whose first answer is wrong in both runs, and which both tried again."""
    rounds: tuple[int, int]
    """At most this many reflections, and this many new tries, for each of them."""
    calls: tuple[int, int]
    """Requests that reflected, and that tried again, in the whole runs."""
    tokens: tuple[int, int]
    """Tokens of these requests."""
    recovered: Comparison | None
    """Whether a problem was recovered: reflection minus new tries; None without any such problem."""

    def words(self) -> str:
        """Return the result in words."""
        if self.recovered is None:
            return f"{self.reflection} and {self.resample} tried no wrong problem again that both have."
        one, two = (round(share * self.wrong) for share in (self.recovered.value, self.recovered.other))
        same = "one call for each" if self.rounds[0] == 1 else f"at most {self.rounds[0]:,} calls for each"
        if self.rounds[0] != self.rounds[1]:
            same = (
                f"at most {self.rounds[0]:,} and {self.rounds[1]:,} calls for each (make them equal: `--tries-again`)"
            )
        per_call = [tokens / calls if calls else 0 for tokens, calls in zip(self.tokens, self.calls, strict=True)]
        return (
            f"Of {self.wrong:,} problems that both answered wrong, reflection ({self.reflection}) recovers {one:,} and "
            f"new tries ({self.resample}) recover {two:,}, with {same}. Reflection minus new tries, in points: "
            f"{self.recovered.words()}. A reflection takes {per_call[0]:,.0f} tokens, a new try {per_call[1]:,.0f}."
        )


def second_chances(runs: Sequence[RunData]) -> list[SecondChance]:
    """Compare every persona run with every resample run."""
    found = []
    for one in runs:
        for two in runs:
            methods = (one.recipe and one.recipe.method, two.recipe and two.recipe.method)
            if isinstance(methods[0], PersonaMath) and isinstance(methods[1], Resample):
                found.append(_compared(one, two, (methods[0].reflection_rounds, methods[1].tries_again)))
    return found


def _compared(reflected: RunData, resampled: RunData, rounds: tuple[int, int]) -> SecondChance:
    tried = set(_tried_again(resampled))
    both = [seed for seed in _tried_again(reflected) if seed in tried]
    one, two = _recovered(reflected, REFLECTED), _recovered(resampled, TRIED_AGAIN)
    pairs = [(float(seed in one), float(seed in two)) for seed in both]
    return SecondChance(
        reflected.name,
        resampled.name,
        len(both),
        rounds,
        (_total(reflected, "requests", REFLECTED), _total(resampled, "requests", TRIED_AGAIN)),
        (_total(reflected, "tokens", REFLECTED), _total(resampled, "tokens", TRIED_AGAIN)),
        compare("seed problems", "recovered", pairs) if pairs else None,
    )


def _total(run: RunData, what: str, kind: str) -> int:
    counted: Mapping[str, int] = run.provenance["funnel"][what][kind]
    return sum(counted.values())


def _recovered(run: RunData, step: str) -> set[str]:
    return {row.seed_id for row in run.rows if row.step == step}


def _tried_again(run: RunData) -> Iterator[str]:
    """Yield the seed problems whose first answer is wrong, in order; without a journal also those without an answer."""
    for seed in run.seeds or ():
        if seed.id in run.wrong if run.wrong is not None else seed.id not in (run.solved or ()):
            yield seed.id
