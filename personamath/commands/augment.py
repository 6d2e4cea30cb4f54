"""`personamath augment`: make a dataset folder from seed problems."""

import argparse
import asyncio
import json
import shlex
from collections import Counter

from personamath.commands.settings import Setting, add_settings, keys_and_values, merged, settings_of
from personamath.commands.terminal import add_json, say_warning
from personamath.folder.answered import answered
from personamath.journal.run_folder import DATASET, RUN_FILE, RunFolder
from personamath.methods import METHODS, PersonaMath
from personamath.recipe import Recipe
from personamath.runs.engines import make_dataset
from personamath.runs.funnel import SHOWN_NAMES, composition, narrative, never_right
from personamath.runs.made import Made
from personamath.runs.roles import split_roles
from personamath.runs.setup import Setup
from personamath.runs.watch import on_terminal
from personamath.shipped import find_recipe
from personamath.teachers.prices import Bill

DESCRIPTION = """\
Solve math problems with a teacher LLM, rewrite them, and keep the solutions whose answer is correct.

  personamath augment --problems gsm8k --problems math --personas proj-persona/PersonaHub \\
      --teacher gpt-4o-mini-2024-07-18 --output runs/v1          # the paper's run

  personamath augment --config recipes/augment-paper-v1.yaml --teacher Qwen/Qwen2.5-72B-Instruct \\
      --base-url http://127.0.0.1:8000/v1 --output runs/open     # an open teacher, on your own server

  personamath augment --config recipes/augment-paper-v1.yaml --teacher Qwen/Qwen2.5-72B-Instruct \\
      --serve vllm --vllm-args '{tensor_parallel_size: 4}' --output runs/open   # the same, on this machine's GPUs

The command asks the endpoint in --base-url, or else in OPENAI_BASE_URL, or else OpenAI. It sends the key in
OPENAI_API_KEY to OpenAI only, and HF_TOKEN to Hugging Face's router only; --api-key-env names the variable that holds
the key of any other endpoint: see docs/teachers.md. It journals every answer as it arrives: if a run stops for any
reason, run the same command again to continue without paying for any answer twice. Use --limit 20 for a first look that
costs cents. Use --batch to pay half and wait longer: see docs/batch.md.
"""
EPILOG = """\
writes  OUTPUT/journal.sqlite   every request and its unedited answer
        OUTPUT/dataset/         the dataset: load_dataset("OUTPUT/dataset", "default") opens it
        OUTPUT/inputs.json      recipe, commits and digests of its inputs, written before the first request
        OUTPUT/run.json         recipe, versions, counts, tokens and cost
        OUTPUT/finished.json    digests by which the same command recognises a finished run
        OUTPUT/batches.sqlite   with --batch: the batch of each request
        OUTPUT/vllm.log         with --serve vllm: what the server printed

exit    0 complete   1 error   2 wrong usage   130 interrupted
        3 some requests failed, or were not sent because of --max-usd or --max-requests: the dataset is written
          without them, and the same command tries only those again; also if no row was kept
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EPILOG
    recipe = parser.add_argument_group("recipe", "what decides the rows; also the keys of a --config file")
    recipe.add_argument(
        "--config",
        metavar="NAME or YAML",
        help="a recipe that PersonaMath carries, e.g. augment-paper-v1, or a YAML file with any of these keys; the "
        "options win",
    )
    add_settings(parser, "recipe", settings_of(Recipe))
    method = parser.add_argument_group("method", "how to make rows from a seed problem")
    method.add_argument(
        "--method",
        choices=METHODS,
        default=argparse.SUPPRESS,
        help="; ".join(f"{name}: {cls().outline.title}" for name, cls in METHODS.items())
        + f" (default {next(iter(METHODS))})",
    )
    add_settings(parser, "method", method_settings())
    add_settings(parser, "run", settings_of(Setup))
    add_json(parser, "the result")


def method_settings() -> list[Setting]:
    """Collect the settings of all methods, each once; its help names the methods that have it."""
    found: dict[str, Setting] = {}
    methods: dict[str, list[str]] = {}
    for name, cls in METHODS.items():
        for setting in settings_of(cls):
            found.setdefault(setting.name, setting)
            methods.setdefault(setting.name, []).append(name)
    return [setting._replace(help=f"{', '.join(methods[name])}: {setting.help}") for name, setting in found.items()]


def run(options: argparse.Namespace) -> int:
    """Make or finish the run; return the exit status."""
    recipe, setup = read_settings(options)
    made = asyncio.run(make_dataset(recipe, setup, on_terminal))
    _report(recipe, setup, made)
    if options.json:
        record = json.loads(RunFolder(setup.output).read(RUN_FILE))
        options.show({"dataset": f"{setup.output}/{DATASET}" if made.folder else None, "run": record})
    if made.folder and made.funnel.complete:
        print(next_commands(setup.output, recipe.simulated))
    return 0 if made.funnel.complete and made.folder else 3


def read_settings(options: argparse.Namespace, needs_output: bool = True) -> tuple[Recipe, Setup]:
    """Return the recipe and setup of a parsed command line; exit with a usage error if a setting is missing."""
    of_setup = [setting.name for setting in settings_of(Setup)]
    of_recipe = ["method", *(setting.name for setting in settings_of(Recipe)), *(one.name for one in method_settings())]
    config = find_recipe(options.config, "augment") if options.config else None
    settings = merged(options, config, [*of_recipe, *of_setup])
    if not needs_output:
        settings.setdefault("output", "")
    method = METHODS.get(settings.get("method", ""), PersonaMath)()
    for name in ("problems", "teacher", "output"):
        if name not in settings and (name != "teacher" or method.outline.kinds):
            options.parser.error(f"--{name} is required (or set `{name}` in the --config file)")
    place = str(config or "command line")
    if "teacher" in vars(options) and options.teacher.startswith("{"):  # no model's name does
        try:
            settings["teacher"] = keys_and_values(options.teacher)
        except argparse.ArgumentTypeError:
            options.parser.error("argument --teacher: write a model's name, or roles, e.g. '{default: A, rewrite: B}'")
    settings, by_role = split_roles(settings, place)
    recipe = Recipe.of({name: settings[name] for name in of_recipe if name in settings}, place)
    chosen = {name: settings[name] for name in of_setup if name in settings}
    return recipe, Setup.of(chosen, place, by_role)


def _report(recipe: Recipe, setup: Setup, made: Made) -> None:
    funnel, asked, outline = made.funnel, made.asked, recipe.method.outline
    if recipe.simulated:
        print("SIMULATED: the simulated teacher wrote these rows. Do not train on them.\n")
    print(f"{composition(funnel, outline)}\n\n{narrative(funnel, outline)}\n")
    reused = f", {asked.reused:,} from other runs" if asked.reused else ""
    print(f"{asked.asked:,} answers asked, {asked.replayed:,} from the journal{reused}.")
    for sentence in answered(funnel.answered_by_model()):
        print(f"{sentence[0].upper()}{sentence[1:]}.")
    if funnel.budget:
        print(funnel.budget.says(funnel.seed_problems.total()))
    if taken_off := funnel.says_taken_off():
        print(taken_off)
    if made.retries:
        print("Retries after " + ", ".join(f"{reason} ({n:,})" for reason, n in made.retries.most_common()) + ".")
    if (usd := asked.bill.known_usd) is not None:
        print(f"All answers in the run directory together: ${usd:,.2f}{_left_out(asked.bill)}.")
    for warning in never_right(funnel, outline):
        say_warning(warning)
    if made.folder:
        print(f"The dataset is in {setup.output}/{DATASET}")
    else:
        print("\nNo row was kept, so no dataset was written. The lines above show the outcome of every request.")
    if funnel.failed:
        _report_failures(setup, made)
    if funnel.not_asked:
        caps = {"--max-usd": setup.max_usd, "--max-requests": setup.max_requests}
        given = " or ".join(f"{name} {value:,}" for name, value in caps.items() if value is not None)
        print(f"\nStopped at {given}. Run the same command with a higher limit to continue; you pay for nothing twice.")


def next_commands(output: str, simulated: bool) -> str:
    """Return the commands that usually follow a run."""
    run, dataset = shlex.quote(output), shlex.quote(f"{output}/{DATASET}")
    commands = [f"personamath report {run}"]
    if not simulated:
        commands += [
            f"personamath train --config sft-qwen2.5-7b --dataset_name {dataset} --dataset_revision null",
            f"personamath publish {run} --repo-id OWNER/NAME --version v1.0.0 --dry-run",
        ]
    return "\nNext:\n" + "\n".join(f"  {command}" for command in commands)


def _left_out(bill: Bill) -> str:
    """Return the end of a sentence that says which answers the cost leaves out."""
    models = ", ".join(f"{count:,} of {model}" for model, count in bill.unpriced.most_common())
    return f", not counting answers of models whose price is unknown ({models})" if models else ""


def _report_failures(setup: Setup, made: Made) -> None:
    funnel = made.funnel
    reasons = Counter(failure.why.partition(":")[0] for failure in funnel.failures).most_common()
    most = ", ".join(f"{reason} ({count:,})" for reason, count in reasons)
    print(f"\nIncomplete: {funnel.failed:,} requests failed. Run the same command to try only these again.")
    print(f"  reasons of the first {len(funnel.failures):,}: {most}")
    for failure in funnel.failures[:SHOWN_NAMES]:
        print(f"  {failure.problem_id} ({failure.purpose}): {failure.why}")
    if funnel.failed > SHOWN_NAMES:
        print(f"  and {funnel.failed - SHOWN_NAMES:,} more, in {setup.output}/run.json")
