"""Speed and agreement with the labels of `personamath.rewards.correct` and TRL's `accuracy_reward`, as Markdown.

    python -m benchmarks.rewards ../shared/data/answers/pairs.jsonl

The pairs are those of benchmarks/grading.py; only real model outputs are taken, each as the message that a trainer
passes. One batch of all of them goes to each reward in turn, several times; the table has the median, and the ratio is
that of CPU seconds within a turn. Imports are left out; CPU seconds are those of this process, and no output here needs
a worker. TRL skips an output (None) where it cannot read the reference; its second row gets the references in a box,
which it reads best.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from personamath import rewards

TURNS = 5


class Batch(NamedTuple):
    completions: list[list[dict[str, str]]]
    solution: list[str]
    labels: list[bool]


class Turn(NamedTuple):
    rewards: list[float | None]
    wall_seconds: float
    cpu_seconds: float


def read_batch(path: Path) -> Batch:
    lines = path.read_text(encoding="utf-8").split("\n")  # an answer may hold U+2028
    rows = [json.loads(line) for line in lines if line]
    real = [row for row in rows if row["kind"].startswith("real_")]
    completions = [[{"role": "assistant", "content": row["candidate"]}] for row in real]
    return Batch(completions, [row["gold"] for row in real], [row["equal"] for row in real])


def take(reward: Callable[..., list[float | None]], batch: Batch) -> Turn:
    wall, cpu = time.perf_counter(), time.process_time()
    given = reward(completions=batch.completions, solution=batch.solution, prompts=None)
    return Turn(given, time.perf_counter() - wall, time.process_time() - cpu)


def row(name: str, turns: list[Turn], batch: Batch) -> str:
    given = turns[0].rewards
    pairs = list(zip(given, batch.labels, strict=True))
    agree = sum(reward is not None and (reward == 1.0) == label for reward, label in pairs)
    falsely = sum(reward == 1.0 and not label for reward, label in pairs)
    missed = sum(reward == 0.0 and label for reward, label in pairs)
    seconds = statistics.median(turn.wall_seconds for turn in turns)
    cpu = statistics.median(turn.cpu_seconds for turn in turns)
    counts = f"{agree / len(pairs):.3f} | {falsely} | {missed} | {given.count(None)}"
    return f"| {name} | {counts} | {len(pairs) / seconds:,.0f} | {len(pairs) / cpu:,.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, nargs="?", default=Path("../shared/data/answers/pairs.jsonl"))
    path = parser.parse_args().pairs
    if not path.is_file():
        raise SystemExit(f"skipped: {path} is not at hand")
    from trl.rewards import accuracy_reward

    batch = read_batch(path)
    in_boxes = [rf"\boxed{{{gold}}}" for gold in batch.solution]
    given: dict[str, tuple[Any, Batch]] = {
        "personamath.rewards.correct": (rewards.correct, batch),
        "trl accuracy_reward": (accuracy_reward, batch),
        "trl accuracy_reward, boxed references": (accuracy_reward, batch._replace(solution=in_boxes)),
    }
    for function, part in given.values():  # what is imported and compiled at first use
        take(function, Batch(part.completions[:20], part.solution[:20], part.labels[:20]))
    turns: dict[str, list[Turn]] = {name: [] for name in given}
    for _ in range(TURNS):
        for name, (function, part) in given.items():
            turns[name].append(take(function, part))

    print(f"{len(batch.labels)} real outputs, {sum(batch.labels)} of them correct; {TURNS} turns\n")
    print("| reward | agrees | wrongly 1 | wrongly 0 | skipped | outputs/s | outputs per CPU second |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, taken in turns.items():
        print(row(name, taken, batch))
    ours, *others = turns.values()
    for name, theirs in zip([*turns][1:], others, strict=True):
        ratios = [their.cpu_seconds / our.cpu_seconds for our, their in zip(ours, theirs, strict=True)]
        print(f"\n{name}: ours takes 1/{min(ratios):.0f} to 1/{max(ratios):.0f} of the CPU time within a turn.")


if __name__ == "__main__":
    main()
