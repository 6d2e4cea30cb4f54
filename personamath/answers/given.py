"""What Python callers give the grader: texts, and also numbers as answers."""

from decimal import Decimal
from fractions import Fraction
from numbers import Real

from personamath.errors import BadInput

Answer = str | float | Decimal | Fraction
"""An answer: LaTeX or plain text, or a number of any type."""
# Enough of a wrong value to recognize it.
SHOWN_CHARACTERS = 80


def answer_text(what: str, given: object) -> str:
    """An answer as text; it may be a number, as in the rows that `augment` takes. `what` names it in an error."""
    if isinstance(given, str):
        return given
    if not isinstance(given, bool) and isinstance(given, Real | Decimal) and given == given:  # NaN is no answer
        return str(given)
    raise BadInput(f"{what} is {_shown(given)}; it must be text or a number")


def text(what: str, given: object) -> str:
    """Return `given` if it is text; raise `BadInput` otherwise. `what` names it in the error."""
    if isinstance(given, str):
        return given
    raise BadInput(f"{what} is {_shown(given)}; it must be text")


def _shown(given: object) -> str:
    shown = " ".join(repr(given).split())
    return shown if len(shown) <= SHOWN_CHARACTERS else shown[: SHOWN_CHARACTERS - 4] + " ..."
