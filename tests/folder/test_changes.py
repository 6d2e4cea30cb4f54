"""The difference of two dataset folders: by id, in every config, whatever moved where."""

import random
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from personamath.errors import BadInput
from personamath.folder.changes import ConfigChange, compare_folders, describe
from personamath.folder.layout import CARD
from personamath.records import Row
from tests.support.folders import UNCHECKED_CONFIGS, changed, rows, sound_path, write

OLD = rows({"stage1_inference": 6, "stage1_rewrite": 9, "stage2_reflection": 3, "stage2_rewrite": 7})
COLUMN_CHANGES: list[dict[str, Any]] = [
    {"problem": "Another, of a baker? ∑ “naïve” $x$ 1"},
    {"response": r"\boxed{0}."},
    {"answer": "0"},
    {"persona": "Nobody"},
    {"persona": None},
    {"level": 7},
    {"level": None},
    {"review": ""},
    {"request": "0"},
]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `OLD`."""
    return write(tmp_path_factory.mktemp("data") / "old", OLD)


def difference(old: Path, folder: Path, new: list[Row]) -> dict[str, ConfigChange]:
    """The changes from a folder to one of these rows, which is written to `folder`."""
    return compare_folders(old, write(folder, new)).configs


def test_nothing_changed_between_equal_folders(old: Path, tmp_path: Path) -> None:
    changes = compare_folders(old, write(tmp_path / "new", OLD[::-1]))
    for config, steps in UNCHECKED_CONFIGS.items():
        size = sum(row.step in steps for row in OLD)
        assert changes.configs[config] == ConfigChange(size, size, 0, 0, 0)
    assert "The composition is the same." in describe(changes, "v1", "v2")


@pytest.mark.parametrize("change", COLUMN_CHANGES)
def test_any_column_that_differs_is_a_changed_row(old: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    (number, one) = next((number, row) for number, row in enumerate(OLD) if row.step == "stage1_rewrite" and row.level)
    found = difference(old, tmp_path / "new", [*OLD[:number], changed(one, **change), *OLD[number + 1 :]])
    expected = {config: 1 if "stage1_rewrite" in steps else 0 for config, steps in UNCHECKED_CONFIGS.items()}
    assert {config: found[config].changed for config in UNCHECKED_CONFIGS} == expected
    # Of a row that is not the first of its problem, `rl` has nothing.
    assert found["sft"].changed == bool({"problem", "response"} & set(change))
    assert not any(found[config].added or found[config].removed for config in UNCHECKED_CONFIGS)


def test_a_row_that_moves_to_the_other_stage_leaves_one_config_and_enters_another(old: Path, tmp_path: Path) -> None:
    one = next(row for row in OLD if row.step == "stage1_inference")
    moved = changed(one, step="stage2_reflection", stage=2)
    found = difference(old, tmp_path / "new", [moved, *(row for row in OLD if row != one)])
    assert found["default"] == ConfigChange(25, 25, 0, 0, 1)
    assert found["stage1"] == ConfigChange(15, 14, 0, 1, 0)
    assert found["stage2"] == ConfigChange(10, 11, 1, 0, 0)
    assert found["stage1_rewrite"] == ConfigChange(9, 9, 0, 0, 0)


def test_a_config_without_rows_on_one_side_is_all_added_or_all_removed(old: Path, tmp_path: Path) -> None:
    stage1, stage2 = (
        write(tmp_path / f"stage{stage}", [row for row in OLD if row.columns["stage"] == stage]) for stage in (1, 2)
    )
    found = compare_folders(old, stage1).configs
    assert found["stage2"] == ConfigChange(10, 0, 0, 10, 0)
    assert found["default"] == ConfigChange(25, 15, 0, 10, 0)
    found = compare_folders(stage1, old).configs
    assert found["stage2_rewrite"] == ConfigChange(0, 7, 7, 0, 0)
    found = compare_folders(stage2, old).configs
    assert found["default"] == ConfigChange(10, 25, 15, 0, 0)
    assert found["stage2"] == ConfigChange(10, 10, 0, 0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_every_config_agrees_with_a_comparison_of_its_rows(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    pool = rows({"stage1_inference": 30, "stage1_rewrite": 40, "stage2_reflection": 20, "stage2_rewrite": 30})
    old = rng.sample(pool, 80)
    new = [replace(row, response="Else.") if rng.random() < 0.3 else row for row in rng.sample(pool, 90)]
    found = difference(write(tmp_path / "old", old), tmp_path / "new", new)
    for config, steps in UNCHECKED_CONFIGS.items():
        before, after = ({row.id: row for row in some if row.step in steps} for some in (old, new))
        assert found[config] == ConfigChange(
            before=len(before),
            after=len(after),
            added=len(after.keys() - before.keys()),
            removed=len(before.keys() - after.keys()),
            changed=sum(before[id] != after[id] for id in before.keys() & after.keys()),
        )
    assert found["sft"] == found["default"]


def test_the_composition_and_the_text_tell_what_changed(old: Path, tmp_path: Path) -> None:
    new = [row for row in OLD if row.step != "stage2_rewrite" or row.source == "math"]
    changes = compare_folders(old, write(tmp_path / "new", new))
    for rows_of, counted in ((OLD, changes.before), (new, changes.after)):
        assert counted == Counter((row.source, row.step) for row in rows_of)
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in describe(changes, "v1.0.0", "v1.1.0").splitlines()
    ]
    assert lines[0] == ["`v1.1.0` against `v1.0.0`:"]
    assert ["`default`", "25", "21", "0", "4", "0"] in lines
    assert ["gsm8k, stage2_rewrite", "4", "0", "-4"] in lines
    assert ["math, stage2_rewrite", "3", "3", "0"] in lines


def test_a_new_column_changes_every_row_and_their_order_none(old: Path, tmp_path: Path) -> None:
    new = shutil.copytree(old, tmp_path / "new")
    path = new / sound_path("stage1_rewrite")
    table = pq.read_table(path)
    pq.write_table(table.select(table.schema.names[::-1]), path)
    assert compare_folders(old, new).configs["default"].changed == 0
    pq.write_table(table.append_column("more", table["id"]), path)
    assert compare_folders(old, new).configs["default"].changed == 9


def test_what_cannot_be_compared_is_named(old: Path, tmp_path: Path) -> None:
    other = shutil.copytree(old, tmp_path / "new")
    path = other / sound_path("stage1_rewrite")
    pq.write_table(pq.read_table(path).drop_columns(["id"]), path)
    with pytest.raises(BadInput, match=r"stage1_rewrite.*no column 'id'"):
        compare_folders(old, other)
    path.write_bytes(b"no parquet")
    with pytest.raises(BadInput, match=r"stage1_rewrite.*not a readable parquet file"):
        compare_folders(other, old)
    path.unlink()
    with pytest.raises(BadInput, match=r"stage1_rewrite.*not a readable parquet file"):
        compare_folders(old, other)
    (other / CARD).write_text("# Nothing")
    with pytest.raises(BadInput, match=r"README\.md: no dataset card"):
        compare_folders(old, other)
    with pytest.raises(BadInput, match=r"README\.md: no dataset card"):
        compare_folders(tmp_path / "nowhere", old)


@pytest.mark.parametrize("path", ["../other/train.parquet", "/etc/passwd", None, 5])
def test_a_card_may_name_files_of_its_own_folder_only(tmp_path: Path, path: object) -> None:
    card = {"configs": [{"config_name": "default", "data_files": [{"split": "train", "path": path}]}]}
    (tmp_path / "README.md").write_text(f"---\n{yaml.safe_dump(card)}---\n")
    with pytest.raises(BadInput, match="so it cannot be compared"):
        compare_folders(tmp_path, tmp_path)
