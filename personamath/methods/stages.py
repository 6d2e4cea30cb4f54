"""The two stages of section 3, for one seed problem: from inference to the last rewrite.

There is no barrier between the steps: a seed problem waits for nothing but its own answers. Methods differ in what
they rewrite a problem into; the order of the stages, the filters and the judging are the same.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from personamath.errors import BadInput
from personamath.methods.method import Column, Config, Kind, Step
from personamath.methods.rewriting import new_question
from personamath.methods.work import UNANSWERED, USABLE, Work
from personamath.records import Dropped, Problem, Request, Solution

INFERENCE = "stage1_inference"
REWRITE = "stage1_rewrite: rewrite"
SOLVE = "stage1_rewrite: solve"
REFLECTION = "stage2_reflection"
REWRITE_RECOVERED = "stage2_rewrite: rewrite"
REFLECT = "stage2_rewrite: reflect"
REPEATED = "repeats another rewrite"

_STAGE1, _STAGE2 = {"stage": 1}, {"stage": 2}
STEPS = (
    Step("stage1_inference", "Stage 1: inference", "seed problems that the teacher solved", fixed=_STAGE1),
    Step("stage1_rewrite", "Stage 1: rewrite", "rewrites of solved problems, solved", rewrites=True, fixed=_STAGE1),
    Step("stage2_reflection", "Stage 2: reflection", "seed problems recovered by reflection", fixed=_STAGE2),
    Step(
        "stage2_rewrite",
        "Stage 2: rewrite",
        "rewrites of recovered problems, solved by reflection",
        rewrites=True,
        fixed=_STAGE2,
    ),
)
KINDS = (
    Kind(INFERENCE, "solve the seed problem", "stage1_inference", "solve"),
    Kind(REWRITE, "rewrite the solved problem", "stage1_rewrite", "rewrite", after=INFERENCE),
    Kind(SOLVE, "solve the rewrite", "stage1_rewrite", "solve", after=REWRITE),
    Kind(
        REFLECTION,
        "reflect on the wrong solution",
        "stage2_reflection",
        "reflect",
        after=INFERENCE,
    ),
    # One recovered problem means K2 rewrites, and few pilots see more than one or two.
    Kind(
        REWRITE_RECOVERED,
        "rewrite the recovered problem",
        "stage2_rewrite",
        "rewrite",
        after=REFLECTION,
        rare=True,
    ),
    Kind(
        REFLECT,
        "solve the rewrite by reflection",
        "stage2_rewrite",
        "reflect",
        after=REWRITE_RECOVERED,
    ),
)
CONFIGS = {
    "stage1": Config("learning from diversification", ("stage1_inference", "stage1_rewrite")),
    "stage2": Config("learning from reflection", ("stage2_reflection", "stage2_rewrite")),
}
STAGE = Column("1 (diversification) or 2 (reflection).", "number")
REVIEW = Column(
    "Stage 2's review of the incorrect explanation, which the response leaves out; null in stage 1 and where the "
    "teacher wrote none."
)


class Rewrite(NamedTuple):
    """One rewrite to ask for."""

    id: str
    """Of the rewritten problem; begins with the id of its seed problem."""
    request: Request
    columns: dict[str, str | int | None]
    """What its row says of it, e.g. the persona."""


Rewrites = Callable[[Problem, str, int], Sequence[Rewrite]]
"""The rewrites to ask for: of a problem, by a kind of request, `k` of them. A larger `k` keeps the earlier ones."""


class SecondTries(NamedTuple):
    """How stage 2 tries again what was solved wrong."""

    recover: str
    """The kind of request that tries the seed problem again; also the name of its step."""
    rewrite: str
    solve: str
    """The kinds of requests for the rewrites of a recovered problem."""
    again: Callable[[Problem, Solution, str, int, Work], Awaitable[Solution | Dropped]]
    """One try at a problem, given the wrong solution, the kind of request, and how many tries there were before it."""
    rounds: int = 1
    """Most tries at the seed problem."""


def reflecting(rounds: int = 1) -> SecondTries:
    """Each try reflects on the last wrong solution (section 3.2; the paper has one)."""

    async def again(problem: Problem, wrong: Solution, purpose: str, before: int, work: Work) -> Solution | Dropped:
        return await work.reflect(problem, wrong, purpose, before)

    return SecondTries(REFLECTION, REWRITE_RECOVERED, REFLECT, again, rounds)


async def two_stages(
    seed: Problem, work: Work, rewrites: Rewrites, k1: int, k2: int, tries: SecondTries | None = None
) -> list[Solution]:
    """Everything the paper makes of one seed problem, given what to rewrite it into; stage 2 has one reflection."""
    first = await work.solve(seed, INFERENCE)
    if isinstance(first, Dropped):
        return []
    if first.correct:
        return await _stage1(first, work, rewrites, k1)
    return await _stage2(first, work, rewrites, k2, tries or reflecting())


async def _stage1(solved: Solution, work: Work, rewrites: Rewrites, k1: int) -> list[Solution]:
    """Learning from diversification (section 3.1): the solution, and solved rewrites of its problem."""

    async def rewrite_and_solve(rewrite: Rewrite) -> Solution | Dropped:
        rewritten = await _rewritten(solved.problem, rewrite, work)
        if isinstance(rewritten, Dropped):
            return rewritten
        return _with(await work.solve(rewritten, SOLVE), rewrite)

    attempts = [rewrite_and_solve(rewrite) for rewrite in rewrites(solved.problem, REWRITE, k1)]
    return [solved, *_distinct(await asyncio.gather(*attempts), work, SOLVE)]


class _Recovered(NamedTuple):
    """A right solution of a seed problem, and the last wrong one before it."""

    right: Solution
    wrong: Solution


async def _stage2(first: Solution, work: Work, rewrites: Rewrites, k2: int, tries: SecondTries) -> list[Solution]:
    """Learning from reflection (section 3.2): the recovered problem, and rewrites of it solved in the same way.

    Nothing is kept of a problem that is not recovered.
    """
    recovered = await _recovered(first, work, tries)
    if recovered is None:
        return []
    wrong = recovered.wrong

    async def rewrite_and_solve(rewrite: Rewrite) -> Solution | Dropped:
        rewritten = await _rewritten(wrong.problem, rewrite, work)
        if isinstance(rewritten, Dropped):
            return rewritten
        # The incorrect explanation stays the original question's, as in the paper.
        return _with(await tries.again(rewritten, wrong, tries.solve, 0, work), rewrite)

    attempts = [rewrite_and_solve(rewrite) for rewrite in rewrites(wrong.problem, tries.rewrite, k2)]
    return [recovered.right, *_distinct(await asyncio.gather(*attempts), work, tries.solve)]


async def _recovered(wrong: Solution, work: Work, tries: SecondTries) -> _Recovered | None:
    """Try a wrongly solved problem again, one try after another, until one is right.

    A try that cannot be read is lost: the next one starts from the same wrong solution. After a try without an answer
    there is no next one, because the same command will ask that try again.
    """
    for before in range(tries.rounds):
        attempt = await tries.again(wrong.problem, wrong, tries.recover, before, work)
        if isinstance(attempt, Solution):
            if attempt.correct:
                return _Recovered(attempt, wrong)
            wrong = attempt
        elif attempt.reason in UNANSWERED:
            return None
    return None


async def _rewritten(original: Problem, rewrite: Rewrite, work: Work) -> Problem | Dropped:
    """The problem as the teacher rewrote it, or why that cannot be used."""
    purpose = rewrite.request.purpose
    completion = await work.ask(rewrite.request, rewrite.id)
    if isinstance(completion, Dropped):
        return completion
    question = new_question(completion.text, original.question, original.answer)
    if isinstance(question, Dropped):
        return work.drop(purpose, question)
    work.count(purpose, USABLE)
    return replace(original, id=rewrite.id, question=question, parent=original.id)


def _with(attempt: Solution | Dropped, rewrite: Rewrite) -> Solution | Dropped:
    if isinstance(attempt, Dropped):
        return attempt
    return replace(attempt, columns={**rewrite.columns, **attempt.columns})


def _distinct(attempts: Sequence[Solution | Dropped], work: Work, purpose: str) -> list[Solution]:
    """The correct solutions in the order of the rewrites; of rewrites that came out alike, the first."""
    kept: dict[str, Solution] = {}
    for attempt in work.correct(attempts):
        if attempt.problem.question in kept:
            work.recount(purpose, REPEATED, attempt)
        else:
            kept[attempt.problem.question] = attempt
    return list(kept.values())


def attempts(kept: Mapping[str, int], k1: int, k2: int, steps: Sequence[Step] = STEPS) -> dict[str, int]:
    """How many rows of each step were tried for one seed problem, given how many of each were kept."""
    inference, rewrite, reflection, rewrite_recovered = (step.name for step in steps)
    solved, recovered = kept.get(inference, 0), kept.get(reflection, 0)
    return {inference: 1, rewrite: k1 * solved, reflection: 1 - solved, rewrite_recovered: k2 * recovered}


def check_counts(k1: int, k2: int) -> None:
    """Refuse negative numbers of rewrites."""
    for name, k in (("k1", k1), ("k2", k2)):
        if k < 0:
            raise BadInput(f"{name} is {k}: it must not be negative")
