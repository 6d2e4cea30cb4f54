"""The demo's data: the recorded answers of a real model, replayed, or a simulated teacher on loopback."""

import asyncio
import gzip
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

from personamath.errors import BadInput
from personamath.files import written_whole
from personamath.journal.file_format import FILE_NAME as JOURNAL
from personamath.methods import PersonaMath
from personamath.recipe import Recipe
from personamath.runs.engines import make_dataset
from personamath.runs.made import Made
from personamath.runs.setup import Setup
from personamath.runs.watch import on_terminal
from personamath.sources.problems import ProblemSource
from personamath.teachers.simulated import MODEL, Habits, SimulatedTeacher, application, bundled_problems, serve

RECORDED = files("personamath.sources.bundled") / "demo-answers.sqlite.gz"
"""A journal; demo-answers.md beside it says which model wrote it, and how."""
RECORDED_MODEL, RECORDED_LICENSE = "Qwen/Qwen2.5-Coder-1.5B-Instruct", "Apache-2.0"
# The recipe that the answers were recorded with: another one would ask something else.
K1, K2, MAX_TOKENS = 3, 15, 1024
# A setup needs an endpoint. No request is sent to this one, because the cap below is reached from the start.
NOBODY = "http://127.0.0.1:9/v1"


def replay(output: Path) -> Made:
    """Make the dataset of the bundled problems from the recorded answers; ask nobody.

    Raises `BadInput` if a request has no recorded answer.
    """
    answers = _unpack(output)
    recipe = Recipe(
        problems=tuple(bundled_problems()),
        teacher=RECORDED_MODEL,
        max_tokens=MAX_TOKENS,
        method=PersonaMath(k1=K1, k2=K2),
    )
    setup = Setup(base_url=(NOBODY,), output=str(output), price_in=0, price_out=0, max_requests=answers)
    made = _make(recipe, setup)
    if not made.funnel.complete:
        raise BadInput(
            f"{output}: requests without a recorded answer: {made.funnel.not_asked + made.funnel.failed:,}. If this "
            "directory was new, the recorded answers do not fit this version of the package: use --simulated. "
            "Otherwise use another --output"
        )
    return made


def simulate(output: Path, problems: Sequence[str], method: PersonaMath, habits: Habits | None = None) -> Made:
    """Make a dataset with the simulated teacher, which is asked over real HTTP on the loopback interface."""
    recipe = Recipe(problems=tuple(problems), teacher=MODEL, method=method)
    with _embedded_teacher(problems, habits) as base_url:
        return _make(recipe, Setup(base_url=(base_url,), output=str(output)))


def _make(recipe: Recipe, setup: Setup) -> Made:
    return asyncio.run(make_dataset(recipe, setup, on_terminal))


def _unpack(output: Path) -> int:
    """Write the recorded journal into a run directory that has none; return how many answers its journal has."""
    journal = output / JOURNAL
    if not journal.exists():
        output.mkdir(parents=True, exist_ok=True)
        with written_whole(journal) as partial:
            partial.write_bytes(gzip.decompress(RECORDED.read_bytes()))
    try:
        with closing(sqlite3.connect(journal)) as connection:
            count: int
            (count,) = connection.execute("select count(*) from answers").fetchone()
    except sqlite3.Error as error:
        raise BadInput(f"{journal}: {error}; use another --output") from None
    return max(1, count)


@contextmanager
def _embedded_teacher(sources: Sequence[str], habits: Habits | None) -> Iterator[str]:
    """Serve the simulated teacher from its own thread, like a remote endpoint; yield its base URL."""
    teacher = SimulatedTeacher((ProblemSource.parse(source) for source in sources), habits)
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
