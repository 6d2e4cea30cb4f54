"""Run directories that hold something already: another recipe, other answers, nothing that was kept."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from personamath.commands.cli import COMMANDS, main
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.commands.test_augment import PROBLEMS, command, dataset_bytes, run_file
from tests.conftest import ScriptedTeacher

Start = Callable[..., ScriptedTeacher]

OTHER_RECIPES = [
    (["--k1", "1"], "k1 was 5, is 1"),
    (["--limit", "3"], "limit was null, is 3"),
    (["--temperature", "0.1"], "temperature was 0.7, is 0.1"),
    (["--rng-seed", "1"], "rng_seed was 42, is 1"),
    (["--persona-draw", "by-occupation"], 'persona_draw was "uniform", is "by-occupation"'),
    (["--method", "direct"], 'method was "persona", is "direct"'),
    (["--benchmark", bundled_problems()[0]], "benchmark was [], is ["),
    (["--k1", "1", "--k2", "2"], "k1 was 5, is 1; k2 was 15, is 2"),
]


@pytest.fixture(scope="module")
def finished(demo_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the bundled problems."""
    return shutil.copytree(demo_run, tmp_path_factory.mktemp("demo") / "run")


@pytest.mark.parametrize(("flags", "difference"), OTHER_RECIPES, ids=lambda value: str(value)[:30])
def test_another_recipe_in_a_finished_run_directory_is_refused_by_the_keys_that_differ(
    finished: Path, flags: list[str], difference: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dataset_bytes(finished)
    nobody = ["--base-url", "http://127.0.0.1:9/v1"]
    assert main(["augment", *PROBLEMS, "--teacher", MODEL, *nobody, "--output", str(finished), *flags]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"contains the dataset of another recipe ({difference}" in line and "--replace" in line
    assert dataset_bytes(finished) == before


DAMAGED = [
    ('{"recipe": {"k1"', "not valid JSON"),
    ("[]", "not a JSON object"),
    ("{}", "not as PersonaMath writes it"),
    ('{"recipe": 3}', "not as PersonaMath writes it"),
    ("\x00", "not valid JSON"),
]


@pytest.mark.parametrize(("content", "fault"), DAMAGED)
def test_a_damaged_run_file_protects_its_dataset_until_replace_is_given(
    start_teacher: Start, tmp_path: Path, content: str, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    assert main(command(teacher, output, "--limit", "2")) == 0
    whole, before = (output / "run.json").read_bytes(), dataset_bytes(output)
    (output / "run.json").write_text(content)
    capsys.readouterr()
    assert main(command(teacher, output, "--limit", "2")) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"run.json: {fault}" in line and line.endswith("give --replace to let this run replace its dataset")
    assert main(command(teacher, output, "--limit", "2", "--replace")) == 0
    assert dataset_bytes(output) == before
    assert json.loads(whole)["recipe"] == run_file(output)["recipe"]


def test_a_dataset_without_a_run_file_is_protected_by_its_provenance(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    assert main(command(teacher, output, "--limit", "2")) == 0
    before = dataset_bytes(output)
    (output / "run.json").unlink()
    assert main(command(teacher, output, "--limit", "1")) == 1
    assert "contains the dataset of another recipe (limit was 2, is 1)" in capsys.readouterr().err
    assert dataset_bytes(output) == before
    assert main(command(teacher, output, "--limit", "2")) == 0
    assert dataset_bytes(output) == before and run_file(output)["answers"]["asked this time"] == 0


def of_two_files(teacher: ScriptedTeacher, tmp_path: Path, *flags: str) -> list[str]:
    """A run on a file of problems and one of personas."""
    sources = ["--problems", f"gsm8k:{tmp_path / 'few.jsonl'}", "--personas", str(tmp_path / "people.txt")]
    asked = ["--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(tmp_path / "run")]
    return ["augment", *sources, *asked, "--k1", "2", "--k2", "3", *flags]


@pytest.fixture
def two_files(tmp_path: Path) -> None:
    rows = Path(bundled_problems()[0].partition(":")[2]).read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "few.jsonl").write_text("".join(rows[:4]), encoding="utf-8")
    (tmp_path / "people.txt").write_text("A cook\nA pilot\nA baker\n")


CHANGED_FILES: list[tuple[str, Callable[[str], str], str]] = [
    ("few.jsonl", lambda text: text.partition("\n")[2], "the problems have changed"),
    ("few.jsonl", lambda text: text.replace("#### ", "#### 1", 1), "the problems have changed"),
    ("few.jsonl", lambda text: text.replace('{"question": ', '{"note": 1, "question": '), ""),
    ("people.txt", lambda text: text.replace("pilot", "sailor"), "the personas have changed"),
    ("people.txt", lambda text: text.replace("\n", "\n\n"), ""),
]


@pytest.mark.usefixtures("two_files")
@pytest.mark.parametrize("recorded_in", ["run.json", "provenance.json"])
@pytest.mark.parametrize(("name", "change", "difference"), CHANGED_FILES)
def test_files_that_changed_under_one_name_are_another_recipe(
    start_teacher: Start,
    tmp_path: Path,
    recorded_in: str,
    name: str,
    change: Callable[[str], str],
    difference: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = of_two_files(start_teacher(*PROBLEMS), tmp_path)
    assert main(arguments) == 0
    before = dataset_bytes(tmp_path / "run")
    (tmp_path / name).write_text(change((tmp_path / name).read_text()))
    if recorded_in != "run.json":
        (tmp_path / "run" / "run.json").unlink()
    capsys.readouterr()
    if not difference:
        assert main(arguments) == 0
        return
    assert main(arguments) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"contains the dataset of another recipe ({difference}): use another output, or replace" in said
    assert dataset_bytes(tmp_path / "run") == before
    assert main([*arguments, "--replace"]) == 0 and dataset_bytes(tmp_path / "run") != before


@pytest.mark.usefixtures("two_files")
def test_a_run_of_a_version_that_kept_no_digests_goes_on(start_teacher: Start, tmp_path: Path) -> None:
    arguments = of_two_files(start_teacher(*PROBLEMS), tmp_path)
    assert main(arguments) == 0
    content = run_file(tmp_path / "run")
    del content["used"], content["prompts"]
    (tmp_path / "run" / "run.json").write_text(json.dumps(content))
    (tmp_path / "people.txt").write_text("A cook\nA sailor\nA baker\n")
    assert main(arguments) == 0
    assert set(run_file(tmp_path / "run")["used"]) == {"problems", "personas"}


def test_a_recipe_of_a_later_version_is_not_replaced_silently(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    assert main(command(teacher, output, "--limit", "2")) == 0
    content = run_file(output)
    content["recipe"]["votes"] = 3
    (output / "run.json").write_text(json.dumps(content))
    assert main(command(teacher, output, "--limit", "2")) == 1
    assert "(votes was 3, is unknown here)" in capsys.readouterr().err


def test_a_run_that_kept_no_row_does_not_keep_another_recipe_out(start_teacher: Start, tmp_path: Path) -> None:
    unknown = tmp_path / "unknown.jsonl"
    unknown.write_text(json.dumps({"question": "What is the teacher's favourite number?", "answer": "#### 7"}))
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    flags = ["--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(output), "--method", "direct"]
    assert main(["augment", "--problems", f"gsm8k:{unknown}", *flags]) == 3
    assert main(command(teacher, output, "--limit", "2")) == 0


def test_replace_lets_another_recipe_have_the_directory_and_the_journal_keeps_all(
    start_teacher: Start, tmp_path: Path
) -> None:
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    assert main(command(teacher, output, "--limit", "6")) == 0
    first = dataset_bytes(output)
    assert main(command(teacher, output, "--limit", "3", "--replace")) == 0
    assert run_file(output)["recipe"]["limit"] == 3 and dataset_bytes(output) != first
    assert main(command(teacher, output, "--limit", "6", "--replace")) == 0
    assert run_file(output)["answers"]["asked this time"] == 0 and dataset_bytes(output) == first


def test_a_run_file_of_version_0_1_is_the_persona_methods(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = finished / "run.json"
    content = json.loads(path.read_text())
    old = {name: value for name, value in content["recipe"].items() if name != "method"}
    path.write_text(json.dumps(content | {"recipe": old}))
    flags = ["--teacher", MODEL, "--base-url", "http://127.0.0.1:9/v1", "--output", str(finished)]
    assert main(["augment", *PROBLEMS, *flags]) == 0
    assert "0 answers asked" in capsys.readouterr().out


def test_second_opinions_leave_the_bytes_of_the_dataset_alone(start_teacher: Start, tmp_path: Path) -> None:
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    assert main(command(teacher, output, "--limit", "8")) == 0
    before = dataset_bytes(output)
    used = json.loads((output / "dataset" / "provenance.json").read_text())["journal"]["answers"]
    assert main(["opinion", str(output), "--base-url", teacher.base_url, "--all", "--solves", "2"]) == 0
    assert main(command(teacher, output, "--limit", "8")) == 0
    assert dataset_bytes(output) == before
    paid = run_file(output)["paid"]
    assert paid["answers"] > used  # the bill has them, the provenance does not


@pytest.mark.parametrize("method", ["persona", "direct"])
def test_a_run_that_keeps_no_row_says_so_and_leaves_no_dataset(
    start_teacher: Start, tmp_path: Path, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = tmp_path / "unknown.jsonl"
    unknown.write_text(json.dumps({"question": "What is the teacher's favourite number?", "answer": "#### 7"}))
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    flags = ["--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(output), "--method", method]
    assert main(["augment", "--problems", f"gsm8k:{unknown}", *flags]) == 3
    said = capsys.readouterr().out
    assert "No row was kept, so no dataset was written" in said and "The dataset is in" not in said
    assert not (output / "dataset").exists()
    assert run_file(output)["requests"]["stage1_inference"] == {"no final answer": 1}
    for more in (["report", str(output), "--output", str(tmp_path / "report")], ["opinion", str(output)]):
        assert main(more) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert str(output) in line


def test_a_setting_of_another_method_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--teacher", "t", "--output", str(tmp_path / "run"), "--method", "direct", "--personas", "bundled"]
    assert main(["augment", *PROBLEMS, *flags]) == 1
    assert "personas is a setting of persona and resample; the method is direct" in capsys.readouterr().err


def test_the_direct_method_runs_by_the_same_command(start_teacher: Start, tmp_path: Path) -> None:
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    assert main(command(teacher, output, "--method", "direct", "--k1", "2", "--k2", "3")) == 0
    run = run_file(output)
    assert run["recipe"]["method"] == "direct" and "personas" not in run["recipe"]
    kept = run["requests"]["stage1_inference"]["kept"]
    assert sum(run["requests"]["stage1_rewrite: rewrite"].values()) == 2 * kept


def test_a_pilot_of_one_asks_about_each_source(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = start_teacher(*PROBLEMS)
    flags = ["--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(tmp_path / "run"), "--pilot", "1"]
    assert main(["plan", *PROBLEMS, *flags]) == 0
    said = capsys.readouterr().out
    assert "from       a pilot of 2 seed problems" in said and teacher.stats()["requests"] >= 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0 and f"usage: personamath {name}" in capsys.readouterr().out


HELP = """
import contextlib, sys
from personamath.commands.cli import COMMANDS, main
with contextlib.suppress(SystemExit):
    main(["--help"])
heavy = {"aiohttp", "datasets", "jinja2", "math_verify", "matplotlib", "numpy", "openai"}
heavy |= {"pandas", "pyarrow", "pydantic", "ray", "sympy", "torch", "yaml"}
print(sorted(heavy & set(sys.modules)))
"""


def test_the_help_of_the_program_lists_the_commands_and_imports_nothing_heavy() -> None:
    said = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True).stdout
    assert all(f"  {name} " in said for name in ("demo", "plan", "augment", "journal", "publish", "report", "push"))
    assert said.splitlines()[-1] == "[]"


def test_the_help_of_augment_is_grouped(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["augment", "--help"])
    said = capsys.readouterr().out
    places = [said.index(f"\n{title}:\n") for title in ("recipe", "method", "teacher", "limits", "batch", "cluster")]
    assert places == sorted(places)
