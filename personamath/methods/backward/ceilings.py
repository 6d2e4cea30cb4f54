"""How many backward questions problems give at most, measured on the train splits."""

from collections.abc import Mapping

GSM8K = (0.998, 0.947, 0.745, 0.411, 0.200, 0.104, 0.049, 0.024, 0.012, 0.006, 0.002, 0.001)
MATH = (0.929, 0.780, 0.553, 0.369, 0.228, 0.151, 0.095, 0.067, 0.047, 0.031, 0.022, 0.017)
SHARES: Mapping[str, tuple[float, ...]] = {"gsm8k": GSM8K, "math": MATH}
"""The share of the problems with at least 1, 2, ... numbers that can be hidden; a test measures it again."""


def expected_questions(source: str, most: int) -> float:
    """Mean number of backward questions of a problem, if at most so many of its numbers are hidden."""
    shares = SHARES.get(source, tuple((one + other) / 2 for one, other in zip(GSM8K, MATH, strict=True)))
    return sum(shares[:most])
