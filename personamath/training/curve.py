"""The curve of a run, as a table and as an image: the loss of fine-tuning, the reward of reinforcement learning."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

LOSSES, LOSS_CURVE = "loss.csv", "loss.png"
COLUMNS = ("step", "epoch", "loss", "learning_rate")


class Value(NamedTuple):
    """What the image shows."""

    key: str
    """Its key in the trainer's log; the table has it too."""
    label: str


LOSS = Value("loss", "training loss (nats per token)")
REWARD = Value("reward", "mean reward")


def write_curve(log_history: Sequence[Mapping[str, Any]], folder: Path, value: Value = LOSS) -> None:
    """Write the table and the image from the trainer's log; the table has a row for each logged step."""
    points = [entry for entry in log_history if "loss" in entry]
    columns = COLUMNS if value.key in COLUMNS else (*COLUMNS, value.key)
    with (folder / LOSSES).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(points)

    from matplotlib.figure import Figure  # not pyplot: no display, no global state

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(
        [point["step"] for point in points], [point[value.key] for point in points], color="#0072B2", linewidth=1.2
    )
    axes.set_xlabel("optimizer step")
    axes.set_ylabel(value.label)
    axes.grid(alpha=0.3)
    # No software tag: the same curve gives the same bytes.
    figure.savefig(folder / LOSS_CURVE, dpi=120, metadata={"Software": None})
