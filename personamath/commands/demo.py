"""`personamath demo`: the main job on bundled problems and the embedded teacher."""

import argparse
import asyncio
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from personamath.commands.augment import Setup, run_augmentation
from personamath.problems import ProblemSource
from personamath.recipe import Recipe
from personamath.simulated import MODEL, SimulatedTeacher, application, bundled_problems, serve

HELP = "try everything on a simulated teacher"
DESCRIPTION = """\
Run the main job without a key or a network: bundled problems, bundled personas, and a teacher that only plays one, over
real HTTP on loopback. Everything it makes is marked as simulated; nobody should train on it.
"""
LOAD = """\
Load it:

  python -c 'from datasets import load_dataset; print(load_dataset("{folder}", "stage2", split="train")[0])'
"""
NEXT = """\
Next, with a real teacher (a first look at 20 problems of each source costs cents):

  export OPENAI_API_KEY=...
  personamath augment --problems gsm8k --problems math --limit 20 \\
      --teacher gpt-4o-mini-2024-07-18 --output runs/first-look
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--output", default="runs/demo", metavar="DIR", help="run directory (default %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Do it; gives the exit status."""
    sources = bundled_problems()
    print("A simulated teacher solves, rewrites and reflects on the bundled problems ...\n")
    with _embedded_teacher(sources) as base_url:
        recipe = Recipe(problems=tuple(sources), teacher=MODEL)
        status = run_augmentation(recipe, Setup(base_url=(base_url,), output=options.output))
    folder = Path(options.output) / "dataset"
    _show_rows(folder)
    _show_version(folder, Path(options.output) / "published")
    if shutil.which("personamath") is None:
        print(f"Put the commands on your path:\n\n  . {os.path.relpath(sys.prefix)}/bin/activate\n")
    print(LOAD.format(folder=folder))
    print(NEXT)
    return status


@contextmanager
def _embedded_teacher(sources: list[str]) -> Iterator[str]:
    """Serve the teacher from a thread of its own, as an endpoint elsewhere would be; gives its base URL."""
    teacher = SimulatedTeacher(ProblemSource.parse(source) for source in sources)
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
    """Make of the dataset what `personamath publish` would upload, check it, and load it back."""
    import datasets

    from personamath_hub.checks import check_folder
    from personamath_hub.publishing import write_version

    write_version(folder, published, "me/PersonaMathQA-demo", "v0.0.1")
    print(f"--- what `personamath publish` would upload is in {published}")
    for line in check_folder(published, allow_simulated=True):
        print(f"checked: {line}")
    loaded = datasets.load_dataset(str(published), split="train")
    print(f"loaded back: {loaded.num_rows:,} rows of {len(loaded.column_names)} columns\n")


def _show_rows(folder: Path) -> None:
    """One row of each step, in full, as load_dataset gives it."""
    import datasets

    from personamath.funnel import STEPS

    datasets.disable_progress_bars()
    for step in STEPS:
        row = datasets.load_dataset(str(folder), step, split="train")[0]
        print(f"\n--- one row of {step} " + "-" * (80 - len(step)))
        for column, value in row.items():
            print(f"{column}: {value}")
    print()
