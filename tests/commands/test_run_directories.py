"""Run directories that hold something already: another recipe, other answers, nothing that was kept."""

import contextlib
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


@pytest.fixture(scope="module")
def made_of_two(shared_teacher: ScriptedTeacher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("made") / "run"
    assert main(of_two(shared_teacher, output)) == 0
    return output


@pytest.fixture
def run(made_of_two: Path, tmp_path: Path) -> Path:
    """A finished run of two problems, to be changed; see `of_two`."""
    return shutil.copytree(made_of_two, tmp_path / "run")


def of_two(teacher: ScriptedTeacher, output: Path, *flags: str) -> list[str]:
    return command(teacher, output, "--limit", "2", *flags)


DAMAGED = [
    ('{"recipe": {"k1"', "not valid JSON"),
    ("[]", "not a JSON object"),
    ("{}", "not as PersonaMath writes it"),
    ('{"recipe": 3}', "not as PersonaMath writes it"),
    ("\x00", "not valid JSON"),
]


@pytest.mark.parametrize(("content", "fault"), DAMAGED)
def test_a_damaged_run_file_protects_its_dataset_until_replace_is_given(
    shared_teacher: ScriptedTeacher, run: Path, content: str, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, before = (run / "run.json").read_bytes(), dataset_bytes(run)
    (run / "run.json").write_text(content)
    assert main(of_two(shared_teacher, run)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"run.json: {fault}" in line and line.endswith("give --replace to let this run replace its dataset")
    assert main(of_two(shared_teacher, run, "--replace")) == 0
    assert dataset_bytes(run) == before
    assert json.loads(whole)["recipe"] == run_file(run)["recipe"]


def test_a_dataset_without_a_run_file_is_protected_by_its_provenance(
    shared_teacher: ScriptedTeacher, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dataset_bytes(run)
    (run / "run.json").unlink()
    assert main(command(shared_teacher, run, "--limit", "1")) == 1
    assert "contains the dataset of another recipe (limit was 2, is 1)" in capsys.readouterr().err
    assert dataset_bytes(run) == before
    assert main(of_two(shared_teacher, run)) == 0
    assert dataset_bytes(run) == before and run_file(run)["answers"]["asked this time"] == 0


def of_two_files(teacher: ScriptedTeacher, *flags: str) -> list[str]:
    """A run on a file of problems and one of personas, in the current folder."""
    sources = ["--problems", "gsm8k:few.jsonl", "--personas", "people.txt"]
    asked = ["--teacher", MODEL, "--base-url", teacher.base_url, "--output", "run"]
    return ["augment", *sources, *asked, "--k1", "2", "--k2", "3", *flags]


@pytest.fixture(scope="module")
def made_of_two_files(shared_teacher: ScriptedTeacher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    rows = Path(bundled_problems()[0].partition(":")[2]).read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "few.jsonl").write_text("".join(rows[:4]), encoding="utf-8")
    (folder / "people.txt").write_text("A cook\nA pilot\nA baker\n")
    with contextlib.chdir(folder):
        assert main(of_two_files(shared_teacher)) == 0
    return folder


@pytest.fixture
def two_files(made_of_two_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of two files and the finished run of them, to be changed; it is the current one."""
    folder = shutil.copytree(made_of_two_files, tmp_path / "files")
    monkeypatch.chdir(folder)
    return folder


CHANGED_FILES: list[tuple[str, Callable[[str], str], str]] = [
    ("few.jsonl", lambda text: text.partition("\n")[2], "the problems have changed"),
    ("few.jsonl", lambda text: text.replace("#### ", "#### 1", 1), "the problems have changed"),
    ("few.jsonl", lambda text: text.replace('{"question": ', '{"note": 1, "question": '), ""),
    ("people.txt", lambda text: text.replace("pilot", "sailor"), "the personas have changed"),
    ("people.txt", lambda text: text.replace("\n", "\n\n"), ""),
]


@pytest.mark.parametrize("recorded_in", ["run.json", "provenance.json"])
@pytest.mark.parametrize(("name", "change", "difference"), CHANGED_FILES)
def test_files_that_changed_under_one_name_are_another_recipe(
    shared_teacher: ScriptedTeacher,
    two_files: Path,
    recorded_in: str,
    name: str,
    change: Callable[[str], str],
    difference: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments, run = of_two_files(shared_teacher), two_files / "run"
    before = dataset_bytes(run)
    (two_files / name).write_text(change((two_files / name).read_text()))
    if recorded_in != "run.json":
        (run / "run.json").unlink()
    if not difference:
        assert main(arguments) == 0
        return
    assert main(arguments) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"contains the dataset of another recipe ({difference}): use another output, or replace" in said
    assert dataset_bytes(run) == before
    assert main([*arguments, "--replace"]) == 0 and dataset_bytes(run) != before


def test_a_run_of_a_version_that_kept_no_digests_goes_on(shared_teacher: ScriptedTeacher, two_files: Path) -> None:
    run = two_files / "run"
    content = run_file(run)
    del content["used"], content["prompts"]
    (run / "run.json").write_text(json.dumps(content))
    (two_files / "people.txt").write_text("A cook\nA sailor\nA baker\n")
    assert main(of_two_files(shared_teacher)) == 0
    assert set(run_file(run)["used"]) == {"problems", "personas"}


def test_a_recipe_of_a_later_version_is_not_replaced_silently(
    shared_teacher: ScriptedTeacher, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = run_file(run)
    content["recipe"]["votes"] = 3
    (run / "run.json").write_text(json.dumps(content))
    assert main(of_two(shared_teacher, run)) == 1
    assert "(votes was 3, is unknown here)" in capsys.readouterr().err


def unanswerable(folder: Path, teacher: ScriptedTeacher, method: str) -> list[str]:
    """A run of one problem that no teacher can solve, in the folder `run`."""
    unknown = folder / "unknown.jsonl"
    unknown.write_text(json.dumps({"question": "What is the teacher's favourite number?", "answer": "#### 7"}))
    flags = ["--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(folder / "run"), "--method", method]
    return ["augment", "--problems", f"gsm8k:{unknown}", *flags]


def test_a_run_that_kept_no_row_does_not_keep_another_recipe_out(
    shared_teacher: ScriptedTeacher, tmp_path: Path
) -> None:
    assert main(unanswerable(tmp_path, shared_teacher, "direct")) == 3
    assert main(of_two(shared_teacher, tmp_path / "run")) == 0


def test_replace_lets_another_recipe_have_the_directory_and_the_journal_keeps_all(
    shared_teacher: ScriptedTeacher, run: Path
) -> None:
    first = dataset_bytes(run)
    assert main(command(shared_teacher, run, "--limit", "1", "--replace")) == 0
    assert run_file(run)["recipe"]["limit"] == 1 and dataset_bytes(run) != first
    assert main(of_two(shared_teacher, run, "--replace")) == 0
    assert run_file(run)["answers"]["asked this time"] == 0 and dataset_bytes(run) == first


def test_a_run_file_of_version_0_1_is_the_persona_methods(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = finished / "run.json"
    content = json.loads(path.read_text())
    old = {name: value for name, value in content["recipe"].items() if name != "method"}
    path.write_text(json.dumps(content | {"recipe": old}))
    flags = ["--teacher", MODEL, "--base-url", "http://127.0.0.1:9/v1", "--output", str(finished)]
    assert main(["augment", *PROBLEMS, *flags]) == 0
    assert "0 answers asked" in capsys.readouterr().out


def test_second_opinions_leave_the_bytes_of_the_dataset_alone(shared_teacher: ScriptedTeacher, run: Path) -> None:
    before = dataset_bytes(run)
    used = json.loads((run / "dataset" / "provenance.json").read_text())["journal"]["answers"]
    assert main(["opinion", str(run), "--base-url", shared_teacher.base_url, "--all", "--solves", "2"]) == 0
    assert main(of_two(shared_teacher, run)) == 0
    assert dataset_bytes(run) == before
    paid = run_file(run)["paid"]
    assert paid["answers"] > used  # the bill has them, the provenance does not


@pytest.mark.parametrize("method", ["persona", "direct"])
def test_a_run_that_keeps_no_row_says_so_and_leaves_no_dataset(
    shared_teacher: ScriptedTeacher, tmp_path: Path, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run"
    assert main(unanswerable(tmp_path, shared_teacher, method)) == 3
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


def test_the_direct_method_runs_by_the_same_command(shared_teacher: ScriptedTeacher, tmp_path: Path) -> None:
    few = ("--limit", "8", "--k1", "2", "--k2", "3")
    assert main(command(shared_teacher, tmp_path / "run", "--method", "direct", *few)) == 0
    run = run_file(tmp_path / "run")
    assert run["recipe"]["method"] == "direct" and "personas" not in run["recipe"]
    kept = run["requests"]["stage1_inference"]["kept"]
    assert kept and sum(run["requests"]["stage1_rewrite: rewrite"].values()) == 2 * kept


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
