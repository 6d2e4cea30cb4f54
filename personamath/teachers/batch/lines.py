"""The files of a batch: a line for each request, and the lines of its results."""

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from personamath.errors import RunDirectoryError, TeacherMisconfigured
from personamath.records import AnsweredBy, Completion
from personamath.teachers.error_bodies import read_error
from personamath.teachers.rates import BATCH
from personamath.teachers.refusals import Refusal, Retry
from personamath.teachers.replies import ADD_CREDIT, Replies
from personamath.teachers.waves import Waiting

# The API's limits on one batch, from its reference (batches.create, input_file_id): "up to 50,000 requests", "up to
# 200 MB"; taken as the smaller of the two readings of MB.
LINES_PER_BATCH = 50_000
BYTES_PER_BATCH = 200 * 10**6
ENDPOINT: Final = "/v1/chat/completions"
# English is about 4 bytes a token, LaTeX and digits nearer 3: the estimate is on the safe side of the allowance.
BYTES_PER_TOKEN = 3


def cut(lines: deque[Waiting], most_tokens: int | None) -> list[Waiting]:
    """Take the next batch's requests off the front: at least one, no more than a batch may hold, and of one model."""
    part: list[Waiting] = []
    size = tokens = 0
    while lines and len(part) < LINES_PER_BATCH:
        size, tokens = size + len(_line(lines[0])), tokens + prompt_tokens(lines[0])
        other = part and part[0].request.model != lines[0].request.model
        if part and (other or size > BYTES_PER_BATCH or (most_tokens is not None and tokens > most_tokens)):
            break
        part.append(lines.popleft())
    return part


def prompt_tokens(waiting: Waiting) -> int:
    """Tokens of a request's prompt, estimated."""
    return len(waiting.request.prompt.encode()) // BYTES_PER_TOKEN + 1


def write(path: Path, part: Iterable[Waiting]) -> None:
    """Write the file of requests that is uploaded; raises `RunDirectoryError` if the disk refuses."""
    try:
        with path.open("wb") as file:
            file.writelines(map(_line, part))
    except OSError as error:
        raise RunDirectoryError(
            f"cannot write {path} ({error.strerror}): make room, then run the same command"
        ) from None


def _line(waiting: Waiting) -> bytes:
    body = waiting.request.body()
    return b'{"custom_id":"%b","method":"POST","url":"%b","body":%b}\n' % (
        waiting.request.digest.encode(),
        ENDPOINT.encode(),
        body,
    )


def _in_a_batch(completion: Completion) -> Completion:
    """The completion with a note that it came in a batch, which has its own price."""
    answered_by = completion.answered_by or AnsweredBy()
    return replace(completion, answered_by=answered_by._replace(processing=BATCH))


class Results:
    """Gives out the results of an ended batch, line by line, to the requests that wait for them."""

    def __init__(self, batch_id: str, awaited: dict[str, Waiting], replies: Replies) -> None:
        """`awaited` are the requests by custom_id; each one is taken out when its line comes."""
        self._batch_id = batch_id
        self._awaited = awaited
        self._replies = replies
        self._failed: list[tuple[Waiting, Exception]] = []

    def take(self, line: bytes) -> None:
        """Read one line; a line that was read before changes nothing."""
        try:
            entry = json.loads(line)
            waiting = self._awaited.pop(entry["custom_id"], None)
            response, error = entry.get("response") or {}, entry.get("error") or {}
            status, body = int(response.get("status_code") or 0), response.get("body")
            silence = None if status else self._without_response(error)
        except (ValueError, LookupError, TypeError, AttributeError):
            return  # an illegible line says nothing on its request
        if waiting is None:
            return
        try:
            if silence:
                raise silence
            content = body if isinstance(body, dict | list) else {}
            completion = self._replies.read(self._batch_id, status, content, asked=waiting.request.body())
            waiting.give(_in_a_batch(completion))
        except (Retry, Refusal, TeacherMisconfigured) as why:
            self._failed.append((waiting, why))

    def _without_response(self, error: Mapping[str, Any]) -> Retry | TeacherMisconfigured:
        """Why a line was not asked: with an empty account the run must end; otherwise it can be asked again."""
        reason = str(error.get("code") or "no response")
        said = f"{self._batch_id}: {self._replies.shown(str(error.get('message') or ''))}"
        # These end a run for direct requests, too.
        if read_error(429, {"error": dict(error)}).is_no_credit:
            return TeacherMisconfigured(f"{said} ({reason}): {ADD_CREDIT}")
        return Retry(reason, said)

    def failed(self, status: str) -> list[tuple[Waiting, Exception]]:
        """Once all lines are read: the requests without an answer, and why; `status` is the batch's."""
        silence = Retry(f"batch {status}", f"{self._batch_id} ended without a word on it")
        # Only now: the first lines of a file may be refused, and later ones answered.
        judge = self._replies.refusals.judge
        judged = [(waiting, judge(why) if isinstance(why, Refusal) else why) for waiting, why in self._failed]
        return judged + [(waiting, silence) for waiting in self._awaited.values()]
