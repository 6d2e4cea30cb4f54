"""What the public functions of the grader take: texts, numbers as answers, and nothing else."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from personamath.answers import equivalent, extract, grade
from personamath.errors import BadInput


@pytest.mark.parametrize("number", [3, 3.0, Fraction(6, 2), Decimal("3.00"), np.int64(3), np.float32(3)], ids=repr)
def test_an_answer_may_be_a_number(number: Any) -> None:
    assert grade(number, r"\boxed{3}").correct and not grade(number, r"\boxed{4}").correct
    assert equivalent(number, "3") and equivalent("6/2", number)


NO_ANSWERS: list[tuple[Callable[[], object], str]] = [
    (lambda: grade(None, "x"), "the reference answer is None; it must be text or a number"),  # type: ignore[arg-type]
    (lambda: grade(True, "x"), "the reference answer is True; it must be text or a number"),
    (lambda: grade(float("nan"), "x"), "the reference answer is nan; it must be text or a number"),
    (lambda: grade(["3"], "x"), r"the reference answer is \['3'\]; it must be text"),  # type: ignore[arg-type]
    (lambda: grade("3", 3), "the completion is 3; it must be text$"),  # type: ignore[arg-type]
    (lambda: equivalent("3", b"3"), "the answer is b'3'; it must be text or a number"),  # type: ignore[arg-type]
    (lambda: extract(None), "the completion is None; it must be text$"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "message"), NO_ANSWERS)
def test_what_is_neither_text_nor_a_number_is_refused_in_a_line(call: Callable[[], object], message: str) -> None:
    with pytest.raises(BadInput, match=f"^{message}"):
        call()
