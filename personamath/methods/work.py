"""The toolbox for one seed problem: ask, solve, reflect, judge, and count what became of every request."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from personamath.answers import Grade
from personamath.completion import read_completion
from personamath.errors import BadInput, NotAsked, RequestFailed
from personamath.methods.reflection import read_reflection
from personamath.methods.requests import Requests
from personamath.programs.reading import Program
from personamath.programs.sandbox import Result
from personamath.records import (
    AnsweredBy,
    Completion,
    Dropped,
    FinishReason,
    Persona,
    Problem,
    Request,
    Row,
    Solution,
    Teacher,
)

# Outcomes of a request, as the funnel counts them; methods and what they read completions with add their own.
KEPT = "kept"
USABLE = "usable"
WRONG = "wrong answer"
NO_ANSWER = "no final answer"
FAILED = "failed"
NOT_ASKED = "not asked"
NOTHING_LEFT = "nothing but reasoning or marks"
PASSED = (KEPT, USABLE)
UNANSWERED = (FAILED, NOT_ASKED)
"""The same command asks these again, so nothing may be concluded from them."""
CUT_SHORT: dict[FinishReason, str] = {
    "length": "truncated",
    "content_filter": "filtered",
    "refusal": "refused",
    "repetition": "repeats itself",
}


_UNKNOWN = AnsweredBy()

# What is taken off completions before they are read, as run.json counts it.
REASONING = "reasoning"
MARKS = "marks of a chat template"


class Grader(Protocol):
    """Judges a completion against a reference answer without blocking the event loop."""

    async def grade(self, reference: str, completion: str) -> Grade:
        """The verdict on the completion's last boxed answer."""
        ...


class Runner(Protocol):
    """Runs programs without blocking the event loop, each once."""

    async def run(self, program: Program) -> Result:
        """What becomes of a program."""
        ...


class Failure(NamedTuple):
    """A request that got no answer; the same command asks it again."""

    purpose: str
    problem_id: str
    why: str


@dataclass(slots=True)
class Outcome:
    """What became of one seed problem."""

    rows: list[Row] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Every request by its kind and by what its completion led to."""
    tokens: Counter[tuple[str, str]] = field(default_factory=Counter)
    """`prompt` and `completion` tokens by kind, as far as the endpoint counts them; journaled answers included."""
    taken_off: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Completions by kind and by what was taken off them, `REASONING` or `MARKS`, whatever became of the rest."""
    answered_by: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Answers by the model that was asked, the model that answered and the provider; `""` where a reply says none."""
    graded: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Attempts by source, kind, and `KEPT`, `WRONG` or `NO_ANSWER`: how they were graded, whatever became of them."""
    wrong: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By source, the reference answer and the final answer of the first wrong attempt."""
    failures: list[Failure] = field(default_factory=list)
    answers: dict[str, Completion] = field(default_factory=dict)
    """Every answer that was used, by the digest of its request: requests that come out alike are paid for once."""


class Work:
    """The work on one seed problem."""

    def __init__(
        self,
        requests: Requests,
        teacher: Teacher,
        grader: Grader,
        personas: Sequence[Persona] = (),
        rng_seed: int = 0,
        programs: Runner | None = None,
    ) -> None:
        """`programs` is for methods that run programs; None if the user has not allowed it."""
        self.requests = requests
        self.personas = personas
        self.rng_seed = rng_seed
        self.outcome = Outcome()
        self.models: dict[str, str] = {}
        """The model that was asked each request, by the request's digest."""
        self.corrected: dict[str, str] = {}
        """The wrong response that a reflection on the same problem starts from, by the digest of its request."""
        self._teacher = teacher
        self._grader = grader
        self._programs = programs

    async def solve(self, problem: Problem, purpose: str, sample: int = 0) -> Solution | Dropped:
        """An attempt at a problem, judged: kept or wrong. `sample` counts attempts at the same question."""
        request = self.requests.solve(purpose, problem.question, sample)
        completion = await self.ask(request, problem.id)
        if isinstance(completion, Dropped):
            return completion
        return await self.judge(problem, request, completion.text)

    async def reflect(self, problem: Problem, wrong: Solution, purpose: str, sample: int = 0) -> Solution | Dropped:
        """An attempt that starts from a wrong solution (section 3.2); its `review` column says what was wrong."""
        request = self.requests.make(
            purpose, "reflection", sample=sample, problem=problem.question, explanation=wrong.response
        )
        if wrong.problem.id == problem.id:
            self.corrected[request.digest] = wrong.response
        completion = await self.ask(request, problem.id)
        if isinstance(completion, Dropped):
            return completion
        reflection = read_reflection(completion.text)
        if isinstance(reflection, Dropped):
            return self.drop(purpose, reflection)
        solution = await self.judge(problem, request, reflection.explanation)
        return replace(solution, columns={"review": reflection.review})

    async def judge(self, problem: Problem, request: Request, response: str) -> Solution:
        """Grade a response; counts it as kept, wrong, or without an answer."""
        response = response.strip()
        grade = await self.grade(problem.answer, response)
        reason = KEPT if grade.correct else NO_ANSWER if grade.answer is None else WRONG
        self.count(request.purpose, reason)
        self.outcome.graded[problem.source, request.purpose, reason] += 1
        if reason == WRONG:
            self.outcome.wrong.setdefault(problem.source, (problem.answer, str(grade.answer)))
        return Solution(problem, request.purpose.partition(":")[0], response, grade.correct, request.digest)

    async def grade(self, reference: str, response: str) -> Grade:
        """Compare a response with a reference answer, and count nothing."""
        return await self._grader.grade(reference, response)

    async def run(self, program: Program) -> Result:
        """Run a program that the teacher wrote, in a sandbox. Raises `BadInput` if the user has not allowed it."""
        if self._programs is None:
            raise BadInput("programs of a teacher run only with --run-programs")
        return await self._programs.run(program)

    async def ask(self, request: Request, problem_id: str) -> Completion | Dropped:
        """Ask, and return the completion without its reasoning and the marks of a chat template.

        A completion that did not end by itself is no attempt; a request that failed is named in the outcome.
        """
        outcome, purpose = self.outcome, request.purpose
        self.models[request.digest] = request.model
        try:
            completion = await self._teacher.complete(request)
        except RequestFailed as failure:
            outcome.failures.append(Failure(purpose, problem_id, str(failure)))
            return self.drop(purpose, Dropped(FAILED))
        except NotAsked:
            return self.drop(purpose, Dropped(NOT_ASKED))
        reading = read_completion(completion.text)
        if request.digest not in outcome.answers:
            outcome.answers[request.digest] = completion
            found = {REASONING: reading.reasoning, MARKS: reading.marks}
            outcome.taken_off.update((purpose, what) for what, is_there in found.items() if is_there)
            by = completion.answered_by or _UNKNOWN
            outcome.answered_by[request.model, by.model or "", by.provider or ""] += 1
            outcome.tokens[purpose, "prompt"] += completion.prompt_tokens or 0
            outcome.tokens[purpose, "completion"] += completion.completion_tokens or 0
        if completion.finish_reason != "stop":
            return self.drop(purpose, Dropped(CUT_SHORT[completion.finish_reason]))
        if not reading.whole:
            return self.drop(purpose, Dropped(CUT_SHORT["length"]))
        if not reading.answer.strip():
            return self.drop(purpose, Dropped(NOTHING_LEFT))
        return replace(completion, text=reading.answer)

    def count(self, purpose: str, reason: str, requests: Collection[str] | None = None) -> None:
        """Count a request of this kind under what it led to.

        Without `requests` it is the last one that this task asked; with it, these are counted, given by their digests.
        """
        self.outcome.counts[purpose, reason] += 1 if requests is None else len(requests)

    def drop(self, purpose: str, dropped: Dropped) -> Dropped:
        """Count an attempt that ends here."""
        self.count(purpose, dropped.reason)
        return dropped

    def recount(self, purpose: str, reason: str, solution: Solution) -> None:
        """Count a kept solution under another reason after all, e.g. because it repeats another."""
        self.outcome.counts[purpose, KEPT] -= 1
        self.outcome.counts[purpose, reason] += 1

    def correct(self, attempts: Iterable[Solution | Dropped]) -> list[Solution]:
        """The correct solutions among some attempts, in their order."""
        return [attempt for attempt in attempts if isinstance(attempt, Solution) and attempt.correct]
