"""What a folder is bound to: the bytes of a model's files, and the examples that it is trained on."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import pytest

from personamath.errors import BadInput
from personamath.evaluation.tasks.model import model_of
from personamath.training.base_model import loading_weights
from personamath.training.data import examples_digest
from personamath.training.environment import machine
from personamath.training.grpo.problems import Problem, problems_digest
from personamath.training.saved_files import checksums, damage, identity
from tests.support.model_folders import RECORD


def flip(path: Path) -> None:
    """One bit, in the middle: a bad disk or a bad copy."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


FILES = {
    "model.safetensors": b"weights",
    "config.json": b"{}",
    "tokenizer.json": b'{"a": 1}',
    "adapter/adapter_model.safetensors": b"adapter",
    "README.md": b"# Model",
    "chat_template.jinja": b"{{ messages }}",
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    replace(RECORD, files=checksums(folder)).write(folder)
    return folder


DAMAGES: list[tuple[Callable[[Path], Any], str]] = [
    (lambda model: None, ""),
    (lambda model: flip(model / "model.safetensors"), "model.safetensors"),
    (lambda model: (model / "model.safetensors").write_bytes(b""), "model.safetensors"),
    (lambda model: (model / "model.safetensors").write_bytes(b"wei"), "model.safetensors"),
    (lambda model: flip(model / "config.json"), "config.json"),
    (lambda model: flip(model / "tokenizer.json"), "tokenizer.json"),
    (lambda model: flip(model / "adapter" / "adapter_model.safetensors"), "adapter/adapter_model.safetensors"),
    # What people mend by hand, and what loading reports by itself.
    (lambda model: flip(model / "README.md"), ""),
    (lambda model: flip(model / "chat_template.jinja"), ""),
    (lambda model: shutil.rmtree(model / "adapter"), ""),  # a merged model, as it is published
    # An adapter, as it is published: at the top.
    (lambda model: (model / "adapter" / "adapter_model.safetensors").rename(model / "adapter_model.safetensors"), ""),
]


@pytest.mark.parametrize(("change", "named"), DAMAGES)
def test_a_model_with_other_bytes_than_its_record_is_not_scored(
    change: Callable[[Path], Any], named: str, model: Path
) -> None:
    change(model)
    if not named:
        assert model_of({"pretrained": str(model)}).training_record
        return
    with pytest.raises(BadInput, match=rf"{named} is not what the training saved, by its training.json: copy the mod"):
        model_of({"pretrained": str(model)})


def test_a_record_of_an_earlier_version_has_no_checksums(model: Path) -> None:
    assert damage(model, {}) is None


def test_two_folders_of_one_name_are_told_apart_by_their_weights(model: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(model, tmp_path / "elsewhere" / "model"))
    assert identity(other) == identity(model)
    flip(other / "model.safetensors")
    assert identity(other) != identity(model)


@pytest.mark.parametrize("content", [b"", b"\x10\0\0\0\0\0\0\0{}", b"null", None], ids=["empty", "cut", "null", "gone"])
def test_weights_that_cannot_be_loaded_are_one_line(content: bytes | None, tmp_path: Path) -> None:
    from safetensors import safe_open

    if content is not None:
        (tmp_path / "model.safetensors").write_bytes(content)
    with (
        pytest.raises(BadInput, match=r"^cannot load the weights of base \(.*\); copy or download them again$"),
        loading_weights("base"),
        safe_open(tmp_path / "model.safetensors", framework="numpy"),
    ):
        pass


EXAMPLES = {"input_ids": [[1, 2, 3], [4, 5], [6, 7, 8]], "labels": [[-100, 2, 3], [-100, 5], [-100, 7, 8]]}
CHANGES: list[Callable[[dict[str, Any]], Any]] = [
    lambda columns: columns["input_ids"][0].__setitem__(1, 9),  # a digit of a row, or another EOS: as many tokens
    lambda columns: columns["labels"][2].__setitem__(1, -100),
    lambda columns: [column.reverse() for column in columns.values()],  # another order
    lambda columns: columns.update(input_ids=[[1, 2], [3, 4, 5], [6, 7, 8]]),
]


def made(columns: dict[str, Any]) -> Any:
    return datasets.Dataset.from_dict({name: [list(one) for one in column] for name, column in columns.items()})


@pytest.mark.parametrize("change", CHANGES)
def test_examples_with_the_same_count_of_tokens_are_told_apart(change: Callable[[dict[str, Any]], Any]) -> None:
    columns = {name: [list(one) for one in column] for name, column in EXAMPLES.items()}
    change(columns)
    assert sum(map(len, columns["input_ids"])) == 8
    assert examples_digest(made(columns)) != examples_digest(made(EXAMPLES))


def test_the_digest_of_examples_does_not_depend_on_how_they_are_stored() -> None:
    rows = made(EXAMPLES)
    again = datasets.concatenate_datasets([rows.select([0]), rows.select([2, 1]).select([1, 0])])
    narrow = datasets.Features({name: datasets.List(datasets.Value("int32")) for name in EXAMPLES})
    assert examples_digest(again) == examples_digest(rows) == examples_digest(rows.cast(narrow))


def test_the_digest_of_problems_depends_on_each_and_on_their_order() -> None:
    one, other = Problem("1 + 1?", "2"), Problem("2 + 2?", "4")
    digests = {problems_digest(each) for each in ([one, other], [other, one], [one], [one, Problem("2 + 2?", "5")])}
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("options", "launched", "precision"),
    [
        ({}, None, "no"),
        ({"bf16": True}, None, "bf16"),
        ({"fp16": True}, "no", "fp16"),
        ({}, "bf16", "bf16"),  # by accelerate's config, or its --mixed_precision
        ({"bf16": True}, "fp16", "bf16"),  # the recipe decides
    ],
)
def test_the_precision_belongs_to_the_machine(
    options: dict[str, bool], launched: str | None, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)
    if launched:
        monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", launched)
    unset = {"fp16": False, "bf16": False, "deepspeed_plugin": None, "fsdp": None, "world_size": 1}
    there = machine(SimpleNamespace(**unset | options))
    assert there == {"strategy": "one process", "processes": 1, "precision": precision}
