"""The metrics of a completion: the verdicts of our grader, of math-verify and of the paper's, and its form."""

import atexit
from collections.abc import Mapping, Sequence
from math import comb
from typing import Any

from personamath.answers import equivalent, extract, grade, grade_paper_gsm8k, grade_paper_math
from personamath.answers.symbolic import SymbolicWorker
from personamath.evaluation.tasks.sources import LETTERS

Doc = Mapping[str, Any]
Marks = dict[str, float]

VERIFY_LIMIT = 5.0
"""Seconds that math-verify may take for a completion, its own default; then it is killed, and counts as wrong."""

verifier = SymbolicWorker(task="completion", limit=VERIFY_LIMIT)
"""The process that runs math-verify; it starts at the first completion."""
atexit.register(verifier.close)


def word_problem(doc: Doc, completions: Sequence[str]) -> Marks:
    """Grade a word problem, as in GSM8K; `paper` is the released GSM8K grader."""
    (completion,) = completions
    return marks(doc, completion) | {"paper": float(grade_paper_gsm8k(doc["answer"], completion))}


def competition_problem(doc: Doc, completions: Sequence[str]) -> Marks:
    """Grade a competition problem, as in MATH; `paper` is the released MATH grader."""
    (completion,) = completions
    return marks(doc, completion) | {"paper": float(grade_paper_math(doc["answer"], completion))}


def multiple_choice(doc: Doc, completions: Sequence[str]) -> Marks:
    """Grade a question of MMLU, whose boxed answer is a letter or the text of one choice."""
    (completion,) = completions
    right = picked(extract(completion) or "", doc["choices"]) == doc["answer"]
    return competition_problem(doc, completions) | {"exact_match": float(right)}


def marks(doc: Doc, completion: str) -> Marks:
    """Return the metrics of every task with one completion for each problem."""
    graded = grade(doc["answer"], completion)
    return {
        "exact_match": float(graded.correct),
        "math_verify": float(verifier.compare(doc["answer"], completion) == "equal"),
        "boxed": float(graded.answer is not None),
    }


def picked(answer: str, choices: Sequence[str]) -> str | None:
    """Return the letter that an answer names or, if it names none, the one choice that it is equivalent to."""
    named = [letter for letter in LETTERS if equivalent(letter, answer)]
    meant = named or [letter for letter, text in zip(LETTERS, choices, strict=True) if equivalent(text, answer)]
    return meant[0] if len(meant) == 1 else None


def vote(doc: Doc, completions: Sequence[str]) -> Marks:
    """Grade several completions of one problem: by majority, whether one of 8 is correct, and their mean."""
    answers = [extract(completion) for completion in completions]
    right = [answer is not None and equivalent(doc["answer"], answer) for answer in answers]
    chosen = majority([answer for answer in answers if answer is not None])
    return {
        "maj@8": float(chosen is not None and equivalent(doc["answer"], chosen)),
        "pass@8": pass_at(8, right=sum(right), of=len(right)),
        "pass@1": sum(right) / len(right),
        "boxed": sum(answer is not None for answer in answers) / len(answers),
    }


def majority(answers: Sequence[str]) -> str | None:
    """Return the answer that most others are equivalent to, the first of several; None without answers."""
    groups: list[list[str]] = []
    for answer in answers:
        group = next((group for group in groups if equivalent(group[0], answer)), None)
        if group is None:
            groups.append([answer])
        else:
            group.append(answer)
    return max(groups, key=len)[0] if groups else None


def pass_at(k: int, *, right: int, of: int) -> float:
    """Return the unbiased estimate of pass@k (Chen et al. 2021): how likely one of k samples is correct."""
    return 1 - comb(of - right, k) / comb(of, k)
