"""The configs for trainers: what they hold, in what order, what they leave out, and how they are checked."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from personamath.errors import BadInput
from personamath.folder.card import FolderFacts, dataset_card
from personamath.folder.checks import check_folder
from personamath.folder.layout import CARD, Layout
from personamath.folder.trainer_configs import PREFERENCE
from personamath.methods import Direct, Rejection
from personamath.methods.method import Column
from personamath.recipe import Recipe
from personamath.records import Row
from tests.folder.test_other_methods import Voting
from tests.support.folders import RECIPE, SIZES, STEPS, TRAINERS, UNCHECKED_CONFIGS, row, rows, write

PAIRS = replace(RECIPE, preference=True)
IN_ORDER = sorted(rows(), key=lambda row: STEPS.index(row.step))  # stable: within a step as they came


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "dataset", rows())


def load(folder: Path, config: str, streaming: bool = False) -> list[dict[str, Any]]:
    return list(datasets.load_dataset(str(folder), config, split="train", streaming=streaming))


def says(role: str, text: str) -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


@pytest.mark.parametrize("streaming", [False, True])
def test_sft_is_every_row_as_messages(folder: Path, streaming: bool) -> None:
    assert load(folder, "sft", streaming) == [
        {"id": row.id, "prompt": says("user", row.problem), "completion": says("assistant", row.response)}
        for row in IN_ORDER
    ]


def test_rl_is_every_problem_once_with_its_answer(folder: Path) -> None:
    first: dict[str, Row] = {}
    for one in IN_ORDER:
        first.setdefault(one.problem, one)
    assert load(folder, "rl") == [
        {
            "id": row.id,
            "prompt": says("user", row.problem),
            "solution": row.answer,
            "level": row.level,
            "subject": row.subject,
            "source": row.source,
        }
        for row in first.values()
    ]
    assert 0 < len(first) < sum(SIZES.values())


def test_white_space_makes_no_other_problem(tmp_path: Path) -> None:
    one, other = row("stage1_inference", 0), row("stage1_inference", 1)
    folder = write(tmp_path / "dataset", [one, replace(other, problem=f" {one.problem}\n")])
    assert [example["id"] for example in load(folder, "rl")] == [one.id]


def test_the_files_have_full_row_groups(folder: Path) -> None:
    metadata = pq.read_metadata(folder / "sft/train.parquet")
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [2_000, 140]


def test_a_vote_is_no_reference_answer(tmp_path: Path) -> None:
    voted = [replace(row("stage1_inference", number), step="voted", method="voting", columns={}) for number in range(3)]
    folder = write(tmp_path / "dataset", voted, replace(RECIPE, method=Voting()))
    assert len(load(folder, "sft")) == 3 and not (folder / "rl").exists()
    assert "sft: 3 rows load" in check_folder(folder)
    text = (folder / CARD).read_text()
    assert "trl sft" in text and "trl grpo" not in text and "`rl`" not in text


def with_wrong_response(one: Row, text: str | None) -> Row:
    return replace(one, columns={**one.columns, "wrong_response": text})


def test_preference_pairs_what_was_corrected_with_what_was_wrong(tmp_path: Path) -> None:
    recovered = row("stage2_reflection", 4)
    some = [with_wrong_response(row("stage1_inference", 1), None), with_wrong_response(recovered, "It is 0.")]
    folder = write(tmp_path / "dataset", some, PAIRS)
    assert load(folder, "preference") == [
        {
            "id": recovered.id,
            "prompt": says("user", recovered.problem),
            "chosen": says("assistant", recovered.response),
            "rejected": says("assistant", "It is 0."),
        }
    ]
    assert "preference: 1 rows load" in check_folder(folder)
    assert "trl dpo" in (folder / CARD).read_text()


def test_without_a_recovered_problem_there_are_no_pairs(tmp_path: Path) -> None:
    folder = write(tmp_path / "dataset", [with_wrong_response(row("stage1_inference", 1), None)], PAIRS)
    assert datasets.get_dataset_config_names(str(folder))[-2:] == list(TRAINERS)
    assert "trl dpo" not in (folder / CARD).read_text() and check_folder(folder)


WRONG_RESPONSES = [
    (r"It is $\boxed{4}$.", "its wrong_response has the right answer, 4"),
    ("It is <think>", "wrong_response holds <think>, a mark of reasoning"),
]


@pytest.mark.parametrize(("text", "message"), WRONG_RESPONSES)
def test_a_rejected_solution_must_be_wrong(tmp_path: Path, text: str, message: str) -> None:
    folder = write(tmp_path / "dataset", [with_wrong_response(row("stage2_reflection", 4), text)], PAIRS)
    with pytest.raises(BadInput, match=rf"config stage2_reflection\), row 0 .*: {message}"):
        check_folder(folder)


def as_other(table: pa.Table) -> pa.Table:
    return table.set_column(0, "id", pa.array([f"x{id}" for id in table["id"].to_pylist()]))


EDITS: list[tuple[Callable[[pa.Table], pa.Table], str]] = [
    (as_other, "rows 0 to 11 do not agree with the dataset's rows"),
    (lambda table: table.take(list(range(11, -1, -1))), "rows 0 to 11 do not agree with the dataset's rows"),
    (lambda table: table.slice(1), "rows 0 to 10 do not agree"),
    (lambda table: pa.concat_tables([table, table]), "rows 0 to 23 do not agree"),
]


@pytest.mark.parametrize("config", TRAINERS)
@pytest.mark.parametrize(("edited", "message"), EDITS)
def test_examples_that_the_rows_do_not_make_are_found(
    tmp_path: Path, config: str, edited: Callable[[pa.Table], pa.Table], message: str
) -> None:
    folder = write(tmp_path / "dataset", rows({"stage1_inference": 12}))
    path = folder / config / "train.parquet"
    pq.write_table(edited(pq.read_table(path)), path)
    (folder / CARD).write_text(dataset_card(FolderFacts.read(folder)))  # so that its counts are not what is found
    with pytest.raises(BadInput, match=rf"{config}/train.parquet \(config {config}\): {message}"):
        check_folder(folder)


def test_a_missing_file_is_found_though_the_card_agrees(tmp_path: Path) -> None:
    folder = write(tmp_path / "dataset", rows({"stage1_inference": 2}))
    (folder / "sft/train.parquet").unlink()
    (folder / CARD).write_text(dataset_card(FolderFacts.read(folder)))
    with pytest.raises(BadInput, match=r"sft/train.parquet \(config sft\): missing; write the folder again"):
        check_folder(folder)


def test_the_card_says_what_the_trainers_read(folder: Path) -> None:
    text = (folder / CARD).read_text().split("## Training\n")[1].split("\n## ")[0]
    assert "have not been compared with test problems" in text and "trl dpo" not in text
    assert list(UNCHECKED_CONFIGS) == [name for name in Layout(RECIPE.outline).configs if name != "clean"]
    published = dataset_card(FolderFacts.read(folder), "me/PersonaMathQA", "v1.0.0")
    assert published.count("--dataset_name me/PersonaMathQA --dataset_config") == 2


@dataclass(frozen=True, kw_only=True)
class OwnColumn(Direct):
    """A method with a column of the same name."""

    outline: ClassVar = replace(
        Direct.outline, method="mine", columns={**Direct.outline.columns, "wrong_response": Column("mine")}
    )


REFUSED: list[tuple[Callable[[], Recipe], str]] = [
    (
        lambda: replace(PAIRS, method=Rejection()),
        "preference: the method 'rejection' corrects no wrong solutions; leave the key out",
    ),
    (
        lambda: replace(RECIPE, method=OwnColumn()),
        "method 'mine': the column 'wrong_response' is that of the key preference; rename it",
    ),
]


@pytest.mark.parametrize(("recipe", "message"), REFUSED)
def test_a_recipe_that_can_make_no_pairs_is_refused(recipe: Callable[[], Recipe], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        recipe()


def test_only_a_recipe_with_pairs_has_their_config() -> None:
    assert PREFERENCE in Layout(PAIRS.outline).trainer_configs
    assert PREFERENCE not in Layout(RECIPE.outline).trainer_configs
    assert "preference" in PAIRS.as_dict() and "preference" not in RECIPE.as_dict()
