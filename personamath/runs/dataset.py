"""Make a dataset folder from a recipe in this process: read the problems, ask the teacher, write the rows."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from personamath.errors import BadInput, warn
from personamath.files import local_path
from personamath.folder.overlap import chosen_benchmarks
from personamath.folder.provenance import Origins, journal_digest
from personamath.folder.writing import write_folder
from personamath.journal.block_files import adopt_answers
from personamath.journal.other_runs import OtherRuns
from personamath.journal.run_folder import DATASET, RunFolder
from personamath.journal.store import Journal
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Persona, Problem, Row
from personamath.runs.funnel import SHOWN_NAMES, Funnel
from personamath.runs.input_digests import ProblemsDigest, personas_digest
from personamath.runs.pipeline import Sink, Spool, new_first
from personamath.runs.progress import Watch
from personamath.runs.run import run
from personamath.runs.run_file import (
    AskedCounts,
    check_same_inputs,
    check_same_recipe,
    reached_before,
    write_run_file,
)
from personamath.runs.seed_ids import warn_of_moved
from personamath.runs.setup import Setup, open_teacher, ready_process, slots_of
from personamath.sources.personas import read_personas
from personamath.sources.problems import ProblemSource
from personamath.sources.seed_problems import read_problems
from personamath.sources.tables import HALF_A_PAIR
from personamath.teachers.routed import OverHttp
from personamath.teachers.waves import WaveTeacher


@dataclass(frozen=True, slots=True)
class Made:
    """The result of a run."""

    funnel: Funnel
    asked: AskedCounts
    retries: Counter[str]
    """Repeated tries of requests, by reason."""
    folder: Path | None
    """The dataset folder; None if no row was kept, because an empty dataset cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a recipe names, read and checked before the first paid request."""

    recipe: Recipe
    personas: Sequence[Persona]
    funnel: Funnel
    """Its seed problems are already counted."""
    digests: Mapping[str, str]
    """Of its problems and its personas, for run.json and provenance.json."""

    @classmethod
    def read(cls, recipe: Recipe) -> "Inputs":
        """Read problems and personas once; raise `BadInput` for unusable input."""
        sources = _sources(recipe)
        for source in chosen_benchmarks(recipe.benchmark, recipe.problems):
            if source.path:  # check the first row only; the run reads the rest, and the Hub's test problems
                next(source.read(), None)
        source_of_personas = recipe.method.persona_source
        personas = read_personas(source_of_personas) if source_of_personas else []
        for warning in recipe.method.check(personas, recipe.requests):
            warn(warning)
        # Problems are read twice, here to find bad input before paying: that is cheaper than keeping them in memory.
        digest = ProblemsDigest()
        funnel = Funnel.survey(digest.over(read_problems(sources, recipe.limit)))
        if halves := [item.id for item in funnel.skipped if item.reason == HALF_A_PAIR]:
            named = ", ".join(halves[:SHOWN_NAMES])
            warn(f"{len(halves):,} problems left out: {HALF_A_PAIR} ({named})")
        if not funnel.seed_problems:
            skipped = Counter(problem.reason for problem in funnel.skipped).most_common()
            reasons = ", ".join(f"{count:,} skipped ({reason})" for reason, count in skipped)
            raise BadInput(f"no problem can serve: {reasons or 'the sources are empty'}")
        digests = {"problems": digest.sha256} | ({"personas": personas_digest(personas)} if personas else {})
        return cls(recipe, personas, funnel, digests)

    def problems(self) -> Iterator[Problem]:
        """Yield the seed problems in order."""
        items = read_problems(_sources(self.recipe), self.recipe.limit)
        return (item for item in items if isinstance(item, Problem))

    def seeds(self, journal: Journal, *, in_waves: bool) -> Iterator[tuple[int, Problem]]:
        """The seed problems with their positions, those that were never asked first; in waves, just in order."""
        return new_first(self.problems, lambda seed: not in_waves and self.is_begun(seed, journal))

    def begun(self, journal: Journal) -> Iterator[tuple[Problem, bool]]:
        """The seed problems in order, each with whether the run has begun it."""
        return ((seed, self.is_begun(seed, journal)) for seed in self.problems())

    def warn_of_moved(self, directory: Path, begun: Iterable[tuple[Problem, bool]]) -> None:
        """Say where seed problems have other ids than before, if the method's requests depend on them."""
        if self.recipe.method.persona_source and (warning := warn_of_moved(directory, begun)):
            warn(warning)

    def is_begun(self, seed: Problem, journal: Journal) -> bool:
        """Whether the journal has the answer to the first request of a seed problem."""
        return journal.has(self.recipe.method.first_request(seed, self.recipe.requests).digest)


Watched = Callable[[Funnel, OverHttp | WaveTeacher | None], Watch]
"""Builds the `Watch` of a run from its counts and its teacher; the teacher is None on a cluster."""


async def make_dataset_here(recipe: Recipe, setup: Setup, watched: Watched) -> Made:
    """Make or finish the dataset of a recipe in this process only."""
    prices = setup.prices(recipe)
    output = Path(setup.output)
    endpoints = open_teacher(recipe, setup, reached_before(output, recipe))
    if not setup.replace:
        check_same_recipe(output, recipe)
    inputs = Inputs.read(recipe)
    if not setup.replace:
        check_same_inputs(output, inputs.digests)
    other_runs = OtherRuns([local_path(directory) for directory in setup.reuse], output)
    ready_process(setup, recipe)
    # Record origins before asking, because a run may take days and a file may change in that time.
    origins = Origins.found(recipe, inputs.personas)
    with other_runs, Journal(output) as journal, Spool(output) as spool:
        adopt_answers(journal, RunFolder(setup.output))
        inputs.warn_of_moved(output, inputs.begun(journal))
        async with endpoints:
            asked = await run(
                recipe,
                inputs.seeds(journal, in_waves=isinstance(endpoints, WaveTeacher)),
                endpoints,
                journal,
                Counted(spool, inputs.funnel),
                personas=inputs.personas,
                concurrency=slots_of(setup, endpoints),
                prices=prices,
                caps=setup.caps,
                watch=watched(inputs.funnel, endpoints),
                other_runs=other_runs.get,
            )
        folder = write_dataset(output, inputs, origins, spool.rows(), spool.answers())
        reached = endpoints.reached if isinstance(endpoints, OverHttp) else {}
        write_run_file(output, recipe, setup, inputs.digests, inputs.funnel, asked, endpoints.retries, reached)
    return Made(inputs.funnel, asked, endpoints.retries, folder)


def write_dataset(
    output: Path, inputs: Inputs, origins: Origins, rows: Iterable[Row], answers: Iterable[tuple[str, bytes]]
) -> Path | None:
    """Write the dataset folder of a run directory and return it; without kept rows, remove it and return None."""
    folder = output / DATASET
    if not inputs.funnel.rows.total():
        shutil.rmtree(folder, ignore_errors=True)
        return None
    counts = inputs.funnel.as_dict(inputs.recipe.method.outline)
    origins = replace(origins, digests=inputs.digests)
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


def _sources(recipe: Recipe) -> list[ProblemSource]:
    return [ProblemSource.parse(source) for source in recipe.problems]
