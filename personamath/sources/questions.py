"""Read questions of other datasets: test problems that rows must not overlap with, and data to compare with."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from personamath.errors import BadInput
from personamath.files import in_one_line, is_unicode, local_path
from personamath.sources.hub import HubSplit, read_hub
from personamath.sources.hub.split import is_file_name, is_hub_name, parse_hub, with_revision, without_revision
from personamath.sources.problems import COLUMNS, ProblemSource, known_splits
from personamath.sources.tables import read_file


class Digest(Protocol):
    """A digest of `hashlib`, while it is taken."""

    def update(self, data: bytes, /) -> object:
        """Add bytes."""
        ...


@dataclass(frozen=True, slots=True)
class QuestionSource:
    """A text column of a local file, or of a split on the Hub."""

    name: str
    """`gsm8k` or `math`; else the file's or the dataset's."""
    column: str
    path: Path | None
    splits: tuple[HubSplit, ...]
    """Its places on the Hub; empty for a local file."""
    published: str = ""
    """As the user wrote it, with a file's name only, e.g. `math:test.jsonl` or `meta-math/MetaMathQA:query`."""

    @classmethod
    def parse(cls, text: str, split: str) -> "QuestionSource":
        """Read what a user wrote for a source of questions; `split` is for the Hub.

        On the Hub: `gsm8k[@REVISION]`, `math[@REVISION]` or `OWNER/NAME[@REVISION][:CONFIG[:SPLIT]]:COLUMN`. Local:
        `gsm8k:PATH`, `math:PATH` or `FILE:COLUMN`.
        """
        if text.partition(":")[0].partition("@")[0] in COLUMNS:
            known = ProblemSource.parse(text)
            splits = known_splits(known.name, split, known.splits[0].revision) if known.splits else ()
            return cls(known.name, known.columns[0], known.path, splits, known.published)
        if is_hub_name(text):
            on_hub, (column,) = parse_hub(text, split, repr(text), columns=("COLUMN",))
            return cls(on_hub.repo, column, None, (on_hub,), text)
        place, colon, column = text.rpartition(":")
        path = local_path(place)
        if place and column and (is_file_name(place) or path.exists()):
            return cls(path.name, column, path, (), f"{path.name}:{column}")
        if is_file_name(text) or (colon and is_file_name(place)):
            raise BadInput(f"{text!r}: the column is missing: write {text.rstrip(':')}:COLUMN")
        raise BadInput(
            f"{text!r}: write gsm8k or math, math:PATH, FILE:COLUMN, or for the Hub OWNER/NAME:COLUMN or "
            "OWNER/NAME:CONFIG:COLUMN"
        )

    @property
    def label(self) -> str:
        """As `published`, without a revision."""
        return without_revision(self.published) if self.splits else self.published

    def at(self, commit: str) -> str:
        """What to write to have this source at a commit."""
        return with_revision(self.published, commit)

    def read(self) -> Iterator[str]:
        """The questions, in order; `BadInput` if one is no text. One with half a surrogate pair equals no other."""
        tables = [read_file(self.path)] if self.path else [read_hub(split) for split in self.splits]
        for rows in tables:
            for row in rows:
                question = row.cell(self.column)
                if not isinstance(question, str):
                    raise BadInput(f"{row.place}: {self.column} is {in_one_line(repr(question), 80)}; it must be text")
                if is_unicode(question):
                    yield question


def chosen_benchmarks(named: Iterable[str], problems: Iterable[str]) -> list[QuestionSource]:
    """Return the test problems to compare with: the named ones, and the test splits of GSM8K and MATH from the Hub.

    These are at the revision of their train splits. A named `math:PATH` or `math@REVISION` replaces MATH's.
    """
    named = tuple(named)
    kinds = {without_revision(text).partition(":")[0] for text in named}
    hub = (source for source in problems if ":" not in source and without_revision(source) not in kinds)
    return [QuestionSource.parse(text, "test") for text in dict.fromkeys((*hub, *named))]


def digested(questions: Iterable[str], digest: Digest) -> Iterator[str]:
    """Pass on questions, and add each to a digest, which depends on nothing else in their source."""
    for question in questions:
        digest.update(json.dumps(question).encode() + b"\n")
        yield question
