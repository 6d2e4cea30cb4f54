"""Short sums for a tiny model: to fine-tune it until it knows the format but guesses, and to reward it for the rest."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

DIGITS = range(3)
# The fine-tuning data gives each sum with every one of these errors, so that a model learns to guess among them.
ERRORS = (0, 1)


def write_fine_tuning(path: Path) -> Path:
    """Write rows of `problem` and `response`, of which every other one is right."""
    return _write(
        path,
        (
            {"problem": _question(one, other), "response": f"It is $\\boxed{{{one + other + error}}}$."}
            for one in DIGITS
            for other in DIGITS
            for error in ERRORS
        ),
    )


def write_problems(path: Path) -> Path:
    """Write the same sums in the layout of the config `rl`."""
    return _write(
        path,
        (
            {
                "prompt": [{"role": "user", "content": _question(one, other)}],
                "solution": str(one + other),
                "level": None,
                "subject": None,
                "source": "sums",
            }
            for one in DIGITS
            for other in DIGITS
        ),
    )


def _question(one: int, other: int) -> str:
    return f"What is {one} + {other}?"


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
