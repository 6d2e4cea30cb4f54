"""Runs that have begun and not ended: a recipe recorded, and the first answers journaled."""

import asyncio
import json
from pathlib import Path

from personamath.folder.provenance import Origins
from personamath.journal.run_folder import RunFolder
from personamath.journal.store import Journal
from personamath.methods import PersonaMath
from personamath.recipe import Recipe
from personamath.records import Completion, Request
from personamath.runs.dataset import Inputs, record_of
from personamath.runs.pipeline import Outcomes, Sink
from personamath.runs.run import run as run_recipe
from personamath.sources.problems import ProblemSource
from personamath.teachers.prices import Caps, Price, Prices
from personamath.teachers.simulated import MODEL, SimulatedTeacher, bundled_problems

PROBLEMS = 6
PRICES = Prices(MODEL, Price(1.0, 2.0))


class Answering:
    """The simulated teacher, in this process."""

    def __init__(self) -> None:
        self._teacher = SimulatedTeacher(map(ProblemSource.parse, bundled_problems()))

    async def complete(self, request: Request) -> Completion:
        return Completion(self._teacher.complete(request.prompt), "stop", 100, 10)


def recipe_of(problems: Path, **settings: object) -> Recipe:
    """The recipe of these runs: a few of the bundled problems, in a file of their own."""
    if not problems.exists():
        source = Path(bundled_problems()[0].partition(":")[2])
        rows = map(json.loads, source.read_text(encoding="utf-8").splitlines()[:PROBLEMS])
        own = [{**row, "answer": row["answer"].rpartition("####")[2].strip()} for row in rows]
        problems.write_text("".join(json.dumps(row) + "\n" for row in own), encoding="utf-8")
    return Recipe.of(
        {
            "problems": (f"shop:{problems}:question:answer",),
            "teacher": MODEL,
            "method": PersonaMath(k1=2, k2=3),
            **settings,
        },
        "test",
    )


def begin(run: Path, recipe: Recipe, answers: int | None) -> Inputs:
    """Journal so many answers of a run, or all of them, as a run does that is killed then."""
    inputs = Inputs.read(recipe)
    with Journal(run) as journal:
        record_of(inputs, Origins.found(inputs.sources, inputs.personas), PRICES).write(RunFolder(str(run)))
        go_on(inputs, journal, answers)
    return inputs


def go_on(inputs: Inputs, journal: Journal, answers: int | None, sink: Sink | None = None) -> None:
    """Ask on, in a run that is held, until it has so many answers."""
    asyncio.run(
        run_recipe(
            inputs.recipe,
            enumerate(inputs.problems()),
            Answering(),
            journal,
            sink or Outcomes(),
            personas=inputs.personas,
            concurrency=4,
            window=2,
            caps=Caps(answers=answers),
        )
    )
