"""All analyses, in the order in which they are read."""

from collections.abc import Sequence

from personamath.analysis.comparison import Comparison
from personamath.analysis.result import Analyses
from personamath.analysis.rows import RunData


def analyses(data: RunData, compare: Sequence[Comparison] = ()) -> Analyses:
    """Everything that can be found in this data; what cannot is named, with the reason."""
    return Analyses((), ())
