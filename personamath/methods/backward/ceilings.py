"""How many backward questions problems give at most, measured on the train splits."""

from collections.abc import Mapping

GSM8K = (0.998, 0.946, 0.744, 0.409, 0.199, 0.103, 0.049, 0.024, 0.011, 0.005, 0.002, 0.001)
MATH = (0.908, 0.747, 0.529, 0.352, 0.219, 0.146, 0.093, 0.066, 0.046, 0.030, 0.021, 0.016)
SHARES: Mapping[str, tuple[float, ...]] = {"gsm8k": GSM8K, "math": MATH}
"""The share of the problems with at least 1, 2, ... numbers that can be hidden; a test measures it again."""


def expected_questions(source: str, most: int) -> float:
    """Mean number of backward questions of a problem, of which at most `most` numbers are hidden."""
    shares = SHARES.get(source, tuple((one + other) / 2 for one, other in zip(GSM8K, MATH, strict=True)))
    return sum(shares[:most])
