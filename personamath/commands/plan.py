"""`personamath plan`: estimate the cost of a run before you pay for it."""

import argparse
import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from personamath.budget import Budget
from personamath.commands import augment
from personamath.commands.terminal import say_warning
from personamath.errors import BadInput
from personamath.folder.provenance import Origins
from personamath.journal.block_files import adopt_answers
from personamath.journal.run_folder import RunFolder, is_url
from personamath.journal.store import Journal
from personamath.methods.method import Usage
from personamath.methods.reasoning import reasons
from personamath.methods.work import FAILED, NOT_ASKED, Outcome
from personamath.recipe import Recipe, setting_names
from personamath.records import CHARACTERS_PER_TOKEN, Problem
from personamath.runs import plan as planning
from personamath.runs.budget import check_budget, direct_prices
from personamath.runs.dataset import Counted, Inputs, record_of
from personamath.runs.funnel import Funnel
from personamath.runs.input_record import FILE_NAME as INPUTS
from personamath.runs.pipeline import Outcomes
from personamath.runs.plan import Plan, usd
from personamath.runs.programs import check_programs, open_programs
from personamath.runs.progress import duration
from personamath.runs.run import Asked
from personamath.runs.run import run as run_recipe
from personamath.runs.seed_ids import Run
from personamath.runs.setup import Setup, open_teacher, ready_process, slots_of
from personamath.runs.watch import on_terminal
from personamath.sources.problems import source_label
from personamath.teachers.prices import Bill
from personamath.teachers.rates import BATCH
from personamath.teachers.routed import OverHttp

DESCRIPTION = """\
Estimate the requests, tokens, cost, time and disk space of a run, by step. Takes the options of `personamath augment`.

  personamath plan --config recipes/augment-paper-v1.yaml                            # from the paper's rates, for free
  personamath plan --config recipes/augment-paper-v1.yaml --output runs/v1 --pilot 50

A pilot runs the method on N seed problems, asks the real teacher, and journals the answers in the run directory.
`personamath augment` with the same options continues from there and pays for no answer twice. With `--serve vllm` a
pilot measures the time on your own hardware; the answers cost nothing.
"""

FIRST_COLUMN = 23
"""Width of the names of kinds of requests, in characters, unless one is longer."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    augment.add_arguments(parser)
    parser.epilog = None
    parser.add_argument(
        "--pilot", type=int, default=0, metavar="N", help="measure on N seed problems by asking the real teacher"
    )


def run(options: argparse.Namespace) -> int:
    """Estimate and print the plan; return the exit status."""
    if options.pilot < 0:
        raise BadInput(f"pilot is {options.pilot}: it must not be negative")
    recipe, setup = augment.read_settings(options, needs_output=options.pilot > 0)
    setup.warn(recipe)  # and refuses teachers that --batch or --serve cannot ask
    check_budget(recipe, setup)
    # A pilot never uses batches; the plan shows both prices.
    setup = dataclasses.replace(setup, batch=False, batch_queue_tokens=None)
    setup.prices(recipe)  # refuses --max-usd without a price
    inputs = Inputs.read(recipe)
    found = planning.survey(inputs.problems(), options.pilot)
    if not options.pilot:
        plan = planning.from_expectation(recipe.method, found.seeds, inputs.personas)
        _show(plan, recipe, setup, None)
        options.show(_for_programs(plan, recipe, setup))
        rates = "the rates of the paper's table 2" if recipe.method.paper_rows else "the method's own estimate"
        print(f"from       {rates}, and assumed lengths: --pilot 50 measures both")
        _show_prompts(recipe)
        _show_budget(recipe, setup, plan, None)
        return 0
    check_programs(recipe, setup)
    problems = planning.chosen(inputs.problems(), found)
    asked, outcomes, reached = asyncio.run(_ask(setup, inputs, problems))
    pilot = list(zip(problems, outcomes, strict=True))
    plan = planning.from_pilot(recipe.method, found.seeds, pilot, inputs.personas, direct_prices(recipe, setup))
    _show(plan, recipe, setup, asked, reached)
    _show_pilot(plan, pilot, asked)
    _show_budget(recipe, setup, plan, outcomes)
    options.show(_for_programs(plan, recipe, setup))
    return 0


async def _ask(setup: Setup, inputs: Inputs, problems: Sequence[Problem]) -> tuple[Asked, list[Outcome], int]:
    """Ask the teacher the pilot's problems.

    Return the counts of what was asked, the outcome of each problem, and the best number of requests in flight.
    """
    if is_url(setup.output):
        raise BadInput(f"--pilot needs a local output directory, and {setup.output} is a URL: give a directory")
    recipe = inputs.recipe
    record = record_of(inputs, Origins.found(inputs.sources, inputs.personas), setup.prices(recipe))
    if not setup.replace:
        record.check_same_as_begun(Path(setup.output))
    endpoints = open_teacher(recipe, setup)
    ready_process(setup, recipe)
    funnel = Funnel.survey(problems)
    outcomes = Outcomes()
    with Journal(Path(setup.output)) as journal:
        folder = RunFolder(setup.output)
        adopt_answers(journal, folder)
        if setup.replace or not folder.exists(INPUTS):  # the run that began here has the record
            record.write(folder)
        inputs.warn_of_moved([Run(journal.path.parent, journal.has)])
        async with endpoints, open_programs(recipe, journal.path.parent) as programs:
            asked = await run_recipe(
                recipe,
                enumerate(problems),
                endpoints,
                journal,
                Counted(outcomes, funnel),
                personas=inputs.personas,
                concurrency=slots_of(setup, endpoints),
                window=len(problems),
                prices=setup.prices(recipe),
                caps=setup.caps,
                watch=on_terminal(funnel, endpoints),
                programs=programs,
            )
    reached = sum(endpoints.reached.values()) if isinstance(endpoints, OverHttp) else 0
    return asked, outcomes.in_order(), reached


def _show(plan: Plan, recipe: Recipe, setup: Setup, asked: Asked | None, reached: int = 0) -> None:
    outline, by_kind = recipe.method.outline, direct_prices(recipe, setup)
    in_batches = {
        kind: price.sent_as(BATCH) if price and BATCH in price.tiers else None for kind, price in by_kind.items()
    }
    sources = " + ".join(f"{source_label(source)} {count:,}" for source, count in plan.seeds.items())
    settings = ", ".join(f"{name} {getattr(recipe.method, name)}" for name in setting_names(type(recipe.method)))
    print(f"{sum(plan.seeds.values()):,} seed problems ({sources}), method {outline.method} ({settings})\n")
    first = max(FIRST_COLUMN, *(len(outline.label(kind)) for kind in outline.kinds), 0) + 1
    print(_row(("", "requests", "prompt tokens", "completion tokens", "USD", "in batches"), first))
    for kind in outline.kinds:
        of_kind = {kind.name: plan.usage[kind.name]}
        costs = (usd(of_kind, by_kind), usd(of_kind, in_batches))
        print(_row(_cells(outline.label(kind), plan.usage[kind.name], costs), first))
    print(_row(_cells("all", plan.total, (usd(plan.usage, by_kind), usd(plan.usage, in_batches))), first))
    print()
    _show_prices(recipe, setup)
    _show_reasoning(recipe, asked)
    answer_s = asked.answer_s if asked else None
    in_flight = setup.fixed_concurrency or reached or planning.ASSUMED_IN_FLIGHT
    waves = recipe.method.waves
    seconds = planning.wall_s(plan, in_flight, answer_s, waves, setup.rpm, setup.tpm)
    print(f"time       {duration(seconds)}: {_pace(setup, in_flight, answer_s)}")
    print(
        "in batches "
        + ("one wave, up to 24 hours" if waves == 1 else f"{waves} waves, one after another, up to 24 hours each")
    )
    print(f"disk       {plan.disk_bytes / 1e6:,.0f} MB")


def _for_programs(plan: Plan, recipe: Recipe, setup: Setup) -> dict[str, Any]:
    """Return the plan as JSON: requests, tokens and USD by kind of request; USD is null if a price is unknown."""
    by_kind = direct_prices(recipe, setup)
    kinds = {
        name: {**dataclasses.asdict(usage), "usd": usd({name: usage}, by_kind)} for name, usage in plan.usage.items()
    }
    return {
        "seed_problems": dict(plan.seeds),
        "kinds": kinds,
        "all": {**dataclasses.asdict(plan.total), "usd": usd(plan.usage, by_kind)},
        "usd_error": plan.error,
        "disk_bytes": plan.disk_bytes,
    }


def _show_prices(recipe: Recipe, setup: Setup) -> None:
    teachers, prices = setup.teachers(recipe), setup.prices(recipe)
    for model in recipe.models:
        if price := prices.of(model):
            dated = f", {price.date}" if price.date else ""
            rates = price.rates()
            shown = f"{rates.prompt:g} / {rates.completion:g} USD per million tokens ({price.source}{dated})"
            print(f"price      {_whose(model, recipe)}{shown}")
        else:
            print(f"price      {teachers.unknown_price(model)} (0 and 0 for your own hardware)")


def _show_reasoning(recipe: Recipe, asked: Asked | None) -> None:
    """Print what is known about the tokens of each teacher that reasons."""
    of_roles = recipe.by_role.values()
    for model in dict.fromkeys(teacher.model for teacher in of_roles if reasons(teacher.model, teacher.request)):
        print(f"reasoning  {_whose(model, recipe)}{_reasoning(model, asked)}")


def _show_prompts(recipe: Recipe) -> None:
    """Print by how much the recipe's prompts change the size of a request; the expected lengths are the method's."""
    tokens = {
        name: (len(prompt.template) - len(recipe.method.prompts[name].template)) / CHARACTERS_PER_TOKEN
        for name, prompt in recipe.prompts.items()
    }
    if tokens:
        differ = ", ".join(f"{name} {more:+,.0f}" for name, more in tokens.items())
        print(f"prompts    the plan assumes the method's own; the recipe's differ by about this many tokens: {differ}")


def _show_budget(recipe: Recipe, setup: Setup, plan: Plan, pilot: Sequence[Outcome] | None) -> None:
    """Print how many seed problems the recipe's budget buys, if it has one."""
    if not recipe.budget:
        return
    budget, seeds = Budget.of(recipe.budget), sum(plan.seeds.values())
    if budget.unit == "usd":
        each = (usd(plan.usage, direct_prices(recipe, setup)) or 0.0) / seeds
    elif budget.unit == "tokens":
        each = (plan.total.prompt_tokens + plan.total.completion_tokens) / seeds
    elif pilot is None:
        print(f"budget     {recipe.budget}: --pilot 50 measures how many seed problems it takes")
        return
    else:
        # Questions of different seed problems hardly ever agree, so each adds its own.
        rows = ({row.id if budget.unit == "rows" else row.problem for row in one.rows} for one in pilot)
        each = sum(map(len, rows)) / len(pilot)
    bought = min(seeds, int(float(budget.amount) / each)) if each else seeds
    print(f"budget     {recipe.budget} buys about {bought:,} of {seeds:,} seed problems ({bought / seeds:.0%})")


def _whose(model: str, recipe: Recipe) -> str:
    """Return what stands before what a line says of a model, if there are several."""
    roles = [role for role, teacher in recipe.by_role.items() if teacher.model == model]
    return f"{model} ({', '.join(roles)}): " if len(recipe.models) > 1 else ""


def _reasoning(model: str, asked: Asked | None) -> str:
    if asked is None:
        return "its tokens are billed as completion tokens; this plan includes none: --pilot 50 measures them"
    share = Bill.so_far(None, (paid for paid in asked.bill.paid() if paid.model == model)).reasoning_share
    counted = "the endpoint does not count them separately" if share is None else f"so far {share:.0%} of the total"
    return f"its tokens are billed as completion tokens and included in them; {counted}"


def _pace(setup: Setup, in_flight: int, answer_s: float | None) -> str:
    """Return the assumptions behind the estimated time."""
    each = f"{planning.ASSUMED_ANSWER_S:.0f} s (assumed)" if answer_s is None else f"{answer_s:.1f} s (measured)"
    assumptions = [f"{in_flight:,} requests in flight, each {each}"]
    assumptions += [f"--rpm {setup.rpm:,g}"] if setup.rpm else []
    assumptions += [f"--tpm {setup.tpm:,g}"] if setup.tpm else []
    return ", ".join(assumptions)


def _cells(name: str, usage: Usage, costs: Sequence[float | None]) -> tuple[str, ...]:
    money = ["?" if cost is None else f"{cost:,.2f}" for cost in costs]
    return (name, f"{usage.requests:,.0f}", f"{usage.prompt_tokens:,.0f}", f"{usage.completion_tokens:,.0f}", *money)


def _row(cells: tuple[str, ...], first: int) -> str:
    return f"{cells[0]:<{first}}" + "".join(
        f"{cell:>{width}}" for cell, width in zip(cells[1:], (12, 16, 19, 12, 12), strict=True)
    )


def _show_pilot(plan: Plan, pilot: Sequence[tuple[Problem, Outcome]], asked: Asked) -> None:
    spread = (
        f", ± {plan.error:.0%} (95 % interval, from how much the pilot's problems differ)"
        if plan.error is not None
        else ""
    )
    print(f"from       a pilot of {len(pilot):,} seed problems{spread}")
    bill = asked.bill
    money = "" if bill.known_usd is None else f", ${bill.known_usd:,.2f}"
    print(
        f"paid       {bill.answers:,} answers are in the run directory{money}; no later run asks or pays for them again"
    )
    counts = [item for _, outcome in pilot for item in outcome.counts.items()]
    if left := sum(count for (_, why), count in counts if why in (FAILED, NOT_ASKED)):
        say_warning(f"{left:,} of the pilot's requests got no answer, so the plan is too low")
