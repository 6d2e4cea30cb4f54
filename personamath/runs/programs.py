"""Running the teacher's programs: whether a run may, and where the results are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from personamath.errors import BadInput, warn
from personamath.journal.results import ResultJournal
from personamath.programs.pool import Programs
from personamath.programs.sandbox import isolation
from personamath.recipe import Recipe
from personamath.runs.setup import Setup


def check_programs(recipe: Recipe, setup: Setup) -> None:
    """Raise `BadInput` unless a run may do with programs what its method does; warn of what no wall covers here."""
    method = recipe.method
    name = method.outline.method
    if not method.runs_programs:
        if setup.run_programs:
            raise BadInput(f"--run-programs is for methods that run programs, and {name} runs none: leave it out")
        return
    if not setup.run_programs:
        raise BadInput(
            f"the method {name} runs programs that the teacher writes on this machine, in a sandbox (docs/method.md): "
            "give --run-programs to allow it"
        )
    if setup.engine == "ray":
        raise BadInput(f"the method {name} does not work with --engine ray: use --engine local")
    if opened := isolation().open:
        warn(f"the sandbox for programs is not closed on this system: it cannot prevent {', '.join(opened)}")


@asynccontextmanager
async def open_programs(recipe: Recipe, directory: Path) -> AsyncIterator[Programs | None]:
    """What runs the programs of a run in this directory, which the caller holds; None if its method runs none."""
    if not recipe.method.runs_programs:
        yield None
        return
    with ResultJournal(directory) as results:
        async with Programs(results) as programs:
            yield programs


def as_dict(programs: Programs | None) -> dict[str, Any]:
    """What run.json says of programs; nothing if the method runs none."""
    if programs is None:
        return {}
    counts = {"run this time": programs.ran, "from the journal": programs.replayed}
    return {"programs": {**programs.isolation.as_dict(), **counts}}
