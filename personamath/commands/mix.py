"""`personamath mix`: cut datasets to equal size or matching coverage, to compare methods."""

import argparse
from pathlib import Path

from personamath.files import local_path

DESCRIPTION = """\
Cut the datasets of several finished runs to equal size or matching coverage, so that models trained on them can be
compared. Each run gets a dataset of its own: OUTPUT/NAME/dataset, named after its run directory.

  personamath mix runs/persona runs/direct runs/rejection --by rows --output runs/equal-rows
  personamath mix runs/persona runs/direct runs/rejection --by coverage --output runs/equal-coverage

  rows      as many rows of each as the smallest dataset has
  coverage  only seed problems with rows in every dataset, and equally many rows for each

With --only-marked, only the rows that you marked good in the report's page are taken; one run is then enough:

  personamath mix runs/persona --only-marked marks.jsonl --by rows --output runs/by-hand

The same runs and the same --rng-seed give the same bytes. A cut dataset can be trained on, checked and published like
any other; its card and provenance.json name all datasets of the comparison, with their digests.
The command asks no teacher and does not change the runs.
"""
ONLY_MARKED = (
    "take only rows that are marked good in this file, which the report's page saves; rows marked bad and rows without "
    "a mark are left out"
)
"""The help of an option of `mix` and `publish`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    from personamath.folder.mixing import BY

    parser.add_argument("runs", metavar="RUN", nargs="+", type=local_path, help="a run directory or a dataset folder")
    parser.add_argument("--by", choices=BY, required=True, help="make the number of rows equal, or the coverage")
    parser.add_argument("--output", type=local_path, required=True, help="directory for the cut datasets")
    parser.add_argument("--rng-seed", type=int, default=42, metavar="N", help="decides which rows stay (default 42)")
    parser.add_argument(
        "--only-marked",
        metavar="FILE",
        type=local_path,
        action="append",
        default=[],
        help=f"{ONLY_MARKED}; may be repeated, with a file for each run",
    )


def run(options: argparse.Namespace) -> int:
    """Cut, write and print the counts; return the exit status."""
    from personamath.folder.marks import in_words
    from personamath.folder.mixing import Parent, mix, only_marked

    parents = only_marked([Parent.read(path) for path in options.runs], options.only_marked)
    output: Path = options.output
    chosen = mix(parents, options.by, options.rng_seed, output)
    for parent in parents:
        rows = chosen[parent.name]
        seeds = len({row.seed_id for row in rows})
        print(
            f"{parent.name}: {len(rows):,} of {len(parent.rows):,} rows, from {seeds:,} of {len(parent.seeds):,} seed "
            f"problems, in {output / parent.name / 'dataset'}"
            + (f" ({in_words(parent.marked)})" if parent.marked else "")
        )
    return 0
