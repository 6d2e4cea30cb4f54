"""The one grader: whether a completion's boxed answer is the reference answer."""

from dataclasses import dataclass

from personamath.answers import symbolic
from personamath.answers.equivalence import compare
from personamath.answers.extraction import find_answer
from personamath.answers.given import Answer, answer_text, text
from personamath.answers.normal_form import normal_form
from personamath.answers.verdict import Rule, Verdict


@dataclass(frozen=True, slots=True)
class Grade:
    """A completion, graded."""

    correct: bool
    """Whether its answer is equivalent to the reference answer."""
    answer: str | None
    """The answer as extracted; None if the completion has none."""
    rule: Rule
    """What decided; `none` where there was nothing to compare."""
    why: str | None
    """Why it is not correct, e.g. `no box`, `another number`, `timed out`; None if it is correct."""


def equivalent(reference: Answer, answer: Answer) -> bool:
    """Whether two bare answers, LaTeX or plain, are the same answer; either may be a number.

    Symmetric, and independent of formatting; `docs/grading.md` lists the rules. Raises `BadInput` for anything but
    text and numbers, and no other error; never runs what it is given. Takes tens of microseconds for nearly all pairs,
    and at most `symbolic.PAIR_LIMIT` seconds of CPU time plus, once, the start of a worker process.
    """
    reference, answer = answer_text("the reference answer", reference), answer_text("the answer", answer)
    verdict = compare(reference, answer)
    if verdict.equal is None:
        verdict = ask(symbolic.shared, reference, answer)
    return bool(verdict.equal)


def grade(reference: Answer, completion: str) -> Grade:
    """The grade of a completion against a bare reference answer, which may be a number.

    Takes the time of `equivalent`. Raises `BadInput` for arguments of other types.
    """
    reference, completion = answer_text("the reference answer", reference), text("the completion", completion)
    return grade_cheaply(reference, completion) or grade_symbolically(reference, completion, symbolic.shared)


def grade_cheaply(reference: str, completion: str) -> Grade | None:
    """The grade, if the rules that run in this thread can tell."""
    answer, why = find_answer(completion)
    if answer is None:
        return Grade(False, None, "none", why)
    verdict = compare(reference, answer)
    return None if verdict.equal is None else as_grade(answer, verdict)


def grade_symbolically(reference: str, completion: str, worker: symbolic.SymbolicWorker) -> Grade:
    """The grade of a completion that the cheap rules leave open."""
    answer = find_answer(completion).answer
    assert answer is not None
    return as_grade(answer, ask(worker, reference, answer))


def ask(worker: symbolic.SymbolicWorker, reference: str, answer: str) -> Verdict:
    """The verdict of symbolic algebra on two bare answers in normal form, always in the same order."""
    outcome = worker.compare(*sorted(map(normal_form, (reference, answer))))
    return Verdict(True, "symbolic") if outcome == "equal" else Verdict(False, "symbolic", outcome)


def as_grade(answer: str, verdict: Verdict) -> Grade:
    """Return a decided verdict as the grade of the completion that has the answer."""
    return Grade(bool(verdict.equal), answer, verdict.rule, verdict.why)
