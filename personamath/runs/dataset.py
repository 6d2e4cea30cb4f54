"""From a recipe to a dataset folder, in this process: survey the problems, ask, write."""

import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from personamath.errors import BadInput
from personamath.folder.overlap import chosen_benchmarks
from personamath.folder.provenance import Origins, journal_digest
from personamath.folder.writing import write_folder
from personamath.journal.block_files import adopt_answers
from personamath.journal.run_folder import DATASET, RunFolder
from personamath.journal.store import Journal
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Persona, Problem, Row
from personamath.runs.funnel import SHOWN_NAMES, Funnel
from personamath.runs.pipeline import Sink, Spool, new_first
from personamath.runs.progress import Watch
from personamath.runs.run import run
from personamath.runs.run_file import AskedCounts, check_same_recipe, write_run_file
from personamath.runs.seed_ids import warn_of_moved
from personamath.runs.setup import Setup, open_teacher, ready_process
from personamath.sources.personas import read_personas
from personamath.sources.problems import ProblemSource, read_problems
from personamath.sources.tables import HALF_A_PAIR
from personamath.teachers.http import HttpTeacher
from personamath.teachers.waves import WaveTeacher


@dataclass(frozen=True, slots=True)
class Made:
    """What a run made."""

    funnel: Funnel
    asked: AskedCounts
    retries: Counter[str]
    """What was asked again, by reason."""
    folder: Path | None
    """The dataset folder; None where no row was kept, because an empty dataset cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a recipe names, read and found usable before anything is paid for."""

    recipe: Recipe
    personas: Sequence[Persona]
    funnel: Funnel
    """With the seed problems counted."""

    @classmethod
    def read(cls, recipe: Recipe) -> "Inputs":
        """Read problems and personas once; raises `BadInput` for what cannot be used."""
        sources = _sources(recipe)
        for source in chosen_benchmarks(recipe.benchmark, recipe.problems):
            if source.path:  # the Hub's, and the rest of a file, are for the run to read
                next(source.read(), None)
        source_of_personas = recipe.method.persona_source
        personas = read_personas(source_of_personas) if source_of_personas else []
        for warning in recipe.method.check(personas, recipe.requests):
            print(f"warning: {warning}", file=sys.stderr)
        # Problems are read twice, once to meet bad input before anything is paid for: cheaper than to keep them all.
        funnel = Funnel.survey(read_problems(sources, recipe.limit))
        if halves := [item.id for item in funnel.skipped if item.reason == HALF_A_PAIR]:
            named = ", ".join(halves[:SHOWN_NAMES])
            print(f"warning: {len(halves):,} problems left out: {HALF_A_PAIR} ({named})", file=sys.stderr)
        if not funnel.seed_problems:
            skipped = Counter(problem.reason for problem in funnel.skipped).most_common()
            reasons = ", ".join(f"{count:,} skipped ({reason})" for reason, count in skipped)
            raise BadInput(f"no problem can serve: {reasons or 'the sources are empty'}")
        return cls(recipe, personas, funnel)

    def problems(self) -> Iterator[Problem]:
        """The seed problems, in order."""
        items = read_problems(_sources(self.recipe), self.recipe.limit)
        return (item for item in items if isinstance(item, Problem))

    def seeds(self, journal: Journal, *, in_waves: bool) -> Iterator[tuple[int, Problem]]:
        """The seed problems with their positions, those that were never asked first; in waves, just in order."""
        return new_first(self.problems, lambda seed: not in_waves and self._is_begun(seed, journal))

    def warn_of_moved(self, journal: Journal) -> None:
        """Say where seed problems have other ids than before, if the method's requests depend on them."""
        if self.recipe.method.persona_source:
            warning = warn_of_moved(journal.path.parent, self.problems(), lambda seed: self._is_begun(seed, journal))
            if warning:
                print(f"warning: {warning}", file=sys.stderr)

    def _is_begun(self, seed: Problem, journal: Journal) -> bool:
        return journal.has(self.recipe.method.first_request(seed, self.recipe.requests).digest)


Watched = Callable[[Funnel, HttpTeacher | WaveTeacher | None], Watch]
"""What goes on beside a run, given its counts and its teacher, None on a cluster."""


async def make_dataset_here(recipe: Recipe, setup: Setup, watched: Watched) -> Made:
    """Make, or finish, the dataset of a recipe with this process alone."""
    prices = setup.prices(recipe)
    endpoints = open_teacher(recipe, setup)
    output = Path(setup.output)
    if not setup.replace:
        check_same_recipe(output, recipe)
    inputs = Inputs.read(recipe)
    ready_process(setup.concurrency)
    # Before the asking, which may take days in which a file changes.
    origins = Origins.found(recipe, inputs.personas)
    with Journal(output) as journal, Spool(output) as spool:
        adopt_answers(journal, RunFolder(setup.output))
        inputs.warn_of_moved(journal)
        async with endpoints:
            asked = await run(
                recipe,
                inputs.seeds(journal, in_waves=isinstance(endpoints, WaveTeacher)),
                endpoints,
                journal,
                Counted(spool, inputs.funnel),
                total=inputs.funnel.seed_problems.total(),
                personas=inputs.personas,
                concurrency=setup.concurrency,
                window=setup.concurrency,
                prices=prices,
                caps=setup.caps,
                watch=watched(inputs.funnel, endpoints),
            )
        folder = write_dataset(output, inputs, origins, spool.rows(), spool.answers())
        write_run_file(output, recipe, setup, inputs.funnel, asked, endpoints.retries)
    return Made(inputs.funnel, asked, endpoints.retries, folder)


def write_dataset(
    output: Path, inputs: Inputs, origins: Origins, rows: Iterable[Row], answers: Iterable[tuple[str, bytes]]
) -> Path | None:
    """Write the dataset folder of a run directory; None, and no folder, where no row was kept."""
    folder = output / DATASET
    if not inputs.funnel.rows.total():
        shutil.rmtree(folder, ignore_errors=True)
        return None
    counts = inputs.funnel.as_dict(inputs.recipe.method.outline)
    write_folder(folder, rows, inputs.recipe, counts, origins, journal_digest(answers))
    return folder


class Counted:
    """A sink whose outcomes are counted too."""

    def __init__(self, sink: Sink, funnel: Funnel) -> None:
        self._sink = sink
        self._funnel = funnel

    def add(self, position: int, outcome: Outcome) -> None:
        """Take and count an outcome."""
        self._sink.add(position, outcome)
        self._funnel.add(outcome)


def _sources(recipe: Recipe) -> list[ProblemSource]:
    return [ProblemSource.parse(source) for source in recipe.problems]
