"""Marks on rows: files of them, and the folders that hold only the rows marked good."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath.folder.card import FolderFacts, dataset_card
from personamath.folder.checks import check_folder
from personamath.folder.marks import Marks, dataset_key, fingerprint
from personamath.folder.reading import read_rows
from personamath.folder.subset import write_marked
from personamath.records import Row
from tests.support.folders import changed, row, write

ROWS = [row("stage1_inference", number) for number in range(5)] + [row("stage1_rewrite", 0)]


def line(row: Row, mark: str = "good", **other: Any) -> str:
    return json.dumps({"id": row.id, "mark": mark, "row": fingerprint(row), **other}) + "\n"


def written(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marks") / "run" / "dataset"
    folder.parent.mkdir()
    write(folder, ROWS)
    return folder


def test_only_rows_marked_good_are_taken_and_the_others_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "marks.jsonl", [line(ROWS[3]), "\n", line(ROWS[1]), line(ROWS[0], "bad"), line(ROWS[1])])
    rows, marked = Marks.read(path).only_good(ROWS)
    assert rows == [ROWS[1], ROWS[3]]
    assert marked == {
        "rows": 6,
        "good": 2,
        "left_out": {"marked bad": 1, "not marked": 3},
        "marks_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


STRANGER = row("stage1_inference", 77)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["{"], "line 1: not a mark"),
        (["\n", "[1]"], "line 2: not a mark"),
        (['{"id": "x", "mark": "good"}'], "line 1: not a mark"),
        ([line(ROWS[0]), line(ROWS[1], "fine")], "line 2: the mark is 'fine'; it must be good or bad"),
        ([line(ROWS[0]), line(ROWS[0], "bad")], "line 2: 'gsm8k-train-00000' is marked both good and bad"),
        ([line(ROWS[0]), line(STRANGER)], f"line 2: the dataset has no row '{STRANGER.id}'"),
        ([line(replace(ROWS[0], response="Another run's."))], "line 1: this mark on 'gsm8k-train-00000' was made for"),
        ([line(ROWS[0], "bad")], "no row is marked good"),
        ([], "no row is marked good"),
        (["\udcff"], "not UTF-8"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, lines: list[str], says: str) -> None:
    path = tmp_path / "marks.jsonl"
    path.write_bytes("".join(lines).encode(errors="surrogateescape"))
    with pytest.raises(BadInput, match=r"marks\.jsonl") as refused:
        Marks.read(path).only_good(ROWS)
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(BadInput, match=r"nowhere\.jsonl: No such file"):
        Marks.read(Path("nowhere.jsonl"))


def test_a_key_stays_while_a_run_grows() -> None:
    recipe = {"teacher": "t", "problems": ["gsm8k"], "limit": 5}
    key = dataset_key({"recipe": recipe})
    assert key == dataset_key({"recipe": recipe | {"limit": None}})
    assert key != dataset_key({"recipe": recipe | {"teacher": "u"}})


def test_a_folder_of_marked_rows_is_a_whole_dataset_that_says_so(folder: Path, tmp_path: Path) -> None:
    marks = written(tmp_path / "marks.jsonl", [line(ROWS[1]), line(ROWS[5]), line(ROWS[2], "bad")])
    before = (folder / "provenance.json").read_bytes()
    marked = write_marked(folder, marks, tmp_path / "out" / "dataset")
    made = tmp_path / "out" / "dataset"
    assert {one.id for one in read_rows(made)} == {ROWS[1].id, ROWS[5].id} and check_folder(made)
    assert json.loads((made / "provenance.json").read_text())["marked"] == marked
    card = (made / "README.md").read_text()
    assert card == dataset_card(FolderFacts.read(made))
    assert "Left out by hand: 1 marked bad\nand 3 that nobody marked." in card
    assert (folder / "provenance.json").read_bytes() == before
    with pytest.raises(BadInput, match="already has only rows marked good"):
        write_marked(made, marks, tmp_path / "again")


def test_mix_takes_only_marked_rows_of_one_run_or_of_several(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    theirs = [changed(one, response=one.response + " Truly.") for one in ROWS]
    write(other / "dataset", theirs)
    mine = written(tmp_path / "mine.jsonl", [line(ROWS[1]), line(ROWS[2]), line(ROWS[3], "bad")])

    def mix(*given: object) -> str:
        assert main(["mix", *map(str, given), "--by", "rows"]) == 0
        return capsys.readouterr().out

    said = mix(folder.parent, "--only-marked", mine, "--output", tmp_path / "one")
    assert "2 of 2 rows" in said and "2 of 6; left out by hand: 1 marked bad, 3 not marked" in said
    made = tmp_path / "one" / "run" / "dataset"
    assert [one.id for one in read_rows(made)] == [ROWS[1].id, ROWS[2].id] and check_folder(made)
    card = (made / "README.md").read_text()
    assert "`personamath mix` made it. It holds 2 of the\n6 rows" in card and "comparison" not in card
    mix(other, folder.parent, "--only-marked", mine, "--output", tmp_path / "two")
    facts = {
        name: json.loads((tmp_path / "two" / name / "dataset" / "provenance.json").read_text())
        for name in ("run", "other")
    }
    assert facts["run"]["marked"]["good"] == 2 and "marked" not in facts["other"]
    assert facts["run"]["mixed"]["parent"]["rows"] == 6 and len(read_rows(tmp_path / "two" / "other" / "dataset")) == 2


def test_mix_refuses_marks_that_fit_none_of_the_runs(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = written(tmp_path / "strange.jsonl", [line(STRANGER)])
    good = written(tmp_path / "good.jsonl", [line(ROWS[1])])
    again = Path(shutil.copy(good, tmp_path / "again.jsonl"))
    for files, says in [([strange], "the dataset has no row"), ([good, again], "a second file of marks on run")]:
        flags = [text for file in files for text in ("--only-marked", str(file))]
        assert main(["mix", str(folder.parent), *flags, "--by", "rows", "--output", str(tmp_path / "cut")]) == 1
        assert says in capsys.readouterr().err and not (tmp_path / "cut").exists()
