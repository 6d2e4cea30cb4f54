r"""The test sets: each function turns a dataset's rows into problems of one form.

A problem is a dict of `question`, `answer` (the reference, LaTeX or plain, without dollar signs), `subject` and
`level`; the last two are None if the dataset has none. A row that lacks a column raises KeyError.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from personamath.answers import extract

Row = Mapping[str, Any]
Doc = dict[str, Any]

# MMLU's STEM subjects, as in the evaluations of Qwen2.5-Math and LLMBox: 3,018 questions.
STEM = frozenset(
    (
        "abstract_algebra",
        "astronomy",
        "college_biology",
        "college_chemistry",
        "college_computer_science",
        "college_mathematics",
        "college_physics",
        "computer_security",
        "conceptual_physics",
        "electrical_engineering",
        "elementary_mathematics",
        "high_school_biology",
        "high_school_chemistry",
        "high_school_computer_science",
        "high_school_mathematics",
        "high_school_physics",
        "high_school_statistics",
        "machine_learning",
    )
)
LETTERS = "ABCD"

DATA_SETS = (
    "gsm8k",
    "gsm8k_platinum",
    "math",
    "math500",
    "svamp",
    "asdiv",
    "gsm_plus",
    "gsm_hard",
    "minerva_math",
    "mmlu_stem",
    "amc23",
    "aime24",
    "aime26",
    "hmmt_feb_2026",
)
"""The names for local files in `--metadata '{"files": …}'`; each has its function here."""


def gsm8k(rows: Iterable[Row]) -> list[Doc]:
    """GSM8K: the reference follows `####`."""
    return [problem(row["question"], number(row["answer"].rpartition("####")[2])) for row in rows]


def gsm8k_platinum(rows: Iterable[Row]) -> list[Doc]:
    """GSM8K-Platinum: GSM8K's test problems without the ambiguous ones, and with wrong references corrected."""
    return gsm8k(rows)


def math(rows: Iterable[Row]) -> list[Doc]:
    """MATH: the reference is the last box of the solution."""
    return [problem(row["problem"], extract(row["solution"]) or "", row["type"], level(row["level"])) for row in rows]


def math500(rows: Iterable[Row]) -> list[Doc]:
    """MATH-500: 500 of MATH's test problems, with the reference in its own column."""
    return [problem(row["problem"], row["answer"], row["subject"], level(row["level"])) for row in rows]


def svamp(rows: Iterable[Row]) -> list[Doc]:
    """SVAMP: a body, which may lack its full stop, and a question."""
    return [problem(two_sentences(row["Body"], row["Question"]), number(row["Answer"])) for row in rows]


def asdiv(rows: Iterable[Row]) -> list[Doc]:
    """ASDiv: `9 (apples)`; answers that are not one number (`2 (hours); 30 (minutes)`, a name) are left out."""
    found = ((row, re.fullmatch(r"\s*([-+]?[\d.,/]+)\s*(?:\([^()]*\))?\s*", str(row["answer"]))) for row in rows)
    return [problem(two_sentences(row["body"], row["question"]), number(one[1])) for row, one in found if one]


def gsm_plus(rows: Iterable[Row]) -> list[Doc]:
    """GSM-Plus without `critical thinking`, whose questions have no answer."""
    kept = (row for row in rows if row["perturbation_type"] != "critical thinking")
    return [problem(row["question"], number(row["answer"]), row["perturbation_type"]) for row in kept]


def gsm_hard(rows: Iterable[Row]) -> list[Doc]:
    """GSM-Hard: the target is a float."""
    return [problem(row["input"], number(row["target"])) for row in rows]


def minerva_math(rows: Iterable[Row]) -> list[Doc]:
    """The 272 problems from OpenCourseWare that Minerva's authors collected."""
    return [problem(row["question"], row["answer"]) for row in rows]


def amc23(rows: Iterable[Row]) -> list[Doc]:
    """AMC 12 of 2023, without its choices."""
    return [problem(row["question"], number(row["answer"])) for row in rows]


def aime24(rows: Iterable[Row]) -> list[Doc]:
    """AIME I and II of 2024: integers from 0 to 999, written with three digits."""
    return [problem(row["problem"], number(row["answer"])) for row in rows]


def aime26(rows: Iterable[Row]) -> list[Doc]:
    """AIME I and II of 2026, as MathArena publishes them: integers from 0 to 999."""
    return [problem(row["problem"], number(row["answer"])) for row in rows]


def hmmt_feb_2026(rows: Iterable[Row]) -> list[Doc]:
    """The Harvard-MIT tournament of February 2026: answers in LaTeX, and one or more subjects, some after a space."""
    return [
        problem(row["problem"], str(row["answer"]), ", ".join(each.strip() for each in row["problem_type"]))
        for row in rows
    ]


def mmlu_stem(rows: Iterable[Row]) -> list[Doc]:
    """MMLU's STEM subjects: a question with its four choices; the reference is a letter."""
    docs = []
    for row in rows:
        if row["subject"] in STEM:
            listed = " ".join(f"({letter}) {text}" for letter, text in zip(LETTERS, row["choices"], strict=True))
            doc = problem(f"{row['question']}\nAnswer Choices: {listed}", LETTERS[row["answer"]], row["subject"])
            docs.append(doc | {"choices": list(row["choices"])})
    return docs


def problem(question: str, answer: str, subject: str | None = None, level: int | None = None) -> Doc:
    """Make a problem of the common form."""
    return {"question": question.strip(), "answer": answer.strip(), "subject": subject, "level": level}


def number(value: str | float) -> str:
    """Format a number without separators, leading zeros or a trailing `.0`."""
    text = format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value).strip().replace(",", "")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return re.sub(r"^([-+]?)0+(?=\d)", r"\1", text)


def level(value: str | int) -> int | None:
    """Return the level of MATH's `Level 5` or 5; None for `Level ?`."""
    digits = re.search(r"\d+", str(value))
    return int(digits[0]) if digits else None


def two_sentences(body: str, question: str) -> str:
    """Join a body and its question, with the full stop that many bodies lack."""
    body = body.strip()
    return f"{body}{'' if not body or body[-1] in '.?!' else '.'} {question.strip()}".strip()
