"""The dataset of the paper's authors, in its layout on a local Hub: trained on by its recipe, and compared with."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from personamath.training.record import TrainingRecord
from tests.conftest import REPO
from tests.support.folders import rows, write
from tests.support.hub_process import Run, runner
from tests.support.local_hub import LocalHub, local_hub

AUTHORS = "jingluo/PersonaMathQA"
ROWS = 24
# In place of four GPUs and a model of 7B.
IN_SMALL = (
    *("--model_name_or_path", "tiny", "--max_steps", "2", "--effective_batch_size", "4", "--save_steps", "2"),
    *("--use_cpu", "true", "--bf16", "false", "--gradient_checkpointing", "false", "--disable_tqdm", "true"),
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    with local_hub(tmp_path / "hub", tokens={"hf_jingluo": "jingluo", "hf_alice": "alice"}) as hub:
        api = HfApi(endpoint=hub.endpoint, token="hf_jingluo")
        api.create_repo(AUTHORS, repo_type="dataset")
        made = [{"problem": f"What is {n} + 1?", "response": f"It is $\\boxed{{{n + 1}}}$."} for n in range(ROWS)]
        api.upload_file(
            path_or_fileobj=json.dumps(made).encode(),
            path_in_repo="PersonaMathQA.json",
            repo_id=AUTHORS,
            repo_type="dataset",
        )
        yield hub


@pytest.fixture
def run(hub: LocalHub, tmp_path: Path) -> Run:
    return runner(hub, tmp_path)


@pytest.mark.slow
def test_its_recipe_trains_on_it_and_the_card_says_whose_it_is(run: Run, hub: LocalHub, tmp_path: Path) -> None:
    launch = ("-m", "accelerate.commands.launch", "--config_file", REPO / "accelerate_configs" / "cpu.yaml")
    recipe = (REPO / "recipes" / "sft.py", "--config", REPO / "recipes" / "sft-authors-data.yaml")
    done = run(*launch, *recipe, *IN_SMALL, "--output_dir", tmp_path / "model", PYTHONPATH=str(REPO))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    record = TrainingRecord.read(tmp_path / "model")
    assert (record.data.name, record.data.commit) == (AUTHORS, hub.repository(AUTHORS).resolve("main"))
    assert record.rows.read == ROWS and record.steps == 2
    card = " ".join((tmp_path / "model" / "README.md").read_text().split())
    assert (
        f"[{AUTHORS}@main](https://huggingface.co/datasets/{AUTHORS}/tree/main), the dataset that the authors" in card
    )
    assert "its authors' paper describes it" in card and "**Not checked here.**" in card
    assert "`personamath augment` made the data" not in card


def test_a_report_compares_with_it(run: Run, tmp_path: Path) -> None:
    folder = write(tmp_path / "dataset", rows({"stage1_inference": 4, "stage1_rewrite": 4}))
    words = ("report", folder, "--output", tmp_path / "report", "--compare", f"{AUTHORS}:problem")
    done = run("-m", "personamath.commands.cli", *words, PYTHONPATH=str(REPO))
    assert done.returncode == 0, done.stderr
    assert f"{AUTHORS}:problem" in (tmp_path / "report" / "report.md").read_text()
