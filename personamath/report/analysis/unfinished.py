"""The input of the analyses while a run goes on: what its journal gives so far."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from personamath.errors import BadInput
from personamath.report.analysis.rows import RunData, read_run
from personamath.runs.unfinished import UnfinishedRun


class NoRowsYet(BadInput):
    """A run that has not ended has kept no row so far."""


def read_so_far(run: UnfinishedRun, name: str) -> RunData:
    """Read what a run that has not ended has so far; raises `NoRowsYet` if that is no row."""
    with TemporaryDirectory(prefix="personamath-so-far-") as scratch:
        so_far = run.so_far(Path(scratch))
        if so_far.folder is None:
            raise NoRowsYet(f"{name}: no row is kept yet. {so_far.progress}")
        data = read_run(so_far.folder, name, run.directory, so_far.record)
    # A seed problem without an answer is none whose first answer was wrong; and answers that arrived while the folder
    # was made are not in its counts.
    seeds = data.seeds and tuple(seed for seed in data.seeds if seed.id in so_far.begun)
    wrong = data.wrong and {id: text for id, text in data.wrong.items() if id in so_far.begun}
    return replace(data, seeds=seeds, wrong=wrong, unfinished=str(so_far.progress))
