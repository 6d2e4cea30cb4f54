"""What a text equates: the two sides of each equality, their units, and what is left out."""

import pytest

from personamath.methods.arithmetic.sides import Side, Sides, sides


def side(symbols: str, *units: str) -> Side:
    return Side(symbols.split(), [*units])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("she pays 3 boxes * $4 = $12 in all", [Sides(side("3 * 4", "boxes"), side("12", "in all"), "=")]),
        ("3 cups of a + 4 = 7", [Sides(side("3 + 4", "cups of a"), side("7"), "=")]),
        ("3bags + 1 = 4", [Sides(side("3 + 1", "bags"), side("4"), "=")]),
        ("2 + 2 = 4 and", [Sides(side("2 + 2"), side("4"), "=")]),
        ("(2 + 3 = 5) so", [Sides(side("2 + 3"), side("5"), "=")]),
        ("2 * price 3 + 1 = 4", [Sides(side("3 + 1"), side("4"), "=")]),
    ],
)
def test_a_side_is_arithmetic_with_the_units_of_its_numbers(text: str, expected: list[Sides]) -> None:
    assert [*sides(text)] == expected


def test_a_chain_is_an_equality_at_each_of_its_signs() -> None:
    found = [*sides("8/3 = 2.67 ≈ 2.7 = 2.70")]
    assert found == [
        Sides(side("8 / 3"), side("2.67"), "="),
        Sides(side("2.67"), side("2.7"), "≈"),
        Sides(side("2.7"), side("2.70"), "="),
    ]


@pytest.mark.parametrize(
    "text",
    ["price * 4 = 12", "12 = price * 4", "2x = 6", "cost(3) = 5", "7 mod - 2 = 5", "+ 4 = 4", "12 apples", "= 12"],
)
def test_a_side_that_is_not_known_or_not_whole_leaves_nothing_to_check(text: str) -> None:
    assert [*sides(text)] == []
