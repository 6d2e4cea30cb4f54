"""Tasks that run a model's programs: what counts, and what lm-eval needs before it runs any."""

import pytest
from lm_eval.tasks import TaskManager

from personamath.evaluation.tasks import FOLDER
from personamath.evaluation.tasks.program_of_thought import program_first
from personamath.programs.sandbox import Result
from personamath.training.prompts import PAPER_EVALUATION
from tests.support.task_files import write_files

DOC = {"question": "How much is 6 times 3?", "answer": "18"}
THOUGHT = r"It is $\boxed{18}$."


def fenced(source: str) -> str:
    return f"```python\n{source}\n```"


CASES = [
    # the program's last line is the answer, right or wrong
    (fenced("print('so')\nprint(6 * 3)"), THOUGHT, (1, 1, 1)),
    (fenced("print(6 + 3)"), THOUGHT, (0, 1, 1)),
    (fenced("print(18.0000001)"), "", (1, 1, 1)),
    ("print(6 * 3)", "", (1, 1, 1)),
    # the chain of thought counts where the program gives nothing
    (fenced("print(1 / 0)"), THOUGHT, (1, 0, 1)),
    (fenced("x = 18"), THOUGHT, (1, 0, 1)),
    (fenced("import os\nprint(18)"), THOUGHT, (1, 0, 1)),
    (fenced("print(1 / 0)"), r"It is $\boxed{9}$.", (0, 0, 1)),
    (r"No program, but \boxed{18}.", r"\boxed{9}", (1, 0, 1)),
    ("Nothing.", "Nothing.", (0, 0, 0)),
]


@pytest.mark.parametrize(("first", "second", "marks"), CASES)
def test_a_program_comes_first_and_a_chain_of_thought_where_it_gives_nothing(
    first: str, second: str, marks: tuple[int, int, int]
) -> None:
    found = program_first(DOC, [first, second])
    assert tuple(found[name] for name in ("exact_match", "by_program", "boxed")) == marks


def test_a_refused_program_is_not_run() -> None:
    def run(source: str) -> Result:
        raise AssertionError(source)

    assert program_first(DOC, [fenced("import socket"), THOUGHT], run)["exact_match"] == 1


@pytest.mark.parametrize("name", ["personamath_gsm8k_pot", "personamath_math_pot"])
def test_each_problem_is_asked_twice_and_lm_eval_wants_permission(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = write_files(tmp_path_factory.mktemp("data"))
    manager = TaskManager(include_path=str(FOLDER), include_defaults=False, metadata={"files": files})
    task = manager.load([name])["tasks"][name]
    assert task.UNSAFE_CODE  # lm-eval ends with an error unless --confirm_run_unsafe_code is given
    doc = task.eval_docs[0]
    first, second = task.construct_requests(doc, task.doc_to_text(doc), metadata=(name, 0, 1))
    assert (first.idx, second.idx) == (0, 1)
    assert first.args[0] == task.doc_to_text(doc)
    assert second.args[0] == PAPER_EVALUATION.replace("{instruction}", doc["question"])
    assert first.args[1] == second.args[1]
    assert set(task.process_results(doc, [fenced("print(5)"), ""])) == {"exact_match", "by_program", "boxed"}
