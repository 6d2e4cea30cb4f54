"""Paths as people write them: a home folder, a time of day, a file URL, marks that libraries read as more."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath.files import folder_for_libraries, local_path, plain_path
from personamath.journal.run_folder import RunFolder
from personamath.runs.api import augment
from personamath.runs.setup import Setup
from personamath.sources.personas import read_personas
from personamath.sources.problems import ProblemSource
from personamath.sources.questions import QuestionSource
from personamath.teachers.simulated import MODEL, bundled_problems
from personamath.training.data import load_rows
from tests.conftest import ScriptedTeacher, scripted_teacher

HERE = "{here}"
"""Stands for the folder of the test."""
OUTPUTS = {
    "~/runs/x": "home/runs/x",
    "run-15:30": "run-15:30",
    "s3:x": "s3:x",
    "file:x": "file:x",
    f"file://{HERE}/y%20z": "y z",
    "a::b": "a::b",
    "a[1]": "a[1]",
    "a?*#%41": "a?*#%41",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def asked() -> Iterator[list[str]]:
    """A small run, without its output."""
    problems = bundled_problems()[0]
    with scripted_teacher("--problems", problems) as teacher:
        flags = ["--teacher", MODEL, "--base-url", teacher.base_url, "--limit", "2", "--k1", "1", "--k2", "2"]
        yield ["augment", "--problems", problems, *flags]


@pytest.mark.slow
@pytest.mark.parametrize(("written", "meant"), OUTPUTS.items())
def test_an_output_of_any_name_is_a_folder_that_is_written_checked_and_trained_on(
    written: str, meant: str, asked: list[str], tmp_path: Path
) -> None:
    output = written.replace(HERE, str(tmp_path))
    assert main([*asked, "--output", output]) == 0
    run = tmp_path / meant
    assert {"journal.sqlite", "run.json", "dataset"} <= {path.name for path in run.iterdir()}
    assert main(["journal", output, "--export", "answers-12:00.parquet"]) == 0
    assert pq.ParquetFile(tmp_path / "answers-12:00.parquet").metadata.num_rows
    rows, _ = load_rows(str(run.relative_to(tmp_path) / "dataset"), "default", None, allow_simulated=True)
    assert len(rows)


def test_a_recipe_is_read_as_a_command_line(
    start_teacher: Callable[..., ScriptedTeacher], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home" / "q-15:30.jsonl").write_text('{"q": "What is 1 + 1?", "a": "2"}\n')
    (tmp_path / "home" / "recipe.yaml").write_text(
        "problems: [own:~/q-15:30.jsonl:q:a]\nteacher: simulated-teacher\nmethod: direct\noutput: ~/runs/x\n"
        f"base_url: {start_teacher().base_url}\n"
    )
    assert main(["augment", "--config", "~/recipe.yaml"]) in (0, 3), capsys.readouterr().err
    assert (tmp_path / "home" / "runs" / "x" / "run.json").is_file()


def test_every_way_to_name_a_file_knows_the_home_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "p.txt").write_text("A beekeeper.\n")
    assert [persona.description for persona in read_personas("~/p.txt")] == ["A beekeeper."]
    assert ProblemSource.parse("math:~/m.jsonl").path == home / "m.jsonl"
    assert ProblemSource.parse("own:~/m.jsonl:q:a").path == home / "m.jsonl"
    assert ProblemSource.parse(f"own:file://{home}/m.jsonl:q:a").path == home / "m.jsonl"
    assert QuestionSource.parse("~/m.jsonl:q", "test").path == home / "m.jsonl"
    assert Setup(output="~/x").output == RunFolder("~/x").output == str(home / "x")
    assert RunFolder("a::b").path == tmp_path / "a::b"
    assert local_path("~/x") == home / "x"
    assert plain_path("me/PersonaMathQA@v1.0.0") == "me/PersonaMathQA@v1.0.0"
    assert plain_path("~nobody-of-this-name/x") == "~nobody-of-this-name/x"


@pytest.mark.parametrize(
    ("text", "path", "columns"),
    [
        ("own:a:b.jsonl:q:a", "a:b.jsonl", ("q", "a")),
        ("own:/x/run-15:30/m.jsonl:q:a", "/x/run-15:30/m.jsonl", ("q", "a")),
        ("math:/x/run-15:30/m.jsonl", "/x/run-15:30/m.jsonl", ("problem", "solution")),
    ],
)
def test_a_path_may_have_a_colon(text: str, path: str, columns: tuple[str, str]) -> None:
    source = ProblemSource.parse(text)
    assert (str(source.path), source.columns) == (path, columns)


def test_a_plain_name_is_given_only_where_it_has_to_be(tmp_path: Path) -> None:
    with folder_for_libraries(Path("run-15:30")) as folder:
        assert folder == tmp_path / "run-15:30"
    (tmp_path / "a[1]" / "b").mkdir(parents=True)
    (tmp_path / "a[1]" / "b" / "c").write_text("d")
    with folder_for_libraries(Path("a[1]")) as folder:
        assert (folder / "b" / "c").read_text() == "d" and "[" not in str(folder)
    assert not folder.exists()


def test_a_name_that_is_not_utf8_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"problems is .*which is not valid Unicode"):
        augment("own:caf\udce9.jsonl:q:a", teacher="any", output=tmp_path / "run", base_url="http://127.0.0.1:9/v1")
