"""`personamath augment`: from seed problems to a dataset folder."""

import argparse
import asyncio
import dataclasses
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from personamath.answers import Grader
from personamath.commands.asking import URL_VARIABLE, Asker, clean_interruption, endpoint_key, ready_process, shown
from personamath.commands.settings import add_settings, build, merge_settings
from personamath.errors import BadInput, RunDirectoryError
from personamath.folder.overlap import chosen_benchmarks
from personamath.folder.provenance import Origins, package_versions
from personamath.folder.writing import write_folder
from personamath.journal.block_files import adopt_answers
from personamath.journal.journaled import JournaledTeacher
from personamath.journal.run_folder import RunFolder, is_url
from personamath.journal.store import Journal
from personamath.methods.persona.stages import Stages
from personamath.recipe import Recipe
from personamath.records import Persona, Problem
from personamath.runs.funnel import PURPOSES, SHOWN_NAMES, Funnel, composition, narrative
from personamath.runs.pipeline import Spool, augment, new_first
from personamath.sources.personas import draw, read_personas
from personamath.sources.problems import ProblemSource, read_problems
from personamath.teachers.http import OPENAI_URL, HttpTeacher, Patience, without_secrets
from personamath.teachers.offline_vllm import OfflineTeacher, load_vllm, read_arguments
from personamath.teachers.pace import Pace
from personamath.teachers.prices import UNKNOWN_PRICE, Bill, Caps, Price, Prices, find_price
from personamath.teachers.waves import WINDOW, Waves, WaveTeacher

HELP = "make a dataset with a teacher"
DESCRIPTION = """\
Solve math problems with a teacher LLM, rewrite them through personas and reflection, and keep what comes out right.

  personamath augment --problems gsm8k --problems math --personas proj-persona/PersonaHub \\
      --teacher gpt-4o-mini-2024-07-18 --output runs/v1          # the paper's run

  personamath augment --config recipes/augment-paper-v1.yaml --teacher Qwen/Qwen2.5-72B-Instruct \\
      --base-url http://127.0.0.1:8000/v1 --output runs/open     # an open teacher, e.g. from `vllm serve`

The key comes from OPENAI_API_KEY; the address from --base-url, else OPENAI_BASE_URL, else it is OpenAI's. Every answer
is journaled as it arrives: a run that was stopped, in whatever way, goes on with the same command and pays for nothing
twice. With --limit 20 a first look costs cents. With --batch it costs half and takes longer: see docs/batch.md.

writes  OUTPUT/journal.sqlite   every request and its answer, untouched
        OUTPUT/dataset/         what load_dataset("OUTPUT/dataset", "stage2") opens
        OUTPUT/run.json         recipe, versions, counts, tokens, money
        OUTPUT/batches.sqlite   with --batch: which request is in which batch

exit    0 complete   1 an error   2 usage   130 interrupted
        3 some requests failed for good, or were not asked because of --max-usd or --max-requests: the dataset is
          written without them, the same command tries just them again
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Where a run lives and how the teacher is reached; decides how long it takes, never what comes out of it."""

    base_url: Annotated[
        tuple[str, ...], "OpenAI-compatible endpoint, up to and including /v1; several serve one model side by side"
    ] = (OPENAI_URL,)
    concurrency: Annotated[int, "requests in flight"] = 256
    timeout: Annotated[float, "seconds for one try of one request"] = 120.0
    attempts: Annotated[int, "tries of one request before it has failed; 429 answers are not counted"] = 10
    patience: Annotated[float, "seconds to wait for an endpoint that answered before and stopped"] = 600.0
    rpm: Annotated[float | None, "requests a minute, in place of what the endpoints announce (no cap otherwise)"] = None
    tpm: Annotated[float | None, "prompt and completion tokens a minute, likewise"] = None
    max_usd: Annotated[
        float | None,
        "end when the answers in the run directory have cost so much; passed by no more than those in flight",
    ] = None
    max_requests: Annotated[int | None, "end when there are so many answers in the run directory"] = None
    price_in: Annotated[float | None, "USD per million prompt tokens, for a teacher that is not in the price list"] = (
        None
    )
    price_out: Annotated[float | None, "USD per million completion tokens; both 0 for hardware of your own"] = None
    batch: Annotated[bool, "ask through the OpenAI Batch API: half the price, up to a day for each of four waves"] = (
        False
    )
    batch_queue_tokens: Annotated[
        int | None, "prompt tokens to have enqueued there at once: your batch queue limit, where there is one"
    ] = None
    offline_vllm: Annotated[bool, "run the teacher in this process, with vLLM, instead of asking an endpoint"] = False
    vllm_args: Annotated[
        str | None, "arguments of vllm.LLM as YAML, e.g. '{tensor_parallel_size: 2, max_model_len: 8192}'"
    ] = None
    engine: Annotated[Literal["local", "ray"], "`local`, or `ray`: a cluster of machines (docs/scaling.md)"] = "local"
    ray_address: Annotated[str | None, "a running cluster's (default RAY_ADDRESS, else one is started here)"] = None
    block: Annotated[int, "seed problems in a block of the ray engine"] = 128
    output: Annotated[
        str, "run directory; made, or taken up where it stopped; for the ray engine also a URL as fsspec knows it"
    ]

    def __post_init__(self) -> None:
        """Refuse values that no run can mean."""
        for name in ("concurrency", "timeout", "attempts", "patience", "block"):
            if getattr(self, name) <= 0:
                raise BadInput(f"{name} is {getattr(self, name)}: it must be more than 0")
        for name in ("rpm", "tpm", "max_usd", "max_requests", "batch_queue_tokens"):
            if (value := getattr(self, name)) is not None and not value > 0:
                raise BadInput(f"{name} is {value}: it must be more than 0")
        if self.batch and self.offline_vllm:
            raise BadInput("--batch asks a provider, --offline-vllm asks nobody: give one of them")
        if self.batch and len(self.base_url) > 1:
            raise BadInput("--batch asks one endpoint: give one --base-url")
        if self.engine == "ray" and (self.batch or self.offline_vllm):
            raise BadInput("the ray engine asks endpoints: --batch and --offline-vllm need the local one")
        if self.engine == "local" and is_url(self.output):
            raise BadInput(
                f"output {self.output!r}: the local engine needs a directory; an object store needs --engine ray"
            )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add_settings(parser, Recipe, Setup)
    parser.add_argument("--config", type=Path, metavar="YAML", help="a recipe with any of these keys; the options win")


def run(options: argparse.Namespace) -> int:
    """Do it; gives the exit status."""
    return run_augmentation(*read_settings(options))


def read_settings(options: argparse.Namespace, needs_output: bool = True) -> tuple[Recipe, Setup]:
    """Recipe and setup of a parsed command line; what is missing ends the program with the usage."""
    settings = merge_settings(options, options.config, Recipe, Setup)
    if not needs_output:
        settings.setdefault("output", "")
    for name in ("problems", "teacher", "output"):
        if name not in settings:
            options.parser.error(f"--{name} is needed (or `{name}` in --config)")
    if url := os.environ.get(URL_VARIABLE):
        settings.setdefault("base_url", (url,))
    return build(Recipe, settings), build(Setup, settings)


def check_settings(recipe: Recipe, setup: Setup) -> None:
    """See that what was given goes together and can be read, before anything large is; `BadInput`."""
    for name, (meant, of) in {
        "batch_queue_tokens": (setup.batch, "--batch"),
        "vllm_args": (setup.offline_vllm, "--offline-vllm"),
        "ray_address": (setup.engine == "ray", "--engine ray"),
    }.items():
        if getattr(setup, name) is not None and not meant:
            raise BadInput(f"--{name.replace('_', '-')} is for {of}: give both, or neither")
    if setup.vllm_args is not None:
        read_arguments(setup.vllm_args)
    for source in chosen_benchmarks(recipe.benchmark, recipe.problems):
        if source.path:  # the Hub's, and the rest of a file, are for the run to read
            next(source.read(), None)


def teacher_price(recipe: Recipe, setup: Setup) -> Price | None:
    """The teacher's price, None where it is not known; `BadInput` where --max-usd needs it."""
    price = find_price(recipe.teacher, setup.price_in, setup.price_out)
    if setup.max_usd is not None and price is None:
        raise BadInput(UNKNOWN_PRICE.format(model=recipe.teacher))
    return price


def run_augmentation(recipe: Recipe, setup: Setup) -> int:
    """Make, or finish, the run; returns the exit status."""
    check_settings(recipe, setup)
    price = teacher_price(recipe, setup)
    key = None if setup.offline_vllm else endpoint_key(setup.base_url)
    if price and setup.batch:
        price = price.in_batches()
    endpoints = _endpoints(recipe, setup, key)
    personas = read_personas(recipe.personas)
    check_draws(recipe, personas)
    sources = [ProblemSource.parse(source) for source in recipe.problems]
    # Read twice, once to meet bad input before anything is paid for: cheaper than to hold all problems in memory.
    funnel = Funnel.survey(read_problems(sources, recipe.limit))
    if not funnel.seed_problems:
        raise BadInput("no problem can serve: all were skipped, or the files are empty")

    def problems() -> Iterator[Problem]:
        return (item for item in read_problems(sources, recipe.limit) if isinstance(item, Problem))

    if setup.engine == "ray":
        return _run_on_ray(recipe, setup, key, Prices(recipe.teacher, price), personas, problems, funnel)
    ready_process(setup.concurrency)
    output = Path(setup.output)
    # Before the asking, which may take days in which a file changes.
    origins = Origins.found(recipe, personas, output)
    with Journal(output) as journal, Spool(output) as spool:
        waved = isinstance(endpoints, WaveTeacher)
        adopt_answers(journal, RunFolder(setup.output))
        teacher = JournaledTeacher(
            journal,
            endpoints,
            sys.maxsize if waved else setup.concurrency,
            Prices(recipe.teacher, price),
            Caps(setup.max_usd, setup.max_requests),
            endpoints.stop if isinstance(endpoints, HttpTeacher) else None,
        )

        async def ask_everything() -> None:
            async with endpoints, Grader() as grader, shown(funnel, teacher, endpoints):
                if isinstance(endpoints, WaveTeacher):
                    _watch(endpoints.waves, teacher, grader)
                with clean_interruption(teacher, endpoints):
                    window = min(WINDOW if waved else setup.concurrency, funnel.seed_problems.total())
                    stages = Stages(recipe, personas, teacher, grader)
                    begun = (lambda _: False) if waved else lambda seed: journal.has(stages.first_request(seed).digest)
                    await augment(stages, new_first(problems, begun), window, spool, funnel, teacher.end)

        asyncio.run(ask_everything())
        write_folder(output / "dataset", spool.rows(), recipe, funnel, origins)
        _write_run_file(output, recipe, setup, funnel, teacher, endpoints.retries)
    _report(recipe, setup, funnel, teacher, endpoints.retries)
    return 0 if funnel.complete else 3


def _run_on_ray(
    recipe: Recipe,
    setup: Setup,
    key: str | None,
    prices: Prices,
    personas: list[Persona],
    problems: Callable[[], Iterator[Problem]],
    funnel: Funnel,
) -> int:
    """The same on a cluster."""
    from personamath.runs.ray.cluster import ClusterSetup
    from personamath.runs.ray.driver import RayRun

    cluster = ClusterSetup(
        address=setup.ray_address,
        block=setup.block,
        concurrency=setup.concurrency,
        rpm=setup.rpm,
        tpm=setup.tpm,
        base_url=setup.base_url,
        key=key,
        patience=Patience(setup.timeout, setup.attempts, setup.patience),
        prices=prices,
        caps=Caps(setup.max_usd, setup.max_requests),
    )
    with RayRun(setup.output, recipe, personas, cluster) as run:
        origins = Origins.found(recipe, personas, run.home, run.hashes)

        async def ask_everything() -> None:
            async with shown(run.shown, run):
                with clean_interruption(run):
                    await run.work(problems, funnel)

        asyncio.run(ask_everything())
        write_folder(run.home / "dataset", run.rows(), recipe, funnel, origins)
        _write_run_file(run.home, recipe, setup, funnel, run, run.retries)
        run.upload()
    _report(recipe, setup, funnel, run, run.retries)
    return 0 if funnel.complete else 3


def _endpoints(recipe: Recipe, setup: Setup, key: str | None) -> HttpTeacher | WaveTeacher:
    """What answers."""
    if setup.offline_vllm:
        arguments = read_arguments(setup.vllm_args or "{}")
        return OfflineTeacher(lambda: load_vllm(recipe.teacher, arguments))
    if setup.batch:
        from personamath.teachers.batch import LINE_ATTEMPTS, BatchTeacher

        return BatchTeacher(
            Path(setup.output),
            setup.base_url[0],
            key,
            queue_tokens=setup.batch_queue_tokens,
            attempts=min(setup.attempts, LINE_ATTEMPTS),
            gone_s=setup.patience,
        )
    return http_teacher(setup, key)


def http_teacher(setup: Setup, key: str | None) -> HttpTeacher:
    """The endpoints of a setup."""
    patience = Patience(setup.timeout, setup.attempts, setup.patience)
    return HttpTeacher(setup.base_url, key, patience, Pace(setup.rpm, setup.tpm))


def _watch(waves: Waves, teacher: JournaledTeacher, grader: Grader) -> None:
    """Tell waves what goes on between an answer and the questions that follow from it."""
    waves.watch(
        running=lambda: teacher.in_flight - waves.waiting + grader.deciding,
        steps=lambda: teacher.asked + teacher.replayed,
    )


def check_draws(recipe: Recipe, personas: list[Persona]) -> None:
    """See that there are personas enough, and warn of a K2 that the paper would not have; `BadInput`."""
    draw(personas, "", max(recipe.k1, recipe.k2), recipe.rng_seed, recipe.persona_draw)
    if recipe.k2 <= recipe.k1:
        print(f"warning: k2 is {recipe.k2}, k1 is {recipe.k1}; the paper has K2 > K1", file=sys.stderr)


def _write_run_file(
    output: Path, recipe: Recipe, setup: Setup, funnel: Funnel, teacher: Asker, retries: Counter[str]
) -> None:
    """Write run.json as a whole: a reader never sees half of one."""
    run = {
        "complete": funnel.complete,
        "simulated": recipe.simulated,
        "recipe": dataclasses.asdict(recipe),
        "endpoints": ["vllm in-process"] if setup.offline_vllm else [without_secrets(url) for url in setup.base_url],
        "versions": package_versions(),
        "engine": setup.engine,
        "answers": {"asked this time": teacher.asked, "from the journal": teacher.replayed},
        "asked again after": dict(retries.most_common()),
        "paid": teacher.bill.as_dict(PURPOSES),
        **funnel.as_dict(),
    }
    partial = output / "run.json.partial"
    try:
        partial.write_text(json.dumps(run, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(output / "run.json")
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RunDirectoryError(f"cannot write {output / 'run.json'}: {error.strerror}") from None


def _report(recipe: Recipe, setup: Setup, funnel: Funnel, teacher: Asker, retries: Counter[str]) -> None:
    if recipe.simulated:
        print("SIMULATED: these rows were written by the embedded teacher. Do not train on them.\n")
    print(f"{composition(funnel)}\n\n{narrative(funnel)}\n")
    print(f"{teacher.asked:,} answers asked, {teacher.replayed:,} from the journal.")
    if retries:
        print("Asked again after " + ", ".join(f"{reason} ({n:,})" for reason, n in retries.most_common()) + ".")
    if (usd := teacher.bill.known_usd) is not None:
        print(f"All answers in the run directory together: ${usd:,.2f}{_left_out(teacher.bill)}.")
    print(f"The dataset is in {setup.output}/dataset")
    if funnel.failed:
        reasons = Counter(failure.why.partition(":")[0] for failure in funnel.failures).most_common()
        most = ", ".join(f"{reason} ({count:,})" for reason, count in reasons)
        print(f"\nIncomplete: {funnel.failed:,} requests failed. Run the same command to try just them again.")
        print(f"  of the first {len(funnel.failures):,}: {most}")
        for failure in funnel.failures[:SHOWN_NAMES]:
            print(f"  {failure.problem_id} ({failure.purpose}): {failure.why}")
        if funnel.failed > SHOWN_NAMES:
            print(f"  and {funnel.failed - SHOWN_NAMES:,} more, in {setup.output}/run.json")
    if funnel.not_asked:
        caps = {"--max-usd": setup.max_usd, "--max-requests": setup.max_requests}
        given = " or ".join(f"{name} {value:,}" for name, value in caps.items() if value is not None)
        print(f"\nEnded at {given}: the same command with a higher one goes on, and pays for nothing twice.")


def _left_out(bill: Bill) -> str:
    """What the money does not include, as the end of a sentence."""
    models = ", ".join(f"{count:,} of {model}" for model, count in bill.unpriced.most_common())
    return f", without the answers of models whose price is not known ({models})" if models else ""
