"""`personamath augment`: from seed problems to a dataset folder."""

import argparse
import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

from personamath.commands.settings import Setting, add_settings, merged, settings_of
from personamath.files import validated
from personamath.methods import METHODS
from personamath.recipe import Recipe
from personamath.runs.dataset import Made
from personamath.runs.engines import make_dataset
from personamath.runs.funnel import SHOWN_NAMES, composition, narrative, never_right
from personamath.runs.setup import URL_VARIABLE, Setup
from personamath.runs.watch import on_terminal
from personamath.teachers.prices import Bill

DESCRIPTION = """\
Solve math problems with a teacher LLM, rewrite them, and keep the solutions whose answer is correct.

  personamath augment --problems gsm8k --problems math --personas proj-persona/PersonaHub \\
      --teacher gpt-4o-mini-2024-07-18 --output runs/v1          # the paper's run

  personamath augment --config recipes/augment-paper-v1.yaml --teacher Qwen/Qwen2.5-72B-Instruct \\
      --base-url http://127.0.0.1:8000/v1 --output runs/open     # an open teacher, e.g. from `vllm serve`

The key comes from OPENAI_API_KEY; the address from --base-url, else OPENAI_BASE_URL, else it is OpenAI's. Every answer
is journaled as it arrives: however a run was stopped, the same command goes on and pays for nothing twice. With
--limit 20 a first look costs cents. With --batch it costs half and takes longer: see docs/batch.md.
"""
EPILOG = """\
writes  OUTPUT/journal.sqlite   every request and its answer, untouched
        OUTPUT/dataset/         what load_dataset("OUTPUT/dataset", "default") opens
        OUTPUT/run.json         recipe, versions, counts, tokens, money
        OUTPUT/batches.sqlite   with --batch: which request is in which batch

exit    0 complete   1 an error   2 usage   130 interrupted
        3 some requests failed for good, or were not asked because of --max-usd or --max-requests: the dataset is
          written without them, and the same command tries just them again; or no row was kept
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EPILOG
    recipe = parser.add_argument_group("recipe", "what decides the rows; also the keys of a --config file")
    recipe.add_argument("--config", type=Path, metavar="YAML", help="a recipe with any of these keys; the options win")
    add_settings(parser, "recipe", settings_of(Recipe))
    method = parser.add_argument_group("method", "how rows are made of a seed problem")
    method.add_argument(
        "--method",
        choices=METHODS,
        default=argparse.SUPPRESS,
        help="; ".join(f"{name}: {cls().outline.title}" for name, cls in METHODS.items())
        + f" (default {next(iter(METHODS))})",
    )
    add_settings(parser, "method", method_settings())
    add_settings(parser, "run", settings_of(Setup))


def method_settings() -> list[Setting]:
    """The settings of all methods, each once, with the methods that have it."""
    found: dict[str, Setting] = {}
    methods: dict[str, list[str]] = {}
    for name, cls in METHODS.items():
        for setting in settings_of(cls):
            found.setdefault(setting.name, setting)
            methods.setdefault(setting.name, []).append(name)
    return [setting._replace(help=f"{', '.join(methods[name])}: {setting.help}") for name, setting in found.items()]


def run(options: argparse.Namespace) -> int:
    """Make, or finish, the run; gives the exit status."""
    return augment_and_report(*read_settings(options))


def read_settings(options: argparse.Namespace, needs_output: bool = True) -> tuple[Recipe, Setup]:
    """Recipe and setup of a parsed command line; what is missing ends the program with the usage."""
    of_setup = [setting.name for setting in settings_of(Setup)]
    of_recipe = ["method", *(setting.name for setting in settings_of(Recipe)), *(one.name for one in method_settings())]
    settings = merged(options, options.config, [*of_recipe, *of_setup])
    if not needs_output:
        settings.setdefault("output", "")
    for name in ("problems", "teacher", "output"):
        if name not in settings:
            options.parser.error(f"--{name} is needed (or `{name}` in --config)")
    if url := os.environ.get(URL_VARIABLE):
        settings.setdefault("base_url", (url,))
    place = str(options.config or "command line")
    recipe = Recipe.of({name: settings[name] for name in of_recipe if name in settings}, place)
    return recipe, validated(Setup, {name: settings[name] for name in of_setup if name in settings}, place)


def augment_and_report(recipe: Recipe, setup: Setup) -> int:
    """Make, or finish, a run and print what came out; gives the exit status."""
    made = asyncio.run(make_dataset(recipe, setup, on_terminal))
    _report(recipe, setup, made)
    return 0 if made.funnel.complete and made.folder else 3


def _report(recipe: Recipe, setup: Setup, made: Made) -> None:
    funnel, asked, outline = made.funnel, made.asked, recipe.method.outline
    if recipe.simulated:
        print("SIMULATED: these rows were written by the embedded teacher. Do not train on them.\n")
    print(f"{composition(funnel, outline)}\n\n{narrative(funnel, outline)}\n")
    print(f"{asked.asked:,} answers asked, {asked.replayed:,} from the journal.")
    if taken_off := [f"{what} ({n:,})" for what, n in funnel.taken_off_by_kind().items() if n]:
        print(f"Taken off completions before they were read: {', '.join(taken_off)}.")
    if made.retries:
        print("Retries after " + ", ".join(f"{reason} ({n:,})" for reason, n in made.retries.most_common()) + ".")
    if (usd := asked.bill.known_usd) is not None:
        print(f"All answers in the run directory together: ${usd:,.2f}{_left_out(asked.bill)}.")
    for warning in never_right(funnel, outline):
        print(f"warning: {warning}", file=sys.stderr)
    if made.folder:
        print(f"The dataset is in {setup.output}/dataset")
    else:
        print("\nNo row was kept, so no dataset was written: the lines above show what became of every request.")
    if funnel.failed:
        _report_failures(setup, made)
    if funnel.not_asked:
        caps = {"--max-usd": setup.max_usd, "--max-requests": setup.max_requests}
        given = " or ".join(f"{name} {value:,}" for name, value in caps.items() if value is not None)
        print(f"\nEnded at {given}: the same command with a higher one goes on, and pays for nothing twice.")


def _left_out(bill: Bill) -> str:
    """What the money does not include, as the end of a sentence."""
    models = ", ".join(f"{count:,} of {model}" for model, count in bill.unpriced.most_common())
    return f", without the answers of models whose price is not known ({models})" if models else ""


def _report_failures(setup: Setup, made: Made) -> None:
    funnel = made.funnel
    reasons = Counter(failure.why.partition(":")[0] for failure in funnel.failures).most_common()
    most = ", ".join(f"{reason} ({count:,})" for reason, count in reasons)
    print(f"\nIncomplete: {funnel.failed:,} requests failed. Run the same command to try just them again.")
    print(f"  of the first {len(funnel.failures):,}: {most}")
    for failure in funnel.failures[:SHOWN_NAMES]:
        print(f"  {failure.problem_id} ({failure.purpose}): {failure.why}")
    if funnel.failed > SHOWN_NAMES:
        print(f"  and {funnel.failed - SHOWN_NAMES:,} more, in {setup.output}/run.json")
