"""The demo's model: a tiny one that learns short sums, scored before and after."""

import csv
import json
import random
import shutil
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from personamath.commands.demo_data import simulate
from personamath.commands.processes import Process, run_together
from personamath.evaluation.scores import read_results
from personamath.methods import PersonaMath
from personamath.report.analysis.intervals import wilson
from personamath.shipped import shipped
from personamath.teachers.simulated import Habits
from personamath.training.curve import LOSSES
from personamath.training.record import TrainingRecord

RECIPE = shipped("recipes") / "sft-demo.yaml"
MODEL_NAME, VERSION = "me/PersonaMath-demo", "v0.0.1"

DIGITS = range(1, 10)
HELD_OUT = 20
RNG_SEED = 19
SUMS, HELD_OUT_SUMS = "sums.jsonl", "held-out-sums.jsonl"
# The longest solution has 30 tokens. A model with random weights does not end by itself, so it writes all of them.
NEW_TOKENS = 48
METRICS = {"boxed": "boxed", "right": "exact_match"}
"""The shown metrics and their names in lm-eval's results."""

Sum = tuple[int, ...]


class Trained(NamedTuple):
    """The result of fine-tuning."""

    rows: int
    steps: int
    first_loss: float
    last_loss: float


class Marks(NamedTuple):
    """What a model did with the held-out sums."""

    right: dict[str, int]
    """By the names in `METRICS`, how many of the sums."""
    completion: str
    """Of the first sum."""


def fine_tune(output: Path) -> Trained:
    """Make the sums' dataset and fine-tune on it, as a user would: one recipe, run by `accelerate launch`."""
    train, held_out = split_sums()
    output.mkdir(parents=True, exist_ok=True)
    problems, model = output / SUMS, output / "model"
    problems.write_text("".join(map(_line, train)), encoding="utf-8")
    (output / HELD_OUT_SUMS).write_text("".join(map(_gsm8k_line, held_out)), encoding="utf-8")
    # The teacher makes no mistakes here, so nothing is reflected on: each sum becomes one row.
    method = PersonaMath(k1=0, k2=1)
    simulate(output / "sums", [f"sums:{problems}:question:answer"], method, Habits(solves=1))
    shutil.rmtree(model, ignore_errors=True)
    # On the CPU and without torchrun, which a single process does not need.
    config = str(shipped("accelerate_configs") / "single_gpu.yaml")
    launch = ("accelerate.commands.launch", "--config_file", config, "--cpu", "--mixed_precision", "no")
    recipe = ("--config", str(RECIPE), "--dataset_name", str(output / "sums" / "dataset"), "--output_dir", str(model))
    run_together([Process("fine-tuning", (*launch, str(RECIPE.parent / "sft.py"), *recipe), output / "model.log")])
    with (model / LOSSES).open(encoding="utf-8", newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    record = TrainingRecord.read(model)
    return Trained(record.rows.used, record.steps, losses[0], losses[-1])


def score(output: Path) -> tuple[Marks, Marks]:
    """Score the model before and after fine-tuning on the held-out sums, with lm-eval."""
    models = {"before": output / "model" / "tiny", "after": output / "model"}
    scores = output / "scores"
    shutil.rmtree(scores, ignore_errors=True)
    files = {"files": {"gsm8k": str(output / HELD_OUT_SUMS)}}
    run_together(
        [
            Process(
                f"scoring {name}",
                (
                    *("personamath.evaluation.tasks.lm_eval_command", "--model", "hf"),
                    *("--model_args", f"pretrained={model},dtype=float32", "--device", "cpu"),
                    *("--batch_size", str(HELD_OUT)),
                    *("--tasks", "personamath_gsm8k", "--metadata", json.dumps(files)),
                    *("--gen_kwargs", f"max_gen_toks={NEW_TOKENS}"),
                    *("--output_path", str(scores / name), "--log_samples"),
                ),
                output / f"scores-{name}.log",
            )
            for name, model in models.items()
        ]
    )
    before, after = (_marks(scores / name) for name in models)
    return before, after


def check_push(output: Path) -> None:
    """Write the folder that `personamath push --without-scores` would upload, and check it."""
    from personamath_hub.models.base_licenses import BaseLicense
    from personamath_hub.models.checks import check_model
    from personamath_hub.models.push import write_version
    from personamath_hub.models.training_data import DataFacts

    pushed = output / "pushed"
    shutil.rmtree(pushed, ignore_errors=True)
    pushed.mkdir()
    license = BaseLicense.named(TrainingRecord.read(output / "model").base_model)
    data = DataFacts.in_folder(output / "sums" / "dataset")
    write_version(output / "model", pushed, MODEL_NAME, VERSION, None, data, license, copy=True)
    check_model(pushed, allow_simulated=True)


def table(before: Marks, after: Marks) -> Iterator[str]:
    """Yield the lines that compare the scores, with Wilson's intervals."""
    yield f"{'':8}" + "".join(f"{name:<30}" for name in METRICS).rstrip()
    for label, marks in (("before", before), ("after", after)):
        cells = (_share(marks.right[name]) for name in METRICS)
        yield f"{label:8}" + "".join(f"{cell:<30}" for cell in cells).rstrip()


def split_sums() -> tuple[Sequence[Sum], Sequence[Sum]]:
    """Return the sums to learn from and the held-out ones: all sums of three digits, in a fixed random order."""
    sums: list[Sum] = list(product(DIGITS, repeat=3))
    random.Random(RNG_SEED).shuffle(sums)
    return sums[HELD_OUT:], sums[:HELD_OUT]


def question(terms: Sum) -> str:
    """Ask for a sum."""
    return f"What is {' + '.join(map(str, terms))}?"


def solution(terms: Sum) -> str:
    """Add the terms one after the other."""
    first, second, third = terms
    return f"{first} + {second} = {first + second} and {first + second} + {third} = {sum(terms)}."


def _line(terms: Sum) -> str:
    answer = f"{solution(terms)}\nThe final answer is $\\boxed{{{sum(terms)}}}$."
    return json.dumps({"question": question(terms), "answer": answer}) + "\n"


def _gsm8k_line(terms: Sum) -> str:
    """A sum in GSM8K's columns, as the task reads them."""
    return json.dumps({"question": question(terms), "answer": f"{solution(terms)}\n#### {sum(terms)}"}) + "\n"


def _marks(results: Path) -> Marks:
    (run,) = read_results([results]).tasks
    (samples,) = results.rglob("samples_*.jsonl")
    first = json.loads(samples.read_text(encoding="utf-8").partition("\n")[0])
    right = {name: sum(item.values[metric] > 0 for item in run.items) for name, metric in METRICS.items()}
    return Marks(right, first["filtered_resps"][0])


def _share(count: int) -> str:
    low, high = (100 * end for end in wilson(count, HELD_OUT)[1:])
    return f"{count} of {HELD_OUT} ({low:.0f} to {high:.0f} %)"
