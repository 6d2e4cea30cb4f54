"""The teacher that answers waves with batches, for one run directory."""

import asyncio
import uuid
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from openai.types import Batch

from personamath.errors import TeacherMisconfigured
from personamath.teachers.batch import lines
from personamath.teachers.batch.api import BatchApi, has_ended
from personamath.teachers.batch.lines import Results, cut, prompt_tokens
from personamath.teachers.batch.queue import QUEUE_FULL, ProviderQueue
from personamath.teachers.batch.record import BatchRecord, Submitted
from personamath.teachers.error_bodies import read_error
from personamath.teachers.keys import Access
from personamath.teachers.refusals import Retry
from personamath.teachers.replies import ADD_CREDIT, Replies
from personamath.teachers.waves import Waiting, WaveTeacher

# Each may take the whole 24 hours, so fewer than over HTTP.
LINE_ATTEMPTS = 3
UPLOAD_NAME = "upload.partial"
POLLS_GROW_BY = 1.5


@dataclass(frozen=True, slots=True)
class Timing:
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
    there at once, None for no limit; `gone_s` how long the API may fail before that ends the run.
    """

    def __init__(
        self,
        directory: Path,
        base_url: str,
        access: Access,
        *,
        queue_tokens: int | None = None,
        attempts: int = LINE_ATTEMPTS,
        gone_s: float = 600.0,
        timing: Timing | None = None,
    ) -> None:
        super().__init__()
        self._directory = directory
        self._base_url = base_url.rstrip("/")
        self._access = access
        self._attempts = attempts
        self._gone_s = gone_s
        self._timing = timing or Timing()
        self._replies = Replies(access)
        self._queue = ProviderQueue(queue_tokens, self._timing.hold_s)
        self._awaited: dict[int, dict[str, Waiting]] = {}
        """What is waited for, by batch and by custom_id."""
        self._followed: set[int] = set()
        self._seen: dict[int, Batch] = {}
        """How the followed batches were doing when last looked at."""

    async def _open(self) -> None:
        self._record = BatchRecord(self._directory, self._base_url)
        self._api = BatchApi(
            self._base_url, self._access, self._replies, self._gone_s, self._timing.settle_s, self.left_behind
        )

    async def _close(self) -> None:
        self._record.close()
        await self._api.close()

    def answered_before(self) -> None:
        """An earlier command got answers from this model."""
        self._replies.refusals.answered = True

    def waiting_for(self) -> str:
        """For the live line: which wave, which batches, how many of their lines are done."""
        counts = [batch.request_counts for batch in self._seen.values() if batch.request_counts]
        done, total = sum(one.completed + one.failed for one in counts), sum(one.total for one in counts)
        first = next((batch.id for batch in self._seen.values()), "no batch out")
        more = f" and {len(self._seen) - 1} more" if len(self._seen) > 1 else ""
        return f"wave {self.waves.count} · {first}{more}" + (f": {done:,}/{total:,} lines" if self._seen else "")

    def left_behind(self) -> str:
        """For a run that ends early: what goes on without it."""
        count = len(self._queue)
        if not count:
            return "no batch is out; the same command continues from here"
        batches, them = ("1 batch goes", "it") if count == 1 else (f"{count} batches go", "them")
        return f"{batches} on at {self._base_url}; the same command picks {them} up"

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as self._followers:
            for batch in self._record.batches():
                known = await self._settled(batch)
                if known and not known.ended:
                    self._follow(known)
            while True:
                # By model, because the API takes no file with several.
                new = deque(sorted(self._attach(await self.waves.next()), key=lambda waiting: waiting.request.model))
                while new:
                    part = cut(new, self._queue.tokens_per_batch)
                    await self._queue.room_for(sum(map(prompt_tokens, part)))
                    await self._submit(part)

    def _attach(self, wave: list[Waiting]) -> list[Waiting]:
        """Let requests that are in a batch already, whoever submitted it, wait for that one; returns the others."""
        known = self._record.find(waiting.request.digest for waiting in wave)
        for waiting in wave:
            if number := known.get(waiting.request.digest):
                self._awaited.setdefault(number, {})[waiting.request.digest] = waiting
        if known:
            for batch in self._record.batches():
                if batch.number in self._awaited and batch.number not in self._followed:
                    self._follow(batch)
        return [waiting for waiting in wave if waiting.request.digest not in known]

    async def _submit(self, part: list[Waiting]) -> None:
        """Upload, write down, create, write down: in this order nothing that costs money goes unnoted."""
        name = uuid.uuid4().hex
        path = self._record.path.with_name(UPLOAD_NAME)
        await asyncio.to_thread(lines.write, path, part)
        file_id = await self._api.upload(path, name)
        path.unlink()
        tokens = sum(map(prompt_tokens, part))
        batch = self._record.uploaded(name, file_id, tokens, (waiting.request.digest for waiting in part))
        batch = self._record.created(batch, await self._api.create(batch))
        for waiting in part:
            waiting.attempts += 1
        self._awaited[batch.number] = {waiting.request.digest: waiting for waiting in part}
        self._follow(batch)

    async def _settled(self, batch: Submitted) -> Submitted | None:
        """The batch with the provider's id; None, and forgotten, if it was never created."""
        if batch.batch_id:
            return batch
        found = await self._api.find(batch)
        if found:
            return self._record.created(batch, found)
        self._record.forget(batch)
        return None

    def _follow(self, batch: Submitted) -> None:
        self._followed.add(batch.number)
        if not batch.ended:
            self._queue.add(batch)
        self._followers.create_task(self._follow_to_its_end(batch))

    async def _follow_to_its_end(self, batch: Submitted) -> None:
        info = await self._end_of(batch)
        if not batch.ended:
            self._record.ended(batch)
        self._queue.remove(batch)
        if info.status == "failed":
            self._not_accepted(batch, info)
        # Only requests that wait are given their results; those that begin to wait meanwhile need another pass.
        while awaited := self._awaited.pop(batch.number, None):
            await self._read(info, awaited)
        self._followed.discard(batch.number)
        del self._seen[batch.number]

    async def _end_of(self, batch: Submitted) -> Batch:
        assert batch.batch_id
        wait_s = self._timing.first_poll_s
        while True:
            info = await self._api.look_at(batch.batch_id)
            if info is None:
                raise TeacherMisconfigured(
                    f"{self._base_url} does not know {batch.batch_id}: use the key and --base-url of its submission, "
                    f"or remove {self._record.path} to ask, and pay for, its requests again"
                )
            self._seen[batch.number] = info
            if has_ended(info):
                return info
            await asyncio.sleep(wait_s)
            wait_s = min(self._timing.longest_poll_s, wait_s * POLLS_GROW_BY)

    def _not_accepted(self, batch: Submitted, info: Batch) -> None:
        """A batch failed as a whole, before any of it was asked: wait if the queue was full, else end the run."""
        self._record.forget(batch)
        errors = (info.errors and info.errors.data) or []
        first = errors[0] if errors else None
        said = self._access.masked(f"{first.message} ({first.code})" if first else "no reason given")
        if not first or first.code != QUEUE_FULL:
            line = f"line {first.line}: " if first and first.line else ""
            count = f"{info.request_counts.total:,}" if info.request_counts else "its"
            no_credit = first and read_error(429, {"error": first.model_dump()}).is_no_credit
            remedy = f": {ADD_CREDIT}" if no_credit else ""
            raise TeacherMisconfigured(f"{self._base_url} refused {info.id} of {count} requests: {line}{said}{remedy}")
        if not self._queue.was_full(first.message or ""):
            raise TeacherMisconfigured(
                f"{self._base_url} refused {info.id}: {said}; give your limit as --batch-queue-tokens"
            )
        for waiting in self._awaited.pop(batch.number, {}).values():
            waiting.attempts -= 1
            self.waves.put(waiting)

    async def _read(self, info: Batch, awaited: dict[str, Waiting]) -> None:
        """Give out the answers of a batch that ended, and see to what it did not answer."""
        results = Results(info.id, awaited, self._replies)

        async def take(some: list[bytes]) -> None:
            for line in some:
                results.take(line)
            await self.waves.digested()

        for file_id in (info.output_file_id, info.error_file_id):
            if file_id:
                await self._api.read(file_id, take)
        failed = results.failed(info.status)
        # Before anything else, so that a run that goes on later asks them again, too.
        self._record.unanswered(waiting.request.digest for waiting, _ in failed)
        if fatal := next((why for _, why in failed if isinstance(why, TeacherMisconfigured)), None):
            raise fatal
        for waiting, why in failed:
            if isinstance(why, Retry):
                await self.retried_or_failed(waiting, why, self._attempts)
            else:
                waiting.give(why)
