"""The README's commands and Python, run as they are, with a local Hub and scripted teachers in place of the network."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from personamath import load_recipe
from personamath.sources.personas import BUNDLED, read_personas
from personamath.sources.problems import MATH_CONFIGS, ProblemSource
from personamath.teachers.simulated import bundled_problems
from personamath.training.record import TrainingRecord
from tests.conftest import REPO, ScriptedTeacher
from tests.support import programs
from tests.support.local_hub import LocalHub, local_hub

pytestmark = pytest.mark.slow

README = (REPO / "README.md").read_text()
PROBLEMS = [flag for source in bundled_problems() for flag in ("--problems", source)]
PROBLEMS_SCORED = 4
PROBLEMS_ON_HUB = 8  # of GSM8K and of MATH, where the teacher recovers one of these by reflection
# Replacements for GPUs, for vLLM and for a model worth scoring; local problems replace the Hub's test sets, whose
# commits are pinned.
IN_SMALL = {
    "--config sft-qwen2.5-7b ": "--config sft-tiny --output_dir runs/sft-qwen2.5-7b --max_steps 2 ",
    "--model vllm --model_args pretrained=runs/sft-qwen2.5-7b": "--model hf --device cpu --batch_size 8"
    " --model_args pretrained=runs/sft-qwen2.5-7b,dtype=float32 --gen_kwargs max_gen_toks=8"
    """ --metadata '{"files": {"gsm8k": "gsm8k.jsonl", "math": "math.jsonl"}}'""",
    "--scores runs/scores": "--without-scores",  # a few problems never reach a card
}
PINS = {
    split.repo: str(split.revision)
    for source in load_recipe(REPO / "recipes" / "augment-paper-v1.yaml").sources.problems
    for split in source.splits
}
TEACHERS = ("gpt-4o-mini-2024-07-18", "Qwen/Qwen2.5-72B-Instruct", "qwen2.5:7b")
OWN_PROBLEM = {"question": "A box holds 12 pens. How many pens do 3 boxes hold?", "answer": "36"}
"""In the README's Python, and in the file of one's own problems."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    """GSM8K, MATH, Persona Hub and the authors' dataset, in their own names and layouts, with a few rows each."""
    gsm8k, math = (list(ProblemSource.parse(source).rows())[-PROBLEMS_ON_HUB:] for source in bundled_problems())
    folders = {
        "openai/gsm8k": {"main": [row.values for row in gsm8k]},
        "EleutherAI/hendrycks_math": {name: [row.values for row in math[i::7]] for i, name in enumerate(MATH_CONFIGS)},
        "jingluo/PersonaMathQA": {
            "default": [{"problem": row.values["question"], "response": row.values["answer"]} for row in gsm8k]
        },
        "proj-persona/PersonaHub": {"persona": [{"persona": one.description} for one in read_personas(BUNDLED)]},
    }
    owners = {repo.partition("/")[0] for repo in folders}
    with local_hub(tmp_path / "hub", tokens={f"hf_{owner}": owner for owner in (*owners, "me")}) as hub:
        for repo, configs in folders.items():
            api = HfApi(endpoint=hub.endpoint, token=f"hf_{repo.partition('/')[0]}")
            api.create_repo(repo, repo_type="dataset")
            data = "\n".join(
                f"- config_name: {name}\n  data_files:\n"
                f"  - {{split: train, path: {name}.jsonl}}\n  - {{split: test, path: {name}-test.jsonl}}"
                for name in configs
            )
            files = {"README.md": f"---\nconfigs:\n{data}\n---\n"}
            files |= {
                f"{name}.jsonl": "".join(json.dumps(row) + "\n" for row in rows) for name, rows in configs.items()
            }
            files |= {f"{name}-test.jsonl": json.dumps(rows[0]) + "\n" for name, rows in configs.items()}
            for name, text in files.items():
                api.upload_file(path_or_fileobj=text.encode(), path_in_repo=name, repo_id=repo, repo_type="dataset")
            if repo in PINS:  # the commit that the recipes name is a tag here
                api.create_tag(repo, tag=PINS[repo], repo_type="dataset")
        yield hub


def test_the_commands_and_the_python_run_as_they_are(
    hub: LocalHub, start_teacher: Callable[..., ScriptedTeacher], tmp_path: Path
) -> None:
    (tmp_path / "mine.jsonl").write_text(json.dumps(OWN_PROBLEM) + "\n")
    known = [*PROBLEMS, "--problems", f"shop:{tmp_path}/mine.jsonl:question:answer"]
    openai, open_teacher, own_teacher = (start_teacher(*known, "--model", model) for model in TEACHERS)
    (tmp_path / "recipes").symlink_to(REPO / "recipes")
    for source in bundled_problems():
        kind, _, path = source.partition(":")
        lines = Path(path).read_text(encoding="utf-8").splitlines(keepends=True)
        (tmp_path / f"{kind}.jsonl").write_text("".join(lines[:PROBLEMS_SCORED]), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"} | {
        "PATH": f"{programs.commands()}:{os.environ['PATH']}",
        "HF_ENDPOINT": hub.endpoint,
        "OPENAI_BASE_URL": openai.base_url,
    }
    commands = [block for block in blocks("bash") if not re.search(r"^make |^pip ", block, re.MULTILINE)]
    script = "set -e\n" + "\n".join(commands).replace("http://127.0.0.1:8000/v1", open_teacher.base_url)
    script = script.replace("HF_TOKEN=...", "HF_TOKEN=hf_me")
    for large, small in IN_SMALL.items():
        assert large in script
        script = script.replace(large, small)
    assert script.count("personamath augment") == 4
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    api = HfApi(endpoint=hub.endpoint, token="hf_me")
    assert api.model_info("me/PersonaMath-Qwen2.5-7B", revision="v1.0.0").siblings
    assert (tmp_path / "runs/v1/report/index.html").is_file()
    record = TrainingRecord.read(tmp_path / "runs/sft-qwen2.5-7b")
    [tag] = api.list_repo_refs("me/PersonaMathQA", repo_type="dataset").tags
    assert (record.data.name, record.data.revision, record.data.commit) == (
        *("me/PersonaMathQA", "v1.0.0"),
        api.dataset_info("me/PersonaMathQA", revision=tag.name).sha,
    )
    assert openai.stats()["requests"] > open_teacher.stats()["requests"] > 100
    assert (tmp_path / "runs/shop/dataset/README.md").is_file()

    for block in blocks("python"):
        block = block.replace("http://127.0.0.1:11434/v1", own_teacher.base_url)
        ran = programs.run(block, folder=tmp_path, environment=environment, kind="training")
        assert ran.returncode == 0 and "boxed" in ran.stdout, ran.stderr


def test_the_make_targets_are_there() -> None:
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE) + re.findall(r"`make (\w+)`", README)
    makefile = (REPO / "Makefile").read_text()
    assert set(targets) == {"demo", "test", "check", "docs"}
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_the_page_that_reproduces_the_paper_names_what_is_there() -> None:
    script = REPO / "recipes" / "reproduce.sh"
    subprocess.run(["bash", "-n", str(script)], check=True)
    text = script.read_text(encoding="utf-8").replace("$NAME", "qwen2.5-7b").replace("$ACCELERATE", "zero2")
    assert '[ "qwen2.5-7b" != llama-3.1-8b ] || MODEL=Llama-3.1-8B-PersonaMath' in text  # or the push is refused
    named = re.findall(r"(?:recipes|accelerate_configs)/[\w.-]+", text)
    assert len(named) >= 4
    assert all((REPO / name).exists() for name in named)
    subcommands = re.findall(r"^personamath (\w+)", text, re.MULTILINE)
    assert subcommands == ["augment", "publish", "scores", "push"]
