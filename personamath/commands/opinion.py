"""`personamath opinion`: solve rewrites again blindly, to see whether they preserve their seed problems."""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from personamath.commands.settings import add_settings, settings_of
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
from personamath.runs.run_file import reached_before, read_recipe
from personamath.runs.setup import Setup, open_teacher, ready_process, slots_of
from personamath.runs.watch import on_terminal

OF_THE_TEACHER = tuple(setting.name for setting in settings_of(Setup) if setting.group == "teacher")
"""The settings of a run that this command also takes: how to reach and ask the teacher."""
DESCRIPTION = """\
Ask a run's teacher to solve the flagged rewrites again without showing it the answer, and count how many solves reach
the seed problem's answer. A rewrite is flagged if its numbers or formulas differ from the seed problem's. If most
solves reach the answer, the rewrite probably still asks the same problem.

  personamath opinion runs/v1 --solves 3

The command asks the endpoint in --base-url, or else in OPENAI_BASE_URL, or else OpenAI. With --serve vllm it starts a
server. It chooses keys as `augment` does: see docs/teachers.md. It journals every answer in the run directory as it
arrives, so running it again neither asks nor pays for an answer twice. The total cost that `augment` prints includes
these answers. `personamath report RUN` shows the result.
"""
EPILOG = """\
writes  RUN/second_opinion.json   for each rewrite: its flag, the number of solves, how many are right

exit    0 complete   1 error   2 wrong usage   130 interrupted
        3 some requests failed: the same command tries them again
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EPILOG
    parser.add_argument(
        "run_directory", type=plain_path, metavar="RUN", help="run directory, with its dataset; not a URL"
    )
    parser.add_argument(
        "--solves", type=int, default=3, metavar="N", help="number of solves per rewrite (default %(default)s)"
    )
    parser.add_argument("--all", action="store_true", help="solve all rewrites, not only the flagged ones")
    add_settings(parser, "teacher", (setting for setting in settings_of(Setup) if setting.name in OF_THE_TEACHER))


def run(options: argparse.Namespace) -> int:
    """Ask, count, write and print; return the exit status."""
    if is_url(options.run_directory):
        raise BadInput(
            f"{shown(options.run_directory)}: `personamath opinion` writes to the run's journal, so it needs a local "
            "run directory, not a URL; copy the run to a directory first"
        )
    folder = Path(options.run_directory)
    if options.solves < 1:
        raise BadInput(f"solves is {options.solves}: it must be at least 1")
    recipe = read_recipe(folder, BlindSolves(times=options.solves))
    reworded = {step.name for step in layout_of(read_provenance(folder / DATASET)).steps if step.rewrites}
    rows = [row for row in read_rows(folder / DATASET) if row.step in reworded and (options.all or row.flag)]
    if not rows:
        print(
            "Nothing to ask: no rewrite " + ("was kept." if options.all else "is flagged; use --all to ask about all.")
        )
        return 0
    given = {name: value for name, value in vars(options).items() if name in OF_THE_TEACHER}
    setup = Setup.of(given | {"output": str(folder)}, "command line")
    outcomes, paid, asked = asyncio.run(_ask(recipe, setup, rows))
    found = [(row, opinion_of(row, outcome)) for row, outcome in zip(rows, outcomes, strict=True)]
    write_opinions(folder, found)
    counts = tally(opinion for _, opinion in found)
    print(
        f"{counts.solved:,} {'' if options.all else 'flagged '}rewrites solved again, {options.solves} times each: "
        f"{counts.majority:,} reach the seed problem's answer in most solves, {counts.none:,} never do."
    )
    money = "" if asked.bill.known_usd is None else f", for ${paid:,.2f}"
    print(f"{asked.asked:,} answers asked{money}, {asked.replayed:,} from the journal.")
    print(f"{folder / FILE_NAME} lists each rewrite")
    return _report_failures(outcomes)


def _report_failures(outcomes: Sequence[Outcome]) -> int:
    failed = Counter(failure.why.partition(":")[0] for outcome in outcomes for failure in outcome.failures)
    if not failed:
        return 0
    reasons = ", ".join(f"{reason} ({count:,})" for reason, count in failed.most_common())
    print(
        f"\nIncomplete: {failed.total():,} requests {FAILED}: {reasons}. Run the same command to try only these again."
    )
    return 3


async def _ask(recipe: Recipe, setup: Setup, rows: Sequence[Row]) -> tuple[list[Outcome], float, Asked]:
    """Return the outcome of each row's problem, the USD paid in this run, and the counts of what was asked."""
    endpoints = open_teacher(recipe, setup, reached_before(Path(setup.output), recipe))
    ready_process(setup, recipe)
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
                concurrency=slots_of(setup, endpoints),
                prices=setup.prices(recipe),
                watch=on_terminal(funnel, endpoints),
            )
    return solves.in_order(), asked.paid_now, asked
