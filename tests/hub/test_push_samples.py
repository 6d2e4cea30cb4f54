"""`push --with-samples`: the scored completions as a dataset that the card and the results link to."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import HfApi, parse_eval_result_entries

from personamath.commands.cli import main
from personamath.training.record import FILE_NAME
from tests.support.lm_eval_output import write_run
from tests.support.local_hub import LocalHub
from tests.support.model_folders import write_model

pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:It seems that you are about to commit a data file:UserWarning"),
]

Push = Callable[..., int]
VALUES = [{"exact_match": 1.0, "boxed": 1.0}, {"exact_match": 0.0, "boxed": 1.0}]


@pytest.fixture
def push(alice: None, model: Path, repo: str) -> Push:
    """The command as alice, with scores: `push(results, *flags)`."""

    def push(results: Path, *flags: str, version: str = "v1.0.0") -> int:
        named = ["--repo-id", repo, "--version", version, "--scores", str(results), "--with-samples"]
        return main(["push", str(model), *named, *flags])

    return push


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


def scores(folder: Path, model: Path, docs: Mapping[str, Any] | None = None, **metadata: Any) -> Path:
    """lm-eval's output on the model's folder, with a path of this machine where lm-eval itself writes some."""
    record = hashlib.sha256((model / FILE_NAME).read_bytes()).hexdigest()
    scored = {"name": "model", "revision": None, "training_record": record, "local": True}
    write_run(
        folder,
        {"personamath_gsm8k": VALUES},
        docs=docs,
        metadata={"model": scored, **metadata},
        config={"model_args": {"pretrained": str(model)}},
    )
    return folder


@pytest.mark.slow
def test_completions_are_published_and_linked_once(
    push: Push, model: Path, repo: str, hub: LocalHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, samples = scores(tmp_path / "scores", model), f"{repo}-samples"
    data, published = hub.repository(samples, "datasets"), hub.repository(repo, "models")
    assert push(results, "--dry-run") == 0 and capsys.readouterr().out.count("What would be uploaded") == 2
    assert not hub.asked("POST", f"/{repo}.*/(commit|preupload)")

    assert push(results) == 0, capsys.readouterr().err
    assert "no key and no path of this machine in 2 scored completions" in capsys.readouterr().out
    files = data.files(data.resolve("v1.0.0"))
    assert {*files} - {".gitattributes"} == {"README.md", "personamath_gsm8k/model.parquet"}
    card = published.blob("v1.0.0:README.md").decode()
    assert f"(https://huggingface.co/datasets/{samples}/tree/v1.0.0)" in card and "runs/scores --with-samples" in card
    entries = parse_eval_result_entries(yaml.safe_load(published.blob("v1.0.0:.eval_results/gsm8k.yaml")))
    link = f"https://huggingface.co/datasets/{samples}/blob/v1.0.0/personamath_gsm8k/model.parquet"
    assert [entry.source_url for entry in entries] == [link]

    before = data.log("main"), published.log("main")
    assert push(results) == 0 and capsys.readouterr().out.count("v1.0.0 was already published") == 2
    assert (data.log("main"), published.log("main")) == before


def test_a_row_is_a_problem_with_its_verdicts_and_no_settings(
    push: Push, model: Path, repo: str, api: HfApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert push(scores(tmp_path / "scores", model)) == 0
    repo_id = f"{repo}-samples"
    folder = Path(api.snapshot_download(repo_id, repo_type="dataset", revision="v1.0.0", local_dir=tmp_path / "there"))
    first, second = pq.read_table(folder / "personamath_gsm8k" / "model.parquet").to_pylist()
    asked = {"question": "Question 0", "prompt": "Question 0", "answer": "1", "subject": None, "level": None}
    assert first == {"id": 0, **asked, "completions": ["…"], **VALUES[0]}
    assert (second["id"], second["exact_match"]) == (1, 0.0)
    card = (folder / "README.md").read_text()
    (config,) = yaml.safe_load(card.split("---\n")[1])["configs"]
    assert config["data_files"] == [{"split": "model", "path": "personamath_gsm8k/model.parquet"}]
    assert f'load_dataset("{repo_id}", "personamath_gsm8k", split="model", revision="v1.0.0")' in card
    assert str(tmp_path) not in card and "do not train on them" in card


def test_files_of_others_stay(push: Push, model: Path, repo: str, api: HfApi, hub: LocalHub, tmp_path: Path) -> None:
    samples = f"{repo}-samples"
    results = scores(tmp_path / "scores", model)
    assert push(results) == 0
    api.upload_file(path_or_fileobj=b"mine", path_in_repo="notes.txt", repo_id=samples, repo_type="dataset")
    assert push(results, version="v1.1.0") == 0
    assert hub.repository(samples, "datasets").blob("v1.1.0:notes.txt") == b"mine"


def test_problems_of_ones_own_are_named_before_they_are_shown(
    push: Push, model: Path, repo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"name": "mine.jsonl", "config": None, "split": None, "revision": None, "local": True, "fingerprint": "f"}
    assert push(scores(tmp_path / "scores", model, data=own), "--dry-run") == 0
    said = capsys.readouterr().err
    assert f"note: {repo}-samples will show the problems and answers of the local file mine.jsonl" in said


REFUSED: dict[str, Callable[[Path], Mapping[str, Any]]] = {
    "a text of column question contains a Hub token (hf_...)": lambda model: {"question": "hf_" + "a" * 34},
    "a text of column answer contains the path of model": lambda model: {"answer": f"see {model}/x"},
}


@pytest.mark.parametrize("said", REFUSED)
def test_secrets_are_refused_before_anything_is_uploaded(
    push: Push, model: Path, repo: str, hub: LocalHub, tmp_path: Path, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(scores(tmp_path / "scores", model, REFUSED[said](model))) == 1
    error = capsys.readouterr().err
    assert said in error and "push without --with-samples" in error and error.count("\n") == 1
    assert not hub.asked("POST", f"/{repo}.*/(commit|preupload)")


def test_without_scores_there_are_no_completions(
    push: Push, model: Path, repo: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--repo-id", repo, "--version", "v1.0.0", "--without-scores", "--with-samples"]
    assert main(["push", str(model), *flags]) == 1
    assert "--with-samples publishes the completions behind scores: give --scores" in capsys.readouterr().err


def test_a_model_that_cannot_follow_keeps_its_completions_back(
    push: Push, model: Path, repo: str, hub: LocalHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["push", str(model), "--repo-id", repo, "--version", "v1.0.0", "--without-scores"]) == 0
    assert push(scores(tmp_path / "scores", model)) == 1
    assert "v1.0.0 is already published with other content" in capsys.readouterr().err
    assert not hub.asked("POST", f"/{repo}-samples/(commit|preupload)")
