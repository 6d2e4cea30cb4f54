"""MetaMath (Yu et al. 2023): more solutions, rephrased questions, and two kinds of backward questions.

A backward question hides one number of a seed problem, states the seed problem's answer, and asks for the number; that
number is the row's reference answer. All requests that do not wait for one another are asked at once, and rows come in
the order of the operators and of their samples, so they are a function of the answers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, ClassVar

from personamath.errors import BadInput
from personamath.methods import estimates
from personamath.methods.backward import questions
from personamath.methods.backward.ceilings import expected_questions
from personamath.methods.backward.masking import Masked, masked_questions
from personamath.methods.backward.questions import read_declaration, told
from personamath.methods.backward.sentences import question_of
from personamath.methods.draw import order
from personamath.methods.metamath_prompts import DECLARATION, REPHRASING
from personamath.methods.method import Column, Config, Kind, Method, Outline, Seeds, Step, Usage
from personamath.methods.prompts import INFERENCE, Prompt
from personamath.methods.requests import Requests
from personamath.methods.rewriting import new_question
from personamath.methods.work import USABLE, Work
from personamath.records import Dropped, Persona, Problem, Request, Solution

ANSWERS = "answers"
REPHRASE = "rephrasing: rewrite"
SOLVE_REPHRASED = "rephrasing: solve"
FOBAR = "fobar"
DECLARE = "self_verification: declare"
VERIFY = "self_verification: solve"

QUESTION_SHARE = 0.33
"""Share of a problem's characters in the sentence that asks: the mean over both train splits."""

# Outcomes of a right answer that is not kept.
REPEATED = "repeats another solution"
REPEATED_REPHRASING = "repeats another rephrasing"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaMath(Method):
    """Four operators on each seed problem; each setting is an operator's number of samples, and 0 leaves it out."""

    answers: Annotated[int, "solutions of each seed problem (not stated; about 11 are kept in the paper's data)"] = 11
    rephrasings: Annotated[int, "rephrasings of each seed problem (as for answers)"] = 11
    fobar: Annotated[int, "maximum numbers to hide and ask for in each seed problem (about 5 are kept)"] = 6
    self_verification: Annotated[int, "the same, with the answer in a statement (about 5 are kept)"] = 6

    prompts: ClassVar[Mapping[str, Prompt]] = {
        "inference": INFERENCE,
        "rephrasing": REPHRASING,
        "declaration": DECLARATION,
    }
    outline: ClassVar[Outline] = Outline(
        method="metamath",
        title="more solutions, rephrased questions and backward questions",
        how="""\
1. **Answers.** The teacher solves every seed problem {answers} times. Right solutions whose texts differ become rows of
   `answers`.
2. **Rephrasing.** The teacher rephrases every seed problem {rephrasings} times and solves each rephrased question. A
   solution is kept if its answer equals the reference answer of the *seed* problem: `rephrasing`.
3. **FOBAR.** Up to {fobar} different numbers of a seed problem are replaced by an unknown, one in each question. The
   question tells the seed problem's answer and asks for the number: `fobar`.
4. **Self-verification.** The same for up to {self_verification} numbers, but the teacher turns the sentence that asks
   into a statement with the answer in it: `self_verification`.

The reference answer of a backward question (FOBAR, self-verification) is the hidden number, in the column `masked`. The
teacher is shown the seed problem's answer there as a given, and never the answer that it is asked for.""",
        cite="arXiv 2309.12284",
        steps=(
            Step(ANSWERS, "answers", "different solutions of seed problems"),
            Step("rephrasing", "rephrasing", "rephrased seed problems, solved", rewrites=True),
            Step(FOBAR, "FOBAR", "backward questions with the answer told behind the question", "derived"),
            Step(
                "self_verification", "self-verification", "backward questions with the answer in a statement", "derived"
            ),
        ),
        kinds=(
            Kind(ANSWERS, "solve the seed problem", ANSWERS, "solve"),
            Kind(REPHRASE, "rephrase the seed problem", "rephrasing", "rewrite"),
            Kind(SOLVE_REPHRASED, "solve the new question", "rephrasing", "solve", after=REPHRASE),
            Kind(FOBAR, "find the hidden number", FOBAR, "solve"),
            Kind(DECLARE, "put the answer in a statement", "self_verification", "rewrite"),
            Kind(VERIFY, "find the hidden number", "self_verification", "solve", after=DECLARE),
        ),
        configs={
            "forward": Config("solutions of the seed problems and of rephrased ones", (ANSWERS, "rephrasing")),
            "backward": Config("questions for a hidden number", (FOBAR, "self_verification")),
        },
        columns={
            "sample": Column(
                "Which sample of its operator it is, from 0; of a backward question, which draw.", "number"
            ),
            "masked": Column(
                "The hidden number as the seed problem has it, e.g. `1,200` or `three`; null in `answers` and "
                "`rephrasing`. A backward question's id ends in the number's place among those that can be hidden."
            ),
        },
    )

    def __post_init__(self) -> None:
        """Refuse numbers of samples that make no rows."""
        for each in fields(self):
            if getattr(self, each.name) < 0:
                raise BadInput(f"{each.name} is {getattr(self, each.name)}: it must not be negative")
        if not any(getattr(self, each.name) for each in fields(self)):
            raise BadInput("every operator of metamath has 0 samples: give at least one of them more")

    def check(self, personas: Sequence[Persona], requests: Requests) -> list[str]:
        """Warn of a temperature at which all samples are the same."""
        alike = {ANSWERS: self.answers, REPHRASE: self.rephrasings}
        return [
            f"temperature is 0: all {samples} samples of {kind.partition(':')[0]} will come out alike"
            for kind, samples in alike.items()
            if samples > 1 and requests.of(kind).temperature == 0
        ]

    def first_request(self, seed: Problem, requests: Requests) -> Request | None:
        """The first solution, or the first rephrasing; None if there are only backward questions."""
        if self.answers:
            return requests.solve(ANSWERS, seed.question)
        return _rephrase(seed, 0, requests) if self.rephrasings else None

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """All four operators at once; their rows in the order of the operators."""
        masked = masked_questions(seed.question)
        draws = [masked[place] for place in order(len(masked), seed.id, work.rng_seed)]
        answers, rephrased, told_behind, stated = await asyncio.gather(
            _gather(lambda sample: _answer(seed, sample, work), self.answers),
            _gather(lambda sample: _rephrased(seed, sample, work), self.rephrasings),
            _gather(lambda draw: _fobar(seed, draws[draw], draw, work), min(self.fobar, len(draws))),
            _gather(lambda draw: _verified(seed, draws[draw], draw, work), min(self.self_verification, len(draws))),
        )
        return [
            *_distinct(work.correct(answers), lambda one: one.response, ANSWERS, REPEATED, work),
            *_distinct(
                work.correct(rephrased), lambda one: one.problem.question, SOLVE_REPHRASED, REPEATED_REPHRASING, work
            ),
            *work.correct(told_behind),
            *work.correct(stated),
        ]

    @property
    def draws_by_id(self) -> bool:
        """Which numbers are hidden first depends on the id."""
        return bool(self.fobar or self.self_verification)

    def attempts(self, kept: Mapping[str, int]) -> Mapping[str, int]:
        """The samples; how many numbers a problem has to hide is not known here."""
        return {ANSWERS: self.answers, "rephrasing": self.rephrasings}

    def expected(self, seeds: Seeds, personas: Sequence[Persona]) -> Mapping[str, Usage]:
        """Every reply usable, and as many numbers to hide as the problems of the train splits have."""
        question = seeds.question_characters
        solve = estimates.solve(question)
        rephrased = seeds.count * self.rephrasings
        hidden, stated = (
            seeds.count * expected_questions(seeds.source, most) for most in (self.fobar, self.self_verification)
        )
        return {
            ANSWERS: estimates.times(solve, seeds.count * self.answers),
            REPHRASE: estimates.times(estimates.rewrite(question, REPHRASING), rephrased),
            SOLVE_REPHRASED: estimates.times(solve, rephrased),
            FOBAR: estimates.times(solve, hidden),
            DECLARE: estimates.times(estimates.rewrite(question * QUESTION_SHARE, DECLARATION), stated),
            VERIFY: estimates.times(solve, stated),
        }


async def _gather(attempt: Callable[[int], Awaitable[Solution | Dropped]], count: int) -> list[Solution | Dropped]:
    return await asyncio.gather(*map(attempt, range(count)))


async def _answer(seed: Problem, sample: int, work: Work) -> Solution | Dropped:
    """One solution of the seed problem. Sample 0 is the request that other methods begin with, so it is paid once."""
    problem = replace(seed, id=f"{seed.id}/s{sample:04}" if sample else seed.id)
    return _with(await work.solve(problem, ANSWERS, sample), sample=sample)


async def _rephrased(seed: Problem, sample: int, work: Work) -> Solution | Dropped:
    """A rephrased question, solved; it must have the seed problem's answer."""
    id = f"{seed.id}/r{sample:04}"
    completion = await work.ask(_rephrase(seed, sample, work.requests), id)
    if isinstance(completion, Dropped):
        return completion
    question = new_question(completion.text, seed.question, seed.answer)
    if isinstance(question, Dropped):
        return work.drop(REPHRASE, question)
    work.count(REPHRASE, USABLE)
    problem = replace(seed, id=id, question=question, parent=seed.id)
    return _with(await work.solve(problem, SOLVE_REPHRASED), sample=sample)


async def _fobar(seed: Problem, masked: Masked, draw: int, work: Work) -> Solution | Dropped:
    """A backward question with the answer behind it, solved."""
    problem = _backward(seed, "f", masked, questions.fobar(masked, seed.answer))
    return _with(await work.solve(problem, FOBAR), sample=draw, masked=masked.number.text)


async def _verified(seed: Problem, masked: Masked, draw: int, work: Work) -> Solution | Dropped:
    """A backward question with the answer in a statement, solved."""
    asking = question_of(masked.question)
    if asking is None:
        return Dropped("no sentence asks")
    question = asking.of(masked.question)
    request = work.requests.make(DECLARE, "declaration", sample=draw, question=question, answer=told(seed.answer))
    problem = _backward(seed, "v", masked, "")
    completion = await work.ask(request, problem.id)
    if isinstance(completion, Dropped):
        return completion
    declaration = read_declaration(completion.text, masked, seed.answer)
    if isinstance(declaration, Dropped):
        return work.drop(DECLARE, declaration)
    work.count(DECLARE, USABLE)
    problem = replace(problem, question=questions.self_verification(masked, declaration))
    return _with(await work.solve(problem, VERIFY), sample=draw, masked=masked.number.text)


def _rephrase(seed: Problem, sample: int, requests: Requests) -> Request:
    return requests.make(REPHRASE, "rephrasing", sample=sample, problem=seed.question)


def _backward(seed: Problem, letter: str, masked: Masked, question: str) -> Problem:
    """A backward question; its answer is the hidden number."""
    id = f"{seed.id}/{letter}{masked.place:04}"
    return replace(seed, id=id, question=question, answer=masked.number.answer, parent=seed.id)


def _with(attempt: Solution | Dropped, **columns: str | int) -> Solution | Dropped:
    return attempt if isinstance(attempt, Dropped) else replace(attempt, columns=columns)


def _distinct(
    solutions: Sequence[Solution], text: Callable[[Solution], str], purpose: str, reason: str, work: Work
) -> list[Solution]:
    """The solutions in their order; of those whose texts are equal but for white space, the first."""
    kept: dict[str, Solution] = {}
    for solution in solutions:
        if kept.setdefault(" ".join(text(solution).split()), solution) is not solution:
            work.recount(purpose, reason, solution)
    return list(kept.values())
