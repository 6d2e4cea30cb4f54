"""Another dataset's questions, beside which ours are seen."""

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
    """Read a `--compare` argument: `FILE:COLUMN`, or of the Hub's train split `OWNER/NAME[:CONFIG]:COLUMN`."""
    source = QuestionSource.parse(text, "train")
    questions = tuple(question for question in source.read() if question.strip())
    if not questions:
        raise BadInput(f"{text}: no questions in it")
    return Comparison(source.name, questions)
