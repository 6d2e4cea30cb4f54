"""The sources' own solutions as rows: nobody is asked."""

import json
from pathlib import Path

import pytest

from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath.folder.checks import check_folder
from personamath.folder.reading import read_provenance, read_rows
from personamath.methods.original import boxed
from personamath.recipe import Recipe
from personamath.sources.problems import ProblemSource
from personamath.sources.seed_problems import read_problems
from personamath.teachers.simulated import bundled_problems

SOLUTIONS = [
    ("48/2 = <<48/2=24>>24 clips.\n#### 24", "24", "48/2 = 24 clips.\nThe final answer is $\\boxed{24}$."),
    (r"We add: $\boxed{3}$.", "3", r"We add: $\boxed{3}$."),
    ("#### 24", "24", ""),
    ("24", "24", ""),
]


@pytest.mark.parametrize(("solution", "answer", "response"), SOLUTIONS)
def test_a_solution_loses_its_calculator_marks_and_ends_in_a_box(solution: str, answer: str, response: str) -> None:
    assert boxed(solution, answer) == response


def test_a_run_asks_nobody_and_needs_no_teacher(tmp_path: Path) -> None:
    problems = [part for source in bundled_problems() for part in ("--problems", source)]
    command = ["augment", "--method", "original", *problems, "--output", str(tmp_path / "run")]
    assert main(command) == 0
    folder = tmp_path / "run" / "dataset"
    assert "original: 48 rows load" in check_folder(folder)
    rows = read_rows(folder)
    assert {(row.teacher, row.request) for row in rows} == {(None, None)}
    assert not any("<<" in row.response for row in rows)
    provenance = read_provenance(folder)
    assert provenance["recipe"]["teacher"] is None and provenance["funnel"]["requests"] == {}
    card = (folder / "README.md").read_text()
    assert "The teacher" not in card and "language model wrote" not in card and "synthetic" not in card
    before = (folder / "README.md").read_bytes()
    assert main(command) == 0 and (folder / "README.md").read_bytes() == before
    assert json.loads((tmp_path / "run" / "run.json").read_text())["complete"]
    # The same problems with other solutions are other inputs.
    source = tmp_path / "mine.jsonl"
    digests = []
    for steps in ("1 + 1 = 2", "It is 2"):
        source.write_text(json.dumps({"question": "1 + 1?", "answer": f"{steps}\n#### 2"}))
        assert main([*command[:3], "--problems", f"gsm8k:{source}", "--output", str(tmp_path / steps[:2].strip())]) == 0
        digests.append(read_provenance(tmp_path / steps[:2].strip() / "dataset")["used"]["problems"])
    assert digests[0] != digests[1]


def test_a_cluster_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["augment", "--method", "original", "--problems", bundled_problems()[0], "--engine", "ray"]
    assert main([*command, "--output", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err
    assert "the method original asks nobody, so it needs no cluster: use --engine local" in error
    assert error.count("\n") == 1 and not (tmp_path / "run").exists()


def test_a_teacher_that_a_recipe_names_anyway_is_not_asked() -> None:
    recipe = Recipe.of({"method": "original", "problems": ["gsm8k"], "teacher": "gpt-4o-mini-2024-07-18"}, "recipe")
    assert recipe.models == () and Recipe.of(recipe.as_dict(), "run.json").as_dict() == recipe.as_dict()
    with pytest.raises(BadInput, match="no teacher: name a model"):
        Recipe.of({"problems": ["gsm8k"]}, "recipe")


def test_problems_carry_their_solutions_only_for_a_method_that_reads_them() -> None:
    sources = [ProblemSource.parse(bundled_problems()[0])]
    assert all(getattr(one, "solution", None) is None for one in read_problems(sources, 3))
    assert all(getattr(one, "solution", None) for one in read_problems(sources, 3, solutions=True))
