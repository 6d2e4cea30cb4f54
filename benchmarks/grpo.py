"""Reinforcement learning without a GPU: whether a tiny model's reward rises, for three seeds, as Markdown.

    python -m benchmarks.grpo runs/sums

A tiny model is fine-tuned on short sums of which every other solution is wrong, until it knows the format and guesses
among two answers. Then recipes/grpo.py rewards it for the right ones, 60 steps for each seed, in runs of their own. The
command fails unless the reward of each seed's last ten steps is higher than that of its first ten by at least `RISE`.
What a folder has is not run again.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.sums import write_fine_tuning, write_problems

REPO = Path(__file__).parent.parent
SEEDS = (1, 2, 3)
STEPS, TENTH = 60, 10
# Ten steps are 320 completions, so the difference of two such means has a standard error of about 0.04.
RISE = 0.1
FINE_TUNING = (
    *("--effective_batch_size", "18", "--per_device_train_batch_size", "18", "--max_steps", "300"),
    *("--learning_rate", "5e-3", "--save_steps", "300", "--logging_steps", "100"),
)
REINFORCEMENT = (
    *("--num_generations", "8", "--effective_batch_size", "32", "--per_device_train_batch_size", "32"),
    *("--pass_rate_samples", "8", "--max_steps", str(STEPS), "--learning_rate", "5e-4"),
    *("--max_completion_length", "16", "--save_steps", "30"),
    # Without a warm-up, Adam's first updates cost so small a model half of what it knows.
    *("--lr_scheduler_type", "constant_with_warmup", "--warmup_steps", "10"),
)


class Trend(NamedTuple):
    seed: int
    pass_rate: float
    rewards: list[float]
    """By step."""

    def mean(self, part: slice) -> float:
        return statistics.mean(self.rewards[part])

    @property
    def rise(self) -> float:
        return self.mean(slice(-TENTH, None)) - self.mean(slice(TENTH))


def launch(recipe: str, config: str, options: Sequence[str]) -> None:
    command = [
        *(sys.executable, "-m", "accelerate.commands.launch", "--num_cpu_threads_per_process", "1"),
        *("--config_file", str(REPO / "accelerate_configs/cpu.yaml"), "--num_processes", "1"),
        *(str(REPO / recipe), "--config", str(REPO / config), "--disable_tqdm", "true", *options),
    ]
    subprocess.run(command, check=True, stdout=sys.stderr, env=os.environ | {"PYTHONPATH": str(REPO)})


def train(folder: Path) -> list[Trend]:
    model = folder / "sft"
    data = ("--dataset_name", str(write_fine_tuning(folder / "fine_tuning.jsonl")))
    launch("recipes/sft.py", "recipes/sft-tiny.yaml", [*data, "--output_dir", str(model), *FINE_TUNING])
    problems = ("--dataset_name", str(write_problems(folder / "problems.jsonl")), "--model_name_or_path", str(model))
    trends = []
    for seed in SEEDS:
        output = folder / f"grpo-{seed}"
        place = ("--output_dir", str(output), "--seed", str(seed))
        launch("recipes/grpo.py", "recipes/grpo-tiny.yaml", [*problems, *place, *REINFORCEMENT])
        log = json.loads((output / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
        record = json.loads((output / "training.json").read_text(encoding="utf-8"))
        rewards = [entry["reward"] for entry in log if "reward" in entry]
        trends.append(Trend(seed, record["reinforcement"]["pass_rate"], rewards))
    return trends


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    trends = train(folder)
    header = " | ".join(f"steps {start + 1} to {start + TENTH}" for start in range(0, STEPS, TENTH))
    print(f"| seed | pass rate before | {header} | rise |")
    print("|---:" * (STEPS // TENTH + 3) + "|")
    for trend in trends:
        parts = " | ".join(f"{trend.mean(slice(start, start + TENTH)):.2f}" for start in range(0, STEPS, TENTH))
        print(f"| {trend.seed} | {trend.pass_rate:.2f} | {parts} | {trend.rise:+.2f} |")
    if any(trend.rise < RISE for trend in trends):
        raise SystemExit(f"a seed's reward did not rise by {RISE}")


if __name__ == "__main__":
    main()
