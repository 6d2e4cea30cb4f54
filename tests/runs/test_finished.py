"""A finished run that is run again: recognised if nothing has changed, and computed as ever on any doubt."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personamath.commands.cli import main
from personamath.journal.store import lock
from personamath.methods import METHODS, PersonaMath
from personamath.recipe import Recipe
from personamath.runs import finished
from personamath.runs.finished import recognised
from personamath.runs.setup import Setup
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import REPO, ScriptedTeacher, scripted_teacher

pytestmark = pytest.mark.slow

RUN, PROBLEMS, PERSONAS, TESTED = "run", "problems.jsonl", "personas.txt", "tested.jsonl"
Change = Callable[[], object]


@pytest.fixture(scope="module")
def teacher() -> Iterator[ScriptedTeacher]:
    with scripted_teacher("--problems", bundled_problems()[0]) as one:
        yield one


def recipe(**others: Any) -> Recipe:
    settings = {"problems": [f"gsm8k:{PROBLEMS}"], "personas": PERSONAS, "benchmark": [f"{TESTED}:question"]}
    return Recipe.of(settings | {"teacher": MODEL, "limit": 6, "k1": 1, "k2": 1} | others, "test")


def setup(teacher: ScriptedTeacher, **others: Any) -> Setup:
    settings: dict[str, Any] = {"output": RUN, "base_url": (teacher.base_url,), "price_in": 1.0, "price_out": 2.0}
    return Setup(**settings | {"header": ("A=1",)} | others)


def command(teacher: ScriptedTeacher) -> list[str]:
    inputs = ("--problems", f"gsm8k:{PROBLEMS}", "--personas", PERSONAS, "--benchmark", f"{TESTED}:question")
    sizes = ("--limit", "6", "--k1", "1", "--k2", "1", "--price-in", "1", "--price-out", "2", "--header", "A=1")
    return ["augment", *inputs, *sizes, "--teacher", MODEL, "--base-url", teacher.base_url, "--output", RUN]


def augment(teacher: ScriptedTeacher, *flags: str) -> int:
    return main([*command(teacher), *flags])


@pytest.fixture(scope="module")
def original(teacher: ScriptedTeacher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run and everything that it read."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copy(bundled_problems()[0].partition(":")[2], folder / PROBLEMS)
    (folder / PERSONAS).write_text("".join(f"A sailor with {number} boats.\n" for number in range(9)))
    (folder / TESTED).write_text('{"question": "How many legs has a spider?"}\n')
    with chdir(folder):
        assert augment(teacher) == 0
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is also the working directory."""
    shutil.copytree(original, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def written() -> dict[str, str]:
    """The digests of all files in the run directory but run.json and finished.json, which count what was asked."""
    files = sorted(path for path in Path(RUN).rglob("*") if path.is_file())
    counts = ("run.json", finished.FILE_NAME, "journal.lock")
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.name not in counts}


@pytest.mark.usefixtures("folder")
def test_the_same_command_says_the_same_and_writes_no_row(
    teacher: ScriptedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    before, asked = written(), teacher.stats()["requests"]
    assert augment(teacher, "--replace") == 0  # the force flag: everything is computed
    computed, run = capsys.readouterr().out, json.loads(Path(RUN, "run.json").read_text())
    assert written() == before
    inode = Path(RUN, "dataset", "README.md").stat().st_ino
    for _ in range(2):
        assert augment(teacher) == 0
        assert capsys.readouterr().out == computed
        assert json.loads(Path(RUN, "run.json").read_text()) == run
    assert Path(RUN, "dataset", "README.md").stat().st_ino == inode
    assert written() == before and teacher.stats()["requests"] == asked


@pytest.mark.usefixtures("folder")
def test_the_result_is_that_of_the_run(teacher: ScriptedTeacher) -> None:
    run = json.loads(Path(RUN, "run.json").read_text())
    made = recognised(recipe(), setup(teacher))
    assert made and made.funnel.complete and made.folder == Path(RUN, "dataset")
    outline = PersonaMath.outline
    assert json.loads(json.dumps(made.funnel.as_dict(outline))) == {
        key: run[key] for key in made.funnel.as_dict(outline)
    }
    assert (made.asked.asked, made.asked.reused) == (0, 0)
    assert made.asked.replayed == run["answers"]["asked this time"]
    assert made.asked.bill.known_usd == pytest.approx(run["paid"]["usd"], abs=1e-6)
    again = json.loads(Path(RUN, "run.json").read_text())
    assert again["answers"] == {"asked this time": 0, "from the journal": made.asked.replayed, "from other runs": 0}
    assert again == run | {"answers": again["answers"]}
    assert recognised(recipe(), setup(teacher))


def test_nothing_heavy_is_imported(folder: Path, teacher: ScriptedTeacher) -> None:
    code = (
        "import sys; from personamath.commands.cli import main; assert main(sys.argv[1:]) == 0; "
        "heavy = {'aiohttp', 'pyarrow', 'numpy', 'pandas', 'matplotlib', 'datasets', 'jinja2', 'huggingface_hub'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command(teacher)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def edit(path: str) -> Change:
    """Change one byte, and keep the size and the time."""

    def change() -> None:
        file = Path(path)
        times, content = file.stat(), bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    return change


def remove(path: str) -> Change:
    return lambda: Path(path).unlink()


def add(path: str) -> Change:
    return lambda: Path(path).write_text("new")


def append(path: str, text: str) -> Change:
    return lambda: Path(path).write_text(Path(path).read_text() + text)


def answer_once_more() -> None:
    with closing(sqlite3.connect(Path(RUN, "journal.sqlite"))) as journal, journal:
        row = journal.execute("select * from answers limit 1").fetchone()
        journal.execute(f"insert into answers values ({','.join('?' * len(row))})", ("f" * 64, *row[1:]))


def leave_a_log() -> None:
    Path(RUN, "journal.sqlite-wal").write_bytes(b"what a killed run wrote last")


def forge() -> None:
    """Change a count in finished.json itself."""
    path = Path(RUN, finished.FILE_NAME)
    content = json.loads(path.read_text())
    content["content"]["answers"] += 1
    path.write_text(json.dumps(content))


LEFT = (
    *("journal.sqlite", "run.json", "inputs.json", "seed_ids.sqlite", "dataset/README.md", "dataset/provenance.json"),
    *("dataset/assets/funnel.png", "dataset/stage1_inference/train-clean-sound.parquet"),
)
CHANGES: dict[str, Change] = {
    **{f"a byte of {name}": edit(f"{RUN}/{name}") for name in LEFT},
    **{f"no {name}": remove(f"{RUN}/{name}") for name in LEFT},
    **{f"a byte of {name}": edit(name) for name in (PROBLEMS, PERSONAS, TESTED)},
    **{f"no {name}": remove(name) for name in (PROBLEMS, PERSONAS, TESTED)},
    "one more problem": append(PROBLEMS, '{"question": "What is 1 + 1?", "answer": "#### 2"}\n'),
    "one more persona": append(PERSONAS, "A baker.\n"),
    "one more answer": answer_once_more,
    "a log of the journal": leave_a_log,
    "a damaged journal": add(f"{RUN}/journal.damaged"),
    "a file of nobody's in the dataset": add(f"{RUN}/dataset/notes.txt"),
    "no dataset": lambda: shutil.rmtree(Path(RUN, "dataset")),
    "a count in finished.json": forge,
    "no finished.json": remove(f"{RUN}/{finished.FILE_NAME}"),
    "half of finished.json": lambda: os.truncate(Path(RUN, finished.FILE_NAME), 100),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_a_file_is_noticed(teacher: ScriptedTeacher, change: str) -> None:
    CHANGES[change]()
    assert recognised(recipe(), setup(teacher)) is None


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "others",
    [
        {"k1": 2},
        {"limit": 5},
        {"rng_seed": 1},
        {"temperature": 0.1},
        {"system": "Be brief."},
        {"keep_reasoning": True},
        {"budget": "rows:5"},
        {"request": {"top_p": 0.9}},
        {"teacher": {"default": MODEL, "rewrite": f"{MODEL}-2"}},
        {"prompts": {"inference": "Solve: {problem}"}},
        {"benchmark": []},
        {"personas": "bundled"},
    ],
)
def test_another_recipe_is_not_recognised(teacher: ScriptedTeacher, others: dict[str, Any]) -> None:
    if "prompts" in others:
        Path("mine.txt").write_text(others["prompts"]["inference"])
        others = {"prompts": {"inference": "mine.txt"}}
    assert recognised(recipe(**others), setup(teacher)) is None


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "others",
    [
        {"base_url": ("http://127.0.0.1:9/v1",)},
        {"concurrency": 3},
        {"max_usd": 1.0},
        {"price_in": 2.0},
        {"replace": True},
        {"batch": True},
        {"engine": "ray"},
        {"reuse": ("elsewhere",)},
    ],
)
def test_other_options_mean_the_run_itself(teacher: ScriptedTeacher, others: dict[str, Any]) -> None:
    assert recognised(recipe(), setup(teacher, **others)) is None


@pytest.mark.usefixtures("folder")
def test_a_header_is_not_compared_and_not_stored(teacher: ScriptedTeacher) -> None:
    assert recognised(recipe(), setup(teacher, header=("A=2",)))


@pytest.mark.usefixtures("folder")
def test_other_code_means_the_run_itself(teacher: ScriptedTeacher, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = dict.fromkeys(finished.LIBRARIES, "0")
    with monkeypatch.context() as patch:
        patch.setattr(finished, "version", versions.__getitem__)
        assert recognised(recipe(), setup(teacher)) is None
    with monkeypatch.context() as patch:
        patch.setattr(finished, "_package_sha256", lambda: "0" * 64)
        assert recognised(recipe(), setup(teacher)) is None
    assert recognised(recipe(), setup(teacher))


@pytest.mark.usefixtures("folder")
def test_a_method_of_a_users_own_is_not_recognised(teacher: ScriptedTeacher) -> None:
    class Mine(PersonaMath):
        outline = replace(PersonaMath.outline, method="mine")

    own = replace(recipe(), method=Mine(k1=1, k2=1, personas=PERSONAS))
    assert METHODS.get("mine") is None and recognised(own, setup(teacher)) is None


@pytest.mark.usefixtures("folder")
def test_a_run_that_another_process_works_on_is_not_recognised(teacher: ScriptedTeacher) -> None:
    with lock(Path(RUN)):
        assert recognised(recipe(), setup(teacher)) is None


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("change", ["no dataset", f"a byte of {LEFT[-1]}", "half of finished.json"])
def test_what_is_computed_again_has_the_same_bytes(teacher: ScriptedTeacher, change: str) -> None:
    before = written()
    CHANGES[change]()
    assert augment(teacher) == 0
    assert written() == before and recognised(recipe(), setup(teacher))
