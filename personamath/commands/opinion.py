"""`personamath opinion`: blind solves of rewrites, to see whether they kept their problems."""

import argparse
import asyncio
import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from personamath.errors import BadInput
from personamath.files import plain_path
from personamath.folder.provenance import layout_of
from personamath.folder.reading import read_provenance, read_rows
from personamath.journal.run_folder import DATASET, is_url, shown
from personamath.journal.store import Journal
from personamath.methods.work import FAILED, Outcome
from personamath.recipe import Recipe
from personamath.records import Row
from personamath.runs.dataset import Counted
from personamath.runs.funnel import Funnel
from personamath.runs.opinions import (
    FILE_NAME,
    BlindSolves,
    as_problem,
    opinion_of,
    tally,
    write_opinions,
)
from personamath.runs.pipeline import Outcomes
from personamath.runs.run import Asked
from personamath.runs.run import run as run_recipe
from personamath.runs.run_file import read_recipe
from personamath.runs.setup import URL_VARIABLE, Setup, open_teacher, ready_process
from personamath.runs.watch import on_terminal
from personamath.teachers.urls import OPENAI_URL

DESCRIPTION = """\
Have a run's own teacher solve its flagged rewrites again, without an answer to reach, and count how many solves reach
the seed problem's answer. Where most do, the problem is probably kept, although its numbers or formulas are not.

  personamath opinion runs/v1 --solves 3

The key comes from OPENAI_API_KEY; the address from --base-url, else OPENAI_BASE_URL, else it is OpenAI's. Every answer
is journaled in the run directory as it arrives: the same command again asks, and pays, for nothing twice. The total
that `augment` shows of the run directory includes these answers. `personamath report RUN` shows the result.
"""
EPILOG = """\
writes  RUN/second_opinion.json   for each rewrite: its flag, the solves, how many are right

exit    0 complete   1 an error   2 usage   3 some requests failed: the same command tries them again   130 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EPILOG
    parser.add_argument(
        "run_directory", type=plain_path, metavar="RUN", help="run directory, with its dataset; not a URL"
    )
    parser.add_argument(
        "--solves", type=int, default=3, metavar="N", help="solves of each rewrite (default %(default)s)"
    )
    parser.add_argument("--all", action="store_true", help="all rewrites, not only those with a flag")
    parser.add_argument(
        "--base-url",
        action="append",
        metavar="BASE_URL",
        help="OpenAI-compatible endpoint, up to and including /v1; may be repeated",
    )
    parser.add_argument(
        "--concurrency", type=int, default=256, metavar="N", help="requests in flight (default %(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Ask, count, write and print; gives the exit status."""
    if is_url(options.run_directory):
        raise BadInput(
            f"{shown(options.run_directory)}: opinion keeps its answers in the run's journal, which has to be in a "
            "directory: copy the run to one, and name that"
        )
    folder = Path(options.run_directory)
    if options.solves < 1:
        raise BadInput(f"solves is {options.solves}: it must be at least 1")
    recipe = read_recipe(folder)
    reworded = {step.name for step in layout_of(read_provenance(folder / DATASET)).steps if step.rewrites}
    rows = [row for row in read_rows(folder / DATASET) if row.step in reworded and (options.all or row.flag)]
    if not rows:
        print("Nothing to ask: no rewrite " + ("was kept." if options.all else "has a flag; --all asks about all."))
        return 0
    urls = tuple(options.base_url or (os.environ.get(URL_VARIABLE) or OPENAI_URL,))
    setup = Setup(base_url=urls, concurrency=options.concurrency, output=str(folder))
    blind = dataclasses.replace(recipe, method=BlindSolves(times=options.solves))
    outcomes, paid, asked = asyncio.run(_ask(blind, setup, rows))
    found = [(row, opinion_of(row, outcome)) for row, outcome in zip(rows, outcomes, strict=True)]
    write_opinions(folder, found)
    counts = tally(opinion for _, opinion in found)
    print(
        f"{counts.solved:,} {'' if options.all else 'flagged '}rewrites solved again, {options.solves} times each: "
        f"{counts.majority:,} reach the seed problem's answer in most solves, {counts.none:,} in none."
    )
    money = "" if asked.bill.known_usd is None else f", for ${paid:,.2f}"
    print(f"{asked.asked:,} answers asked{money}, {asked.replayed:,} from the journal.")
    print(f"Each rewrite is in {folder / FILE_NAME}")
    return _report_failures(outcomes)


def _report_failures(outcomes: Sequence[Outcome]) -> int:
    failed = Counter(failure.why.partition(":")[0] for outcome in outcomes for failure in outcome.failures)
    if not failed:
        return 0
    reasons = ", ".join(f"{reason} ({count:,})" for reason, count in failed.most_common())
    print(f"\nIncomplete: {failed.total():,} requests {FAILED}: {reasons}. The same command tries just them.")
    return 3


async def _ask(recipe: Recipe, setup: Setup, rows: Sequence[Row]) -> tuple[list[Outcome], float, Asked]:
    """The outcome of each row's problem, and what was paid for it this time in USD."""
    endpoints = open_teacher(recipe, setup)
    ready_process(setup.concurrency)
    funnel = Funnel.survey(map(as_problem, rows))
    solves = Outcomes()
    with Journal(Path(setup.output)) as journal:
        async with endpoints:
            asked = await run_recipe(
                recipe,
                enumerate(map(as_problem, rows)),
                endpoints,
                journal,
                Counted(solves, funnel),
                total=len(rows),
                concurrency=setup.concurrency,
                window=setup.concurrency,
                prices=setup.prices(recipe),
                watch=on_terminal(funnel, endpoints),
            )
    return solves.in_order(), asked.paid_now, asked
