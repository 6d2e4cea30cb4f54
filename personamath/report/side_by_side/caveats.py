"""What makes runs hard to compare: another teacher, other problems, another grader, requests without an answer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from personamath.methods.work import UNANSWERED
from personamath.report.analysis.rows import RunData

FEW_SEEDS = 200
"""With fewer seed problems, a share near one half has an interval wider than 13 points."""
ASKED_BY = ("teacher", "temperature", "max_tokens", "token_limit", "system", "request")
"""Keys of a recipe that decide how a teacher answers."""
GRADERS = ("personamath", "math-verify", "latex2sympy2_extended", "sympy")
"""Packages whose version can change which answers are right."""


def caveats(runs: Sequence[RunData]) -> list[str]:
    """Return every reason not to blame the methods for a difference between the runs, a sentence each."""
    return list(_caveats(runs))


def _caveats(runs: Sequence[RunData]) -> Iterator[str]:
    asking = [run for run in runs if run.outline.kinds]
    for key in ASKED_BY:
        yield from _if_different(f"`{key}`", {run.name: run.provenance["recipe"].get(key) for run in asking})
    for package in GRADERS:
        versions = {run.name: run.provenance["packages"].get(package) for run in runs}
        yield from _if_different(f"the version of {package}, which grades,", versions)
    yield from _other_problems(runs)
    if len({str(run.provenance.get("benchmarks")) for run in runs}) > 1:
        yield "The runs were compared with different test problems, so their overlaps are not comparable."
    for run in runs:
        requests: Mapping[str, Mapping[str, int]] = run.provenance["funnel"]["requests"]
        if left := sum(of.get(reason, 0) for of in requests.values() for reason in UNANSWERED):
            yield f"{run.name} has {left:,} requests without an answer: run its command again before you compare."
    if simulated := [run.name for run in runs if run.simulated]:
        yield f"The simulated teacher wrote {_and(simulated)}: the numbers say nothing about the methods."
    if (seeds := min(len(run.seeds or ()) for run in runs)) < FEW_SEEDS:
        yield f"{seeds:,} seed problems are few: only large differences can show."


def _if_different(what: str, values: Mapping[str, Any]) -> Iterator[str]:
    if len({str(one) for one in values.values()}) > 1:
        shown = ", ".join(f"{one} ({name})" for name, one in values.items())
        yield f"More than the method differs: {what} is {shown}."


def _other_problems(runs: Sequence[RunData]) -> Iterator[str]:
    first, *others = runs
    ours = {(seed.id, seed.question, seed.answer) for seed in first.seeds or ()}
    for other in others:
        theirs = {(seed.id, seed.question, seed.answer) for seed in other.seeds or ()}
        if ours != theirs:
            yield (
                f"{first.name} and {other.name} share {len(ours & theirs):,} of {len(ours):,} and {len(theirs):,} seed "
                "problems: a difference may be that of the problems."
            )


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
