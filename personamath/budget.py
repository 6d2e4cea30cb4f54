"""A budget, as `--budget` and the recipe's key state it: a unit and an amount."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from personamath.errors import BadInput

Unit = Literal["usd", "tokens", "rows", "questions"]
TIMES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
_WRITTEN = re.compile(r"([a-z]+):(\d+(?:\.\d+)?)([kmb]?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may use up; exact, because a sum of floats depends on the order of its terms."""

    unit: Unit
    amount: Fraction

    @classmethod
    def of(cls, text: str) -> "Budget":
        """Read e.g. `usd:20`, `tokens:5M`, `rows:20000` or `questions:5k`; raise `BadInput` for anything else."""
        match = _WRITTEN.fullmatch(text.strip())
        for unit in get_args(Unit):
            if match and unit == match[1].lower():
                amount = Fraction(match[2]) * TIMES[match[3].lower()]
                if amount > 0 and (unit == "usd" or amount.denominator == 1):
                    return cls(unit, amount)
        raise BadInput(
            f"budget {text!r}: write usd:20, tokens:5M, rows:20000 or questions:5000, with a number above 0; only "
            "usd can have a fraction"
        )
