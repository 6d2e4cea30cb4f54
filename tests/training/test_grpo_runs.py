"""Whole runs of recipes/grpo.py through `accelerate launch`, and of TRL's own command with our reward."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from personamath.training.grpo.pass_rates import FILE_NAME as PASS_RATES
from personamath.training.grpo.pass_rates import read
from personamath.training.record import FILE_NAME, TrainingRecord
from personamath_hub.models.card import model_card
from tests.conftest import REPO
from tests.support import programs
from tests.support.sums import DIGITS, write_fine_tuning, write_problems

pytestmark = pytest.mark.slow

SUMS = len(DIGITS) ** 2
STEPS, GENERATIONS, PROBLEMS = 4, 8, 2
MINUTES = 60
# Seconds on an idle machine.
RUN_LIMIT = 10 * MINUTES
WEIGHTS = "model.safetensors"


def run(module: str, *arguments: str, status: int = 0) -> str:
    environment = os.environ | {"PYTHONPATH": str(REPO), "TRL_EXPERIMENTAL_SILENCE": "1"}
    done = programs.run(module, *arguments, environment=environment, folder=REPO, kind="training", limit_s=RUN_LIMIT)
    assert done.returncode == status, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def launch(recipe: str, config: str, *options: str, processes: int = 1, status: int = 0) -> str:
    return run(
        "accelerate.commands.launch",
        *("--num_cpu_threads_per_process", "1", "--main_process_port", "0"),
        *("--config_file", str(REPO / "accelerate_configs/cpu.yaml"), "--num_processes", str(processes)),
        *(str(REPO / "recipes" / recipe), "--config", str(REPO / "recipes" / config), "--disable_tqdm", "true"),
        *options,
        status=status,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sums")
    write_fine_tuning(folder / "fine_tuning.jsonl")
    write_problems(folder / "problems.jsonl")
    return folder


@pytest.fixture(scope="module")
def fine_tuned(data: Path) -> Path:
    """A tiny model that knows the format of an answer and little else: some of its guesses are right."""
    output = data / "fine_tuned"
    launch(
        *("sft.py", "sft-tiny.yaml", "--dataset_name", str(data / "fine_tuning.jsonl"), "--output_dir", str(output)),
        *("--effective_batch_size", "18", "--per_device_train_batch_size", "18", "--max_steps", "60"),
        *("--learning_rate", "1e-2", "--save_strategy", "no", "--logging_steps", "60"),
    )
    return output


def train(data: Path, fine_tuned: Path, output: Path, *options: str, processes: int = 1, status: int = 0) -> str:
    size = str(GENERATIONS * PROBLEMS)
    return launch(
        *("grpo.py", "grpo-tiny.yaml", "--model_name_or_path", str(fine_tuned), "--output_dir", str(output)),
        *("--dataset_name", str(data / "problems.jsonl"), "--num_generations", str(GENERATIONS)),
        *("--effective_batch_size", size, "--per_device_train_batch_size", str(GENERATIONS // processes)),
        *("--max_steps", str(STEPS), "--save_steps", str(STEPS // 2), "--max_completion_length", "16"),
        *("--pass_rate_samples", "8", "--min_pass_rate", "0.2", "--max_pass_rate", "0.9", "--learning_rate", "1e-3"),
        *options,
        processes=processes,
        status=status,
    )


@pytest.fixture(scope="module")
def trained(data: Path, fine_tuned: Path) -> Path:
    output = data / "trained"
    train(data, fine_tuned, output)
    return output


def rewards(output: Path) -> list[tuple[float, float]]:
    log = json.loads((output / "trainer_state.json").read_text())["log_history"]
    return [(entry["reward"], entry["loss"]) for entry in log if "reward" in entry]


def test_what_a_run_leaves(trained: Path, fine_tuned: Path) -> None:
    record = TrainingRecord.read(trained)
    start = TrainingRecord.read(fine_tuned)
    assert record.reinforcement
    solved = read(trained / PASS_RATES)
    kept = sum(0.2 <= number / 8 <= 0.9 for number in solved)

    assert len(solved) == SUMS
    assert record.kind == "grpo" and start.kind == "sft"
    assert (record.base_model, record.prompt) == (start.base_model, start.prompt)
    assert record.reinforcement.started_from.name == fine_tuned.name
    assert record.reinforcement.fine_tuned_on == start.data
    assert record.reinforcement.pass_rate == pytest.approx(sum(solved) / (8 * SUMS))
    assert (record.rows.read, record.rows.used) == (SUMS, kept)
    assert record.steps == STEPS
    assert record.batch.effective_batch_size == GENERATIONS * PROBLEMS
    assert record.reinforcement.final_reward == rewards(trained)[-1][0]
    assert any(reward for reward, _ in rewards(trained))
    assert (trained / WEIGHTS).read_bytes() != (fine_tuned / WEIGHTS).read_bytes()
    card = model_card(trained)
    assert "GRPO with TRL, from the fine-tuned model `fine_tuned`, a local model" in card
    assert "recipes/grpo.py" in card
    # nothing of this machine
    assert str(trained.parent) not in "".join(path.read_text() for path in trained.glob("*.json"))


def test_a_run_that_was_killed_ends_in_the_weights_of_one_that_was_not(
    trained: Path, data: Path, fine_tuned: Path, tmp_path: Path
) -> None:
    output = tmp_path / "trained"
    shutil.copytree(trained, output)
    shutil.rmtree(output / f"checkpoint-{STEPS}")
    for name in (FILE_NAME, WEIGHTS, "trainer_state.json"):
        (output / name).unlink()
    before = (output / PASS_RATES).stat().st_mtime_ns

    said = train(data, fine_tuned, output)

    assert f"resuming from {output / f'checkpoint-{STEPS // 2}'}" in said
    assert (output / PASS_RATES).stat().st_mtime_ns == before
    assert rewards(output) == rewards(trained)
    assert (output / WEIGHTS).read_bytes() == (trained / WEIGHTS).read_bytes()
    assert "is finished" in train(data, fine_tuned, output)


def test_two_processes_share_the_work(data: Path, fine_tuned: Path, tmp_path: Path) -> None:
    output = tmp_path / "model"
    train(data, fine_tuned, output, "--max_steps", "2", processes=2)
    record = TrainingRecord.read(output)
    assert len(read(output / PASS_RATES)) == SUMS
    assert (record.steps, record.batch.processes, len(rewards(output))) == (2, 2, 2)


def test_a_filter_that_leaves_too_little_is_one_line(data: Path, fine_tuned: Path, tmp_path: Path) -> None:
    options = ["--min_pass_rate", "0.99", "--max_pass_rate", "1"]
    said = train(data, fine_tuned, tmp_path / "model", *options, status=1)
    (line,) = (line for line in said.splitlines() if line.startswith("grpo: "))
    assert re.match(
        r"grpo: [01] of 9 problems are left \(dropped: \{'solved in less than 99% .*, and a step takes 2", line
    )


def test_a_model_that_was_not_fine_tuned_here_is_one_line(data: Path, fine_tuned: Path, tmp_path: Path) -> None:
    said = train(data, fine_tuned / "tiny", tmp_path / "model", status=1)
    (line,) = (line for line in said.splitlines() if line.startswith("grpo: "))
    assert line.startswith(f"grpo: {fine_tuned / 'tiny'} has no training.json: reinforcement learning starts from")


def test_trls_own_command_takes_the_reward_by_its_name(data: Path, fine_tuned: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (data / "problems.jsonl").read_text().splitlines()]
    plain = [{"prompt": row["prompt"][0]["content"], "solution": row["solution"]} for row in rows]
    folder = tmp_path / "dataset"
    folder.mkdir()
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in plain))
    run(
        *("trl.cli.main", "grpo", "--model_name_or_path", str(fine_tuned)),
        *("--dataset_name", str(folder), "--reward_funcs", "personamath.rewards.correct"),
        *("personamath.rewards.boxed", "--output_dir", str(tmp_path / "model"), "--max_steps", "2"),
        *("--num_generations", "4", "--per_device_train_batch_size", "4", "--max_completion_length", "16"),
        *("--use_cpu", "true", "--bf16", "false", "--logging_steps", "1", "--report_to", "none"),
    )
    log = json.loads((tmp_path / "model" / "checkpoint-2" / "trainer_state.json").read_text())["log_history"]
    assert {"rewards/correct/mean", "rewards/boxed/mean"} <= set(log[-1])
