"""`personamath diff`: compare two versions of a dataset row by row."""

import argparse
from pathlib import Path

from personamath.errors import BadInput
from personamath.files import scratch_folder

DESCRIPTION = """\
Compare two datasets row by row. The command prints the rows added, removed and changed in each config, and the change
in rows by source and step.

  personamath diff me/PersonaMathQA@v1.0.0 me/PersonaMathQA@v1.1.0
  personamath diff me/PersonaMathQA@v1.0.0 runs/v2
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    for name in ("old", "new"):
        parser.add_argument(
            name,
            metavar=name.upper(),
            help="OWNER/NAME@REVISION, a run directory (a path or a URL) or a dataset folder",
        )


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from personamath.folder.changes import compare_folders, describe
    from personamath.journal.run_folder import DATASET, local_copy, shown

    with (
        local_copy(options.old, DATASET) as old,
        local_copy(options.new, DATASET) as new,
        scratch_folder("diff") as scratch,
    ):
        changes = compare_folders(folder_of(old, scratch / "old"), folder_of(new, scratch / "new"))
        print(describe(changes, shown(options.old), shown(options.new)))
    return 0


def folder_of(path: Path, scratch: Path) -> Path:
    """Return the dataset folder that an argument names; a dataset on the Hub is downloaded into `scratch`."""
    from personamath.folder.layout import dataset_folder
    from personamath.journal.file_format import FILE_NAME as JOURNAL
    from personamath.journal.run_folder import DATASET
    from personamath_hub.versions.revisions import download

    if path.is_dir():
        if (path / JOURNAL).is_file() and not (path / DATASET).is_dir():
            raise BadInput(
                f"{path}: the run is not finished, so it has no dataset yet. Finish it, or run the same command with "
                "--max-requests 1, which asks nothing more and makes the dataset from the answers so far"
            )
        return dataset_folder(path)
    name = str(path)
    repo_id, at, revision = name.partition("@")
    if not at or repo_id.count("/") != 1:  # most names with a slash are paths with a typing error
        raise BadInput(f"{name}: no such folder; write a dataset on the Hub as OWNER/NAME@v1.0.0, or OWNER/NAME@main")
    return download(repo_id, revision, scratch, repo_type="dataset")
