"""Whole runs with `--preference`: the wrong solutions that reflection corrected are the teacher's, and cost nothing."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import datasets

from personamath.answers import grade
from personamath.commands.cli import main
from personamath.folder.checks import check_folder
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import ScriptedTeacher

PROBLEMS = [flag for source in bundled_problems() for flag in ("--problems", source)]


def test_the_pairs_are_a_matter_of_the_journal_alone(
    start_teacher: Callable[..., ScriptedTeacher], tmp_path: Path
) -> None:
    teacher = start_teacher(*PROBLEMS)
    command = ["augment", *PROBLEMS, "--teacher", MODEL, "--base-url", teacher.base_url, "--k1", "1", "--k2", "1"]
    run = tmp_path / "run"
    assert main([*command, "--output", str(run)]) == 0
    assert "preference" not in (run / "dataset" / "provenance.json").read_text()
    assert main([*command, "--output", str(run), "--preference"]) == 1  # the dataset of another recipe is protected
    assert main([*command, "--output", str(run), "--preference", "--replace"]) == 0
    assert json.loads((run / "run.json").read_text())["answers"]["asked this time"] == 0

    rows = datasets.load_dataset(str(run / "dataset"), split="train")
    with closing(sqlite3.connect(run / "journal.sqlite")) as journal:
        texts = {text.strip() for (text,) in journal.execute("select text from answers")}
    corrected = [row for row in rows if row["step"] == "stage2_reflection"]
    assert corrected and {row["id"] for row in rows if row["wrong_response"]} == {row["id"] for row in corrected}
    for row in corrected:
        assert row["wrong_response"] in texts and not grade(row["answer"], row["wrong_response"]).correct
    pairs = datasets.load_dataset(str(run / "dataset"), "preference", split="train")
    assert [pair["rejected"][0]["content"] for pair in pairs] == [row["wrong_response"] for row in corrected]
    assert f"preference: {len(pairs)} rows load" in check_folder(run / "dataset", allow_simulated=True)
    card = (run / "dataset" / "README.md").read_text()
    assert "The rows are simulated, so the commands only show how training starts." in card
