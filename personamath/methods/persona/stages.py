"""Section 3 of the paper, for one seed problem: two stages, from inference to the last rewrite.

There is no barrier between the steps: the coroutine of a seed problem waits for nothing but its own answers. The rows
of a seed problem are a function of the problem, the recipe and the journal, in a fixed order.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, cast

from personamath import prompts
from personamath.answers import Grade
from personamath.errors import NotAsked, RequestFailed
from personamath.methods.reflection import read_reflection
from personamath.methods.rewriting import new_question
from personamath.recipe import Recipe
from personamath.records import (
    Completion,
    Dropped,
    FinishReason,
    Persona,
    Problem,
    Purpose,
    Request,
    Row,
    Solution,
    Step,
    Teacher,
)
from personamath.sources.personas import draw

# Outcomes of a request, as the funnel counts them; new_question and read_reflection add their own reasons.
KEPT = "kept"
USABLE = "usable"
WRONG = "wrong answer"
NO_ANSWER = "no final answer"
REPEATED = "repeats another rewrite"
FAILED = "failed"
NOT_ASKED = "not asked"
CUT_SHORT: dict[FinishReason, str] = {"length": "truncated", "content_filter": "filtered", "refusal": "refused"}


class Grader(Protocol):
    """What judges a completion against a reference answer without blocking the event loop."""

    async def grade(self, reference: str, completion: str) -> Grade:
        """The verdict on the completion's last boxed answer."""
        ...


class Failure(NamedTuple):
    """A request that got no answer; the same command asks it again."""

    purpose: Purpose
    problem_id: str
    why: str


@dataclass(slots=True)
class Outcome:
    """What became of one seed problem."""

    rows: list[Row] = field(default_factory=list)
    counts: Counter[tuple[Purpose, str]] = field(default_factory=Counter)
    """Every request by purpose and by what its completion led to."""
    tokens: Counter[tuple[Purpose, str]] = field(default_factory=Counter)
    """`prompt` and `completion` tokens by purpose, as far as the endpoint counts them; journaled answers included."""
    failures: list[Failure] = field(default_factory=list)
    answered: set[Request] = field(default_factory=set)
    """Requests whose tokens are counted: rewrites that came out alike make equal requests, which are paid once."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The two stages, with all that they need: whom to ask, who judges, for whom to rewrite."""

    recipe: Recipe
    personas: Sequence[Persona]
    teacher: Teacher
    grader: Grader

    def first_request(self, seed: Problem) -> Request:
        """What is asked first of a seed problem."""
        return self._request(prompts.inference(seed.question), "stage1_inference")

    async def augment(self, seed: Problem) -> Outcome:
        """Everything the paper makes of one seed problem."""
        outcome = Outcome()
        first = await self._solve(seed, "stage1_inference", outcome)
        if isinstance(first, Solution):
            kept = await (self._stage1(first, outcome) if first.correct else self._stage2(first, outcome))
            outcome.rows = [_row(solution, seed, self.recipe.teacher) for solution in kept]
        return outcome

    async def _stage1(self, solved: Solution, outcome: Outcome) -> list[Solution]:
        """Learning from persona diversification (section 3.1): the solution, and solved rewrites of its problem."""

        async def rewrite_and_solve(persona: Persona) -> Solution | Dropped:
            rewritten = await self._rewrite(solved.problem, persona, "stage1_rewrite: rewrite", outcome)
            if isinstance(rewritten, Dropped):
                return rewritten
            return await self._solve(rewritten, "stage1_rewrite: solve", outcome)

        attempts = [rewrite_and_solve(persona) for persona in self._draw(solved.problem, self.recipe.k1)]
        return [solved, *_kept(await asyncio.gather(*attempts), "stage1_rewrite: solve", outcome)]

    async def _stage2(self, wrong: Solution, outcome: Outcome) -> list[Solution]:
        """Learning from reflection (section 3.2): the recovered problem, and rewrites of it solved by reflection.

        Nothing is kept of a problem that reflection does not recover.
        """
        recovered = await self._reflect(wrong.problem, wrong, "stage2_reflection", outcome)
        if isinstance(recovered, Dropped) or not recovered.correct:
            return []

        async def rewrite_and_reflect(persona: Persona) -> Solution | Dropped:
            rewritten = await self._rewrite(wrong.problem, persona, "stage2_rewrite: rewrite", outcome)
            if isinstance(rewritten, Dropped):
                return rewritten
            # The incorrect explanation stays the original question's, as in the paper.
            return await self._reflect(rewritten, wrong, "stage2_rewrite: reflect", outcome)

        attempts = [rewrite_and_reflect(persona) for persona in self._draw(wrong.problem, self.recipe.k2)]
        return [recovered, *_kept(await asyncio.gather(*attempts), "stage2_rewrite: reflect", outcome)]

    def _draw(self, problem: Problem, k: int) -> list[Persona]:
        return draw(self.personas, problem.id, k, self.recipe.rng_seed, self.recipe.persona_draw)

    async def _solve(self, problem: Problem, purpose: Purpose, outcome: Outcome) -> Solution | Dropped:
        request = self._request(prompts.inference(problem.question), purpose)
        completion = await self._ask(request, problem.id, outcome)
        if isinstance(completion, Dropped):
            return completion
        return await self._judge(problem, request, completion.text, None, outcome)

    async def _rewrite(
        self, original: Problem, persona: Persona, purpose: Purpose, outcome: Outcome
    ) -> Problem | Dropped:
        id = f"{original.id}/p{persona.index:04}"
        request = self._request(prompts.rewriting(original.question, persona.description), purpose)
        completion = await self._ask(request, id, outcome)
        if isinstance(completion, Dropped):
            return completion
        question = new_question(completion.text, original.question)
        if isinstance(question, Dropped):
            outcome.counts[purpose, question.reason] += 1
            return question
        outcome.counts[purpose, USABLE] += 1
        return replace(original, id=id, question=question, parent=original.id, persona=persona.description)

    async def _reflect(
        self, problem: Problem, wrong: Solution, purpose: Purpose, outcome: Outcome
    ) -> Solution | Dropped:
        request = self._request(prompts.reflection(problem.question, wrong.response), purpose)
        completion = await self._ask(request, problem.id, outcome)
        if isinstance(completion, Dropped):
            return completion
        reflection = read_reflection(completion.text)
        if isinstance(reflection, Dropped):
            outcome.counts[purpose, reflection.reason] += 1
            return reflection
        return await self._judge(problem, request, reflection.explanation, reflection.review, outcome)

    async def _judge(
        self, problem: Problem, request: Request, response: str, review: str | None, outcome: Outcome
    ) -> Solution:
        response = response.strip()
        grade = await self.grader.grade(problem.answer, response)
        reason = KEPT if grade.correct else NO_ANSWER if grade.answer is None else WRONG
        outcome.counts[request.purpose, reason] += 1
        step = cast(Step, request.purpose.partition(":")[0])
        return Solution(problem, step, response, grade.correct, request.digest, review)

    def _request(self, prompt: str, purpose: Purpose) -> Request:
        recipe = self.recipe
        return Request(prompt, recipe.teacher, recipe.temperature, recipe.max_tokens, purpose=purpose)

    async def _ask(self, request: Request, problem_id: str, outcome: Outcome) -> Completion | Dropped:
        """Ask; a completion that did not end by itself is no attempt, and one that failed is named."""
        try:
            completion = await self.teacher.complete(request)
        except RequestFailed as failure:
            outcome.failures.append(Failure(request.purpose, problem_id, str(failure)))
            dropped = Dropped(FAILED)
        except NotAsked:
            dropped = Dropped(NOT_ASKED)
        else:
            if request not in outcome.answered:
                outcome.answered.add(request)
                outcome.tokens[request.purpose, "prompt"] += completion.prompt_tokens or 0
                outcome.tokens[request.purpose, "completion"] += completion.completion_tokens or 0
            if completion.finish_reason == "stop":
                return completion
            dropped = Dropped(CUT_SHORT[completion.finish_reason])
        outcome.counts[request.purpose, dropped.reason] += 1
        return dropped


def _kept(attempts: Sequence[Solution | Dropped], purpose: Purpose, outcome: Outcome) -> list[Solution]:
    """The correct solutions in the order of the draws; of rewrites that came out alike, the first."""
    kept: dict[str, Solution] = {}
    for attempt in attempts:
        if not isinstance(attempt, Solution) or not attempt.correct:
            continue
        if attempt.problem.question in kept:
            outcome.counts[purpose, KEPT] -= 1
            outcome.counts[purpose, REPEATED] += 1
        else:
            kept[attempt.problem.question] = attempt
    return list(kept.values())


def _row(solution: Solution, seed: Problem, teacher: str) -> Row:
    problem = solution.problem
    return Row(
        id=problem.id,
        problem=problem.question,
        response=solution.response,
        answer=problem.answer,
        source=problem.source,
        stage=1 if solution.step.startswith("stage1") else 2,
        step=solution.step,
        seed_id=seed.id,
        seed_problem=seed.question,
        level=problem.level,
        subject=problem.subject,
        persona=problem.persona,
        review=solution.review,
        teacher=teacher,
        request=solution.request,
    )
