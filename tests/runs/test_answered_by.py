"""Whole runs: the card counts what really answered, and `--keep-reasoning` keeps what the teacher thought."""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import datasets
import pytest

import personamath
from personamath.commands.cli import main
from personamath.folder.answered import answered
from personamath.folder.checks import check_folder
from personamath.runs.funnel import Funnel
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import ScriptedTeacher

Start = Callable[..., ScriptedTeacher]
PROBLEMS = [flag for source in bundled_problems() for flag in ("--problems", source)]


def augment(teacher: ScriptedTeacher, output: Path, *flags: str) -> int:
    command = ("augment", *PROBLEMS, "--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(output))
    return main([*command, "--limit", "8", "--k1", "2", "--k2", "3", *flags])


def run_file(output: Path) -> dict[str, Any]:
    return dict(json.loads((output / "run.json").read_text()))


def dataset_bytes(output: Path) -> dict[str, str]:
    files = sorted(path for path in (output / "dataset").rglob("*") if path.is_file())
    return {str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_card_and_run_json_count_the_models_and_providers_that_answered(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = (f"{MODEL}-2026-11-01@Groq", f"{MODEL}-2026-11-01@Together", "impostor-7b")
    teacher = start_teacher(*PROBLEMS, *(flag for name in names for flag in ("--answers-as", name)))
    run = tmp_path / "run"
    assert augment(teacher, run) == 0
    with closing(sqlite3.connect(run / "journal.sqlite")) as journal:
        query = "select json_extract(answered_by, '$.model'), json_extract(answered_by, '$.provider') from answers"
        expected = Counter(journal.execute(query).fetchall())
    assert len(expected) == 3 and min(expected.values()) > 1
    counted = run_file(run)["answered_by"]
    assert {(one["model"], one["provider"]): one["answers"] for one in counted} == expected
    assert json.loads((run / "dataset" / "provenance.json").read_text())["funnel"]["answered_by"] == counted
    card = (run / "dataset" / "README.md").read_text()
    for (model, provider), count in expected.items():
        assert f"`{model}`{f' at `{provider}`' if provider else ''} ({count:,} answers)" in card
    shown = capsys.readouterr()
    assert f"Asked {MODEL}; answered as: " in shown.out
    others = expected["impostor-7b", None]
    warning = f"warning: asked {MODEL}, but another model answered: impostor-7b ({others})\n"
    assert shown.err.count(warning) == 1
    # the same from the journal alone
    before = dataset_bytes(run)
    assert augment(teacher, run) == 0
    assert dataset_bytes(run) == before


def test_a_sentence_names_each_model_that_was_asked() -> None:
    funnel = Funnel()
    funnel.answered_by.update({("b", "b-2026", "Groq"): 1_234, ("b", "", ""): 1, ("a", "a", ""): 2})
    assert answered(funnel.answered_by_model()) == [
        "asked a; answered as: a (2 answers)",
        "asked b; answered as: b-2026 at Groq (1,234 answers), a model that the reply does not name (1 answer)",
    ]
    assert answered(Funnel(answered_by=Counter({("a", "", ""): 9})).answered_by_model()) == []


@pytest.mark.parametrize(("fault", "reasoning"), [("reasoned", "Let me see."), ("thinks", r"Is it $\boxed{0}$?")])
def test_reasoning_is_a_column_on_request_only(
    start_teacher: Start, tmp_path: Path, fault: str, reasoning: str
) -> None:
    teacher = start_teacher(*PROBLEMS, "--fault", f"{fault}=1")
    kept, plain = tmp_path / "kept", tmp_path / "plain"
    assert augment(teacher, kept, "--keep-reasoning") == augment(teacher, plain) == 0
    rows, without = (datasets.load_dataset(str(run / "dataset"), split="train") for run in (kept, plain))
    assert set(rows.column_names) - set(without.column_names) == {"reasoning"}
    assert set(rows["reasoning"]) == {reasoning}
    assert rows.remove_columns("reasoning").to_list() == without.to_list()
    assert not any(reasoning in text for text in rows["response"])
    assert "default: " in check_folder(kept / "dataset", allow_simulated=True)[0]
    provenance = json.loads((kept / "dataset" / "provenance.json").read_text())
    assert provenance["recipe"]["keep_reasoning"] is True
    assert "keep_reasoning" not in (plain / "dataset" / "provenance.json").read_text()
    card = (kept / "dataset" / "README.md").read_text()
    assert "| `reasoning` | What the teacher thought" in card and "The column `reasoning` holds" in card
    assert "reasoning`" not in (plain / "dataset" / "README.md").read_text()
    # The answers are the same, so none is paid again; the dataset of the other recipe is protected.
    assert augment(teacher, plain, "--keep-reasoning") == 1
    assert augment(teacher, plain, "--keep-reasoning", "--replace") == 0
    assert dataset_bytes(plain) == dataset_bytes(kept)
    assert run_file(plain)["answers"]["asked this time"] == 0


def test_a_teacher_that_shows_no_reasoning_leaves_the_column_empty(start_teacher: Start, tmp_path: Path) -> None:
    teacher = start_teacher(*PROBLEMS)
    rows = personamath.augment(
        bundled_problems(),
        output=tmp_path / "run",
        teacher=MODEL,
        base_url=teacher.base_url,
        limit=4,
        k1=1,
        k2=2,
        keep_reasoning=True,
    )
    assert set(rows["reasoning"]) == {None}
    assert check_folder(tmp_path / "run" / "dataset", allow_simulated=True)
