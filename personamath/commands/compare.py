"""`personamath compare`: compare runs of different methods."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from personamath.commands.diff import folder_of
from personamath.files import local_path

if TYPE_CHECKING:
    from personamath.report.analysis.rows import RunData

DESCRIPTION = """\
Compare runs: requests, tokens and money per kept row, keep rates, unique questions, near duplicates, vocabulary,
lengths, flags, overlap, levels and ceilings, with intervals. The command says in words which differences the data can
show, and warns where more than the method differs.

  personamath compare runs/persona runs/direct runs/rejection
  personamath compare runs/persona runs/resample --output runs/compared

Seed problems are resampled, not rows. With a persona run and a resample run, the command also compares what reflection
and new tries recover of the problems whose first answer is wrong.

With --output it writes

  OUTPUT/index.html    one page that needs no network
  OUTPUT/compare.json  every number, as with --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="a run directory (a path or a URL), a dataset folder, or OWNER/NAME@VERSION on the Hub",
    )
    parser.add_argument("--output", type=local_path, metavar="DIR", help="also write a page into this folder")
    parser.add_argument("--json", action="store_true", help="print JSON, with shares from 0 to 1")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from personamath.report.side_by_side.comparison import compared
    from personamath.report.side_by_side.page import write_page
    from personamath.report.side_by_side.wording import terminal

    found = compared(_read(options.runs))
    numbers = json.dumps(found.as_dict(), indent=2, ensure_ascii=False)
    for caveat in found.caveats:
        print(f"warning: {caveat}", file=sys.stderr)
    print(numbers if options.json else "\n".join(terminal(found)))
    if options.output:
        print(write_page(found, options.output, numbers).resolve().as_uri(), file=sys.stderr)
    return 0


def _read(sources: Sequence[str]) -> list["RunData"]:
    """Read the runs; a run directory's journal is open only while it is read."""
    from personamath.journal.file_format import BLOCKS, JOURNAL_FILES
    from personamath.journal.run_folder import DATASET, RUN_FILE, local_copy, shown
    from personamath.report.analysis.rows import read_run

    found = []
    for source in sources:
        with ExitStack() as opened:
            scratch = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="personamath-compare-")))
            home = opened.enter_context(local_copy(source, DATASET, RUN_FILE, *JOURNAL_FILES, BLOCKS))
            folder = folder_of(home, scratch / "dataset")
            found.append(read_run(folder, shown(source), home if (home / RUN_FILE).is_file() else None))
    return found
