"""Datasets of earlier formats are read like today's; what is no format is refused by name."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pytest
import yaml

from personamath.errors import BadInput
from personamath.folder.card import FolderFacts, dataset_card
from personamath.folder.changes import compare_folders
from personamath.folder.checks import check_folder
from personamath.folder.layout import CARD, PROVENANCE
from personamath.folder.reading import read_rows
from tests.support.folders import LAYOUT, SIZES, TRAINERS, rows, write, write_format_1

COLUMNS_OF_0_1_0 = [
    *("id", "problem", "response", "answer", "source", "stage", "step", "seed_id", "seed_problem", "level", "subject"),
    *("persona", "review", "teacher", "request", "flag", "overlap"),
]
ROWS = {"stage1_inference": 12, "stage1_rewrite": 18, "stage2_reflection": 1, "stage2_rewrite": 1}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write_format_1(tmp_path / "old")


def test_every_row_is_read_as_one_of_the_persona_method(old: Path) -> None:
    found = read_rows(old)
    assert Counter(row.step for row in found) == ROWS
    for row in found:
        assert row.method == "persona" and row.columns["stage"] == int(row.step[len("stage")])
        assert (row.columns["persona"] is not None) == row.step.endswith("rewrite")
    assert {name for row in found for name in row.columns} == {"stage", "persona", "review"}


def test_it_passes_the_checks_and_loads(old: Path) -> None:
    assert "default: 32 rows load" in check_folder(old, allow_simulated=True)
    assert datasets.load_dataset(str(old), split="train").column_names == COLUMNS_OF_0_1_0


def test_its_card_is_written_again_for_the_columns_that_its_files_have(old: Path) -> None:
    before = yaml.safe_load((old / CARD).read_text().split("---\n")[1])
    card = dataset_card(FolderFacts.read(old), "me/PersonaMathQA", "v1.0.1")
    assert yaml.safe_load(card.split("---\n")[1]) == before
    listed = [line.split("`")[1] for line in card.split("## Columns")[1].split("<details>")[0].splitlines()[4:-1]]
    assert listed == COLUMNS_OF_0_1_0
    (old / CARD).write_text(card)
    assert "default: 32 rows load" in check_folder(old, allow_simulated=True)


def test_the_same_rows_in_todays_format_are_no_change(old: Path, tmp_path: Path) -> None:
    new = write(tmp_path / "new", read_rows(old))
    changes = compare_folders(old, new)
    assert changes.before == changes.after
    found = {name: (one.added, one.removed, one.changed) for name, one in changes.configs.items()}
    added = {name: (changes.configs[name].after, 0, 0) for name in TRAINERS}
    assert found == dict.fromkeys(found, (0, 0, 0)) | added and added["sft"] == (32, 0, 0)
    others = write(tmp_path / "others", [replace(row, method="another") for row in read_rows(old)])
    assert compare_folders(old, others).configs["default"].changed == 32


def test_a_folder_of_format_2_has_no_configs_for_trainers(tmp_path: Path) -> None:
    folder = write(tmp_path / "dataset", rows(dict.fromkeys(SIZES, 2)))
    for name in TRAINERS:
        shutil.rmtree(folder / name)
    provenance = json.loads((folder / PROVENANCE).read_text()) | {"format": 2}
    (folder / PROVENANCE).write_text(json.dumps(provenance))
    card = dataset_card(FolderFacts.read(folder))
    assert "#training" not in card and "trl " not in card
    (folder / CARD).write_text(card)
    assert "default: 8 rows load" in check_folder(folder)


# What provenance.json may say in its stead, and what is said of it.
NOT_A_FORMAT: list[tuple[dict[str, Any], str]] = [
    ({"format": 4}, "has format 4, but this version reads up to 3: update PersonaMath"),
    ({"format": None}, r"its format is None\); write the folder again"),
    ({"format": "3"}, r"its format is '3'\); write the folder again"),
    ({"format": 0}, r"its format is 0\); write the folder again"),
    ({"method": None}, "method: not a method's outline"),
    ({"method": "persona"}, "method: not a method's outline"),
    ({"method": {}}, "method: not a method's outline .*'method'"),
    ({"method": {**LAYOUT.outline.as_dict(), "steps": [{"name": "../elsewhere"}]}}, "method: .*steps"),
]


@pytest.mark.parametrize(("said", "message"), NOT_A_FORMAT)
def test_a_provenance_of_no_known_format_is_refused_in_one_line(
    tmp_path: Path, said: dict[str, Any], message: str
) -> None:
    folder = write(tmp_path / "dataset", rows(dict.fromkeys(SIZES, 1)))
    path = folder / PROVENANCE
    path.write_text(json.dumps(json.loads(path.read_text()) | said))
    for read in (read_rows, check_folder, FolderFacts.read):
        with pytest.raises(BadInput, match=message) as raised:
            read(folder)
        assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)
