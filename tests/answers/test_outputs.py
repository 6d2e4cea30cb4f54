"""What a program prints, read as an answer: exact, but for the last digits of a float."""

import pytest

from personamath.answers import boxed_output, extract, is_float_of, is_right_output

# The reference answer, what was printed, whether that is a float of this value, and whether it is right.
PRINTED = [
    ("1/3", "0.3333333", True, True),
    ("1/3", "0.33333", False, False),
    (r"\sqrt2", "1.41421356", True, True),
    (r"\sqrt2", "1.4142", False, False),
    ("-5", "-5.0", True, True),
    ("5", "5.", True, True),
    ("0.5", ".5", True, True),
    ("100000", "1e5", True, True),
    ("0", "0.0", True, True),
    ("0", "1e-9", False, False),
    ("12 cm", "12.0", True, True),
    ("5", "5.000004", True, True),
    ("5", "5.000006", False, False),
    # No floats, and yet answers
    ("5", "5", False, True),
    ("1/2", "1/2", False, True),
    (r"50\%", "0.5", False, True),
    # Larger than floats are
    ("10^{400}", "1e400", False, True),
    ("10^{400}", "1.5", False, False),
    # No number to be near
    ("x", "0.5", False, False),
    ("3+4i", "3.0", False, False),
    ("i", "0.0", False, False),
    (r"\frac{1}{0}", "1.0", False, False),
    ("(1,2)", "1.5", False, False),
    ("x" * 2_000, "1.5", False, False),
    ("5", "nan", False, False),
    ("5", "inf", False, False),
]


@pytest.mark.parametrize(("reference", "printed", "near", "right"), PRINTED)
def test_a_float_is_near_its_value_and_everything_else_is_exact(
    reference: str, printed: str, near: bool, right: bool
) -> None:
    assert (is_float_of(reference, printed), is_right_output(reference, printed)) == (near, right)


def test_a_printed_answer_is_boxed() -> None:
    assert extract(boxed_output(r"\frac{1}{2}")) == r"\frac{1}{2}"
