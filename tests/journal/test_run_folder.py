"""Run directories on a disk and in an object store: the same files by the same names, and copies to read."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from fsspec import AbstractFileSystem, register_implementation

from personamath.errors import BadInput, RunDirectoryError
from personamath.journal.block_files import all_answer_files, paid_in, read_answers, write_answers
from personamath.journal.file_format import BLOCKS, FILE_NAME, JOURNAL_FILES, answer_sha256, open_for_reading
from personamath.journal.run_folder import DATASET, RunFolder, is_url, local_copy, shown
from personamath.journal.salvage import Answer
from personamath.records import Completion, Request
from personamath.teachers.prices import Paid


def store(tmp_path: Path) -> str:
    """A run directory in an object store, which lasts as long as this process: each test has its own."""
    return f"memory:/{tmp_path}/run"


@pytest.fixture(params=["path", "file", "memory"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A run directory that does not exist yet."""
    return {
        "path": str(tmp_path / "run"),
        "file": (tmp_path / "run").as_uri(),
        "memory": store(tmp_path),
    }[request.param]


def test_files_come_back_are_listed_and_removed(output: str) -> None:
    folder = RunFolder(output)
    assert folder.names("a") == [] and not folder.exists("a")
    with pytest.raises(FileNotFoundError):
        folder.read("a/one")
    for name, content in (("a/two", b"2"), ("a/one", b"1"), ("a/one", b"again"), ("b", b"3")):
        folder.write(name, content)
    assert folder.names("a") == ["one", "two"] and folder.read("a/one") == b"again"
    folder.remove("a")
    folder.remove("a")
    assert not folder.exists("a/one") and folder.read("b") == b"3"


def test_files_and_folders_are_fetched_as_far_as_they_exist(output: str, tmp_path: Path) -> None:
    folder = RunFolder(output)
    for name in ("blocks/1/x", "blocks/2/y", "run.json", "run.json.other"):
        folder.write(name, name.encode())
    for name in ("blocks", "run.json", "missing"):
        folder.fetch(name, tmp_path / "copy" / name)
    copied = {path.relative_to(tmp_path / "copy").as_posix(): path.read_text() for path in files(tmp_path / "copy")}
    assert copied == {name: name for name in ("blocks/1/x", "blocks/2/y", "run.json")}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_folder_is_uploaded_in_the_place_of_the_one_before_and_its_card_last(tmp_path: Path) -> None:
    local, written = tmp_path / "dataset", list[str]()
    for name in ("README.md", "a/1.parquet", "z/2.parquet"):
        (local / name).parent.mkdir(parents=True, exist_ok=True)
        (local / name).write_text(name)

    class Watched(RunFolder):
        def write(self, name: str, content: bytes) -> None:
            written.append(name)
            super().write(name, content)

    folder = Watched(store(tmp_path))
    folder.write("dataset/old.parquet", b"old")
    folder.upload(local, "dataset", last="README.md")
    assert written[1:] == ["dataset/a/1.parquet", "dataset/z/2.parquet", "dataset/README.md"]
    assert folder.names("dataset") == ["README.md", "a", "z"]


def test_a_write_that_is_refused_is_told_in_one_line_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    folder.write("a/one/inside", b"1")
    with pytest.raises(
        RunDirectoryError, match=r"cannot write a/one \(.*\); the existing files are kept: .* same command"
    ):
        folder.write("a/one", b"a file in the place of a folder")
    assert folder.names("a") == ["one"] and folder.read("a/one/inside") == b"1"


class Broken(AbstractFileSystem):
    """A store that refuses everything, each with an error of its own kind."""

    protocol = "broken"

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise ValueError("HTTP 503:\n<html>busy</html>")

    cat_file = pipe_file = find = exists = _refuse

    def ls(self, *_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", "key?secret=1")

    def rm(self, *_: object, **__: object) -> NoReturn:
        raise TimeoutError("no answer")


REFUSED: list[tuple[Callable[[RunFolder], object], str]] = [
    (lambda folder: folder.read("a"), r"cannot read a \(HTTP 503: <html>busy</html>\)"),
    (lambda folder: folder.write("a", b""), r"cannot write a \(HTTP 503: <html>busy</html>\)"),
    (lambda folder: folder.fetch("a", Path("a")), r"cannot read a \(HTTP 503: <html>busy</html>\)"),
    (lambda folder: folder.exists("a"), r"cannot read a \(HTTP 503: <html>busy</html>\)"),
    (lambda folder: folder.names("a"), r"cannot read a \(Permission denied\)"),
    (lambda folder: folder.remove("a"), r"cannot write a \(no answer\)"),
]


@pytest.mark.parametrize(("use", "message"), REFUSED)
def test_whatever_a_store_refuses_is_told_in_one_line(use: Callable[[RunFolder], object], message: str) -> None:
    register_implementation("broken", Broken, clobber=True)
    folder = RunFolder("broken://bucket/run")
    with pytest.raises(
        RunDirectoryError, match=f"^broken://bucket/run: {message}; the existing files are kept"
    ) as told:
        use(folder)
    assert "\n" not in str(told.value) and folder.free_bytes() is None


def test_a_run_directory_has_the_room_of_its_disk(tmp_path: Path) -> None:
    free = RunFolder(str(tmp_path)).free_bytes()
    assert free is not None and 0 < free <= shutil.disk_usage(tmp_path).total


def test_an_unknown_store_is_told_in_one_line_and_without_its_key() -> None:
    with pytest.raises(BadInput) as told:
        RunFolder("nowhere://key:secret@bucket/run")
    assert "nowhere" in str(told.value) and "secret" not in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("output", "url", "name"),
    [
        ("runs/v1", False, "runs/v1"),
        ("me/PersonaMathQA@v1.0.0", False, "me/PersonaMathQA@v1.0.0"),
        ("s3://bucket/runs/v1", True, "s3://bucket/runs/v1"),
        ("sftp://me:secret@host/runs/v1", True, "sftp://host/runs/v1"),
    ],
)
def test_urls_are_told_from_paths_and_shown_without_passwords(output: str, url: bool, name: str) -> None:
    assert (is_url(output), shown(output)) == (url, name)


def test_a_path_is_read_where_it_is(tmp_path: Path) -> None:
    for output in (str(tmp_path), tmp_path.as_uri()):
        with local_copy(output, DATASET, *JOURNAL_FILES) as copy:
            assert copy == tmp_path


def test_a_run_in_a_store_is_copied_and_the_copy_does_not_stay(tmp_path: Path) -> None:
    folder = RunFolder(store(tmp_path))
    folder.write("dataset/README.md", b"card")
    folder.write("blocks/000000-a/rows.parquet", b"rows")
    with local_copy(folder.output, DATASET) as copy:
        assert [path.relative_to(copy).as_posix() for path in files(copy)] == ["dataset/README.md"]
    assert not copy.exists()
    # The ray engine leaves no journal there: all answers are in the blocks.
    with local_copy(folder.output, BLOCKS, *JOURNAL_FILES) as copy:
        assert (copy / "blocks" / "000000-a" / "rows.parquet").read_bytes() == b"rows"
        with open_for_reading(copy) as journal:
            assert journal.execute("select count(*) from answers").fetchone() == (0,)
        journal.close()


@pytest.mark.parametrize(
    ("there", "wanted", "message"),
    [
        ((), DATASET, "no finished dataset in it"),
        (("dataset/stage1_inference/train.parquet",), DATASET, "no finished dataset in it"),
        (("something",), FILE_NAME, "no run in it, neither journal.sqlite nor blocks"),
    ],
)
def test_what_is_no_finished_run_is_refused_in_one_line(
    there: tuple[str, ...], wanted: str, message: str, tmp_path: Path
) -> None:
    folder = RunFolder(store(tmp_path))
    for name in there:
        folder.write(name, b"")
    with pytest.raises(BadInput, match=message), local_copy(folder.output, wanted):
        pass


def test_answers_of_a_block_are_summed_once_by_model_and_purpose(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    models = ("one", "two", "one")
    requests = [Request(f"q{number}", model, 0.7, 100, purpose="solve") for number, model in enumerate(models)]
    answers = [Answer.of(request, Completion("text", "stop", 10, None)) for request in requests]
    write_answers(folder, "000000-a", answers[:2])
    write_answers(folder, "000000-a", answers[1:])
    paid = sorted(paid_in(folder, "000000-a"))
    assert paid == [Paid(model, "solve", 1, 10, 0, 1) for model in ("one", "one", "two")]
    found = {digest for file in all_answer_files(folder) for (digest,) in read_answers(folder, file, ("digest",))}
    assert found == {request.digest for request in requests}
    hashes = {one for file in all_answer_files(folder) for (one,) in read_answers(folder, file, ("sha256",))}
    assert hashes == {answer_sha256(one.digest, "stop", "text") for one in answers}
