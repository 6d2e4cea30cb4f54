"""Datasets for the analyses, made by hand."""

from collections.abc import Sequence

from personamath.folder.provenance import Origins, provenance
from personamath.methods import PersonaMath
from personamath.recipe import Recipe
from personamath.records import Row
from personamath.report.analysis.rows import RunData
from tests.support.folders import STEPS, funnel_of, rows

RECIPE = Recipe(problems=("gsm8k", "math"), teacher="teacher-1", method=PersonaMath(k1=2, k2=3))


def run_data(some: Sequence[Row] | None = None, recipe: Recipe = RECIPE) -> RunData:
    """A published dataset, by default of a few rows of every step, of which nothing more is known."""
    made = rows(dict.fromkeys(STEPS, 4)) if some is None else some
    counts = funnel_of(made).as_dict(recipe.method.outline)
    facts = provenance(recipe, counts, Origins.named(recipe), None, {})
    missing = dict.fromkeys(("seeds", "wrong", "personas"), "not at hand")
    return RunData("made by hand", tuple(made), facts, missing=missing)
