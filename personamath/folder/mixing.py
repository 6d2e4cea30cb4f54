"""Cut the datasets of several runs to equal size or to matching coverage, so that they can be compared.

Each stays a dataset folder of its own, with its own card, provenance and configs. What is left is a function of the
rows and of the seed: rows are ranked by a digest of the seed and their id, and the first ones stay.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from personamath.errors import BadInput
from personamath.folder.layout import FORMAT_VERSION, PROVENANCE, dataset_folder
from personamath.folder.marks import Marks
from personamath.folder.reading import read_provenance, read_rows
from personamath.folder.subset import write_subset
from personamath.methods.draw import rank
from personamath.records import Row

By = Literal["rows", "coverage"]
BY: tuple[By, ...] = ("rows", "coverage")


@dataclass(frozen=True, slots=True)
class Parent:
    """A finished dataset that is cut."""

    name: str
    """The name of its run directory."""
    provenance: Mapping[str, Any]
    sha256: str
    """Of its provenance.json, which has the digests of its problems, personas and answers."""
    rows: Sequence[Row]
    """All of them, or with `marked` those that are marked good."""
    marked: Mapping[str, Any] | None = None
    """How many rows were left out by hand; None without a file of marks."""

    @classmethod
    def read(cls, path: Path) -> "Parent":
        """Read a run directory or a dataset folder; raise `BadInput` if it has no readable dataset."""
        folder = dataset_folder(path)
        facts = read_provenance(folder)
        if facts.get("format") != FORMAT_VERSION:
            raise BadInput(f"{folder}: an earlier version wrote this folder; run its `augment` command again, then mix")
        if "mixed" in facts:
            raise BadInput(f"{folder}: is itself cut by `mix`; give the run directories that it was cut from")
        digest = hashlib.sha256((folder / PROVENANCE).read_bytes()).hexdigest()
        directory = folder.resolve().parent if folder.name == "dataset" else folder.resolve()
        return cls(directory.name, facts, digest, read_rows(folder))

    @property
    def seeds(self) -> Counter[str]:
        """The number of rows of each seed problem."""
        return Counter(row.seed_id for row in self.rows)

    def as_dict(self) -> dict[str, Any]:
        """For the provenance of what is cut from it or beside it."""
        rows = self.marked["rows"] if self.marked else len(self.rows)
        method = self.provenance["method"]["method"]
        return {"name": self.name, "method": method, "rows": rows, "provenance_sha256": self.sha256}


def only_marked(parents: Sequence[Parent], files: Sequence[Path]) -> list[Parent]:
    """Take only rows marked good of each parent that a file has marks on; the others stay whole.

    Raises `BadInput` for a file that does not fit any parent, and for two files on one.
    """
    taken = list(parents)
    for marks in map(Marks.read, files):
        place = max(range(len(parents)), key=lambda at: marks.fitting(parents[at].rows))
        if taken[place].marked:
            raise BadInput(f"{marks.path}: a second file of marks on {taken[place].name}; put the lines into one file")
        if "marked" in taken[place].provenance:
            raise BadInput(f"{taken[place].name} already has only rows marked good; give the run that it is from")
        rows, marked = marks.only_good(taken[place].rows)
        taken[place] = replace(taken[place], rows=rows, marked=marked)
    return taken


def mix(parents: Sequence[Parent], by: By, rng_seed: int, output: Path) -> dict[str, list[Row]]:
    """Write one dataset folder for each parent, `output/NAME/dataset`, and return the rows of each.

    Raises `BadInput` before anything is written: for fewer than two parents without marks, two of one name, and
    nothing in common.
    """
    _check(parents, output)
    chosen = {parent.name: rows for parent, rows in zip(parents, _CUTS[by](parents, rng_seed), strict=True)}
    for parent in parents:
        _write(parent, chosen[parent.name], parents, {"by": by, "rng_seed": rng_seed}, output)
    return chosen


def equal_rows(parents: Sequence[Parent], rng_seed: int) -> list[list[Row]]:
    """As many rows of each parent as the smallest has; those of a smaller cut are among those of a larger one."""
    most = min(len(parent.rows) for parent in parents)
    return [_first(parent.rows, most, rng_seed) for parent in parents]


def equal_coverage(parents: Sequence[Parent], rng_seed: int) -> list[list[Row]]:
    """Only seed problems that every parent has rows of, and equally many rows of each in all of them.

    Raises `BadInput` if no seed problem has rows in all parents.
    """
    shared = parents[0].seeds
    for parent in parents[1:]:
        shared &= parent.seeds
    if not shared:
        raise BadInput(
            "no seed problem has rows in all of these datasets: make them from the same problems, or --by rows"
        )
    cuts = []
    for parent in parents:
        of_seed: dict[str, list[Row]] = {}
        for row in parent.rows:
            of_seed.setdefault(row.seed_id, []).append(row)
        kept = {row.id for seed, most in shared.items() for row in _first(of_seed[seed], most, rng_seed)}
        cuts.append([row for row in parent.rows if row.id in kept])
    return cuts


_CUTS = {"rows": equal_rows, "coverage": equal_coverage}


def _first(rows: Iterable[Row], most: int, rng_seed: int) -> list[Row]:
    """The first rows by rank, in the order in which they were given."""
    rows = list(rows)
    kept = {row.id for row in sorted(rows, key=lambda row: rank(row.id, rng_seed))[:most]}
    return [row for row in rows if row.id in kept]


def _check(parents: Sequence[Parent], output: Path) -> None:
    if len(parents) < 2 and not any(parent.marked for parent in parents):
        raise BadInput(
            "give at least two run directories, because the rows that are left of one depend on the others; or "
            "one with --only-marked"
        )
    names = Counter(parent.name for parent in parents)
    if twice := [name for name, count in names.items() if count > 1]:
        raise BadInput(f"two of the run directories are named {twice[0]!r}, which names the result: rename one")
    for name in names:
        folder = output / name
        if folder.exists() and not _is_cut(folder / "dataset"):
            raise BadInput(f"{folder}: exists and is not from `mix`; choose another --output")


def _is_cut(folder: Path) -> bool:
    return (folder / PROVENANCE).exists() and "mixed" in read_provenance(folder)


def _write(
    parent: Parent, rows: Sequence[Row], parents: Sequence[Parent], how: Mapping[str, Any], output: Path
) -> None:
    others = [other.as_dict() for other in parents if other is not parent]
    facts = {**parent.provenance, "mixed": {**how, "parent": parent.as_dict(), "beside": others}}
    if parent.marked:
        facts["marked"] = parent.marked
    write_subset(output / parent.name / "dataset", rows, facts)
