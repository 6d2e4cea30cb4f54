"""The Python API: `personamath augment` as a function, for scripts and notebooks."""

import asyncio
import dataclasses
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from os import PathLike
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Any

from personamath.errors import BadInput, Interrupted, PersonaMathError, warn
from personamath.files import in_one_line, local_path, read_yaml, written_whole
from personamath.journal.run_folder import DATASET, is_url, local_copy
from personamath.journal.store import Journal
from personamath.recipe import Recipe
from personamath.runs.arguments import in_python
from personamath.runs.engines import make_dataset
from personamath.runs.funnel import Funnel, narrative, never_right
from personamath.runs.made import Made, Watched
from personamath.runs.progress import Stoppable, Watch
from personamath.runs.roles import split_roles
from personamath.runs.run_file import OWN_FILE, OWN_NAME, holds_rows
from personamath.runs.setup import Setup
from personamath.runs.watch import on_terminal
from personamath.sources.seed_problems import as_text
from personamath.teachers.routed import OverHttp
from personamath.teachers.waves import WaveTeacher

if TYPE_CHECKING:
    import datasets

OWN_COLUMNS = ("question", "answer", "level", "subject", "id")
"""What is read of a row; the first two are needed."""
EXAMPLE = "teacher: gpt-4o-mini-2024-07-18"
# How often to refresh the progress bar and to check for Ctrl-C.
REFRESH_S = 0.2

_Work = Callable[[Watched], Coroutine[Any, Any, "datasets.Dataset"]]


def load_recipe(path: str | Path, **overrides: Any) -> Recipe:
    """Read a recipe from a YAML file; `overrides` replace its keys. Raises `BadInput` for an unusable file or value.

    Keys that do not decide the rows, such as `base_url`, are left out: `augment` reads them from the file's path.
    """
    with in_python():
        of_recipe, _ = _split(read_yaml(local_path(str(path)), example=EXAMPLE))
        settings, _ = split_roles(of_recipe | overrides, str(path))
        return Recipe.of(settings, str(path))


def _split(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split settings into those of the recipe and those of the setup."""
    names = {field.name for field in dataclasses.fields(Setup)}
    of_recipe = {name: value for name, value in settings.items() if name not in names}
    return of_recipe, {name: value for name, value in settings.items() if name in names}


def augment(
    problems: Any = None, *, output: str | Path, recipe: Recipe | str | Path | None = None, **settings: Any
) -> "datasets.Dataset":
    """Augment math problems with a teacher model, and return the kept rows.

    `problems` is a source such as "gsm8k", a list of sources, or rows with `question` and `answer`, and `level`,
    `subject` and `id` where there are any: a list of dicts or a `datasets.Dataset`. `output` is the run directory.
    Every answer is journaled there as it arrives, so repeating the call neither asks nor pays for an answer twice.
    `recipe` is a recipe or the path of its YAML file. `settings` are the options of `personamath augment` with
    underscores: `teacher`, `method`, `k1`, `base_url`, `max_usd`, ...

    Keys come from the environment: OPENAI_API_KEY goes to OpenAI, HF_TOKEN or the stored Hub token to Hugging Face's
    router, and `api_key_env` names the variable for any other endpoint (docs/teachers.md). A notebook shows a progress
    bar. The command's warnings are `PersonaMathWarning`s here; so are the number of requests that got no answer, which
    the same call tries again, and the number of completions that something was taken off before they were read.
    Raises `PersonaMathError`: `BadInput` for unusable arguments, `Interrupted` on Ctrl-C, and an error with the counts
    if no row was kept.
    """

    async def work(watched: Watched) -> "datasets.Dataset":
        with in_python():
            return await _augment(problems, output, recipe, settings, watched)

    if _loop_runs():
        return _in_thread(work)
    # Only the main thread can take Ctrl-C.
    return asyncio.run(work(on_terminal if threading.current_thread() is threading.main_thread() else _with_bar))


async def augment_async(
    problems: Any = None, *, output: str | Path, recipe: Recipe | str | Path | None = None, **settings: Any
) -> "datasets.Dataset":
    """As `augment`, to be awaited. Cancelling it gives up the answers in flight; every answer on disk is kept."""
    with in_python():
        return await _augment(problems, output, recipe, settings, _with_bar)


async def _augment(
    problems: Any, output: str | Path, recipe: Recipe | str | Path | None, settings: Mapping[str, Any], watched: Watched
) -> "datasets.Dataset":
    if not isinstance(output, (str, PathLike)) or not str(output):
        raise BadInput(f"augment(): output is {in_one_line(repr(output), 80)}; it must be the path of a run directory")
    of_recipe, of_setup = _split(settings)
    place = "augment()"
    if isinstance(recipe, Recipe):
        of_recipe = recipe.settings() | of_recipe
    elif recipe is not None:
        if not isinstance(recipe, (str, PathLike)):
            raise BadInput(
                f"augment(): recipe is {in_one_line(repr(recipe), 80)}; it must be a Recipe or the path of its YAML "
                "file; give single keys as arguments, e.g. k1=3"
            )
        place = str(recipe)
        in_file, of_setup_in_file = _split(read_yaml(local_path(str(recipe)), example=EXAMPLE))
        of_recipe, of_setup = in_file | of_recipe, of_setup_in_file | of_setup
    split, by_role = split_roles(of_setup | of_recipe, place)
    of_recipe = {name: split[name] for name in of_recipe}
    setup = Setup.of(of_setup | {"output": str(output)}, place, by_role)
    lines: str | None = None
    if problems is not None:
        of_recipe["problems"], lines = _as_sources(problems, setup)
    chosen = Recipe.of(of_recipe, place)
    if lines is not None:
        _write_problems(lines, setup)
    made = await make_dataset(chosen, setup, watched)
    _warn_of(made, chosen)
    if made.folder is None:
        raise PersonaMathError("no row was kept:\n" + narrative(made.funnel, chosen.method.outline))
    with local_copy(setup.output, DATASET) as home:
        return _rows(home / DATASET, chosen)


def _warn_of(made: Made, recipe: Recipe) -> None:
    """Warn of what a user should know about a run that ended."""
    if taken_off := made.funnel.says_taken_off():
        warn(taken_off)
    for warning in never_right(made.funnel, recipe.method.outline):
        warn(warning)
    if not made.funnel.complete:
        missing = made.funnel.failed + made.funnel.not_asked
        warn(f"{missing:,} requests got no answer; the same call asks only these again")


def _as_sources(problems: Any, setup: Setup) -> tuple[list[str], str | None]:
    """The sources, and the lines of the file that they name where the problems were given as rows."""
    if isinstance(problems, (str, PathLike)):
        return [str(problems)], None
    # A mapping or a table of pandas gives the names of its parts, which would be read as sources.
    if isinstance(problems, Mapping) or not isinstance(problems, Iterable) or hasattr(problems, "columns"):
        raise BadInput(
            f"augment(): problems is a {type(problems).__name__}; it must be a list of dicts, a datasets.Dataset, or "
            "the name of a source, e.g. 'gsm8k'; for a DataFrame give df.to_dict('records')"
        )
    rows = list(problems)
    if all(isinstance(row, (str, PathLike)) for row in rows):
        return [str(row) for row in rows], None
    if is_url(setup.output):
        raise BadInput("problems given as rows need an output directory, not a URL: write the problems to a file first")
    lines = "".join(_line(number, row) for number, row in enumerate(rows))
    path = Path(setup.output).absolute() / OWN_FILE  # so that a report from another folder finds it
    if ":" in str(path):
        raise BadInput(f"{path.parent}: problems given as rows need an output without a colon in its path")
    return [f"{OWN_NAME}:{path}:question:answer"], lines


def _write_problems(lines: str, setup: Setup) -> None:
    """Write the problems into the run directory, unless it holds a dataset of other problems."""
    folder = Path(setup.output)
    path = folder / OWN_FILE
    before = path.read_text(encoding="utf-8") if path.exists() else None
    if before != lines and not setup.replace and holds_rows(folder):
        raise BadInput(
            f"{folder}: contains a dataset of other problems: use another output, or pass replace=True to replace that "
            "dataset; its answers stay in the journal either way"
        )
    # Opening the journal creates the run directory, or refuses a folder that is not one.
    with Journal(folder), written_whole(path) as partial:
        partial.write_text(lines, encoding="utf-8")


def _line(number: int, row: Any) -> str:
    if not isinstance(row, Mapping) or not {"question", "answer"} <= set(row):
        found = ", ".join(map(str, row)) if isinstance(row, Mapping) else type(row).__name__
        raise BadInput(f"problem {number}: expected the keys question and answer; found {found}")
    # Other columns are left out.
    texts = {name: _text(row[name]) for name in OWN_COLUMNS if name in row}
    return json.dumps(texts) + "\n"  # ASCII, so also for half a surrogate pair


# What stands in a cell of pandas for no value, by its type; pandas itself is no dependency.
_MISSING = ("NAType", "NaTType")


def _text(value: Any) -> str | None:
    """An answer may be a number; NaN is how a table writes that there is none."""
    if value is None or type(value).__name__ in _MISSING:
        return None
    return (as_text(value) if isinstance(value, float) else str(value)) or None


def _rows(folder: Path, recipe: Recipe) -> "datasets.Dataset":
    """Read the rows of the dataset's default config."""
    import datasets
    import pyarrow as pa
    import pyarrow.parquet as pq

    from personamath.folder.layout import Layout, part_path

    layout = Layout(recipe.outline)
    paths = [folder / part_path(step, part) for step, part in layout.files]
    tables = [pq.read_table(path.absolute(), schema=layout.schema) for path in paths if path.is_file()]
    return datasets.Dataset(pa.concat_tables(tables))


def _loop_runs() -> bool:
    """Whether this thread runs an event loop, as a notebook does."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _in_thread(work: _Work) -> "datasets.Dataset":
    """Run to the end in a new thread with its own event loop, because a notebook's loop is already running.

    Ctrl-C stops the asking, waits for what is in flight, and raises `Interrupted`; a second one does not wait.
    """
    found: list[datasets.Dataset] = []
    errors: list[BaseException] = []
    stops: list[Callable[[], object]] = []
    reason = Interrupted(SIGINT, "interrupted: every answer is journaled; the same call continues from here")
    # Not `Thread.join`: when Ctrl-C interrupts that, Python 3.11 and 3.12 take the thread for ended.
    ended = threading.Event()

    def watched(funnel: Funnel, endpoints: OverHttp | WaveTeacher | None) -> Watch:
        @asynccontextmanager
        async def watch(asking: Stoppable) -> AsyncIterator[None]:
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            assert task
            stops.extend(
                [
                    lambda: loop.call_soon_threadsafe(task.cancel),
                    lambda: loop.call_soon_threadsafe(asking.stop, reason),
                ]
            )
            async with _with_bar(funnel, endpoints)(asking):
                yield

        return watch

    def run() -> None:
        try:
            found.append(asyncio.run(work(watched)))
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    threading.Thread(target=run, name="personamath", daemon=True).start()
    while not ended.is_set():
        try:
            ended.wait(REFRESH_S)
        except KeyboardInterrupt:
            if not stops:
                raise reason from None
            # The first stops the asking, the second gives up the answers in flight, a third the whole run.
            stops.pop()()
    if errors:
        raise reason if isinstance(errors[0], asyncio.CancelledError) else errors[0]
    return found[0]


def _with_bar(funnel: Funnel, endpoints: OverHttp | WaveTeacher | None) -> Watch:
    """Show a progress bar over the seed problems; in a notebook it is a widget."""
    waiting_for = endpoints.waiting_for if endpoints else str

    @asynccontextmanager
    async def watch(asking: Stoppable) -> AsyncIterator[None]:
        from tqdm.auto import tqdm

        async def show() -> None:
            while True:
                await asyncio.sleep(REFRESH_S)
                refresh()

        def refresh() -> None:
            parts = (f"{funnel.rows.total():,} rows", f"{asking.in_flight} in flight", waiting_for())
            bar.set_postfix_str(", ".join(filter(None, parts)), refresh=False)
            bar.update(funnel.done - bar.n)

        with tqdm(total=funnel.seed_problems.total(), desc="augment", unit="problem") as bar:
            showing = asyncio.create_task(show())
            try:
                yield
            finally:
                showing.cancel()
                refresh()

    return watch
