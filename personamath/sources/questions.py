"""Read questions of other datasets: test problems that rows must not overlap with, and data to compare with."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from personamath.errors import BadInput
from personamath.files import in_one_line, is_unicode, local_path
from personamath.sources.hub import HubSplit, read_hub
from personamath.sources.problems import COLUMNS, ProblemSource
from personamath.sources.tables import is_table, read_file


@dataclass(frozen=True, slots=True)
class QuestionSource:
    """A text column of a local file, or of a split on the Hub."""

    name: str
    """As the user wrote it, with a file's name only, e.g. `math:test.jsonl` or `meta-math/MetaMathQA:query`."""
    column: str
    path: Path | None
    splits: tuple[HubSplit, ...]
    """Its places on the Hub; empty for a local file."""

    @classmethod
    def parse(cls, text: str, split: str) -> "QuestionSource":
        """Parse `gsm8k`, `math`, `math:PATH`, `PATH:COLUMN` or `OWNER/NAME[:CONFIG]:COLUMN`; `split` is for the Hub."""
        head, colon, _ = text.partition(":")
        if head in COLUMNS:
            known = ProblemSource.parse(text)
            name = f"{head}:{known.path.name}" if known.path else head
            return cls(name, known.columns[0], known.path, tuple(known.hub_splits(split)))
        place, colon, column = text.rpartition(":")
        path = local_path(place)
        if colon and column and is_table(path):
            return cls(f"{path.name}:{column}", column, path, ())
        repo, _, config = place.partition(":")
        if not column or repo.count("/") != 1 or not all(repo.split("/")) or ":" in config:
            raise BadInput(
                f"{text!r}: write gsm8k or math, math:PATH, FILE:COLUMN, or for the Hub OWNER/NAME:COLUMN "
                "or OWNER/NAME:CONFIG:COLUMN"
            )
        return cls(text, column, None, (HubSplit(repo, config or None, split),))

    def read(self) -> Iterator[str]:
        """The questions, in order; `BadInput` where one is no text. One with half a surrogate pair equals no other."""
        tables = [read_file(self.path)] if self.path else [read_hub(split) for split in self.splits]
        for rows in tables:
            for row in rows:
                question = row.cell(self.column)
                if not isinstance(question, str):
                    raise BadInput(f"{row.place}: {self.column} is {in_one_line(repr(question), 80)}; it must be text")
                if is_unicode(question):
                    yield question
