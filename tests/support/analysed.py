"""Datasets for the analyses, made by hand."""

from collections.abc import Sequence

from personamath.methods.persona.stages import Outcome

from personamath.folder.provenance import Origins, provenance
from personamath.recipe import Recipe
from personamath.records import Row
from personamath.report.analysis.rows import RunData
from personamath.runs.funnel import STEPS, Funnel
from tests.support.folders import rows

RECIPE = Recipe(problems=("math",), teacher="teacher-1", k1=2, k2=3)


def run_data(some: Sequence[Row] | None = None) -> RunData:
    """A published dataset, by default of a few rows of every step, of which nothing more is known."""
    made = rows(dict.fromkeys(STEPS, 4)) if some is None else some
    funnel = Funnel()
    funnel.add(Outcome(rows=list(made)))
    facts = provenance(RECIPE, funnel, Origins.named(RECIPE), {})
    missing = dict.fromkeys(("seeds", "wrong", "personas"), "not at hand")
    return RunData("made by hand", tuple(made), facts, missing=missing)
