"""Rewrites without personas: each sample is a request, a question and a row of its own."""

from personamath.methods.direct import Direct
from personamath.recipe import Recipe
from tests.methods.test_stages import RIGHT, SEED, WRONG, Script, augment, script

RECIPE = Recipe(problems=("math",), teacher="teacher-1", method=Direct(k1=2, k2=3))


def rewriting(answer: Script) -> Script:
    """Answers requests for a rewrite, each with another question; `answer` answers the rest."""
    asked = 0

    def answer_or_rewrite(prompt: str) -> str:
        nonlocal asked
        if not prompt.startswith("Math problem:"):
            return str(answer(prompt))
        asked += 1
        return f"At shop {'abcde'[asked - 1]}, what is 6 times 7?"

    return answer_or_rewrite


def test_a_solved_problem_has_k1_rewrites_and_a_recovered_one_k2() -> None:
    solved, teacher = augment(rewriting(script()), RECIPE)
    assert [(row.id, row.step) for row in solved.rows] == [
        (SEED.id, "stage1_inference"),
        (f"{SEED.id}/d0000", "stage1_rewrite"),
        (f"{SEED.id}/d0001", "stage1_rewrite"),
    ]
    assert len(teacher.asked) == 1 + 2 * 2
    recovered, _ = augment(rewriting(script(first=WRONG)), RECIPE)
    assert [row.id for row in recovered.rows] == [SEED.id, *(f"{SEED.id}/d{sample:04}" for sample in range(3))]
    assert len({row.problem for row in recovered.rows}) == 1 + 3
    assert all(RIGHT in row.response for row in recovered.rows)
