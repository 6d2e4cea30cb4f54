"""Load a dataset and plot the lengths of its problems by step.

    python examples/load_and_plot.py runs/mine/dataset --output lengths.png

The dataset may also be on the Hub: `me/PersonaMathQA`, with `--revision v1.0.0`.
"""

import argparse
from collections import defaultdict

import matplotlib

matplotlib.use("Agg")  # write a file, open no window

import matplotlib.pyplot as plt
from datasets import load_dataset

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("dataset", help="dataset folder, or OWNER/NAME on the Hub")
parser.add_argument("--revision", help="version on the Hub, e.g. v1.0.0")
parser.add_argument("--output", default="lengths.png", help="picture to write (default %(default)s)")
options = parser.parse_args()

rows = load_dataset(options.dataset, "default", split="train", revision=options.revision)
words: dict[str, list[int]] = defaultdict(list)
for row in rows:
    words[row["step"]].append(len(row["problem"].split()))

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.hist(list(words.values()), bins=20, stacked=True, label=list(words))
axes.set(xlabel="words in the problem", ylabel="rows", title=f"{len(rows):,} rows")
axes.legend()
figure.savefig(options.output, dpi=150)
for step, counts in words.items():
    print(f"{step:<20} {len(counts):>6,} rows, {sum(counts) / len(counts):5.1f} words on average")
print(f"Wrote {options.output}")
