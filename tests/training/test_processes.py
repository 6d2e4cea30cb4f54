"""How a recipe's script ends where storage takes no more."""

import errno

import pytest

from personamath.training.processes import status_of

AGAIN = ": make room, or give another --output_dir; the same command resumes from the last complete checkpoint\n"


def behind(cause: Exception) -> Exception:
    error = RuntimeError("cannot save the model")
    error.__cause__ = cause
    return error


FULL = OSError(errno.ENOSPC, "No space left on device")
REFUSED = [
    (FULL, "cannot write: No space left on device"),
    (behind(FULL), "cannot write: No space left on device"),
    (OSError(errno.EROFS, "Read-only file system", "out/tiny"), "out/tiny: Read-only file system"),
    (RuntimeError("I/O error: No space left on device (os error 28)"), "cannot write: No space left on device"),
    (RuntimeError("[enforce fail at x.cc:603] . PytorchStreamWriter failed writing file data/0"), "cannot write: Py"),
]


@pytest.mark.parametrize(("error", "said"), REFUSED)
def test_storage_that_takes_no_more_is_one_line(
    error: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def main() -> None:
        raise error

    assert status_of(main, "sft") == 1
    (line,) = capsys.readouterr().out.splitlines(keepends=True)
    assert line.startswith(f"sft: {said}") and line.endswith(AGAIN)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes differ"), behind(ValueError()), OSError(errno.EIO, "I/O error")]
)
def test_any_other_error_keeps_its_traceback(error: Exception) -> None:
    def main() -> None:
        raise error

    with pytest.raises(type(error)):
        status_of(main, "sft")
