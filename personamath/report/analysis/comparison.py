"""Another dataset's questions, to compare ours with."""

from dataclasses import dataclass

from personamath.errors import BadInput
from personamath.sources.questions import QuestionSource


@dataclass(frozen=True, slots=True)
class Comparison:
    """The questions of another dataset."""

    name: str
    """E.g. `meta-math/MetaMathQA:query`."""
    questions: tuple[str, ...]


def read_comparison(text: str) -> Comparison:
    """Read a `--compare` argument: `FILE:COLUMN`, or `OWNER/NAME:COLUMN` for a dataset on the Hub."""
    source = QuestionSource.parse(text, "train")
    questions = tuple(question for question in source.read() if question.strip())
    if not questions:
        raise BadInput(f"{text}: contains no questions; check the column")
    return Comparison(source.label, questions)
