"""`personamath demo`: go the whole way on bundled problems, without a key or a network."""

import argparse
import importlib.util
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from personamath.commands import demo_data, demo_model
from personamath.commands.demo_data import RECORDED_LICENSE, RECORDED_MODEL
from personamath.files import folder_for_libraries, in_one_line, plain_path
from personamath.methods import PersonaMath
from personamath.runs.funnel import composition
from personamath.runs.made import Made
from personamath.teachers.simulated import bundled_problems

DESCRIPTION = """\
Run the whole project without a key or a network. The demo replays the recorded answers of a real model (Qwen2.5-Coder-
1.5B-Instruct, Apache-2.0) to 48 bundled problems: it makes the dataset, checks it and writes a report. Then a tiny
model learns short sums and is scored before and after.

With --simulated, a program that plays a teacher takes the place of the recorded answers. Its data is marked as
simulated; do not train on it.

Fine-tuning and scoring need a checkout with the extra `demo`; `make demo` installs it.
"""
OUTPUT, SIMULATED_OUTPUT = "runs/demo", "runs/demo-simulated"
DATA_NAME, VERSION = "me/PersonaMathQA-demo", "v0.0.1"
TRAINING_MODULES = ("accelerate", "trl", "lm_eval")
SIDE_BY_SIDE = 100
"""Columns of a terminal from which two texts are shown side by side."""
MOST_COLUMNS = 140
SHOWN_CHARACTERS = 100
"""Of a completion."""
SHOWN_OUTCOMES = 3
"""Of the requests of one kind; run.json and the report have all."""
NEXT = """\
Next
  Look at every row, and everything it came from:
    {report}
  Ask a real teacher (20 problems of each source cost cents; docs/teachers.md):
    export OPENAI_API_KEY=...
    personamath augment --problems gsm8k --problems math --limit 20 \\
        --teacher gpt-4o-mini-2024-07-18 --output runs/first-look
  Use problems of your own (docs/problems.md):
    personamath augment --problems shop:mine.jsonl:question:answer ..."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--output",
        type=plain_path,
        metavar="DIR",
        help=f"run directory (default {OUTPUT}, or {SIMULATED_OUTPUT} with --simulated)",
    )
    parser.add_argument("--data-only", action="store_true", help="stop at the report of the data, in a few seconds")
    parser.add_argument("--simulated", action="store_true", help="ask a simulated teacher; the data is not real")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    output = Path(options.output or (SIMULATED_OUTPUT if options.simulated else OUTPUT))
    _make_data(output, options.simulated)
    report = _report(output)
    if not options.data_only:
        if missing := _missing():
            print(f"\nThe model is left out: {missing}")
        else:
            _make_model(output)
    print(f"\n{_activation()}{NEXT.format(report=report.resolve().as_uri())}")
    return 0


def _make_data(output: Path, simulated: bool) -> None:
    """Make the dataset and show its counts and one rewrite."""
    if simulated:
        print("SIMULATED: a program plays the teacher, over real HTTP. Do not train on its rows.")
        made = demo_data.simulate(output, bundled_problems(), PersonaMath())
    else:
        print(f"Data: {RECORDED_MODEL} ({RECORDED_LICENSE}) solves 48 problems and rewrites them for personas.")
        made = demo_data.replay(output)
    outline = PersonaMath.outline
    print(f"\n{composition(made.funnel, outline)}\n")
    print("\n".join(_outcomes(made)))
    print(f"{made.asked.asked:,} answers asked, {made.asked.replayed:,} from the journal.\n")
    rows = _check_version(output / "dataset", output / "published", simulated)
    print(f"The dataset is in {output}/dataset: {rows.num_rows:,} rows, with the checks of `personamath publish`.")
    rewrites = (row for row in rows if row["step"] == "stage1_rewrite" and row["flag"] is None)
    if row := next(rewrites, None):
        print(f"\nOne rewrite, for the persona {row['persona']!r}:\n")
        print("\n".join(beside(row["seed_problem"], row["problem"], _columns())))


def _outcomes(made: Made) -> Iterator[str]:
    """Yield a line for each kind of request, with its most frequent outcomes."""
    outline = PersonaMath.outline
    width = max(len(outline.label(kind)) for kind in outline.kinds) + 1
    for kind in outline.kinds:
        counts = made.funnel.requests(kind.name)
        most = [f"{count:,} {outcome}" for outcome, count in list(counts.items())[:SHOWN_OUTCOMES]]
        others = sum(list(counts.values())[SHOWN_OUTCOMES:])
        name = f"{outline.label(kind):<{width}}"
        yield f"{name}{sum(counts.values()):>5,}: " + ", ".join(most + [f"{others:,} other"] * (others > 0))


def beside(left: str, right: str, width: int) -> Iterator[str]:
    """Yield the lines of two texts, beside each other if the terminal is wide enough."""
    if width < SIDE_BY_SIDE:
        for title, text in (("original", left), ("rewrite", right)):
            yield f"  {title}"
            yield from (f"  | {line}" for line in wrapped(text, width - 4))
        return
    column = (width - 7) // 2
    yield f"  {'original':<{column}} | rewrite"
    for one, other in zip_longest(wrapped(left, column), wrapped(right, column), fillvalue=""):
        yield f"  {one:<{column}} | {other}".rstrip()


def wrapped(text: str, width: int) -> list[str]:
    """Wrap each line of a text."""
    return [part for line in text.splitlines() for part in textwrap.wrap(line, width) or [""]]


def _check_version(folder: Path, published: Path, simulated: bool) -> Any:
    """Write the folder that `personamath publish` would upload, check it, and load it back; return its rows."""
    import datasets

    from personamath.folder.checks import check_folder
    from personamath_hub.datasets import write_version

    datasets.disable_progress_bars()
    shutil.rmtree(published, ignore_errors=True)
    write_version(folder, published, DATA_NAME, VERSION)
    check_folder(published, allow_simulated=simulated)
    with folder_for_libraries(published) as plain:
        return datasets.load_dataset(str(plain), split="train")


def _report(output: Path) -> Path:
    from personamath.report.analysis.rows import read_run
    from personamath.report.write import write_report

    return write_report(read_run(output / "dataset", "the demo's data", output), output / "report")


def _missing() -> str | None:
    """Return one line about the first thing that fine-tuning needs and this machine lacks, or None."""
    absent = [name for name in TRAINING_MODULES if importlib.util.find_spec(name) is None]
    return f"{absent[0]} is not installed; pip install -e '.[demo]'" if absent else None


def _make_model(output: Path) -> None:
    """Fine-tune and score the tiny model, and show what it learned."""
    train, held_out = demo_model.split_sums()
    print(
        f"\nModel: a tiny model with random weights learns short sums from {len(train)} rows of its own, because the "
        "data\nabove is far too hard for it. A program wrote these rows, so they are simulated, too."
    )
    trained = demo_model.fine_tune(output)
    print(f"Fine-tuning (recipes/sft-demo.yaml): loss {trained.first_loss:.2f} -> {trained.last_loss:.2f}", end=" ")
    print(f"in {trained.steps} steps; the curve is {output}/model/loss.png")
    before, after = demo_model.score(output)
    demo_model.check_push(output)
    print(f"Scores on {len(held_out)} other sums, by lm-eval with the project's grader (95 % intervals, Wilson's):\n")
    print("\n".join(f"  {line}" for line in demo_model.table(before, after)))
    print(f"\n  {demo_model.question(held_out[0])}")
    for label, marks in (("before", before), ("after", after)):
        text = in_one_line(marks.completion, SHOWN_CHARACTERS)
        print(textwrap.fill(text, _columns(), initial_indent=f"  {label:8}", subsequent_indent=" " * 10))
    print(f"\nThe model is in {output}/model, with the checks of `personamath push --without-scores`.")


def _columns() -> int:
    return min(shutil.get_terminal_size().columns, MOST_COLUMNS)


def _activation() -> str:
    """Return how to put the commands on the path, if they are not."""
    if shutil.which("personamath"):
        return ""
    return f"Put the commands on your path:  . {os.path.relpath(sys.prefix)}/bin/activate\n\n"
