"""The Python API: the same runs as the command, from scripts and from within a running event loop."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import datasets
import pytest

import personamath
from personamath.commands.cli import main
from personamath.errors import BadInput, PersonaMathError, PersonaMathWarning
from personamath.methods import Direct
from personamath.methods.method import Kind, Method, Outline, Step
from personamath.methods.prompts import INFERENCE, Prompt
from personamath.methods.work import Work
from personamath.recipe import Recipe
from personamath.records import Problem, Solution
from personamath.runs.arguments import as_arguments
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import REPO, ScriptedTeacher
from tests.support import programs

Start = Callable[..., ScriptedTeacher]
SOURCES = bundled_problems()
SERVED = [flag for source in SOURCES for flag in ("--problems", source)]


@dataclass(frozen=True, kw_only=True)
class Solving(Method):
    """Solve each problem once."""

    broken: bool = False
    prompts: ClassVar[Mapping[str, Prompt]] = {"inference": INFERENCE}
    outline: ClassVar[Outline] = Outline(
        method="solving",
        title="solving",
        how="It solves.",
        cite="",
        steps=(Step("solved", "solved", "solved problems"),),
        kinds=(Kind("solved", "Solve it", "solved", "solve"),),
    )

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        if self.broken:
            raise KeyError("broken")
        return work.correct([await work.solve(seed, "solved")])


def bundled_rows(count: int) -> list[dict[str, Any]]:
    """Problems that the scripted teacher knows, as a user would give them."""
    lines = Path(SOURCES[0].partition(":")[2]).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines[:count]]
    return [{"question": row["question"], "answer": row["answer"].rpartition("####")[2].strip()} for row in rows]


@pytest.fixture
def ask(start_teacher: Start) -> dict[str, Any]:
    """What every call needs to reach the teacher."""
    return {"teacher": MODEL, "base_url": start_teacher(*SERVED).base_url}


def test_rows_and_dataset_and_sources_give_the_same_rows(ask: dict[str, Any], tmp_path: Path) -> None:
    rows = bundled_rows(6)
    by_list = personamath.augment(rows, output=tmp_path / "list", method="direct", k1=2, k2=1, **ask)
    by_dataset = personamath.augment(
        datasets.Dataset.from_list(rows), output=tmp_path / "dataset", method=Direct(k1=2, k2=1), **ask
    )
    assert by_list.to_list() == by_dataset.to_list()
    assert by_list.num_rows > 6 and set(by_list["source"]) == {"own"} and set(by_list["method"]) == {"direct"}
    by_name = personamath.augment(SOURCES, output=tmp_path / "named", limit=6, method="direct", k1=2, k2=1, **ask)
    assert set(by_name["source"]) == {"gsm8k", "math"}
    again = datasets.load_dataset(str(tmp_path / "named" / "dataset"), "default", split="train")
    assert again.to_list() == by_name.to_list()


def test_rows_may_have_a_level_a_subject_and_an_id(ask: dict[str, Any], tmp_path: Path) -> None:
    more: list[dict[str, Any]] = [{"id": "week 1", "level": 3.0, "subject": "sums", "note": "left out"}, {"id": 2.0}]
    rows = [row | columns for row, columns in zip(bundled_rows(2), more, strict=True)]
    made = personamath.augment(rows, output=tmp_path / "run", method="direct", k1=1, k2=1, **ask)
    seeds = set(zip(made["seed_id"], made["level"], made["subject"], strict=True))
    assert seeds <= {("own-week-1", 3, "sums"), ("own-2", None, None)} and seeds


def test_the_same_call_again_asks_for_nothing(start_teacher: Start, tmp_path: Path) -> None:
    teacher = start_teacher(*SERVED)
    call: dict[str, Any] = {"teacher": MODEL, "base_url": teacher.base_url, "output": tmp_path, "k1": 1, "k2": 2}
    first = personamath.augment(bundled_rows(4), **call)
    asked = teacher.stats()["requests"]
    assert personamath.augment(bundled_rows(4), **call).to_list() == first.to_list()
    assert teacher.stats()["requests"] == asked


def test_it_works_inside_a_running_event_loop_and_in_a_thread(
    ask: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = bundled_rows(3)

    async def notebook() -> tuple[datasets.Dataset, datasets.Dataset]:
        one = personamath.augment(rows, output=tmp_path / "one", k1=1, k2=2, **ask)
        return one, await personamath.augment_async(rows, output=tmp_path / "two", k1=1, k2=2, **ask)

    one, two = asyncio.run(notebook())
    assert one.to_list() == two.to_list()
    assert "3/3" in capsys.readouterr().err  # the progress bar
    found: list[datasets.Dataset] = []
    thread = threading.Thread(
        target=lambda: found.append(personamath.augment(rows, output=tmp_path / "three", k1=1, k2=2, **ask))
    )
    thread.start()
    thread.join()
    assert found[0].to_list() == one.to_list()


def test_a_recipe_file_and_a_recipe_are_taken_and_settings_win(ask: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    keys = {"problems": SOURCES[:1], "teacher": MODEL, "method": "direct", "k1": 3, "k2": 1}
    path.write_text(json.dumps(keys | {"base_url": ask["base_url"], "output": "not this one"}))
    recipe = personamath.load_recipe(path, k1=1)
    assert recipe == Recipe(problems=(SOURCES[0],), teacher=MODEL, method=Direct(k1=1, k2=1))
    by_file = personamath.augment(recipe=path, k1=1, limit=3, output=tmp_path / "a")
    by_recipe = personamath.augment(recipe=recipe, limit=3, output=tmp_path / "b", **ask)
    assert by_file.to_list() == by_recipe.to_list()


BAD_CALLS = [
    ({"rng_sede": 1}, "augment(): unknown key 'rng_sede'; the nearest known one is 'rng_seed'"),
    ({"k1": "many"}, "augment(): k1 is 'many'; it must be a whole number"),
    ({"method": "persono"}, "augment(): unknown method 'persono'; the nearest known one is 'persona'"),
    (
        {"method": "direct", "personas": "bundled"},
        "personas is a setting of persona and resample; the method is direct",
    ),
    ({"concurrency": 0}, "concurrency is 0: it must be more than 0"),
    ({"problems": [{"question": "1 + 1?"}]}, "problem 0: expected the keys question and answer; found question"),
    ({"problems": [7]}, "problem 0: expected the keys question and answer; found int"),
    ({"problems": ["gsm8", "math"]}, "problems 'gsm8': write gsm8k or math"),
    ({"problems": []}, "no problems: name at least one source"),
    ({"problems": None}, "problems is missing"),
    ({"problems": 7}, "problems is a int; it must be a list of dicts, a datasets.Dataset, or the name of a source"),
    ({"problems": {"question": "1 + 1?", "answer": "2"}}, "problems is a dict; it must be a list of dicts"),
    (
        {"problems": datasets.Dataset.from_list([{"question": "1 + 1?", "answer": "2"}]).to_pandas()},
        "give df.to_dict('records')",
    ),
    ({"problems": Path("mine.jsonl")}, "problems 'mine.jsonl': write mine:mine.jsonl:QUESTION_COLUMN:ANSWER_COLUMN"),
    (
        {"problems": [{"question": "1 + 1?", "answer": None}]},
        "no problem can be used: 1 of 1 skipped: no answer in column answer",
    ),
    ({"problems": [{"question": "1 + 1?", "answer": float("nan")}]}, "1 of 1 skipped: no answer in column answer"),
    (
        {"problems": [{"question": "1 + 1?", "answer": import_module("pandas").NA}]},
        "1 of 1 skipped: no answer in column answer",
    ),
    (
        {"problems": [{"question": "\ud800", "answer": "2"}]},
        "no problem can be used: 1 of 1 skipped: half a surrogate pair",
    ),
    ({"problems": ()}, "no problems: name at least one source, e.g. gsm8k"),
    ({"batch": True, "serve": "vllm"}, "batch=True asks a provider and serve this machine: give only one of them"),
    ({"batch": True, "engine": "ray"}, "batch=True does not work with engine='ray': use engine='local'"),
    ({"vllm_args": {"seed": 1}}, "vllm_args is for serve='vllm': give both, or neither"),
    ({"price_in": 1}, "price_in and price_out go together: give both"),
    ({"teacher": "mine", "max_usd": 1}, "no price known for mine: give price_in and price_out"),
    ({"recipe": {"k1": 3}}, "recipe is {'k1': 3}; it must be a Recipe or the path of its YAML file"),
    ({"method": Direct}, "method is the class Direct: give an instance, Direct()"),
    ({"output": None}, "output is None; it must be the path of a run directory"),
    ({"output": ""}, "output is ''; it must be the path of a run directory"),
    ({"output": "runs/12:30"}, "runs/12:30: problems given as rows need an output without a colon in its path"),
]


SAID_TO_PYTHON = [
    ("cannot reach h: check --base-url, the network", "cannot reach h: check base_url, the network"),
    (
        "it asks to wait 86,400 s, longer than --patience (600 s)",
        "it asks to wait 86,400 s, longer than patience (600 s)",
    ),
    ("replace that dataset with --replace; its answers", "replace that dataset with replace=True; its answers"),
    (
        "give --token-limit max_tokens (token_limit in a recipe)",
        "give token_limit='max_tokens' (token_limit in a recipe)",
    ),
    ("give --temperature none", "give temperature=None"),
    ("use --concurrency 960 or less", "use concurrency=960 or less"),
    ("give an --output on a file system", "give an output on a file system"),
    ("use --method direct", "use method='direct'"),
    ("the same command without --batch asks", "the same call without batch=True asks"),
    ("run the same `personamath augment` command again", "run the same call again"),
    ("the same `personamath augment` keeps it aside", "the same call keeps it aside"),
    ("vllm serve --max-model-len 8192", "vllm serve --max-model-len 8192"),
]


@pytest.mark.parametrize(("said", "to_python"), SAID_TO_PYTHON)
def test_errors_name_what_a_caller_from_python_can_type(said: str, to_python: str) -> None:
    assert as_arguments(said) == to_python == as_arguments(to_python)


@pytest.mark.filterwarnings("ignore:1 problems left out")
@pytest.mark.parametrize(("changed", "message"), BAD_CALLS)
def test_a_call_that_cannot_be_meant_is_refused_in_a_line(
    changed: dict[str, Any], message: str, tmp_path: Path
) -> None:
    call: dict[str, Any] = {"problems": bundled_rows(2), "teacher": "t", "base_url": "http://127.0.0.1:9/v1"}
    with pytest.raises(BadInput) as error:
        personamath.augment(**({"output": tmp_path / "run"} | call | changed))
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "run" / "dataset").exists()


def test_other_problems_in_a_finished_run_directory_are_refused(ask: dict[str, Any], tmp_path: Path) -> None:
    call: dict[str, Any] = {"output": tmp_path / "run", "k1": 1, "k2": 2, **ask}
    kept = personamath.augment(bundled_rows(3), **call)
    with pytest.raises(
        BadInput, match="contains a dataset of other problems: use another output, or pass replace=True"
    ):
        personamath.augment(bundled_rows(2), **call)
    assert personamath.augment(bundled_rows(3), **call).to_list() == kept.to_list()
    assert len(personamath.augment(bundled_rows(2), replace=True, **call)) < len(kept)


def test_the_same_rows_are_known_again_from_another_folder_and_after_a_move(
    ask: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call: dict[str, Any] = {"k1": 1, "k2": 2, **ask}
    kept = personamath.augment(bundled_rows(3), output="run", **call)
    monkeypatch.chdir("/")
    assert personamath.augment(bundled_rows(3), output=tmp_path / "run", **call).to_list() == kept.to_list()
    (tmp_path / "run").rename(tmp_path / "moved")
    assert personamath.augment(bundled_rows(3), output=tmp_path / "moved", **call).to_list() == kept.to_list()


def test_rows_may_be_mended_where_none_was_kept(ask: dict[str, Any], tmp_path: Path) -> None:
    rows, call = bundled_rows(3), {"output": tmp_path / "run", "k1": 1, "k2": 2, **ask}
    with pytest.raises(PersonaMathError, match="no row was kept"):
        personamath.augment([{**row, "answer": "12345"} for row in rows], **call)
    assert len(personamath.augment(rows, **call)) >= 3


def test_a_method_of_ones_own_goes_with_a_recipe(ask: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(json.dumps({"problems": SOURCES[:1], "teacher": MODEL, "limit": 9}))
    recipe = personamath.load_recipe(path, method=Solving())
    rows = personamath.augment(recipe=recipe, limit=3, output=tmp_path / "run", **ask)
    assert 1 <= len(rows) <= 3 and set(rows["method"]) == {"solving"}


@dataclass(frozen=True, kw_only=True)
class Asking(Solving):
    """The same method, as its author changes it."""

    prompts: ClassVar[Mapping[str, Prompt]] = {"inference": Prompt("Solve it: {problem}")}


def test_a_method_whose_prompts_changed_is_another_recipe(ask: dict[str, Any], tmp_path: Path) -> None:
    call: dict[str, Any] = {"problems": bundled_rows(3), "output": tmp_path / "run", **ask}
    personamath.augment(method=Solving(), **call)
    line = r"another recipe \(the prompt 'inference' has changed\): use another output, or .* with replace=True;"
    with pytest.raises(BadInput, match=line):
        personamath.augment(method=Asking(), **call)
    (tmp_path / "run" / "run.json").unlink()
    with pytest.raises(BadInput, match=line):
        personamath.augment(method=Asking(), **call)
    personamath.augment(method=Solving(), **call)


def test_an_error_in_a_method_is_raised_as_it_is_and_names_the_seed_problem(
    ask: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(KeyError, match="broken") as raised:
        personamath.augment(bundled_rows(3), method=Solving(broken=True), output=tmp_path / "run", **ask)
    assert raised.value.__notes__ == ["The method 'solving' was at work on own-problems-00000."]


IN_A_LOOP = """
import asyncio, sys
import personamath
from personamath.errors import Interrupted
async def cell():
    try:
        personamath.augment(sys.argv[1], teacher=sys.argv[2], base_url=sys.argv[3], output=sys.argv[4], concurrency=4)
    except Interrupted as error:
        print(error)
asyncio.new_event_loop().run_until_complete(cell())
"""


@pytest.mark.parametrize(("presses", "latency", "at_most_s"), [(1, "0.3", 20.0), (2, "30", 10.0)])
def test_ctrl_c_inside_a_running_loop_ends_the_run_and_a_second_one_does_not_wait(
    start_teacher: Start, tmp_path: Path, presses: int, latency: str, at_most_s: float
) -> None:
    teacher = start_teacher(*SERVED, "--latency", latency)
    given = (SOURCES[0], MODEL, teacher.base_url, tmp_path / "run")
    with programs.start(IN_A_LOOP, *given, stdout=programs.PIPE, stderr=programs.DEVNULL) as process:
        while teacher.stats().get("requests", 0) < 4:
            time.sleep(0.05)
        pressed = time.monotonic()
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        said, _ = process.communicate(timeout=60)
    assert said == "interrupted: every answer is journaled; the same call continues from here\n"
    assert process.returncode == 0 and time.monotonic() - pressed < at_most_s


def test_where_no_row_is_kept_the_error_shows_what_became_of_the_requests(ask: dict[str, Any], tmp_path: Path) -> None:
    unknown = [{"question": "What is the teacher's favourite number?", "answer": "7"}]
    with pytest.raises(PersonaMathError, match=r"no row was kept:\n(.|\n)*Stage 1: inference +1 requests: 1 no final"):
        personamath.augment(unknown, output=tmp_path / "run", **ask)


def test_requests_without_an_answer_are_a_warning(start_teacher: Start, tmp_path: Path) -> None:
    url = start_teacher(*SERVED, "--fault", "http_400=0.2").base_url
    with pytest.warns(PersonaMathWarning, match="requests got no answer; the same call asks only these again"):
        personamath.augment(bundled_rows(10), teacher=MODEL, base_url=url, output=tmp_path / "run", k1=2, k2=3)


def test_what_the_command_prints_of_a_run_is_a_warning_each_time(start_teacher: Start, tmp_path: Path) -> None:
    url = start_teacher(*SERVED, "--fault", "thinks=1").base_url
    rows = [{**row, "answer": "about 12345"} for row in bundled_rows(12)]
    call: dict[str, Any] = {"teacher": MODEL, "base_url": url, "output": tmp_path / "run", "k1": 3, "k2": 2}
    for _ in range(2):
        with pytest.warns(PersonaMathWarning) as said, pytest.raises(PersonaMathError, match="no row was kept"):
            personamath.augment(rows, **call)
        texts = [str(one.message) for one in said]
        assert texts[0].startswith("k2 is 2, k1 is 3")
        assert texts[1].startswith("Taken off completions before they were read: reasoning (")
        assert texts[2].startswith("none of 12 first answers to own problems is right, e.g. ") and len(texts) == 3


def test_importing_the_package_is_quick_and_has_what_it_promises() -> None:
    heavy = (
        "aiohttp",
        "datasets",
        "math_verify",
        "matplotlib",
        "PIL",
        "numpy",
        "pandas",
        "pyarrow",
        "pydantic",
        "sympy",
        "torch",
    )
    code = f"import sys, personamath; print([name for name in {heavy!r} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPO).stdout
    assert said.strip() == "[]"
    assert personamath.grade("3/4", "so it is \\boxed{0.75}").correct
    assert personamath.extract("First \\boxed{1}, then \\boxed{2}.") == "2" and personamath.equivalent("1/2", "0.5")
    assert set(personamath.__all__) <= set(dir(personamath))
    assert (Path(personamath.__file__).parent / "py.typed").is_file()


def test_the_command_and_the_function_share_a_run_directory(ask: dict[str, Any], tmp_path: Path) -> None:
    flags = ["--teacher", MODEL, "--base-url", ask["base_url"], "--limit", "4", "--k1", "1", "--k2", "2"]
    output = tmp_path / "run"
    assert main(["augment", "--problems", SOURCES[0], *flags, "--output", str(output)]) == 0
    rows = personamath.augment(SOURCES[0], output=output, limit=4, k1=1, k2=2, **ask)
    assert json.loads((output / "run.json").read_text())["answers"]["asked this time"] == 0
    assert rows.num_rows
