"""Make a dataset folder from a recipe in this process: read the problems, ask the teacher, write the rows."""

import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from personamath.budget import Budget
from personamath.errors import BadInput, warn
from personamath.files import local_path
from personamath.folder.provenance import Origins, journal_digest
from personamath.folder.writing import write_folder
from personamath.journal.block_files import adopt_answers
from personamath.journal.other_runs import OtherRuns
from personamath.journal.run_folder import DATASET, RunFolder
from personamath.journal.store import Journal
from personamath.methods.requests import Requests
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Persona, Problem, Row
from personamath.runs.budget import Budgeted, direct_prices, in_budget_order
from personamath.runs.finished import local_inputs, remember
from personamath.runs.funnel import SHOWN_NAMES, Funnel
from personamath.runs.input_digests import ProblemsDigest, personas_digest
from personamath.runs.input_record import InputRecord
from personamath.runs.kept_problems import KeptProblems
from personamath.runs.made import Made, Watched
from personamath.runs.pipeline import Sink, Spool, new_first
from personamath.runs.programs import as_dict as programs_as_dict
from personamath.runs.programs import open_programs
from personamath.runs.run import run
from personamath.runs.run_file import (
    check_same_inputs,
    check_same_recipe,
    reached_before,
    write_run_file,
)
from personamath.runs.seed_ids import Run, settle, warn_of_moved
from personamath.runs.setup import Setup, open_teacher, ready_process, slots_of
from personamath.sources.named import Sources
from personamath.sources.published import misnaming
from personamath.sources.rows import HALF_A_PAIR
from personamath.sources.seed_problems import Skipped, read_problems
from personamath.teachers.prices import Prices
from personamath.teachers.routed import OverHttp
from personamath.teachers.waves import WaveTeacher


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a recipe names, read and checked before the first paid request."""

    recipe: Recipe
    personas: Sequence[Persona]
    funnel: Funnel
    """Its seed problems are already counted."""
    digests: Mapping[str, str]
    """Of its problems and its personas, for run.json and provenance.json."""
    sources: Sources
    """What the recipe names; those on the Hub at the commits that were read."""
    problem_digests: Sequence[str]
    """Of each source, the digest of the problems that have its name."""
    kept: KeptProblems
    """The seed problems, unless they are too many to keep."""
    requests: Requests
    """How the recipe asks."""

    @classmethod
    def read(cls, recipe: Recipe) -> "Inputs":
        """Read problems and personas once; raise `BadInput` for unusable input.

        All that is read of a dataset on the Hub, now and later in the run, is of one commit.
        """
        sources, notes = recipe.sources.resolved()
        for note in notes:
            print(f"note: {note}", file=sys.stderr)
        if recipe.method.needs_test_problems and not sources.benchmarks:
            raise BadInput(
                f"the method {recipe.method.outline.method} makes new problems, so every row is compared with test "
                "problems: name some with `benchmark`, e.g. gsm8k, math:PATH or FILE:COLUMN"
            )
        for source in sources.benchmarks:
            if source.path:  # check the first row only; the run reads the rest, and the Hub's test problems
                next(source.read(), None)
        inputs = cls.of(recipe, sources)
        funnel = inputs.funnel
        for warning in recipe.method.check(inputs.personas, inputs.requests):
            warn(warning)
        if halves := [item.id for item in funnel.skipped if item.reason == HALF_A_PAIR]:
            named = ", ".join(halves[:SHOWN_NAMES])
            warn(f"{len(halves):,} problems left out: {HALF_A_PAIR} ({named})")
        if not funnel.seed_problems:
            skipped = Counter(problem.reason for problem in funnel.skipped)
            reasons = "; ".join(
                f"{count:,} of {skipped.total():,} skipped: {reason}" for reason, count in skipped.most_common()
            )
            raise BadInput(f"no problem can be used: {reasons or 'the sources are empty'}")
        for misnamed in filter(None, map(misnaming, sources.problems)):
            warn(misnamed)
        return inputs

    @classmethod
    def of(cls, recipe: Recipe, sources: Sources) -> "Inputs":
        """Read the problems and personas of sources whose commits are known, without any check or warning."""
        personas = sources.personas.read() if sources.personas else []
        # All problems are read here, to find bad input before paying.
        digest, kept = ProblemsDigest(), KeptProblems()
        funnel = Funnel.survey(kept.over(digest.over(_read(recipe, sources))))
        digests = {"problems": digest.sha256} | ({"personas": personas_digest(personas)} if personas else {})
        each = [digest.of_source(source.name) for source in sources.problems]
        return cls(recipe, personas, funnel, digests, sources, each, kept, recipe.requests)

    def problems(self) -> Iterator[Problem]:
        """Yield the seed problems in order."""
        if self.kept.whole:
            return iter(self.kept)
        items = _read(self.recipe, self.sources)
        return (item for item in items if isinstance(item, Problem))

    def seeds(self, journal: Journal, *, in_waves: bool) -> Iterator[tuple[int, Problem]]:
        """The seed problems with their positions, those that were never asked first; in waves, just in order."""
        if in_waves or journal.is_empty:
            return enumerate(self.problems())
        return new_first(self.problems, lambda seed: self.is_begun(seed, journal))

    def warn_of_moved(self, runs: Sequence[Run]) -> None:
        """Say what would be asked anew, and why, of problems begun in this run (the first) or in those it reuses."""
        seeds = ((seed, self.first_digest(seed)) for seed in self.problems())
        for warning in warn_of_moved(runs, seeds, draws=self._draws):
            warn(warning)

    def settle(self, directory: Path) -> None:
        """Record that the seed problems were asked about under the ids that they have now."""
        if self._draws:
            settle(directory, self.problems())

    @property
    def _draws(self) -> bool:
        """Whether ids decide what is asked: the method draws by them, or a budget takes problems by them."""
        return self.recipe.method.draws_by_id or self.recipe.budget is not None

    def is_begun(self, seed: Problem, journal: Journal) -> bool:
        """Whether the journal has the answer to the first request of a seed problem."""
        first = self.first_digest(seed)
        return first is not None and journal.has(first)

    def first_digest(self, seed: Problem) -> str | None:
        """The digest of the first request of a seed problem; None if nothing is asked about it."""
        first = self.recipe.method.first_request(seed, self.requests)
        return None if first is None else first.digest


def _read(recipe: Recipe, sources: Sources) -> Iterator[Problem | Skipped]:
    return read_problems(sources.problems, recipe.limit, solutions=recipe.method.reads_solutions)


async def make_dataset_here(recipe: Recipe, setup: Setup, watched: Watched) -> Made:
    """Make or finish the dataset of a recipe in this process only."""
    prices = setup.prices(recipe)
    output = Path(setup.output)
    endpoints = open_teacher(recipe, setup, reached_before(output, recipe))
    if not setup.replace:
        check_same_recipe(output, recipe)
    local = local_inputs(recipe)
    inputs = Inputs.read(recipe)
    # Record origins before asking, because a run may take days and a file may change in that time.
    origins = Origins.found(inputs.sources, inputs.personas)
    record = record_of(inputs, origins, prices)
    if not setup.replace:
        check_same_inputs(output, record)
    other_runs = OtherRuns([local_path(directory) for directory in setup.reuse], output)
    ready_process(setup, recipe)
    with other_runs, Journal(output) as journal, Spool(output) as spool:
        folder_of_run = RunFolder(setup.output)
        adopt_answers(journal, folder_of_run)
        runs = [Run(output, journal.has, is_new=journal.is_empty), *(Run(*other) for other in other_runs.each())]
        warn_of_other_personas(record, [run_before for run_before in runs if not run_before.is_new])
        record.write(folder_of_run)
        inputs.warn_of_moved(runs)
        sink = Counted(spool, inputs.funnel)
        cut = budgeted(inputs, setup, sink) if recipe.budget else None
        in_waves = isinstance(endpoints, WaveTeacher)
        async with endpoints, open_programs(recipe, output) as programs:
            asked = await run(
                recipe,
                cut.seeds() if cut else inputs.seeds(journal, in_waves=in_waves),
                endpoints,
                journal,
                cut or sink,
                personas=inputs.personas,
                concurrency=slots_of(setup, endpoints),
                prices=prices,
                caps=setup.caps,
                watch=watched(inputs.funnel, endpoints),
                other_runs=other_runs.get,
                programs=programs,
            )
        inputs.settle(output)
        if cut and recipe.budget:
            cut.end(inputs.funnel, recipe.budget)
        folder = write_dataset(output, inputs, origins, spool.rows(), spool.answers())
        reached = endpoints.reached if isinstance(endpoints, OverHttp) else {}
        ran = programs_as_dict(programs)
        write_run_file(output, recipe, setup, record, inputs.funnel, asked, endpoints.retries, reached, ran)
    made = Made(inputs.funnel, asked, endpoints.retries, folder)
    remember(recipe, setup, made, inputs.sources, local)
    return made


def warn_of_other_personas(record: InputRecord, runs: Iterable[Run]) -> None:
    """Say which of some runs drew from other personas, because their rewrites are asked anew."""
    for run_before in runs:
        if record.has_other_personas(run_before.directory):
            warn(
                f"{run_before.directory} was begun with other personas, so other personas are drawn now, and their "
                "requests are asked, and paid for, anew; to keep the answers, stop, and give the personas as they were"
            )


def budgeted(inputs: Inputs, setup: Setup, sink: Sink) -> Budgeted:
    """The cut of a recipe's budget, in front of a sink."""
    recipe, budget = inputs.recipe, Budget.of(inputs.recipe.budget or "")
    prices = direct_prices(recipe, setup) if budget.unit == "usd" else {}
    return Budgeted(budget, in_budget_order(inputs.problems(), recipe.rng_seed), sink, prices)


def record_of(inputs: Inputs, origins: Origins, prices: Prices) -> InputRecord:
    """What a run records of its inputs before it asks."""
    recipe = inputs.recipe
    by_kind = {
        "problems": zip(origins.problems, inputs.problem_digests, strict=True),
        "personas": [(origins.personas, inputs.digests["personas"])] if origins.personas else [],
        "benchmarks": zip(origins.benchmarks, origins.benchmark_digests, strict=True),
    }
    return InputRecord(
        limit=recipe.limit,
        used={**inputs.digests, **origins.digests},
        sources={kind: [{**entry, "used": used} for entry, used in pairs] for kind, pairs in by_kind.items()},
        recipe=recipe.as_dict(),
        prices=prices.as_dict(recipe.models),
    )


def write_dataset(
    output: Path, inputs: Inputs, origins: Origins, rows: Iterable[Row], answers: Iterable[tuple[str, bytes]]
) -> Path | None:
    """Write the dataset folder of a run directory and return it; without kept rows, remove it and return None."""
    folder = output / DATASET
    if not inputs.funnel.rows.total():
        shutil.rmtree(folder, ignore_errors=True)
        return None
    counts = inputs.funnel.as_dict(inputs.recipe.method.outline)
    origins = replace(origins, digests={**inputs.digests, **origins.digests})
    write_folder(folder, rows, inputs.recipe, counts, origins, journal_digest(answers))
    return folder


class Counted:
    """A sink that also counts the outcomes."""

    def __init__(self, sink: Sink, funnel: Funnel) -> None:
        self._sink = sink
        self._funnel = funnel

    def add(self, position: int, outcome: Outcome) -> None:
        """Pass on and count an outcome."""
        self._sink.add(position, outcome)
        self._funnel.add(outcome)
