"""The real `trl` trains on a published dataset, by the commands that its card shows."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from personamath.folder.train_commands import MODEL
from personamath_hub.datasets import write_version
from tests.support import programs
from tests.support.folders import RECIPE, row, write
from tests.support.local_hub import LocalHub, local_hub
from tests.support.tiny_models import make_tokenizer, write_model

REPO = "me/PersonaMathQA"
TEMPLATE = """\
{% for message in messages %}<{{ message.role }}>
{{ message.content }}{% if message.role == "assistant" %}{{ eos_token }}{% endif %}
{% endfor %}{% if add_generation_prompt %}<assistant>
{% endif %}"""
# What a test cannot wait for: whole epochs, long completions, a GPU.
SMALL = "--max_steps 2 --use_cpu --per_device_train_batch_size 2 --save_strategy no --logging_steps 1"
SMALL_GRPO = "--num_generations 2 --max_completion_length 8"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """A Hub with a published dataset, and with a tiny model that has the name of the card's."""
    folder = tmp_path_factory.mktemp("trainers")
    owner = MODEL.partition("/")[0]
    recovered = row("stage2_reflection", 5)
    some = [
        row("stage1_inference", 1),
        row("stage1_rewrite", 3),
        replace(recovered, columns={**recovered.columns, "wrong_response": "It is 0."}),
    ]
    original = write(folder / "dataset", some, replace(RECIPE, preference=True))
    write_version(original, folder / "version", REPO, "v1.0.0")
    tokenizer = make_tokenizer("byte-level BPE", [one.response for one in some])
    tokenizer.chat_template = TEMPLATE
    write_model(folder / "model", tokenizer)
    with local_hub(folder / "hub", tokens={"hf_me": "me", f"hf_{owner}": owner}) as hub:
        for kind, repo, path in (("dataset", REPO, "version"), ("model", MODEL, "model")):
            api = HfApi(endpoint=hub.endpoint, token=f"hf_{repo.partition('/')[0]}")
            api.create_repo(repo, repo_type=kind)
            api.upload_folder(repo_id=repo, repo_type=kind, folder_path=folder / path)
        yield hub


def commands(card: str) -> dict[str, str]:
    """The card's commands by the trainer."""
    [block] = re.findall(r"```bash\n(trl .*?)```", card, re.DOTALL)
    return {command.split()[1]: command.strip() for command in block.split("\n\n")}


@pytest.mark.slow
def test_trl_trains_by_the_commands_on_the_card(hub: LocalHub, tmp_path: Path) -> None:
    api = HfApi(endpoint=hub.endpoint, token="hf_me")
    shown = commands(Path(api.hf_hub_download(REPO, "README.md", repo_type="dataset", cache_dir=tmp_path)).read_text())
    assert list(shown) == ["sft", "grpo", "dpo"]
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"} | {
        "PATH": f"{programs.commands()}:{os.environ['PATH']}",
        "HF_ENDPOINT": hub.endpoint,
    }
    for trainer, command in shown.items():
        script = f"{command} {SMALL} {SMALL_GRPO if trainer == 'grpo' else ''}"
        ran = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        assert (tmp_path / f"{trainer}-model" / "model.safetensors").is_file()
        assert ("rewards/correct/mean" in ran.stdout) == (trainer == "grpo")
