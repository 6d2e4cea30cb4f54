"""One seed problem for each stage, from its JSON line to the row that `load_dataset` gives: a way into the code."""

import asyncio
import json
from pathlib import Path

import datasets

from personamath.answers import extract
from personamath.commands.cli import main
from personamath.folder.writing import write_folder
from personamath.journal.store import Journal
from personamath.methods import PersonaMath
from personamath.methods.draw import draw
from personamath.methods.prompts import REFLECTION
from personamath.recipe import Recipe
from personamath.records import Completion, Problem, Request
from personamath.runs.funnel import Funnel
from personamath.runs.pipeline import Spool
from personamath.runs.run import run
from personamath.sources.personas import read_personas
from personamath.sources.problems import ProblemSource
from personamath.sources.seed_problems import read_problems

EASY = {"question": "A box holds 12 pens. How many pens do 3 boxes hold?", "answer": "3*12 = <<3*12=36>>36\n#### 36"}
HARD = {
    "problem": "What is $\\frac{1}{2} + \\frac{1}{3}$?",
    "level": "Level 2",
    "type": "Prealgebra",
    "solution": "It is $\\boxed{\\frac{5}{6}}$.",
}
SLIP = "Add tops and bottoms: $\\boxed{\\frac{2}{5}}$."


class Teacher:
    """Solves the easy problem, slips on the hard one, sees the slip when asked to reflect."""

    async def complete(self, request: Request) -> Completion:
        """What a model would say."""
        prompt = request.prompt
        if prompt.startswith("The following input"):
            return Completion(
                "**Review of Incorrect Explanation:**\n\nFractions are not added that way.\n\n"
                "**Corrected Explanation:**\n\nWith sixths it is $\\boxed{5/6}$.",
                "stop",
            )
        if prompt.startswith("Please provide"):
            return Completion(SLIP if "frac" in prompt else "3 times 12 is \\boxed{36.0} pens.", "stop")
        question = prompt.removeprefix("Math problem: ").partition(" \nPlease")[0]
        persona = prompt.rpartition("\n")[2]
        return Completion(f"**Rephrased Problem:**\n\nFor {persona}: {question}", "stop")


def test_the_journey_of_a_problem_of_each_stage(tmp_path: Path) -> None:
    # a JSON line, in the source's own columns ...
    (tmp_path / "gsm8k-train.jsonl").write_text(json.dumps(EASY))
    (tmp_path / "math-train.jsonl").write_text(json.dumps(HARD))
    sources = [ProblemSource.parse(f"{kind}:{tmp_path}/{kind}-train.jsonl") for kind in ("gsm8k", "math")]

    # ... becomes a problem with a reference answer
    easy, hard = (problem for problem in read_problems(sources) if isinstance(problem, Problem))
    assert (easy.id, easy.answer) == ("gsm8k-train-00000", "36")
    assert (hard.id, hard.answer, hard.level, hard.subject) == ("math-train-00000", r"\frac{5}{6}", 2, "Prealgebra")

    # both go through the stages, answered by a teacher behind a journal, judged by the one grader
    recipe = Recipe(problems=("gsm8k", "math"), teacher="teacher-1", method=PersonaMath(k1=2, k2=3))
    personas = read_personas("bundled")
    funnel = Funnel.survey([easy, hard])
    with Journal(tmp_path / "run") as journal, Spool(tmp_path / "run") as spool:
        seeds = enumerate([easy, hard])
        asyncio.run(run(recipe, seeds, Teacher(), journal, spool, personas=personas, concurrency=4))
        rows = list(spool.rows())

        # the easy one: its solution, and a solved rewrite for each persona drawn for it
        first, second = draw(personas, easy.id, 2, recipe.rng_seed, "uniform")
        assert [row.id for row in rows[:3]] == [
            easy.id,
            f"{easy.id}/p{first.index:04}",
            f"{easy.id}/p{second.index:04}",
        ]
        assert rows[0].response == "3 times 12 is \\boxed{36.0} pens."
        assert rows[1].problem == f"For {first.description}: {EASY['question']}"
        assert (rows[1].answer, rows[1].step, rows[1].column("persona")) == ("36", "stage1_rewrite", first.description)

        # the hard one: corrected by reflection, and its rewrites with it; the review stays out of the response
        assert [row.step for row in rows[3:]] == ["stage2_reflection"] + ["stage2_rewrite"] * 3
        assert all(extract(row.response) == "5/6" for row in rows[3:])
        assert {row.column("review") for row in rows[3:]} == {"Fractions are not added that way."}
        assert {row.answer for row in rows[3:]} == {r"\frac{5}{6}"}

        # every row names the request it came from, and the journal has that answer as it was given
        asked = Request(REFLECTION.fill(problem=HARD["problem"], explanation=SLIP), "teacher-1", 0.7, 2048)
        assert rows[3].request == asked.digest
        known = journal.get(asked.digest)
        assert known and known.text.startswith("**Review of Incorrect Explanation:**")

        # the rows become a folder, and the folder a dataset
        write_folder(tmp_path / "run" / "dataset", rows, recipe, funnel.as_dict(recipe.method.outline))
    stage2 = datasets.load_dataset(str(tmp_path / "run" / "dataset"), "stage2", split="train")
    assert stage2[0]["id"] == hard.id and stage2[0]["request"] == asked.digest
    assert main(["journal", str(tmp_path / "run")]) == 0
