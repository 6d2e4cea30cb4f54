"""`personamath demo`: run the whole pipeline on bundled problems with the simulated teacher."""

import argparse
import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from personamath.commands.augment import augment_and_report
from personamath.errors import BadInput
from personamath.files import folder_for_libraries, plain_path
from personamath.recipe import Recipe
from personamath.runs.setup import Setup
from personamath.sources.problems import ProblemSource
from personamath.teachers.simulated import MODEL, SimulatedTeacher, application, bundled_problems, serve

DESCRIPTION = """\
Run the whole pipeline without a key or a network. The demo augments bundled problems with bundled personas and a
simulated teacher, which it asks over real HTTP on the loopback interface. Then it fine-tunes a tiny model on the data,
scores it and makes a report. All data is marked as simulated; do not train on it.

Fine-tuning and scoring need a checkout with the extras `train` and `eval`; `make demo` installs them.
"""
NEXT = """\
Next, use a real teacher (a first look at 20 problems of each source costs cents):

  export OPENAI_API_KEY=...
  personamath augment --problems gsm8k --problems math --limit 20 \\
      --teacher gpt-4o-mini-2024-07-18 --output runs/first-look
"""
CHECKOUT = Path(__file__).parent.parent.parent
TRAINING_MODULES = ("accelerate", "trl", "lm_eval")
MODEL_NAME, DATA_NAME, VERSION = "me/PersonaMath-demo", "me/PersonaMathQA-demo", "v0.0.1"
# A model with random weights gains nothing from more steps, and never ends a completion by itself.
STEPS, NEW_TOKENS = 20, 48
LOG_LINES = 15


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--output", type=plain_path, default="runs/demo", metavar="DIR", help="run directory (default %(default)s)"
    )
    parser.add_argument("--data-only", action="store_true", help="stop at the dataset, in a few seconds")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    output = Path(options.output)
    sources = bundled_problems()
    _head("The data: a simulated teacher solves and rewrites the bundled problems, and reflects on them")
    with _embedded_teacher(sources) as base_url:
        recipe = Recipe(problems=tuple(sources), teacher=MODEL)
        status = augment_and_report(recipe, Setup(base_url=(base_url,), output=options.output))
    folder = output / "dataset"
    _show_rows(folder)
    _show_version(folder, output / "published")
    if options.data_only:
        return status
    if missing := _missing():
        _head(f"No fine-tuning: {missing}")
    else:
        _fine_tune(output)
        _score(output)
        _show_model(output)
    if shutil.which("personamath") is None:
        print(f"Put the commands on your path:\n\n  . {os.path.relpath(sys.prefix)}/bin/activate\n")
    print(NEXT)
    _head("The report: every figure and every row")
    print(_report(output).resolve().as_uri())
    return status


def _head(text: str) -> None:
    print(f"\n=== {text}\n", flush=True)


def _missing() -> str | None:
    """Return one line about the first thing that fine-tuning needs and this machine lacks, or None."""
    if not (CHECKOUT / "recipes" / "sft.py").is_file():
        return "the recipes are in the repository, not in the installed package"
    absent = [name for name in TRAINING_MODULES if importlib.util.find_spec(name) is None]
    return f"{absent[0]} is not installed; pip install -e '.[train,eval]'" if absent else None


@contextmanager
def _embedded_teacher(sources: list[str]) -> Iterator[str]:
    """Serve the teacher from its own thread, like a remote endpoint; yield its base URL."""
    teacher = SimulatedTeacher(ProblemSource.parse(source) for source in sources)
    unproxied = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    os.environ["no_proxy"] = f"{unproxied},127.0.0.1" if unproxied else "127.0.0.1"
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulated teacher", daemon=True)
    thread.start()
    server = serve(application(teacher))
    base_url = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    try:
        yield base_url
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _show_version(folder: Path, published: Path) -> None:
    """Write the folder that `personamath publish` would upload, check it, and load it back."""
    import datasets

    from personamath.folder.checks import check_folder
    from personamath_hub.datasets import write_version

    write_version(folder, published, DATA_NAME, VERSION)
    print(f"--- `personamath publish` would upload {published}")
    for line in check_folder(published, allow_simulated=True):
        print(f"checked: {line}")
    with folder_for_libraries(published) as plain:
        loaded = datasets.load_dataset(str(plain), split="train")
    print(f"loaded back: {loaded.num_rows:,} rows of {len(loaded.column_names)} columns")


def _fine_tune(output: Path) -> None:
    """Fine-tune the tiny model on the published folder, as a user would: one recipe, run by `accelerate launch`."""
    _head(f"The model: fine-tune a tiny model with random weights for {STEPS} steps (recipes/sft-tiny.yaml)")
    shutil.rmtree(output / "model", ignore_errors=True)
    _run(
        *("accelerate.commands.launch", "--config_file", str(CHECKOUT / "accelerate_configs" / "cpu.yaml")),
        *("--num_processes", "1", str(CHECKOUT / "recipes" / "sft.py")),
        *("--config", str(CHECKOUT / "recipes" / "sft-tiny.yaml"), "--dataset_name", str(output / "published")),
        *("--output_dir", str(output / "model"), "--max_steps", str(STEPS), "--disable_tqdm", "true"),
        log=output / "model.log",
    )
    losses = (output / "model" / "loss.csv").read_text(encoding="utf-8").splitlines()
    print(f"loss {losses[1].split(',')[2]} -> {losses[-1].split(',')[2]}; the curve is {output / 'model' / 'loss.png'}")


def _score(output: Path) -> None:
    """Score the model with lm-eval on the bundled problems; they are far too few for a card, and the output says so."""
    from personamath.commands import scores
    from personamath.evaluation.scores import read_results
    from personamath.evaluation.tasks import FOLDER

    _head("The scores: lm-eval asks the model a few bundled problems in the style of GSM8K, none from GSM8K itself")
    results = output / "scores"
    shutil.rmtree(results, ignore_errors=True)
    with as_file(files("personamath.sources.bundled") / "gsm8k-demo.jsonl") as problems:
        _run(
            *("lm_eval", "--model", "hf", "--model_args", f"pretrained={output / 'model'},dtype=float32"),
            *("--device", "cpu", "--batch_size", "16", "--include_path", str(FOLDER)),
            *("--tasks", "personamath_gsm8k", "--metadata", json.dumps({"files": {"gsm8k": str(problems)}})),
            *("--gen_kwargs", f"max_gen_toks={NEW_TOKENS}", "--output_path", str(results), "--log_samples"),
            log=output / "scores.log",
        )
    print("\n".join(scores.report(read_results([results]), None)))


def _show_model(output: Path) -> None:
    """Write the folder that `personamath push` would upload, with the card of a model without publishable scores."""
    from personamath.training.record import TrainingRecord
    from personamath_hub.models.base_licenses import BaseLicense
    from personamath_hub.models.checks import check_model
    from personamath_hub.models.push import write_version
    from personamath_hub.models.training_data import DataFacts

    pushed = output / "pushed"
    shutil.rmtree(pushed, ignore_errors=True)
    pushed.mkdir()
    license = BaseLicense.named(TrainingRecord.read(output / "model").base_model)
    data = DataFacts.in_folder(output / "published")
    write_version(output / "model", pushed, MODEL_NAME, VERSION, None, data, license, copy=True)
    print(f"\n--- `personamath push --without-scores` would upload {pushed}")
    for line in check_model(pushed, allow_simulated=True):
        print(f"checked: {line}")


def _report(output: Path) -> Path:
    from personamath.report.analysis.rows import read_run
    from personamath.report.write import write_report

    return write_report(read_run(output / "dataset", "the demo's data", output), output / "report")


def _run(*module: str, log: Path) -> None:
    """Run a module in its own process, its output in `log`; raise `BadInput` with the end of the log if it fails."""
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run([sys.executable, "-m", *module], stdout=file, stderr=subprocess.STDOUT)
    if done.returncode:
        end = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LOG_LINES:]
        raise BadInput(f"{module[0]} ended with status {done.returncode}; {log} ends:\n" + "\n".join(end))


def _show_rows(folder: Path) -> None:
    """Print one whole row of each step, as `load_dataset` returns it."""
    import datasets

    from personamath.folder.provenance import layout_of
    from personamath.folder.reading import read_provenance

    datasets.disable_progress_bars()
    for step in (step.name for step in layout_of(read_provenance(folder)).steps):
        with folder_for_libraries(folder) as plain:
            row = datasets.load_dataset(str(plain), step, split="train")[0]
        print(f"\n--- one row of {step} " + "-" * (80 - len(step)))
        for column, value in row.items():
            print(f"{column}: {value}")
    print()
