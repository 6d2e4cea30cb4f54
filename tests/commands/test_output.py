"""Where the output goes: a reader that leaves, a full device; and storage that can only be read."""

import errno
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from personamath.commands.cli import NOBODY_READS, main
from personamath.errors import BadInput
from personamath.files import scratch_folder, written_whole
from personamath.journal.file_format import JOURNAL_FILES, open_for_reading
from tests.support import programs

COMMANDS = [["--help"], ["journal", "RUN"], ["journal", "RUN", "--help"], ["diff", "RUN", "RUN"], ["tasks"]]


@pytest.fixture(scope="module")
def finished(demo_run: Path) -> Path:
    """A finished run of the bundled problems."""
    return demo_run


def called(words: list[str], finished: Path, stdout: IO[str] | int) -> tuple[int, str]:
    """The exit status of a command whose output goes there, and what it said on stderr."""
    given = (finished if word == "RUN" else word for word in words)
    with programs.start(programs.CLI, *given, stdout=stdout, stderr=programs.PIPE) as process:
        _, said = process.communicate()
        return process.wait(), said


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_reader_that_leaves_is_met_quietly(words: list[str], finished: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    status, said = called(words, finished, write)
    assert said == ""
    assert status in ((0, NOBODY_READS) if "--help" in words else (NOBODY_READS,))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_full_device_is_one_line(words: list[str], finished: Path) -> None:
    with Path("/dev/full").open("w") as full:
        status, said = called(words, finished, full)
    if "--help" in words:  # argparse says nothing
        assert not said.count("Traceback")
    else:
        assert said == "personamath: cannot write the output: No space left on device\n"
        assert status == 1


def of_many(number: int) -> shutil.Error:
    """As `copytree` tells of files that it could not copy."""
    return shutil.Error([("a", "b", str(OSError(number, os.strerror(number), "a")))])


FULL: list[tuple[OSError, bool]] = [
    (OSError(errno.EDQUOT, "Disk quota exceeded", "{folder}/a"), True),
    (of_many(errno.ENOSPC), True),
    (of_many(errno.EACCES), False),
    (OSError(errno.ENOSPC, "No space left on device"), False),  # of the standard output, or another disk
    (OSError(errno.ENOSPC, "No space left on device", "/elsewhere/a"), False),
    (OSError(errno.EROFS, "Read-only file system", "/elsewhere/a"), False),
]


@pytest.mark.parametrize(("error", "named"), FULL)
def test_a_full_disk_of_temporary_files_is_named_with_its_remedy(error: OSError, named: bool) -> None:
    with pytest.raises(BadInput if named else OSError) as raised, scratch_folder("test") as folder:
        if error.filename:
            error.filename = error.filename.format(folder=folder)
        raise error
    assert raised.value is error or "no space left for temporary files: make room, or" in str(raised.value)
    assert not folder.exists()


def test_a_disk_that_is_full_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError) as raised, written_whole(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert raised.value.filename == str(tmp_path / "a.txt")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody can write to, filled by the test before it calls `seal`."""
    folder = tmp_path / "storage"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("storage cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def seal(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


@pytest.mark.parametrize("killed", [False, True])
def test_a_run_is_read_from_storage_that_can_only_be_read(killed: bool, finished: Path, read_only: Path) -> None:
    run = read_only / "run"
    shutil.copytree(finished, run, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    answers = sqlite3.connect(run / JOURNAL_FILES[0])
    (count,) = answers.execute("select count(*) from answers").fetchone()
    answers.execute("delete from answers where rowid = 1")  # stands for what is in the log alone
    answers.commit()
    logs = {name: (run / name).read_bytes() for name in JOURNAL_FILES[1:]}
    answers.close()
    for name, log in logs.items() if killed else ():
        shutil.copy(finished / JOURNAL_FILES[0], run / JOURNAL_FILES[0])
        (run / name).write_bytes(log)
    seal(read_only)

    journal = open_for_reading(run)
    assert journal.execute("select count(*), count(text) from answers").fetchone() == (count - 1, count - 1)
    journal.close()
    assert main(["journal", str(run)]) == main(["diff", str(run), str(run)]) == 0


def test_a_run_on_storage_that_can_only_be_read_is_one_line(
    finished: Path, read_only: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished, read_only / "run")
    seal(read_only)
    for output in (read_only / "run", read_only / "new"):
        assert main(["demo", "--simulated", "--data-only", "--output", str(output)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "Read-only file system" in line
