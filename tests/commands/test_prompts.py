"""Prompts of one's own, from `personamath prompts` to the card: runs against a scripted teacher in its own process."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import personamath
from personamath.commands.cli import main
from personamath.commands.report import read_source
from personamath.folder.card import FolderFacts, dataset_card
from personamath.methods import METHODS
from personamath.methods.prompts import REWRITING, Prompt
from personamath.report.analysis.composition import composition
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import ScriptedTeacher
from tests.support.folders import RECIPE, rows, write

Start = Callable[..., ScriptedTeacher]
SERVED = [flag for source in bundled_problems() for flag in ("--problems", source)]
# The scripted teacher knows the paper's prompt by its beginning.
MINE = f"{REWRITING.template} Keep the words short."


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("method", METHODS)
def test_the_command_prints_each_prompt_and_says_what_it_is_for(
    method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prompts", method]) == 0
    said = capsys.readouterr().out
    for name, prompt in METHODS[method]().prompts.items():
        assert f"{name}\n  asks to    {prompt.says}\n" in said and prompt.says and prompt.reply
        assert all(f"    {line}" in said for line in prompt.template.split("\n"))
        assert all(f"{{{one}}}" in said for one in prompt.placeholders)


def test_the_command_writes_files_to_edit_and_replaces_none_that_was_edited(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "to edit"
    assert main(["prompts", "--write", str(folder)]) == 0
    said = capsys.readouterr().out
    paths = yaml.safe_load(said.partition("\n\n")[2])["prompts"]
    assert paths == {name: f"{folder}/{name}.txt" for name in ("inference", "rewriting", "reflection")}
    assert main(["prompts", "--write", str(folder)]) == 0
    Path(paths["rewriting"]).write_text(MINE)
    assert main(["prompts", "direct", "--write", str(folder)]) == 1
    assert (
        "rewriting.txt: exists and has another text: give another folder, or remove the file" in capsys.readouterr().err
    )
    assert Path(paths["rewriting"]).read_text() == MINE


def test_from_a_prompt_of_ones_own_to_the_card(
    start_teacher: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    teacher = start_teacher(*SERVED)
    Path("texts").mkdir()
    mine, config = Path("texts/mine.txt"), Path("recipes/mine.yaml")
    mine.write_text(f"{MINE}\n")
    config.parent.mkdir()
    keys: dict[str, Any] = {"problems": bundled_problems(), "teacher": MODEL, "limit": 5, "k1": 2, "k2": 3}
    config.write_text(yaml.safe_dump(keys | {"prompts": {"rewriting": str(mine)}}))
    flags = ["--config", str(config), "--base-url", teacher.base_url]
    assert main(["augment", *flags, "--output", "run"]) == 0

    run, facts = (json.loads(Path("run", name).read_text()) for name in ("run.json", "dataset/provenance.json"))
    assert run["recipe"]["prompts"] == facts["recipe"]["prompts"] == {"rewriting": {"file": "mine.txt", "text": MINE}}
    assert facts["prompts"]["rewriting"]["text"] == MINE and facts["prompts"]["rewriting"]["replaces"]["sha256"]
    assert "replaces" not in facts["prompts"]["inference"] and str(tmp_path) not in json.dumps(facts)
    card = Path("run/dataset/README.md").read_text()
    assert "with [other prompts](#teacher-sampling-prompts) for *rewriting*. Only rows" in card
    described = (
        "The prompt of *rewriting*, from the recipe's file `mine.txt`. It replaces the method's own, so it is not "
        f"that of arXiv 2410.01504 v1, section 3.1:\n\n```text\n{MINE}\n```"
    )
    assert described in card and re.findall(r"^The prompt of \*(\w+)\*:$", card, re.MULTILINE) == [
        "inference",
        "reflection",
    ]

    # Again: nothing is asked, and the bytes stay. Another name of the file is the same recipe.
    asked, before = teacher.stats()["requests"], files(Path("run/dataset"))
    assert main(["augment", *flags, "--output", "run"]) == 0
    assert teacher.stats()["requests"] == asked and files(Path("run/dataset")) == before
    mine.rename("texts/renamed.txt")
    assert main(["augment", *flags, "--output", "run", "--prompts", "{rewriting: texts/renamed.txt}"]) == 0
    assert teacher.stats()["requests"] == asked

    # What reads the run needs no file.
    Path("texts/renamed.txt").unlink()
    data = read_source("run")
    assert (
        data.wrong is not None
        and not data.missing
        and "The recipe replaces the method's prompts of rewriting." in composition(data).note
    )
    assert main(["opinion", "run", "--all", "--solves", "1", "--base-url", teacher.base_url]) == 0
    assert dataset_card(FolderFacts.read(Path("run/dataset"))) == Path("run/dataset/README.md").read_text()

    # Another text, or none, is another recipe.
    capsys.readouterr()
    for text in (f"{MINE} Please.", REWRITING.template):
        mine.write_text(text)
        assert main(["augment", *flags, "--output", "run"]) == 1
        assert "another recipe (the prompt 'rewriting' has changed): use another output" in capsys.readouterr().err
    Path("run/run.json").unlink()
    assert main(["augment", *flags, "--output", "run"]) == 1
    assert "the prompt 'rewriting' has changed" in capsys.readouterr().err
    assert main(["augment", *flags, "--output", "run", "--replace"]) == 0
    assert "other prompts" not in Path("run/dataset/README.md").read_text()


def test_where_the_card_shows_the_papers_numbers_it_says_whose_prompts_they_come_from(tmp_path: Path) -> None:
    some = rows({"stage1_inference": 3, "stage1_rewrite": 2})
    sentence = "and the paper's prompts, not with those of this dataset."
    own, mine = (
        dataset_card(FolderFacts.read(write(tmp_path / name, some, replace(RECIPE, prompts=prompts))))
        for name, prompts in (("own", {}), ("mine", {"rewriting": Prompt(MINE)}))
    )
    assert sentence in mine and "from the recipe. It replaces the method's own, so it is not that of arXiv" in mine
    assert sentence not in own and "prompts](" not in own and "replaces" not in own


def test_second_opinions_ask_with_the_runs_inference_prompt(start_teacher: Start, tmp_path: Path) -> None:
    teacher = start_teacher(*SERVED)
    text = METHODS["persona"]().prompts["inference"].template.replace("{problem}", " {problem}")
    run = tmp_path / "run"
    call: dict[str, Any] = {"limit": 3, "k1": 2, "k2": 3, "base_url": teacher.base_url, "output": run}
    kept = personamath.augment(bundled_problems(), teacher=MODEL, prompts={"inference": {"text": text}}, **call)
    assert len(kept) and main(["opinion", str(run), "--all", "--solves", "1", "--base-url", teacher.base_url]) == 0
    with closing(sqlite3.connect(run / "journal.sqlite")) as journal:
        asked = [one for (one,) in journal.execute("select request from answers where purpose = 'second_opinion'")]
    assert len(asked) == len(json.loads((run / "second_opinion.json").read_text())) > 0
    assert all(json.dumps(text.partition("{problem}")[0])[1:-1] in request for request in asked)


def test_a_plan_says_that_it_assumes_the_methods_own_prompts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "long.txt").write_text("Mind this. " * 400 + REWRITING.template)
    flags = ["plan", *SERVED, "--teacher", "gpt-4o-mini-2024-07-18"]
    assert main(flags) == 0
    assert "prompts    " not in capsys.readouterr().out
    assert main([*flags, "--prompts", f"{{rewriting: {tmp_path}/long.txt}}"]) == 0
    line = (
        "prompts    the plan assumes the method's own; the recipe's differ by about this many tokens: rewriting +1,100"
    )
    assert line in capsys.readouterr().out
