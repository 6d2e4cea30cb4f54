"""Whether a refusal is of one request or of all: an endpoint that refuses everything ends the run."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from personamath.errors import RequestFailed, TeacherMisconfigured

# A refusal is the fault of one request, unless the first requests of a run all get it: then the run ends.
REFUSALS_BEFORE_ANY_ANSWER = 8
TIMEOUT = "timeout"
"""The reason of a try that was not answered in time."""


class Retry(Exception):
    """One try failed, and another may succeed."""

    def __init__(
        self,
        reason: str,
        detail: str,
        after_s: float | None = None,
        *,
        usage: tuple[int | None, int | None] = (None, None),
        remedy: str = "",
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.after_s = after_s
        """Seconds after which the endpoint asks to come back; None if it does not say."""
        self.usage = usage
        """Prompt and completion tokens that were paid for although there is no answer."""
        self.remedy = remedy
        """What to do if every request meets this; empty if it is sure to pass."""
        self.counts = reason != "http 429"
        self.is_outage = reason == TIMEOUT or reason == "connection lost" or reason.startswith("http 5")


class Refusal(RequestFailed):
    """An endpoint will not answer a request, and perhaps no request like it."""

    def __init__(self, reason: str, detail: str, remedy: str, weight: int = 1) -> None:
        super().__init__(reason, detail)
        self.said = detail
        self.remedy = remedy
        self.weight = weight
        """As how many refusals it counts: one that is most often of all requests counts as enough."""


class Refusals:
    """The tries of a run, as far as they show whether anything is ever answered."""

    def __init__(self) -> None:
        self.answered = False
        """Whether anything was, now or by an earlier command in the same run directory."""
        self._refused = 0
        self._tries = 0
        self._open: dict[int, None] = {}
        """Numbers of the tries under way, in order."""
        self._waits_for = inf
        """Number of the last try that was under way once enough were refused: it may still be answered."""

    @contextmanager
    def trying(self) -> Iterator[None]:
        """One try. A refusal becomes `TeacherMisconfigured` if it shows that all requests are refused."""
        self._tries += 1
        number = self._tries
        self._open[number] = None
        try:
            yield
        except (Refusal, Retry) as failure:
            del self._open[number]
            judged = self.judge(failure)
            if judged is failure:
                raise
            raise judged from None
        finally:
            self._open.pop(number, None)

    def judge(self, failure: Refusal | Retry) -> Exception:
        """The failure itself, or what ends the run.

        The run ends when enough tries were refused, none was answered, and none that was sent before can be any more.
        """
        if self.answered or not failure.remedy:
            return failure
        self._refused += failure.weight if isinstance(failure, Refusal) else 1
        if self._refused < REFUSALS_BEFORE_ANY_ANSWER:
            return failure
        self._waits_for = min(self._waits_for, self._tries)
        if next(iter(self._open), inf) <= self._waits_for:
            return failure
        said = failure.said if isinstance(failure, Refusal) else str(failure)
        return TeacherMisconfigured(f"{said}, as to every request so far: {failure.remedy}")
