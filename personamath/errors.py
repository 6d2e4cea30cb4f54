"""Errors that PersonaMath raises on purpose, and the warnings that it gives.

PersonaMathError                 one line for the user, exit 1
├── BadInput                     a file, row or option is unusable; the message names it and the remedy
├── RunDirectoryError            the output folder is unusable: locked, not a run, of another version, or disk full
├── Interrupted                  the user or the system asked the run to end: exit 130 or 143
└── TeacherError
    ├── TeacherMisconfigured     the endpoint refuses every request (key, model, address): ends the run at once
    ├── RequestFailed            one request failed after its retries: its attempt is counted and left out
    └── NotAsked                 a cap was reached, so the request was not sent or paid: counted and left out

Their texts name settings as options of the command (`--base-url`); the Python API shows them as its arguments.
"""

import warnings


class PersonaMathError(Exception):
    """Base of every error raised on purpose; `str(error)` is one line that says what to do."""


class BadInput(PersonaMathError):
    """A file, row or option that cannot be used as given."""


class RunDirectoryError(PersonaMathError):
    """The output folder cannot be used as a run directory."""


class Interrupted(PersonaMathError):
    """A signal ended the run; all answers so far are kept."""

    def __init__(self, signal_number: int, message: str) -> None:
        super().__init__(message)
        self.signal_number = signal_number


class TeacherError(PersonaMathError):
    """The teacher did not answer."""


class TeacherMisconfigured(TeacherError):
    """The endpoint refuses every request, e.g. because of a wrong key, an unknown model or a wrong address."""


class RequestFailed(TeacherError):
    """One request got no usable answer; the same command asks it again."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        """Short name for counting, e.g. `http 500`, `timeout`, `empty answer`."""


class NotAsked(TeacherError):
    """A request was not sent, because the run reached `--max-usd` or `--max-requests`."""


class PersonaMathWarning(UserWarning):
    """A problem, in one line, that does not stop a run. The command prints it; a notebook shows it."""


# Python shows the warning of one line of code only once, but the next run in the same session may need it again.
warnings.simplefilter("always", PersonaMathWarning, append=True)


def warn(text: str) -> None:
    """Give a warning."""
    warnings.warn(text, PersonaMathWarning, stacklevel=2)
