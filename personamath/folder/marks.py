"""Marks on rows: what a person who read them found good or bad, as the report's page saves it.

    {"id": "math-train-00042/p0317", "mark": "good", "row": "5f0c77a1b2d3"}

Each line of such a file marks one row. `row` is the row's fingerprint, so that a mark is never applied to another row
of the same id, e.g. of another run of the same recipe.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import TEXT, in_one_line
from personamath.records import Row

GOOD, BAD = "good", "bad"
FINGERPRINT_DIGITS = 12
"""Hex digits of a fingerprint. Only rows with equal ids are compared, so 48 bits are plenty."""
_GROWS = ("limit", "budget")
"""Keys of a recipe that only decide how many rows there are."""
_REMEDY = "save the marks again from the report of this dataset"


def fingerprint(row: Row) -> str:
    """Return a digest of the row's id and texts."""
    return hashlib.sha256("\0".join((row.id, row.problem, row.response)).encode()).hexdigest()[:FINGERPRINT_DIGITS]


def dataset_key(provenance: Mapping[str, Any]) -> str:
    """Return a name for a dataset that stays while its run goes on: a digest of its recipe, without limits."""
    recipe = {name: value for name, value in provenance["recipe"].items() if name not in _GROWS}
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:FINGERPRINT_DIGITS]


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of a file."""

    id: str
    is_good: bool
    row: str
    """The fingerprint of the row that was marked."""
    place: str
    """The file and the line, for errors."""


@dataclass(frozen=True, slots=True)
class Marks:
    """A file of marks."""

    path: Path
    marks: tuple[Mark, ...]
    sha256: str
    """Of the file."""

    @classmethod
    def read(cls, path: Path) -> "Marks":
        """Read a file; raise `BadInput` for a line that is no mark, and for a row with two different marks."""
        content = _content(path)
        marks: dict[str, Mark] = {}
        # Not splitlines: an id may hold other characters that Python takes for ends of lines.
        for number, line in enumerate(content.decode(TEXT).split("\n"), 1):
            if line.strip():
                mark = _mark(line, f"{path}, line {number}")
                if marks.setdefault(mark.id, mark).is_good != mark.is_good:
                    raise BadInput(f"{mark.place}: {mark.id!r} is marked both good and bad; remove one of the lines")
        return cls(path, tuple(marks.values()), hashlib.sha256(content).hexdigest())

    def fitting(self, rows: Iterable[Row]) -> int:
        """Return how many of the marks are on these rows."""
        fingerprints = {row.id: fingerprint(row) for row in rows}
        return sum(fingerprints.get(mark.id) == mark.row for mark in self.marks)

    def only_good(self, rows: Sequence[Row]) -> tuple[list[Row], dict[str, Any]]:
        """Return the rows that are marked good, and for provenance.json how many were left out by hand.

        Raises `BadInput` for a mark on a row that is not among these, and if no row is marked good.
        """
        fingerprints = {row.id: fingerprint(row) for row in rows}
        for mark in self.marks:
            if mark.id not in fingerprints:
                raise BadInput(f"{mark.place}: the dataset has no row {in_one_line(mark.id)!r}; {_REMEDY}")
            if mark.row != fingerprints[mark.id]:
                raise BadInput(
                    f"{mark.place}: this mark on {mark.id!r} was made for another dataset, or the row was made again; "
                    f"{_REMEDY}"
                )
        good = {mark.id for mark in self.marks if mark.is_good}
        if not good:
            raise BadInput(f"{self.path}: no row is marked good, so no row would be left")
        bad = len(self.marks) - len(good)
        counts = {
            "rows": len(rows),
            "good": len(good),
            "left_out": {"marked bad": bad, "not marked": len(rows) - len(self.marks)},
            "marks_sha256": self.sha256,
        }
        return [row for row in rows if row.id in good], counts


def in_words(marked: Mapping[str, Any]) -> str:
    """Say how many rows were left out by hand."""
    left_out = marked["left_out"]
    return (
        f"only rows marked good: {marked['good']:,} of {marked['rows']:,}; left out by hand: "
        f"{left_out['marked bad']:,} marked bad, {left_out['not marked']:,} not marked"
    )


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        content.decode(TEXT)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; save the marks in the report, see docs/report.md") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}: not UTF-8; {_REMEDY}") from None
    return content


def _mark(line: str, place: str) -> Mark:
    try:
        values = json.loads(line)
        id, mark, row = values["id"], values["mark"], values["row"]
    except (ValueError, TypeError, LookupError):
        raise BadInput(f"{place}: not a mark ({in_one_line(line, 80)}); {_REMEDY}") from None
    if mark not in (GOOD, BAD):
        raise BadInput(f"{place}: the mark is {in_one_line(repr(mark), 80)}; it must be {GOOD} or {BAD}")
    return Mark(str(id), mark == GOOD, str(row), place)
