"""Write a part of a dataset's rows as a dataset folder of its own: a cut for a comparison, or the rows marked good."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.folder.layout import FORMAT_VERSION
from personamath.folder.marks import Marks
from personamath.folder.provenance import layout_of
from personamath.folder.reading import read_provenance, read_rows
from personamath.folder.writing import write_checked
from personamath.records import Row


def write_subset(folder: Path, rows: Sequence[Row], facts: Mapping[str, Any]) -> None:
    """Write `folder` with some rows of the dataset whose provenance.json is `facts`, and count them there.

    The counts of requests and tokens stay those of the whole dataset.
    """
    counted: dict[str, Counter[str]] = {step: Counter() for step in facts["funnel"]["rows"]}
    for row in rows:
        counted[row.step][row.source] += 1
    counts = {step: dict(sorted(sources.items())) for step, sources in counted.items()}
    facts = {**facts, "funnel": {**facts["funnel"], "rows": counts}}
    if facts["personas"]:  # the folder does not say which persona has which occupation
        facts["personas"] = {**facts["personas"], "rows_by_occupation": {}}
    write_checked(folder, rows, layout_of(facts), lambda: facts, compared=bool(facts["benchmarks"]))


def write_marked(folder: Path, marks: Path, output: Path) -> dict[str, Any]:
    """Write the rows of a dataset folder that are marked good into `output`; return the counts of the marks.

    Raises `BadInput` for marks that do not fit the folder, and for a folder that was chosen from by hand before.
    """
    facts = read_provenance(folder)
    if facts.get("format") != FORMAT_VERSION:
        raise BadInput(f"{folder}: an earlier version wrote this folder; run its `augment` command again")
    if "marked" in facts:
        raise BadInput(f"{folder}: it already has only rows marked good; give the dataset that they were chosen from")
    rows, marked = Marks.read(marks).only_good(read_rows(folder))
    output.parent.mkdir(parents=True, exist_ok=True)
    write_subset(output, rows, {**facts, "marked": marked})
    return marked
