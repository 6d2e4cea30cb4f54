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

FILE_NAME = "marks.jsonl"
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
class Marks:
    """The marks of one file on one dataset."""

    good: frozenset[str]
    """Ids of rows."""
    bad: frozenset[str]
    sha256: str
    """Of the file."""

    def only_good(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that are marked good."""
        return [row for row in rows if row.id in self.good]

    def as_dict(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Return the counts for provenance.json; `rows` are those that the marks were applied to."""
        left_out = len(rows) - len(self.good)
        return {
            "rows": len(rows),
            "good": len(self.good),
            "left_out": {"marked bad": len(self.bad), "not marked": left_out - len(self.bad)},
            "marks_sha256": self.sha256,
        }


def read_marks(path: Path, rows: Iterable[Row]) -> Marks:
    """Read a file of marks on these rows.

    Raises `BadInput` for a line that is no mark, a row that the dataset does not have, two marks on one row, and a
    file without a good row, because nothing would be left.
    """
    fingerprints = {row.id: fingerprint(row) for row in rows}
    content = _content(path)
    found: dict[str, str] = {}
    for number, line in enumerate(content.decode(TEXT).splitlines(), 1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        id, mark, row = _mark(line, place)
        if id not in fingerprints:
            raise BadInput(f"{place}: the dataset has no row {in_one_line(id)!r}; {_REMEDY}")
        if row != fingerprints[id]:
            raise BadInput(f"{place}: the mark is on another dataset's row {id!r}, or it was made again; {_REMEDY}")
        if found.setdefault(id, mark) != mark:
            raise BadInput(f"{place}: {id!r} is marked both good and bad; remove one of the lines")
    good = frozenset(id for id, mark in found.items() if mark == GOOD)
    if not good:
        raise BadInput(f"{path}: no row is marked good, so no row would be left")
    return Marks(good, frozenset(found) - good, hashlib.sha256(content).hexdigest())


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        content.decode(TEXT)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; save the marks in the report, see docs/report.md") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}: not UTF-8; {_REMEDY}") from None
    return content


def _mark(line: str, place: str) -> tuple[str, str, str]:
    """Return the id, the mark and the fingerprint in a line."""
    try:
        values = json.loads(line)
        id, mark, row = values["id"], values["mark"], values["row"]
    except (ValueError, TypeError, LookupError):
        raise BadInput(f"{place}: not a mark ({in_one_line(line, 80)}); {_REMEDY}") from None
    if mark not in (GOOD, BAD):
        raise BadInput(f"{place}: the mark is {in_one_line(repr(mark), 80)}; it must be {GOOD} or {BAD}")
    return str(id), str(mark), str(row)
