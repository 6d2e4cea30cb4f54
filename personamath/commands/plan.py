"""`personamath plan`: what a run will cost, before it does."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from personamath.answers import Grader
from personamath.commands import augment
from personamath.commands.asking import clean_interruption, endpoint_key, ready_process, shown
from personamath.commands.augment import Setup
from personamath.errors import BadInput
from personamath.journal.block_files import adopt_answers
from personamath.journal.journaled import JournaledTeacher
from personamath.journal.run_folder import RunFolder, is_url
from personamath.journal.store import Journal
from personamath.methods.persona.stages import FAILED, NOT_ASKED, Outcome, Stages
from personamath.recipe import Recipe
from personamath.records import Persona, Problem
from personamath.runs import plan as planning
from personamath.runs.funnel import PURPOSES, SOURCES, Funnel
from personamath.runs.plan import Plan, Seeds, Timed, Usage, survey
from personamath.runs.progress import duration
from personamath.sources.personas import read_personas
from personamath.sources.problems import ProblemSource, Skipped, read_problems
from personamath.teachers.prices import UNKNOWN_PRICE, Bill, Caps, Price, Prices

# The longest way through the stages: inference, reflection, rewriting, reflection on the rewrite.
WAVES = 4

HELP = "what a run will cost, before it does"
DESCRIPTION = """\
Requests, tokens, money, time and disk of a run, by step. Takes the arguments of `personamath augment`.

  personamath plan --config recipes/augment-paper-v1.yaml                            # from the paper's rates, for free
  personamath plan --config recipes/augment-paper-v1.yaml --output runs/v1 --pilot 50

A pilot really asks, for so many seed problems, and journals in the run directory: `personamath augment` with the same
arguments goes on from there and pays for nothing twice.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    augment.add_arguments(parser)
    parser.add_argument("--pilot", type=int, default=0, metavar="N", help="really ask, for N seed problems")


def run(options: argparse.Namespace) -> int:
    """Do it; gives the exit status."""
    if options.pilot < 0:
        raise BadInput(f"pilot is {options.pilot}: it must not be negative")
    recipe, setup = augment.read_settings(options, needs_output=options.pilot > 0)
    augment.check_settings(recipe, setup)
    price = augment.teacher_price(recipe, setup)
    personas = read_personas(recipe.personas)
    augment.check_draws(recipe, personas)
    seeds = survey(_problems(recipe), options.pilot)
    if not seeds:
        raise BadInput("no problem can serve: all were skipped, or the files are empty")
    if not options.pilot:
        _show(planning.from_paper(recipe, seeds, personas), recipe, setup, price, None)
        print("from       the rates of the paper's table 2, and assumed lengths: --pilot 50 measures both")
        return 0
    pilot, bill, answer_s = _ask(recipe, setup, personas, seeds, price)
    plan = planning.from_pilot(recipe, seeds, pilot)
    _show(plan, recipe, setup, price, answer_s)
    _show_pilot(plan, pilot, bill)
    return 0


def _problems(recipe: Recipe) -> Iterator[Problem | Skipped]:
    return read_problems([ProblemSource.parse(source) for source in recipe.problems], recipe.limit)


def _ask(
    recipe: Recipe, setup: Setup, personas: list[Persona], seeds: Mapping[str, Seeds], price: Price | None
) -> tuple[list[tuple[Problem, Outcome]], Bill, float | None]:
    """Put the pilot to the teacher; its outcomes, the bill of the run directory, and seconds an answer takes."""
    if setup.offline_vllm:
        raise BadInput("--pilot asks an endpoint: leave out --offline-vllm, or the pilot")
    if is_url(setup.output):
        raise BadInput(f"--pilot keeps its answers in a directory: {setup.output} is none")
    endpoints = augment.http_teacher(setup, endpoint_key(setup.base_url))
    ready_process(setup.concurrency)
    timed = Timed(endpoints)
    with Journal(Path(setup.output)) as journal:
        adopt_answers(journal, RunFolder(setup.output))
        caps = Caps(setup.max_usd, setup.max_requests)
        teacher = JournaledTeacher(
            journal, timed, setup.concurrency, Prices(recipe.teacher, price), caps, endpoints.stop
        )

        problems = planning.chosen(_problems(recipe), seeds)
        funnel = Funnel.survey(problems)

        async def ask() -> list[tuple[Problem, Outcome]]:
            async with endpoints, Grader() as grader, shown(funnel, teacher, endpoints):
                with clean_interruption(teacher, endpoints):
                    return await planning.ask(Stages(recipe, personas, teacher, grader), problems, funnel)

        return asyncio.run(ask()), teacher.bill, timed.answer_s


def _show(plan: Plan, recipe: Recipe, setup: Setup, price: Price | None, answer_s: float | None) -> None:
    sources = " + ".join(f"{SOURCES[source]} {count:,}" for source, count in plan.seeds.items())
    print(f"{sum(plan.seeds.values()):,} seed problems ({sources}), k1 {recipe.k1}, k2 {recipe.k2}\n")
    batch = price.in_batches() if price and price.batch is not None else None
    header = ("", "requests", "prompt tokens", "completion tokens", "USD", "in batches")
    print(_row(header))
    for purpose in PURPOSES:
        print(_row(_cells(purpose, plan.usage[purpose], price, batch)))
    print(_row(_cells("all", plan.total, price, batch)))
    print()
    if price:
        dated = f", {price.date}" if price.date else ""
        print(f"price      {price.prompt:g} / {price.completion:g} USD per million tokens ({price.source}{dated})")
    else:
        print(f"price      {UNKNOWN_PRICE.format(model=recipe.teacher)} (both 0 for hardware of your own)")
    seconds = planning.wall_s(plan, setup.concurrency, answer_s, setup.rpm, setup.tpm)
    print(f"time       {duration(seconds)}: {_pace(setup, answer_s)}")
    print(f"in batches {WAVES} waves, one after the other, of up to 24 hours each")
    print(f"disk       {plan.disk_bytes / 1e6:,.0f} MB")


def _pace(setup: Setup, answer_s: float | None) -> str:
    """What the time follows from."""
    each = f"{planning.ASSUMED_ANSWER_S:.0f} s (assumed)" if answer_s is None else f"{answer_s:.1f} s (measured)"
    said = [f"{setup.concurrency:,} requests in flight, each {each}"]
    said += [f"--rpm {setup.rpm:,g}"] if setup.rpm else []
    said += [f"--tpm {setup.tpm:,g}"] if setup.tpm else []
    return ", ".join(said)


def _cells(name: str, usage: Usage, price: Price | None, batch: Price | None) -> tuple[str, ...]:
    money = [f"{usage.usd(one):,.2f}" if one else "?" for one in (price, batch)]
    return (name, f"{usage.requests:,.0f}", f"{usage.prompt_tokens:,.0f}", f"{usage.completion_tokens:,.0f}", *money)


def _row(cells: tuple[str, ...]) -> str:
    return f"{cells[0]:<24}" + "".join(
        f"{cell:>{width}}" for cell, width in zip(cells[1:], (12, 16, 19, 12, 12), strict=True)
    )


def _show_pilot(plan: Plan, pilot: list[tuple[Problem, Outcome]], bill: Bill) -> None:
    spread = f", give or take {plan.error:.0%} (95 %: from how its problems differ)" if plan.error is not None else ""
    print(f"from       a pilot of {len(pilot):,} seed problems{spread}")
    money = f", ${bill.known_usd:,.2f}" if bill.known_usd is not None else ""
    print(f"paid       {bill.answers:,} answers are in the run directory{money}; none is asked or paid again")
    outcomes = [outcome for _, outcome in pilot]
    if left := sum(count for one in outcomes for (_, why), count in one.counts.items() if why in (FAILED, NOT_ASKED)):
        print(f"warning: {left:,} of its requests got no answer, so the plan is too low", file=sys.stderr)
