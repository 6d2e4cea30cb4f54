"""A few rows of every dataset that is scored on, in its own columns, and the problems they are."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def problem(question: str, answer: str, subject: str | None = None, level: int | None = None) -> Row:
    return {"question": question, "answer": answer, "subject": subject, "level": level}


# The questions are our own; the columns, and how values are written in them, are each dataset's.
ROWS: dict[str, tuple[list[Row], list[Row]]] = {
    "gsm8k": (
        [
            {"question": "Three shelves hold 6 jars each. How many jars?", "answer": "3*6=<<3*6=18>>18 jars.\n#### 18"},
            {"question": "A farm sells 1,200 eggs twice.", "answer": "2*1200=<<2*1200=2400>>2400\n#### 2,400"},
        ],
        [
            problem("Three shelves hold 6 jars each. How many jars?", "18"),
            problem("A farm sells 1,200 eggs twice.", "2400"),
        ],
    ),
    "gsm8k_platinum": (
        [
            {
                "question": "Three shelves hold 6 jars each. How many jars?",
                "answer": "3*6=<<3*6=18>>18 jars.\n#### 18",
                "cleaning_status": "revised",
            }
        ],
        [problem("Three shelves hold 6 jars each. How many jars?", "18")],
    ),
    "math": (
        [
            {
                "problem": "Find $x$ if $2x = 36$.",
                "level": "Level 2",
                "type": "Algebra",
                "solution": r"Halving, not doubling to \boxed{72}, gives $x = \boxed{18}$.",
            },
            {
                "problem": "What is half of a third?",
                "level": "Level ?",
                "type": "Prealgebra",
                "solution": r"It is $\boxed{\frac{1}{6}}$.",
            },
        ],
        [
            problem("Find $x$ if $2x = 36$.", "18", "Algebra", 2),
            problem("What is half of a third?", r"\frac{1}{6}", "Prealgebra"),
        ],
    ),
    "math500": (
        [
            {
                "problem": "Write $(1,2)$ doubled.",
                "solution": r"It is $\boxed{(2,4)}$.",
                "answer": "(2,4)",
                "subject": "Geometry",
                "level": 3,
                "unique_id": "test/geometry/1.json",
            }
        ],
        [problem("Write $(1,2)$ doubled.", "(2,4)", "Geometry", 3)],
    ),
    "svamp": (
        [
            {
                "ID": "chal-1",
                "Body": "A baker sold 20 loaves and 2 were returned",
                "Question": "How many stayed sold?",
                "Equation": "( 20.0 - 2.0 )",
                "Answer": "18",
                "Type": "Subtraction",
                "question_concat": "A baker sold 20 loaves and 2 were returned How many stayed sold?",
            },
            {"Body": "There are 7 goats.", "Question": "How many goats?", "Answer": "7.0"},
        ],
        [
            problem("A baker sold 20 loaves and 2 were returned. How many stayed sold?", "18"),
            problem("There are 7 goats. How many goats?", "7"),
        ],
    ),
    "asdiv": (
        [
            {
                "body": "Ana has 9 plums. She buys 9 more.",
                "question": "How many plums has she?",
                "solution_type": "Addition",
                "answer": "18 (plums)",
                "formula": "9+9=18",
            },
            {"body": "A day has hours.", "question": "Which?", "answer": "12 (day hours); 12 (night hours)"},
            {"body": "Tim runs before Tom.", "question": "Who is first?", "answer": "Tim"},
            {"body": "Half of 5.", "question": "How much?", "answer": "2.5"},
        ],
        [
            problem("Ana has 9 plums. She buys 9 more. How many plums has she?", "18"),
            problem("Half of 5. How much?", "2.5"),
        ],
    ),
    "gsm_plus": (
        [
            {
                "question": "Three shelves hold 6.0 jars each. How many jars?",
                "solution": "18 jars\n#### 18",
                "answer": "18.0",
                "perturbation_type": "integer-decimal-fraction conversion",
                "seed_question": "Three shelves hold 6 jars each. How many jars?",
                "seed_solution": "18 jars\n#### 18",
                "seed_answer": "18",
            },
            {"question": "Three shelves hold jars.", "answer": "None", "perturbation_type": "critical thinking"},
        ],
        [problem("Three shelves hold 6.0 jars each. How many jars?", "18", "integer-decimal-fraction conversion")],
    ),
    "gsm_hard": (
        [{"input": "Three shelves hold 1234567 jars each.", "code": "def solution(): ...", "target": 3703701.0}],
        [problem("Three shelves hold 1234567 jars each.", "3703701")],
    ),
    "minerva_math": (
        [{"question": "What is the period of a 2 Hz wave, in seconds?", "answer": "0.5"}],
        [problem("What is the period of a 2 Hz wave, in seconds?", "0.5")],
    ),
    "mmlu_stem": (
        [
            {
                "question": "What is 2+2?",
                "subject": "elementary_mathematics",
                "choices": ["3", "4", "5", "6"],
                "answer": 1,
            },
            {"question": "Who wrote it?", "subject": "philosophy", "choices": ["a", "b", "c", "d"], "answer": 0},
        ],
        [
            problem("What is 2+2?\nAnswer Choices: (A) 3 (B) 4 (C) 5 (D) 6", "B", "elementary_mathematics")
            | {"choices": ["3", "4", "5", "6"]}
        ],
    ),
    "amc23": (
        [{"id": 0, "answer": "18.0", "url": "https://example.org", "question": "Find the sum."}],
        [problem("Find the sum.", "18")],
    ),
    "aime24": (
        [{"id": 60, "problem": "Find $m+n$.", "solution": "…", "answer": "018", "url": "…", "year": "2024"}],
        [problem("Find $m+n$.", "18")],
    ),
    "aime26": (
        [{"problem_idx": 1, "answer": 18, "problem": "Find $m+n$."}],
        [problem("Find $m+n$.", "18")],
    ),
    "hmmt_feb_2026": (
        [
            {
                "problem_idx": 1,
                "problem": "Find $x$ if $6x = -1$.",
                "answer": r"-\frac{1}{6}",
                "problem_type": ["Algebra", " Geometry"],
            }
        ],
        [problem("Find $x$ if $6x = -1$.", r"-\frac{1}{6}", "Algebra, Geometry")],
    ),
}


def write_files(folder: Path) -> Mapping[str, str]:
    """The rows of every dataset as a JSONL file, by the name that `--metadata '{"files": …}'` takes."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, (rows, _) in ROWS.items():
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        files[name] = str(path)
    return files
