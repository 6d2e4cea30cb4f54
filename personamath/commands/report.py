"""`personamath report`: show a dataset as one web page."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from personamath.commands.diff import folder_of
from personamath.commands.terminal import add_json
from personamath.errors import BadInput
from personamath.files import local_path, scratch_folder

if TYPE_CHECKING:
    from personamath.report.analysis.rows import RunData

REPORT = "report"
"""The folder of the report."""
DESCRIPTION = """\
Make a web page of a dataset: how many requests became rows, the paper's tables and figures, what the rewrites preserve,
overlap with test problems and more, and every row with its ancestry. The page is one file and needs no network.

  personamath report runs/v1
  personamath report me/PersonaMathQA@v1.0.0 --compare meta-math/MetaMathQA:query --scores scores/me__PersonaMath-7B

A run directory gives a fuller page than a published version, because its journal has the wrong solutions too.

writes  OUTPUT/index.html   the page
        OUTPUT/report.md    the same findings, tables and figures in Markdown
        OUTPUT/figures/     each figure as SVG and PNG, each table as CSV
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "source",
        metavar="RUN_OR_REPO",
        help="a run directory (a path or a URL), a dataset folder, or OWNER/NAME@VERSION on the Hub",
    )
    parser.add_argument(
        "--output",
        type=local_path,
        metavar="DIR",
        help=f"where to write it (default: RUN/{REPORT} for a run directory, else {REPORT})",
    )
    parser.add_argument(
        "--compare",
        action="append",
        default=[],
        metavar="DATA:COLUMN",
        help="another dataset's questions to compare with: FILE:COLUMN or "
        "OWNER/NAME[@REVISION][:CONFIG[:SPLIT]]:COLUMN; may be repeated",
    )
    parser.add_argument(
        "--benchmark",
        action="append",
        default=[],
        metavar="DATA",
        help="test problems to compare the rows with, instead of the run's own: gsm8k, math, math:PATH, FILE:COLUMN or "
        "OWNER/NAME[@REVISION][:CONFIG[:SPLIT]]:COLUMN; may be repeated",
    )
    parser.add_argument(
        "--scores",
        type=local_path,
        action="append",
        default=[],
        metavar="RESULTS",
        help="lm-eval's results of a model trained on the dataset; may be repeated for more models",
    )
    parser.add_argument(
        "--without-stage-two",
        type=local_path,
        metavar="RESULTS",
        help="results of the first --scores model trained without stage 2, for comparison",
    )
    add_json(parser, "the address of the page")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from personamath.evaluation.scores import read_results
    from personamath.report.analysis.comparison import read_comparison
    from personamath.report.write import write_report

    if options.without_stage_two and not options.scores:
        raise BadInput("--without-stage-two is compared with the first --scores: give both")
    scores = [read_results([path]) for path in options.scores]
    without = read_results([options.without_stage_two]) if options.without_stage_two else None
    compare = [read_comparison(text) for text in options.compare]
    data = read_data(options.source)
    if options.benchmark:
        data = looked_up(data, options.benchmark)
    for why in dict.fromkeys(data.missing.values()):
        print(f"note: {why}", file=sys.stderr)
    print(f"analysing {len(data.rows):,} rows ...", file=sys.stderr)
    page = write_report(data, options.output or _beside(options.source), compare, scores, without).resolve().as_uri()
    print(page)
    options.show({"page": page})
    return 0


def read_data(source: str) -> "RunData":
    """Read what a run directory, a dataset folder or a dataset on the Hub has to show."""
    from personamath.journal.file_format import BLOCKS, JOURNAL_FILES
    from personamath.journal.run_folder import DATASET, RUN_FILE, local_copy, shown
    from personamath.report.analysis.rows import read_run
    from personamath.runs.opinions import FILE_NAME as OPINIONS

    with (
        local_copy(source, DATASET, RUN_FILE, *JOURNAL_FILES, BLOCKS, OPINIONS) as home,
        scratch_folder("dataset") as scratch,
    ):
        folder = folder_of(home, scratch / "dataset")
        return read_run(folder, shown(source), home if (home / RUN_FILE).is_file() else None)


def _beside(source: str) -> Path:
    """Return where the report of a source goes if nobody says: into the run directory, if it is one on this machine."""
    from personamath.journal.run_folder import DATASET

    run = local_path(source)
    return run / REPORT if (run / DATASET).is_dir() else Path(REPORT)


def looked_up(data: "RunData", benchmarks: Sequence[str]) -> "RunData":
    """Return the data with its column `overlap` recomputed against these test problems only."""
    from personamath.folder.overlap import TestProblems, strongest
    from personamath.sources.questions import chosen_benchmarks

    sources = chosen_benchmarks(benchmarks, ())
    test_problems = TestProblems(question for source in sources for question in source.read())
    look_up = cache(test_problems.overlap)
    rows = (replace(row, overlap=strongest(look_up(row.seed_problem), look_up(row.problem))) for row in data.rows)
    named = [{"source": source.label} for source in sources]
    return replace(data, rows=tuple(rows), provenance={**data.provenance, "benchmarks": named})
