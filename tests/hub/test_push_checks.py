"""What is looked at before a model is published: the folder, the scores, the licence; a table of faults."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from personamath.errors import BadInput
from personamath.evaluation.tasks.model import model_of
from personamath.training.prompts import ALPACA
from personamath.training.refused_keys import BY_KIND, refuse_misrecorded
from personamath.training.saved_files import checksums
from personamath_hub.models.base_licenses import TERMS, BaseLicense
from personamath_hub.models.checks import check_model, check_saved, check_weights
from personamath_hub.models.files import ModelFiles
from personamath_hub.models.push import teachers_notices, write_version
from personamath_hub.models.scores import read_scores
from personamath_hub.models.training_data import DataFacts
from personamath_hub.versions.tree import hash_file
from tests.support.lm_eval_output import write_run
from tests.support.model_folders import LOCAL, RECORD, based_on, write_facts, write_model

BASE = LOCAL.base_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "model")


@pytest.fixture
def folder(model: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    copy = tmp_path / "runs" / "model"
    copy.mkdir(parents=True)
    for path in model.iterdir():
        if path.is_file():
            (copy / path.name).write_bytes(path.read_bytes())
    return copy


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_complete_folder_passes_and_is_described_in_numbers(model: Path) -> None:
    weights, end, chat, leaks = check_model(model)
    assert int(weights.split()[0]) > 10 and "'</s>' as EOS" in end and "no key" in leaks
    assert chat == "the chat template gives one user message the tokens of the trained prompt"
    files = ModelFiles.of(model)
    assert files.weights == ("model.safetensors",) and files.left == ("checkpoint-1/",)
    assert {"config.json", "generation_config.json", "training.json", "loss.csv", "loss.png"} <= {*files.others}


def test_shards_are_weights_of_one_model(model: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    whole = check_weights(model, ModelFiles.of(model))
    sharded = tmp_path / "sharded"
    AutoModelForCausalLM.from_pretrained(model).save_pretrained(sharded, max_shard_size="200KB")
    for name in ("training.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        (sharded / name).write_bytes((model / name).read_bytes())
    files = ModelFiles.of(sharded)
    assert len(files.weights) > 1 and "model.safetensors.index.json" in files.others
    assert check_weights(sharded, files)[:2] == whole[:2]
    index = sharded / "model.safetensors.index.json"
    weight_map = json.loads(index.read_text())["weight_map"]
    lost = min(weight_map)
    change(index, weight_map={name: file for name, file in weight_map.items() if name != lost})
    with pytest.raises(BadInput, match=f"does not match the files, e.g. {lost}"):
        check_weights(sharded, files)
    (sharded / files.weights[-1]).unlink()
    with pytest.raises(BadInput, match="is missing: save the model again"):
        ModelFiles.of(sharded)


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def generate(folder: Path, **values: Any) -> None:
    change(folder / "generation_config.json", **values)


def index(folder: Path, content: object) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps(content))


def other_eos(folder: Path) -> None:
    change(folder / "tokenizer_config.json", eos_token="<pad>")


def chat(folder: Path, template: str) -> None:
    (folder / "chat_template.jinja").write_text(template)


CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)


def twice(folder: Path) -> None:
    """Two files with the same tensors."""
    (folder / "two.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    index(folder, {"weight_map": {"a": "model.safetensors", "b": "two.safetensors"}})


def no_tensors(folder: Path) -> None:
    from safetensors.numpy import save_file

    save_file({}, folder / "model.safetensors")


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "no such folder"),
    "no record": (lambda folder: (folder / "training.json").unlink(), r"training\.json is missing"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "save the model again, as safetensors"),
    "half the weights": (cut, "not a readable safetensors file"),
    "weights that are there twice": (twice, r"two\.safetensors: its tensor .* is also in model\.safetensors"),
    "weights of nothing": (no_tensors, "has no tensors; save the model again"),
    "other weights": (lambda folder: (folder / "model.safetensors").write_bytes(b"PAR1"), "not a readable safetensors"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").write_text("{}"), "tokenizer cannot be loaded"),
    "another EOS": (other_eos, "its EOS is '<pad>', the model was trained with '</s>'"),
    "an EOS that only the trainer declared": (
        lambda folder: replace(LOCAL, recipe=LOCAL.recipe | {"eos_token": "</s>"}).write(folder),
        r"training\.json: eos_token is </s>, which training now refuses",
    ),
    "a batch that shrank": (
        lambda folder: replace(LOCAL, recipe=LOCAL.recipe | {"auto_find_batch_size": True}).write(folder),
        "auto_find_batch_size is True, which training now refuses",
    ),
    "runs on": (lambda folder: generate(folder, eos_token_id=None), "eos_token_id is None; it must be"),
    "stops early": (lambda folder: generate(folder, eos_token_id=[7, 1]), r"eos_token_id is \[7, 1\]; it must be"),
    "no chat template": (
        lambda folder: (folder / "chat_template.jinja").unlink(),
        r"there is none; write the right one with: python -m personamath\.training\.chat_template ",
    ),
    "the base's chat template": (lambda folder: chat(folder, CHATML), r"it renders '<\|im_start\|>user"),
    "a template that fails": (lambda folder: chat(folder, "{{ 1 / 0 }}"), r"fails on one user message \(division by"),
    "a template of conversations": (
        lambda folder: chat(folder, ALPACA.replace("{instruction}", "{{ messages[-1].content }}")),
        "it takes a system message, which the model was not trained with",
    ),
    "another BOS": (
        lambda folder: replace(LOCAL, prompt=replace(LOCAL.prompt, bos=True)).write(folder),
        "adds no BOS, and the model was trained with one",
    ),
    "a torn config": (lambda folder: (folder / "generation_config.json").write_text("{"), r"generation_config\.json: "),
    "its own path": (
        lambda folder: change(folder / "trainer_state.json", best_model_checkpoint=f"{folder}/checkpoint-1"),
        r"trainer_state\.json: contains the path of model at byte",
    ),
    "a home folder": (
        lambda folder: change(folder / "config.json", source="/home/me/base/"),
        "a path in a home folder",
    ),
    "a key": (lambda folder: (folder / "loss.csv").write_text("hf_" + "x" * 34), r"loss\.csv: contains a Hub token"),
    "an index out of the folder": (lambda folder: index(folder, {"weight_map": {"a": "../w"}}), "save the model again"),
    "a torn index": (lambda folder: index(folder, []), "not a JSON object; save the model again"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_folder_that_is_not_whole_or_not_clean_is_refused_in_one_line(folder: Path, fault: str) -> None:
    check_model(folder)
    spoil, message = FAULTS[fault]
    spoil(folder)
    with pytest.raises(BadInput, match=message) as refused:
        check_model(folder)
    assert len(str(refused.value).splitlines()) == 1


def test_without_transformers_the_remedy_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)  # as where it is not installed
    with pytest.raises(BadInput, match=r"pip install 'personamath\[eval\]'"):
        check_model(folder)


def test_a_key_in_the_header_of_the_weights_is_found(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    save_file(load_file(path), path, metadata={"format": "pt", "from": "/home/someone/base/model"})
    with pytest.raises(BadInput, match=r"model\.safetensors: contains a path in a home folder"):
        check_model(folder)


def test_a_model_of_simulated_data_wants_to_be_asked_for(folder: Path) -> None:
    replace(LOCAL, data=replace(LOCAL.data, simulated=True)).write(folder)
    with pytest.raises(BadInput, match="--allow-simulated"):
        check_model(folder)
    check_model(folder, allow_simulated=True)


# --- scores

RIGHT = [{"exact_match": 1.0, "stopped": 1.0}] * 3


def local(folder: Path) -> dict[str, Any]:
    """What the tasks record of a model in a folder."""
    return {"model": asdict(model_of({"pretrained": str(folder)}))}


def test_scores_of_this_training_are_taken_wherever_the_folder_was(folder: Path, tmp_path: Path) -> None:
    elsewhere = write_facts(tmp_path / "elsewhere", LOCAL)
    results = write_run(tmp_path / "scores", {"personamath_gsm8k": RIGHT}, metadata=local(elsewhere))
    assert read_scores([results], folder, BASE).model.model == "elsewhere"


def test_scores_of_another_training_are_refused(folder: Path, tmp_path: Path) -> None:
    other = write_facts(tmp_path / "other" / "model", replace(LOCAL, wall_seconds=1.0))
    results = write_run(tmp_path / "scores", {"personamath_gsm8k": RIGHT}, metadata=local(other))
    with pytest.raises(BadInput, match=r"scores of model, not of the model in .*runs/model"):
        read_scores([results], folder, BASE)


def test_scores_of_a_folder_without_a_record_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bare" / "model").mkdir(parents=True)
    results = write_run(tmp_path / "scores", {"personamath_gsm8k": RIGHT}, metadata=local(tmp_path / "bare" / "model"))
    with pytest.raises(BadInput, match="scores of model, not of the model in"):
        read_scores([results], folder, BASE)


def test_scores_through_an_api_of_no_repository_are_refused(folder: Path, tmp_path: Path) -> None:
    results = write_run(tmp_path / "scores", {"personamath_gsm8k": RIGHT}, model="served")
    with pytest.raises(BadInput, match="scores of served, not of"):
        read_scores([results], folder, BASE)


def test_the_base_models_scores_come_along_and_do_not_stand_alone(folder: Path, tmp_path: Path) -> None:
    base = based_on("some/base").base_model
    own = write_run(tmp_path / "own", {"personamath_gsm8k": RIGHT}, metadata=local(folder))
    of_base = write_run(tmp_path / "base", {"personamath_gsm8k": RIGHT}, model="some/base")
    scores = read_scores([own, of_base], folder, base)
    assert scores.model.model == "model" and scores.base and scores.base.model == "some/base"
    with pytest.raises(BadInput, match="only scores of the base model"):
        read_scores([of_base], folder, base)


@pytest.mark.parametrize("arguments", [{"peft": "adapter"}, "pretrained=model,load_in_4bit=True"])
def test_scores_of_other_weights_are_refused(folder: Path, tmp_path: Path, arguments: object) -> None:
    results = write_run(
        tmp_path / "scores",
        {"personamath_gsm8k": RIGHT},
        metadata=local(folder),
        config={"model_args": arguments},
    )
    with pytest.raises(BadInput, match="which changes the weights"):
        read_scores([results], folder, BASE)


def test_scores_that_must_not_reach_a_card_are_refused_in_words(folder: Path, tmp_path: Path) -> None:
    limited = write_run(
        tmp_path / "limited",
        {"personamath_gsm8k": RIGHT},
        metadata=local(folder),
        config={"limit": 3.0},
    )
    with pytest.raises(BadInput, match=r"cannot go on a card: .*--limit 3"):
        read_scores([limited], folder, BASE)
    part = write_run(tmp_path / "part", {"personamath_gsm8k": RIGHT}, problems=1319, metadata=local(folder))
    with pytest.raises(BadInput, match="3 of 1,319 problems"):
        read_scores([part], folder, BASE)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(BadInput, match=r"contains no results_"):
        read_scores([tmp_path / "nothing"], folder, BASE)


# --- licences


def written(folder: Path, source: Path, license: BaseLicense) -> dict[str, bytes]:
    folder.mkdir()
    write_version(source, folder, "me/Llama-M", "v1.0.0", None, DataFacts(), license)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_base_models_agreement_and_notice_go_along(folder: Path, tmp_path: Path) -> None:
    license = BaseLicense("llama3.1", {"LICENSE": b"the agreement", "USE_POLICY.md": b"the policy"})
    files = written(tmp_path / "out", folder, license)
    notice = TERMS["llama3.1"].notice
    assert files["LICENSE"] == b"the agreement" and files["USE_POLICY.md"] == b"the policy"
    assert notice and files["NOTICE"].decode() == notice + "\n"
    assert b"**Built with Llama**" in files["README.md"]


def test_files_of_the_model_folder_come_before_the_base_models(folder: Path, tmp_path: Path) -> None:
    (folder / "LICENSE").write_text("my copy")
    (folder / "NOTICE").write_text("Made by me.\n")
    files = written(tmp_path / "out", folder, BaseLicense("llama2", {"LICENSE": b"the agreement", "NOTICE": b"theirs"}))
    assert files["LICENSE"] == b"my copy"
    assert files["NOTICE"].decode() == f"Made by me.\n{TERMS['llama2'].notice}\n"
    assert (folder / "NOTICE").read_text() == "Made by me.\n"
    whole = files["NOTICE"]
    (folder / "NOTICE").write_bytes(whole)
    assert written(tmp_path / "again", folder, BaseLicense("llama2", {}))["NOTICE"] == whole


def test_a_folder_of_its_own_holds_copies(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_version(folder, tmp_path / "out", "me/M", "v1.0.0", None, DataFacts(), BaseLicense("unknown", {}), copy=True)
    copied = tmp_path / "out" / "model.safetensors"
    assert not copied.is_symlink() and copied.read_bytes() == (folder / "model.safetensors").read_bytes()


def test_a_licence_whose_text_is_nowhere_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"Apache License 2\.0 requires its text to be included.*as LICENSE"):
        written(tmp_path / "out", folder, BaseLicense("apache-2.0", {}))


def test_a_base_model_is_asked_for_its_licence_at_its_commit(api: HfApi) -> None:
    api.create_repo("alice/base")
    first = api.upload_file(
        path_or_fileobj=b"---\nlicense: Apache-2.0\n---\n", path_in_repo="README.md", repo_id="alice/base"
    )
    api.upload_file(path_or_fileobj=b"the licence", path_in_repo="LICENSE", repo_id="alice/base")
    base = replace(RECORD.base_model, name="alice/base", commit=None)
    assert BaseLicense.on_hub(base, api) == BaseLicense("apache-2.0", {"LICENSE": b"the licence"})
    assert BaseLicense.on_hub(replace(base, commit=first.oid), api) == BaseLicense("apache-2.0", {})
    assert BaseLicense.on_hub(BASE, api) == BaseLicense("unknown", {})


@pytest.mark.parametrize(
    ("teacher", "repo_id", "noticed"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "me/Mine", True),
        ("meta-llama/Llama-3.1-8B-Instruct", "me/Llama-3.1-Mine", False),
        ("Qwen/Qwen2.5-7B-Instruct", "me/Mine", False),
        ("teacher-1", "me/Mine", False),
    ],
)
def test_a_name_that_the_teachers_terms_ask_for_is_named(teacher: str, repo_id: str, noticed: bool) -> None:
    found = list(teachers_notices(repo_id, DataFacts(provenance={"recipe": {"teacher": teacher}})))
    assert len(found) == noticed
    assert all("asks that the model's name begin with Llama" in notice for notice in found)
    assert not list(teachers_notices(repo_id, DataFacts()))


REFUSED_IN_TRAINING = [
    (kind, key, harmless) for kind, refused in BY_KIND.items() for key, (harmless, _) in refused.items()
]


@pytest.mark.parametrize(("kind", "key", "harmless"), REFUSED_IN_TRAINING)
def test_a_record_of_any_key_that_training_refuses_is_no_record(kind: str, key: str, harmless: object) -> None:
    refuse_misrecorded({"learning_rate": 1e-5, key: harmless}, kind, "training.json")
    other = not harmless if isinstance(harmless, bool) else "something else"
    with pytest.raises(BadInput, match=rf"training\.json: {key} is {other}, which training now refuses"):
        refuse_misrecorded({"learning_rate": 1e-5, key: other}, kind, "training.json")
    with pytest.raises(BadInput, match="model_init_kwargs sets torch_dtype"):
        refuse_misrecorded({"model_init_kwargs": {"torch_dtype": "float16"}}, kind, "training.json")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_one_changed_bit_of_a_file_that_training_saved_is_refused(folder: Path, name: str) -> None:
    replace(LOCAL, files=checksums(folder)).write(folder)
    check_saved(folder, ModelFiles.of(folder), hash_file)
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BadInput, match=rf"{name}: not the bytes that the training saved, by the checksums in training"):
        check_saved(folder, ModelFiles.of(folder), hash_file)
    replace(LOCAL, files={}).write(folder)  # as an earlier version wrote it
    check_saved(folder, ModelFiles.of(folder), hash_file)
