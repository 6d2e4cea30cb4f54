"""Commands on a run directory in an object store, as the ray engine leaves it: answers in blocks, and no journal."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants

from personamath.commands.cli import main
from personamath.commands.report import read_source
from personamath.journal.block_files import write_answers
from personamath.journal.run_folder import RunFolder
from personamath.journal.salvage import Answer
from personamath.report.analysis.catalogue import analyses
from tests.commands.test_augment import FEW, command
from tests.conftest import ScriptedTeacher
from tests.support.local_hub import LocalHub

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(shared_teacher: ScriptedTeacher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a finished run."""
    output = tmp_path_factory.mktemp("made") / "run"
    assert main(command(shared_teacher, output, *FEW)) == 0
    return output


@pytest.fixture(scope="module")
def url(run: Path) -> str:
    """The same run in an object store."""
    folder = RunFolder(f"memory:/{run}")
    with closing(sqlite3.connect(run / "journal.sqlite")) as journal:
        answers = [Answer(*values) for values in journal.execute("select * from answers order by digest")]
    write_answers(folder, "000000-a", answers[::2])
    write_answers(folder, "000001-b", answers[1::2])
    folder.upload(run / "dataset", "dataset", last="README.md")
    folder.write("run.json", (run / "run.json").read_bytes())
    return folder.output


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_the_journal_is_counted_and_exported(
    run: Path, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = printed(capsys, "journal", url)
    assert counted == printed(capsys, "journal", str(run)) and "stage2_rewrite: reflect" in counted
    for source, name in ((url, "store"), (str(run), "here")):
        assert "answers written" in printed(capsys, "journal", source, "--export", str(tmp_path / f"{name}.parquet"))
    assert exported(tmp_path / "store.parquet") == exported(tmp_path / "here.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here.parquet", "store.parquet"]


def exported(file: Path) -> set[tuple[str, ...]]:
    import pyarrow.parquet as pq

    return {tuple(row.values()) for row in pq.read_table(file).to_pylist()}


def test_the_report_says_what_it_says_of_the_directory(
    run: Path, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(capsys, "report", url, "--output", str(tmp_path))
    assert (tmp_path / "report.md").read_text().startswith(f"# Report on {url}\n")
    store, here = read_source(url), read_source(str(run))
    assert here.wrong and here.seeds and not here.missing
    assert (store.name, replace(store, name=here.name)) == (url, here)
    assert analyses(store) == analyses(here)


def test_versions_are_compared(run: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for pair in ((url, str(run)), (str(run), url)):
        assert "The composition is the same." in printed(capsys, "diff", *pair)


def test_a_dataset_is_published(
    run: Path, url: str, hub: LocalHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_TOKEN", "hf_alice")
    version = ("--repo-id", "alice/stored", "--version", "v1.0.0", "--allow-simulated")
    dry = printed(capsys, "publish", url, *version, "--dry-run")
    assert "Dry run." in dry and dry == printed(capsys, "publish", str(run), *version, "--dry-run")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["opinion", "URL"],
            "`personamath opinion` writes to the run's journal, so it needs a local run directory, not a URL; copy",
        ),
        (["journal", "URL/dataset"], "no run in it, neither journal.sqlite nor blocks"),
        (["report", "URL/dataset"], "no finished dataset in it; give the URL of a run directory"),
        (["diff", "URL/dataset", "URL"], "no finished dataset in it"),
        (["publish", "URL/blocks", "--repo-id", "a/b", "--version", "v1.0.0"], "no finished dataset in it"),
        (["journal", "nowhere://me:secret@bucket/run"], "output 'nowhere://bucket/run'"),
    ],
)
def test_what_a_command_cannot_do_there_is_told_in_one_line(
    arguments: list[str], message: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main([argument.replace("URL", url) for argument in arguments]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and "secret" not in error
