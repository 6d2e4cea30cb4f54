"""Everything PersonaMath raises on purpose.

PersonaMathError                 one line for the user, exit 1
├── BadInput                     a file, a row or an option; the message names it and the remedy
├── RunDirectoryError            the output folder cannot serve as a run: locked, foreign, of another version, disk full
├── Interrupted                  the user, or the system, asked the run to end: exit 130 or 143
└── TeacherError
    ├── TeacherMisconfigured     the endpoint will not serve us as asked (key, model, address): ends the run at once
    ├── RequestFailed            this one request failed after its retries: its attempt is counted and left out
    └── NotAsked                 a cap of the user's is reached: nothing was sent, nothing paid; counted and left out
"""


class PersonaMathError(Exception):
    """Base of every error raised on purpose; `str(error)` is one line that says what to do."""


class BadInput(PersonaMathError):
    """A file, row or option that cannot be used as given."""


class RunDirectoryError(PersonaMathError):
    """The output folder cannot be used as a run directory."""


class Interrupted(PersonaMathError):
    """A signal ended the run; what was answered is kept."""

    def __init__(self, signal_number: int, message: str) -> None:
        super().__init__(message)
        self.signal_number = signal_number


class TeacherError(PersonaMathError):
    """The teacher did not answer."""


class TeacherMisconfigured(TeacherError):
    """The endpoint refuses every request alike: wrong key, unknown model, wrong address."""


class RequestFailed(TeacherError):
    """One request got no usable answer; the same command asks it again."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        """Short name for counting, e.g. `http 500`, `timeout`, `empty answer`."""


class NotAsked(TeacherError):
    """A request that was not sent, because the run came to `--max-usd` or `--max-requests`."""
