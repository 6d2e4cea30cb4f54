"""Dataset folders made up for tests: rows of every step, of both sources, that hold what real rows hold."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from personamath.folder.layout import CHART, Layout, Part, part_path
from personamath.folder.provenance import Origins
from personamath.folder.writing import write_folder
from personamath.methods import PersonaMath
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Row
from personamath.runs.funnel import Funnel

RECIPE = Recipe(problems=("gsm8k", "math"), teacher="teacher-1")
LAYOUT = Layout(PersonaMath.outline)
STEPS = tuple(step.name for step in LAYOUT.steps)
FORMAT_1 = Path(__file__).parent / "format_1"
# A whole row group and a part of one in the first step.
SIZES = {
    "stage1_inference": 2_100,
    "stage1_rewrite": 30,
    "stage2_reflection": 3,
    "stage2_rewrite": 7,
}

# What a folder offers that was compared with no test problems. Without flags `strict` is all of it.
UNCHECKED_CONFIGS = {config: steps for config, steps in LAYOUT.configs.items() if config != "clean"}
# Beside them, the configs for trainers of a folder without wrong solutions.
TRAINERS = ("sft", "rl")


def sound_path(step: str) -> str:
    """Where such a folder keeps the rows of a step that have no flag."""
    return part_path(step, Part("unchecked", flagged=False))


def row(step: str, number: int) -> Row:
    rewritten = step.endswith("rewrite")
    source = "math" if number % 2 else "gsm8k"
    # a seed problem goes through one stage only
    seed = f"{source}-train-{number + (50_000 if step.startswith('stage2') else 0):05}"
    return Row(
        id=f"{seed}/p0001" if rewritten else seed,
        problem=f"{'A cook asks: what' if rewritten else 'What'} is {number}? ∑ “naïve” \n\n$x$",
        response=f"It is $\\boxed{{{number}}}$." * 20,
        answer=str(number),
        source=source,
        method="persona",
        step=step,
        seed_id=seed,
        seed_problem=f"What is {number}? ∑ “naïve” \n\n$x$",
        level=number % 5 + 1 if number % 2 else None,
        subject="Algebra" if number % 2 else None,
        teacher="teacher-1",
        request=f"{number:032x}",
        columns={
            "stage": 1 if step.startswith("stage1") else 2,
            "persona": "A cook" if rewritten else None,
            "review": "It adds." if step.startswith("stage2") else None,
        },
    )


def changed(row: Row, **values: Any) -> Row:
    """The row with other values in some of its columns, the method's own included."""
    return Row.of({name: row.column(name) for name in LAYOUT.columns} | values)


def rows(sizes: dict[str, int] = SIZES) -> list[Row]:
    made = [row(step, number) for step, size in sizes.items() for number in range(size)]
    return sorted(made, key=lambda row: (row.seed_id, STEPS.index(row.step)))  # as a run mixes the steps


def funnel_of(rows: Sequence[Row]) -> Funnel:
    """The funnel of a run that kept these rows."""
    funnel = Funnel()
    funnel.seed_problems.update({row.seed_id: row.source for row in rows}.values())
    funnel.add(Outcome(rows=list(rows)))
    return funnel


def write(folder: Path, rows: Sequence[Row], recipe: Recipe = RECIPE, origins: Origins | None = None) -> Path:
    write_folder(folder, rows, recipe, funnel_of(rows).as_dict(recipe.method.outline), origins)
    return folder


def write_format_1(folder: Path) -> Path:
    """A dataset of 32 rows as PersonaMath 0.1.0 wrote it, of the embedded teacher; only its chart is made up."""
    shutil.copytree(FORMAT_1, folder)
    (folder / CHART).parent.mkdir()
    (folder / CHART).write_bytes(b"\x89PNG")
    return folder
