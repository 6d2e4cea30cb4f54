"""`personamath report`: show a dataset as one web page."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from personamath.commands.diff import folder_of
from personamath.commands.terminal import add_json, say_warning
from personamath.errors import BadInput
from personamath.files import local_path, scratch_folder

if TYPE_CHECKING:
    from personamath.evaluation.scores import ScoredRun
    from personamath.report.analysis.comparison import Comparison
    from personamath.report.analysis.rows import RunData

REPORT = "report"
"""The folder of the report."""
DESCRIPTION = """\
Make a web page of a dataset: how many requests became rows, the paper's tables and figures, what the rewrites preserve,
overlap with test problems and more, and every row with its ancestry. The page is one file and needs no network.

  personamath report runs/v1
  personamath report me/PersonaMathQA@v1.0.0 --compare meta-math/MetaMathQA:query --scores scores/me__PersonaMath-7B

A run directory gives a fuller page than a published version, because its journal has the wrong solutions too. The page
of a run that has not ended shows the rows so far and says so. The command only reads there, so it may be given while
the run goes on.

  personamath report runs/v1 --live                    # served here, and renewed while the run goes on
  personamath report me/PersonaMathQA@v1.0.0 --space me/PersonaMathQA-report      # published as a Space

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
    parser.add_argument(
        "--live",
        action="store_true",
        help="serve the page on this machine while the run goes on, and renew it as answers arrive, until Ctrl-C",
    )
    parser.add_argument(
        "--port", type=int, metavar="NUMBER", help="with --live: the port on 127.0.0.1 (default: a free one)"
    )
    parser.add_argument(
        "--space",
        metavar="OWNER/NAME",
        help="publish the page as a static Space on the Hub instead of writing it here; created if it does not exist",
    )
    parser.add_argument(
        "--dataset",
        metavar="OWNER/NAME",
        help="with --space: the dataset on the Hub that the Space links to (default: the one that is reported)",
    )
    parser.add_argument("--private", action="store_true", help="with --space: make a new Space private")
    parser.add_argument(
        "--dry-run", action="store_true", help="with --space: show what would be uploaded, but upload nothing"
    )
    add_json(parser, "the address of the page, and whether the run has ended,")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    _check_together(options)
    writer = Writer.of(options)
    if options.live:
        from personamath.commands.report_live import serve

        return serve(options.source, options.port or 0, writer, options.show)
    if options.space:
        from personamath.commands.report_space import check

        check(options)
    data = read_source(options.source)
    for why in dict.fromkeys(data.missing.values()):
        print(f"note: {why}", file=sys.stderr)
    if data.unfinished:
        say_warning(data.unfinished)
    print(f"analysing {len(data.rows):,} rows ...", file=sys.stderr)
    if options.space:
        from personamath.commands.report_space import publish

        options.show({**publish(data, options, writer), "finished": data.unfinished is None})
        return 0
    page = writer.write(data, options.output or _beside(options.source)).resolve().as_uri()
    print(page)
    options.show({"page": page, "finished": data.unfinished is None})
    return 0


def _check_together(options: argparse.Namespace) -> None:
    """Raise `BadInput` for options that need, or exclude, each other."""
    if options.without_stage_two and not options.scores:
        raise BadInput("--without-stage-two is compared with the first --scores: give both")
    if options.port is not None and not options.live:
        raise BadInput("--port is for --live: give both, or neither")
    if options.live and options.output:
        raise BadInput("--live serves the page and writes nothing: leave --output out")
    if options.space and (options.live or options.output):
        raise BadInput("--space publishes the page and writes nothing here: leave --live and --output out")
    for name in ("dataset", "private", "dry_run"):
        if getattr(options, name) and not options.space:
            raise BadInput(f"--{name.replace('_', '-')} is for --space: give both, or neither")


@dataclass(frozen=True)
class Writer:
    """Writes reports as the options say."""

    benchmarks: Sequence[str]
    compare: Sequence["Comparison"]
    scores: Sequence["ScoredRun"]
    without_stage_two: "ScoredRun | None"

    @classmethod
    def of(cls, options: argparse.Namespace) -> "Writer":
        """Read what the options name; raises `BadInput`."""
        from personamath.evaluation.scores import read_results
        from personamath.report.analysis.comparison import read_comparison

        scores = [read_results([path]) for path in options.scores]
        without = read_results([options.without_stage_two]) if options.without_stage_two else None
        return cls(options.benchmark, [read_comparison(text) for text in options.compare], scores, without)

    def write(self, data: "RunData", output: Path, *, live: bool = False) -> Path:
        """Analyse the data and write the report; return the page's path."""
        from personamath.report.write import write_report

        if self.benchmarks:
            data = looked_up(data, self.benchmarks)
        return write_report(data, output, self.compare, self.scores, self.without_stage_two, live=live)


def read_source(source: str) -> "RunData":
    """Read what there is to show, of a run that has not ended too; raises `BadInput` if that is no row."""
    from personamath.journal.run_folder import is_url
    from personamath.report.analysis.unfinished import read_so_far
    from personamath.runs.unfinished import UnfinishedRun, is_unfinished

    if not is_url(source) and is_unfinished(local_path(source)):
        return read_so_far(UnfinishedRun(local_path(source)), source)
    return read_data(source)


def read_data(source: str) -> "RunData":
    """Read what a finished run, a dataset folder or a dataset on the Hub has to show."""
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
    from personamath.runs.unfinished import is_unfinished

    run = local_path(source)
    return run / REPORT if (run / DATASET).is_dir() or is_unfinished(run) else Path(REPORT)


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
