"""Another data set's questions, beside which ours are seen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """The questions of another data set."""

    name: str
    """As its user named it, e.g. `meta-math/MetaMathQA`."""
    questions: tuple[str, ...]
