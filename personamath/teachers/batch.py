"""Asking through the OpenAI Batch API: half the price, answers within a day, in files of many requests.

What is covered: requests go out in waves (`waves.py`), split by the API's limits and by an allowance of
enqueued tokens. A batch that expired or was cancelled, and every line that failed, is asked again, a few times. What is
in which batch is written down before the batch is made (`batch_record.py`), and a batch whose making was not
confirmed is looked for in the provider's list: killed at any point, the same command finds its batches again and
submits none twice. What is not: other batch APIs than OpenAI's form of it, and cancelling what was submitted.
"""

import asyncio
import json
import re
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import httpx2
import openai
from openai.types import Batch

from personamath.errors import RequestFailed, RunDirectoryError, TeacherMisconfigured
from personamath.teachers.batch_record import BatchRecord, Submitted
from personamath.teachers.replies import Replies, Retry, read_error
from personamath.teachers.waves import Waiting, WaveTeacher

T = TypeVar("T")

# The API's limits on one batch, from its reference (batches.create, input_file_id): "up to 50,000 requests", "up to
# 200 MB"; taken as the smaller of the two readings of MB.
LINES_PER_BATCH = 50_000
BYTES_PER_BATCH = 200 * 10**6
ENDPOINT: Final = "/v1/chat/completions"
# English is about 4 bytes a token, LaTeX and digits nearer 3: the estimate is on the safe side of the allowance.
BYTES_PER_TOKEN = 3
# With an allowance, batches of a quarter of it: as one ends, the others keep the provider busy.
SHARE_OF_ALLOWANCE = 4
# Each may take the whole 24 hours, so fewer than over HTTP.
LINE_ATTEMPTS = 3
# A batch's name in its metadata, by which a lost one is found again.
METADATA_KEY = "personamath"
# How far the provider's clock and ours may differ, when its list of batches is searched backwards.
CLOCKS_DIFFER_S = 3600.0
# The one error of a whole batch that only asks to wait.
QUEUE_FULL = "token_limit_exceeded"
_ANNOUNCED = re.compile(r"[Ll]imit: ([\d,]+)")
# Lines read between two looks at how the journal and the grader keep up.
LINES_AT_ONCE = 500
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 60.0
UPLOAD_NAME = "upload.partial"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait for what; tests wait less."""

    first_poll_s: float = 0.2
    longest_poll_s: float = 60.0
    settle_s: float = 5.0
    """After a creation without an answer: how long its batch may take to show up in the provider's list."""
    hold_s: float = 60.0
    """Before submitting again to a queue that was full."""


class BatchTeacher(WaveTeacher):
    """An endpoint that is asked in batches, for the run in `directory`.

    Leaving its context cancels nothing at the provider. `queue_tokens` is the most prompt tokens to have enqueued
    there at once, None for as many as there are; `gone_s` how long the API may fail before that ends the run.
    """

    def __init__(
        self,
        directory: Path,
        base_url: str,
        api_key: str | None,
        *,
        queue_tokens: int | None = None,
        attempts: int = LINE_ATTEMPTS,
        gone_s: float = 600.0,
        pace: Pace | None = None,
    ) -> None:
        super().__init__()
        self._directory = directory
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._allowance = queue_tokens
        self._attempts = attempts
        self._gone_s = gone_s
        self._pace = pace or Pace()
        self._replies = Replies(api_key)
        self._reached = False
        self._awaited: dict[int, dict[str, Waiting]] = {}
        """What is waited for, by batch and by custom_id."""
        self._followed: dict[int, Submitted] = {}
        self._seen: dict[int, Batch] = {}
        """How the followed batches stood when last looked at."""
        self._enqueued: dict[int, int] = {}
        """Estimated tokens of the batches that have not ended."""
        self._freed = asyncio.Event()
        self._held_until = 0.0

    async def _open(self) -> None:
        self._record = BatchRecord(self._directory, self._base_url)
        self._client = openai.AsyncOpenAI(
            # The SDK wants a key even where the endpoint does not.
            api_key=self._api_key or "none",
            base_url=self._base_url,
            max_retries=0,  # a creation sent twice would be paid twice; the rest is tried again here, too
        )

    async def _close(self) -> None:
        self._record.close()
        await self._client.close()

    def waiting_for(self) -> str:
        """For the live line: which wave, which batches, how many of their lines are done."""
        counts = [batch.request_counts for batch in self._seen.values() if batch.request_counts]
        done, lines = sum(one.completed + one.failed for one in counts), sum(one.total for one in counts)
        first = next((batch.id for batch in self._seen.values()), "no batch out")
        more = f" and {len(self._seen) - 1} more" if len(self._seen) > 1 else ""
        return f"wave {self.waves.count} · {first}{more}" + (f": {done:,}/{lines:,} lines" if self._seen else "")

    def left_behind(self) -> str:
        """For a run that ends early: what goes on without it."""
        count = len(self._enqueued)
        if not count:
            return "no batch is out; the same command goes on from here"
        batches, them = ("1 batch goes", "it") if count == 1 else (f"{count} batches go", "them")
        return f"{batches} on at {self._base_url}; the same command picks {them} up"

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as self._followers:
            for batch in self._record.batches():
                known = await self._settled(batch)
                if known and not known.ended:
                    self._follow(known)
            while True:
                lines = deque(self._attach(await self.waves.next()))
                while lines:
                    part = cut(lines, self._allowance and self._allowance // SHARE_OF_ALLOWANCE)
                    await self._room_for(part)
                    await self._submit(part)

    def _attach(self, wave: list[Waiting]) -> list[Waiting]:
        """Let those requests wait that are in a batch already, whoever submitted it; gives the others."""
        known = self._record.find(waiting.request.digest for waiting in wave)
        for waiting in wave:
            if number := known.get(waiting.request.digest):
                self._awaited.setdefault(number, {})[waiting.request.digest] = waiting
        if known:
            for batch in self._record.batches():
                if batch.number in self._awaited and batch.number not in self._followed:
                    self._follow(batch)
        return [waiting for waiting in wave if waiting.request.digest not in known]

    async def _room_for(self, part: list[Waiting]) -> None:
        """Wait until the allowance admits these requests; alone in the queue, any batch may try."""
        tokens = sum(map(_tokens, part))
        while True:
            full = self._allowance and self._enqueued and sum(self._enqueued.values()) + tokens > self._allowance
            held_s = self._held_until - time.monotonic()
            if not full and held_s <= 0:
                return
            self._freed.clear()
            if full:
                await self._freed.wait()
            else:
                await asyncio.sleep(held_s)

    async def _submit(self, part: list[Waiting]) -> None:
        """Upload, write down, create, write down: in this order nothing that costs goes unnoted."""
        name = uuid.uuid4().hex
        path = self._record.path.with_name(UPLOAD_NAME)
        await asyncio.to_thread(_write, path, part)

        async def upload() -> str:
            with path.open("rb") as content:
                return (await self._client.files.create(file=(f"{name}.jsonl", content), purpose="batch")).id

        file_id = await self._patiently(upload)
        path.unlink()
        tokens = sum(map(_tokens, part))
        batch = self._record.uploaded(name, file_id, tokens, (waiting.request.digest for waiting in part))
        batch = self._record.created(batch, await self._create(batch))
        for waiting in part:
            waiting.attempts += 1
        self._awaited[batch.number] = {waiting.request.digest: waiting for waiting in part}
        self._follow(batch)

    async def _create(self, batch: Submitted) -> str:
        """The id of the batch, made once even if an answer is lost on the way."""
        tried = False

        async def create() -> str:
            nonlocal tried
            if tried and (found := await self._find(batch)):
                return found
            tried = True
            made = await self._client.batches.create(
                input_file_id=batch.file_id,
                endpoint=ENDPOINT,
                completion_window="24h",
                metadata={METADATA_KEY: batch.name},
            )
            return made.id

        return await self._patiently(create)

    async def _settled(self, batch: Submitted) -> Submitted | None:
        """The batch as the provider knows it, or None where its creation never got there."""
        if batch.batch_id:
            return batch
        found = await self._patiently(lambda: self._find(batch))
        if found:
            return self._record.created(batch, found)
        self._record.forget(batch)
        return None

    async def _find(self, batch: Submitted) -> str | None:
        """Look for a batch in the provider's list, newest first, and again a little later."""
        until = time.monotonic() + self._pace.settle_s
        while True:
            async for one in self._client.batches.list(limit=100):
                if one.input_file_id == batch.file_id or (one.metadata or {}).get(METADATA_KEY) == batch.name:
                    return one.id
                if one.created_at < batch.uploaded_at - CLOCKS_DIFFER_S:
                    break
            if time.monotonic() > until:
                return None
            await asyncio.sleep(self._pace.settle_s / 4)

    def _follow(self, batch: Submitted) -> None:
        self._followed[batch.number] = batch
        if not batch.ended:
            self._enqueued[batch.number] = batch.tokens
        self._followers.create_task(self._follow_to_its_end(batch))

    async def _follow_to_its_end(self, batch: Submitted) -> None:
        info = await self._end_of(batch)
        if not batch.ended:
            self._record.ended(batch)
        self._enqueued.pop(batch.number, None)
        self._freed.set()
        if info.status == "failed":
            self._not_accepted(batch, info)
        # Only what is waited for is read; what comes to wait meanwhile is read in another pass.
        while awaited := self._awaited.pop(batch.number, None):
            await self._read(info, awaited)
        del self._followed[batch.number], self._seen[batch.number]

    async def _end_of(self, batch: Submitted) -> Batch:
        assert batch.batch_id
        wait_s = self._pace.first_poll_s
        while True:
            info = self._seen[batch.number] = await self._patiently(lambda: self._look_at(batch))
            if _has_ended(info):
                return info
            await asyncio.sleep(wait_s)
            wait_s = min(self._pace.longest_poll_s, wait_s * 1.5)

    async def _look_at(self, batch: Submitted) -> Batch:
        assert batch.batch_id
        try:
            return await self._client.batches.retrieve(batch.batch_id)
        except openai.NotFoundError:
            raise TeacherMisconfigured(
                f"{self._base_url} knows no {batch.batch_id}: use the key and --base-url it was submitted with, or "
                f"remove {self._record.path} to have its requests asked, and paid, again"
            ) from None

    def _not_accepted(self, batch: Submitted, info: Batch) -> None:
        """A batch that failed as a whole, before any of it was asked."""
        self._record.forget(batch)
        errors = (info.errors and info.errors.data) or []
        first = errors[0] if errors else None
        said = self._replies.without_key(f"{first.message} ({first.code})" if first else "no reason given")
        if not first or first.code != QUEUE_FULL:
            line = f"line {first.line}: " if first and first.line else ""
            raise TeacherMisconfigured(f"{self._base_url} refused {info.id} of {_count(info)} requests: {line}{said}")
        announced = _ANNOUNCED.search(first.message or "")
        # What is out was let in, so that much fits.
        limit = int(announced[1].replace(",", "")) if announced else sum(self._enqueued.values())
        if not limit:
            raise TeacherMisconfigured(
                f"{self._base_url} refused {info.id}: {said}; give your limit as --batch-queue-tokens"
            )
        self._allowance = min(self._allowance or limit, limit)
        self._held_until = time.monotonic() + self._pace.hold_s
        for waiting in self._awaited.pop(batch.number, {}).values():
            waiting.attempts -= 1
            self.waves.put(waiting)

    async def _read(self, info: Batch, awaited: dict[str, Waiting]) -> None:
        """Give out the answers of a batch that ended, and see to what it did not answer."""
        failed: list[tuple[Waiting, Exception]] = []
        for file_id in (info.output_file_id, info.error_file_id):
            if file_id:
                await self._patiently(lambda id=file_id: self._read_file(id, info, awaited, failed))  # type: ignore[misc]
        silence = Retry(f"batch {info.status}", f"{info.id} ended without a word on it")
        failed += [(waiting, silence) for waiting in awaited.values()]
        # Before anything else, so that a run that goes on later asks them again, too.
        self._record.unanswered(waiting.request.digest for waiting, _ in failed)
        if fatal := next((why for _, why in failed if isinstance(why, TeacherMisconfigured)), None):
            raise fatal
        for waiting, why in failed:
            self._again(waiting, why)

    def _again(self, waiting: Waiting, why: Exception) -> None:
        if isinstance(why, Retry) and waiting.attempts >= self._attempts:
            why = RequestFailed(why.reason, str(why))
        if isinstance(why, Retry):
            self.retries[why.reason] += 1
            self.waves.put(waiting)
        else:
            waiting.give(why)

    async def _read_file(
        self, file_id: str, info: Batch, awaited: dict[str, Waiting], failed: list[tuple[Waiting, Exception]]
    ) -> None:
        """Read one file of a batch, taking from `awaited` what it tells of; a second try goes on where one stopped."""
        try:
            async with self._client.files.with_streaming_response.content(file_id) as response:
                count = 0
                async for line in _lines(response.iter_bytes()):
                    self._take(line, info, awaited, failed)
                    count += 1
                    if count % LINES_AT_ONCE == 0:
                        await self.waves.digested()
        except openai.NotFoundError:
            return  # expired, or removed by somebody: what it said is lost, and asked again

    def _take(
        self, line: bytes, info: Batch, awaited: dict[str, Waiting], failed: list[tuple[Waiting, Exception]]
    ) -> None:
        try:
            entry = json.loads(line)
            waiting = awaited.pop(entry["custom_id"], None)
            response, error = entry.get("response") or {}, entry.get("error") or {}
            status, body = int(response.get("status_code") or 0), response.get("body")
            reason, detail = str(error.get("code") or "no response"), str(error.get("message") or "")
        except (ValueError, LookupError, TypeError, AttributeError):
            return  # an illegible line is silence on its request
        if waiting is None:
            return
        try:
            if not status:
                raise Retry(reason, f"{info.id}: {detail}")
            waiting.give(self._replies.read(info.id, status, body if isinstance(body, dict) else {}))
        except (Retry, RequestFailed, TeacherMisconfigured) as why:
            failed.append((waiting, why))

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the API answers; a passing failure is waited out, unless it lasts or the API was never reached."""
        since, wait_s = time.monotonic(), FIRST_BACKOFF_S
        while True:
            try:
                answer = await call()
            except openai.APIStatusError as error:
                trouble = self._judged(error)
            except (openai.APIConnectionError, httpx2.HTTPError) as error:
                if not self._reached:
                    raise TeacherMisconfigured(
                        f"cannot reach {self._base_url}: check --base-url, the network and that it is running"
                    ) from None
                trouble = f"{self._base_url}: {type(error).__name__}"
            else:
                self._reached = True
                return answer
            self._reached = True
            if time.monotonic() - since > self._gone_s:
                raise TeacherMisconfigured(f"{trouble}, for {self._gone_s:.0f} s; {self.left_behind()}") from None
            await asyncio.sleep(wait_s)
            wait_s = min(LONGEST_BACKOFF_S, wait_s * 2)

    def _judged(self, error: openai.APIStatusError) -> str:
        """What a passing error says; any other ends the run."""
        code, message = read_error(error.response.content)
        status = error.status_code
        message = self._replies.without_key(message)
        said = f"{self._base_url} answered {status}" + (f" ({message})" if message else "")
        if (status in {408, 409, 425, 429} or status >= 500) and code != "insufficient_quota":
            return said
        remedy = {
            401: "check the key in OPENAI_API_KEY",
            403: "check that the key may use the Batch API here",
            404: "check --base-url; an endpoint without the Batch API can be asked without --batch",
            429: "the account has no credit left; add some and run the same command",
        }.get(status, "the same command without --batch asks without batches")
        raise TeacherMisconfigured(f"{said}: {remedy}") from None


def cut(lines: deque[Waiting], most_tokens: int | None) -> list[Waiting]:
    """Take the next batch's requests off the front: at least one, and no more than a batch may hold."""
    part: list[Waiting] = []
    size = tokens = 0
    while lines and len(part) < LINES_PER_BATCH:
        size, tokens = size + len(_line(lines[0])), tokens + _tokens(lines[0])
        if part and (size > BYTES_PER_BATCH or (most_tokens is not None and tokens > most_tokens)):
            break
        part.append(lines.popleft())
    return part


def _line(waiting: Waiting) -> bytes:
    body = waiting.request.body()
    return b'{"custom_id":"%b","method":"POST","url":"%b","body":%b}\n' % (
        waiting.request.digest.encode(),
        ENDPOINT.encode(),
        body,
    )


def _tokens(waiting: Waiting) -> int:
    return len(waiting.request.prompt.encode()) // BYTES_PER_TOKEN + 1


def _write(path: Path, part: Iterable[Waiting]) -> None:
    try:
        with path.open("wb") as file:
            file.writelines(map(_line, part))
    except OSError as error:
        raise RunDirectoryError(
            f"cannot write {path} ({error.strerror}): make room, then run the same command"
        ) from None


def _has_ended(info: Batch) -> bool:
    if info.status == "completed" and not info.output_file_id and info.request_counts:
        return not info.request_counts.completed  # its answers are there, their file is not yet
    return info.status in {"completed", "failed", "expired", "cancelled"}


def _count(info: Batch) -> str:
    return f"{info.request_counts.total:,}" if info.request_counts else "its"


async def _lines(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines that end in a line feed; a decoder's own idea of lines would split at characters inside answers."""
    rest = b""
    async for piece in content:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line:
                yield line
    if rest:
        yield rest
