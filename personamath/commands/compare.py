"""`personamath compare`: compare runs of different methods."""

import argparse
import json
import sys

from personamath.commands.report import read_data
from personamath.commands.terminal import say_warning
from personamath.files import local_path

DESCRIPTION = """\
Compare runs: requests, tokens and money per kept row, keep rates, unique questions, near duplicates, vocabulary,
lengths, flags, overlap, levels and ceilings, with intervals. The command says in words which differences the data can
show, and warns if more than the method differs.

  personamath compare runs/persona runs/direct runs/rejection
  personamath compare runs/persona runs/resample --output runs/compared

The command resamples seed problems, not rows. With a persona run and a resample run, it also compares how many problems
with a wrong first answer are recovered by reflection and by new tries.

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

    found = compared([read_data(run) for run in options.runs])
    numbers = found.as_dict()
    for caveat in found.caveats:
        say_warning(caveat)
    if options.json:
        options.show(numbers)
    else:
        print("\n".join(terminal(found)))
    if options.output:
        text = json.dumps(numbers, indent=2, ensure_ascii=False)
        print(write_page(found, options.output, text).resolve().as_uri(), file=sys.stderr)
    return 0
