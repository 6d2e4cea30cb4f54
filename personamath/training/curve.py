"""The loss curve of a run, as a table and as an image."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOSSES, LOSS_CURVE = "loss.csv", "loss.png"
COLUMNS = ("step", "epoch", "loss", "learning_rate")


def write_curve(log_history: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write the table and the image from the trainer's log; the table has a row for each logged step."""
    points = [entry for entry in log_history if "loss" in entry]
    with (folder / LOSSES).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(points)

    from matplotlib.figure import Figure  # not pyplot: no display, no global state

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([point["step"] for point in points], [point["loss"] for point in points], color="#0072B2", linewidth=1.2)
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("training loss (nats per token)")
    axes.grid(alpha=0.3)
    # No software tag: the same curve gives the same bytes.
    figure.savefig(folder / LOSS_CURVE, dpi=120, metadata={"Software": None})
