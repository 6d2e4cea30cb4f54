"""Choose the engine that makes a dataset: this process or a cluster."""

import asyncio

from personamath.errors import BadInput, warn
from personamath.recipe import Recipe
from personamath.runs.budget import check_budget
from personamath.runs.finished import recognised
from personamath.runs.made import Made, Watched
from personamath.runs.other_models import other_models
from personamath.runs.programs import check_programs
from personamath.runs.progress import Watch
from personamath.runs.run import unwatched
from personamath.runs.setup import Setup


def _unwatched(*_: object) -> Watch:
    return unwatched


async def make_dataset(recipe: Recipe, setup: Setup, watched: Watched = _unwatched) -> Made:
    """Make or finish the dataset of a recipe in the run directory of a setup.

    Repeating the call asks no request twice. If nothing has changed since the run finished, it computes nothing either.
    Raises the `PersonaMathError` that ends a run; all answers until then are kept.
    """
    check_programs(recipe, setup)
    setup.warn(recipe)
    made = await asyncio.to_thread(recognised, recipe, setup) or await _make(recipe, setup, watched)
    for warning in other_models(made.funnel):
        warn(warning)
    return made


async def _make(recipe: Recipe, setup: Setup, watched: Watched) -> Made:
    await asyncio.to_thread(setup.prices, recipe)  # endpoints that state prices are read here, beside the event loop
    check_budget(recipe, setup)
    # Imported when needed: the libraries behind a run take longer to import than a finished run to be recognised.
    if setup.engine == "ray":
        if not recipe.models:
            method = recipe.method.outline.method
            raise BadInput(f"the method {method} asks nobody, so it needs no cluster: use --engine local")
        from personamath.runs.ray.run import make_dataset_on_cluster  # the only import that needs Ray

        return await make_dataset_on_cluster(recipe, setup, watched)
    from personamath.runs.dataset import make_dataset_here

    return await make_dataset_here(recipe, setup, watched)
