"""The client of the Batch API: upload, create, find and look at batches, read their files; wait out failures."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx2
import openai
from openai.types import Batch

from personamath.errors import TeacherMisconfigured
from personamath.teachers.batch.lines import ENDPOINT
from personamath.teachers.batch.record import Submitted
from personamath.teachers.error_bodies import read_error
from personamath.teachers.keys import Access
from personamath.teachers.patience import FIRST_BACKOFF_S, LONGEST_BACKOFF_S
from personamath.teachers.proxies import proxy_for
from personamath.teachers.replies import ADD_CREDIT, Replies, may_pass

T = TypeVar("T")

# A batch's name in its metadata, by which a lost one is found again.
METADATA_KEY = "personamath"
# How far the provider's clock and ours may differ, when its list of batches is searched backwards.
CLOCKS_DIFFER_S = 3600.0
# Looks at the provider's list while a batch may still show up in it.
LOOKS_WHILE_IT_SETTLES = 4


def open_client(base_url: str, access: Access) -> openai.AsyncOpenAI:
    """The SDK's client of an endpoint, behind the proxy that other requests to the endpoint go through."""
    through = httpx2.AsyncHTTPTransport(proxy=proxy_for(base_url), limits=openai.DEFAULT_CONNECTION_LIMITS)
    return openai.AsyncOpenAI(
        # The SDK wants a key even where the endpoint does not.
        api_key=access.key or "none",
        default_headers=access.own,
        base_url=base_url,
        max_retries=0,  # a creation sent twice would be paid twice; other calls are retried here, too
        http_client=openai.DefaultAsyncHttpxClient(transport=through),
    )


class BatchApi:
    """The Batch API at one base URL.

    `gone_s` is how long it may fail before that ends the run, `settle_s` how long a new batch may take to show up in
    the provider's list; `left_behind` says what goes on without the run.
    """

    def __init__(
        self,
        base_url: str,
        access: Access,
        replies: Replies,
        gone_s: float,
        settle_s: float,
        left_behind: Callable[[], str],
    ) -> None:
        self._base_url = base_url
        self._access = access
        self._replies = replies
        self._gone_s = gone_s
        self._settle_s = settle_s
        self._left_behind = left_behind
        self._reached = False
        self._client = open_client(base_url, access)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def upload(self, path: Path, name: str) -> str:
        """Upload a file of requests; returns its id."""

        async def upload() -> str:
            with path.open("rb") as content:
                return (await self._client.files.create(file=(f"{name}.jsonl", content), purpose="batch")).id

        return await self._patiently(upload)

    async def create(self, batch: Submitted) -> str:
        """Create a batch, once even if an answer is lost on the way; returns its id."""
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

    async def find(self, batch: Submitted) -> str | None:
        """The id of a batch whose creation nobody confirmed; None if it was never created."""
        return await self._patiently(lambda: self._find(batch))

    async def look_at(self, batch_id: str) -> Batch | None:
        """How a batch is doing; None if the provider does not know it."""

        async def look_at() -> Batch | None:
            try:
                return await self._client.batches.retrieve(batch_id)
            except openai.NotFoundError:
                return None

        return await self._patiently(look_at)

    async def read(self, file_id: str, take: Callable[[list[bytes]], Awaitable[None]]) -> None:
        """Give the lines of a file to `take`, some at a time; after a failure again from the first line on."""

        async def read() -> None:
            try:
                async with self._client.files.with_streaming_response.content(file_id) as response:
                    async for lines in _whole_lines(response.iter_bytes()):
                        await take(lines)
            except openai.NotFoundError:
                return  # it expired, or somebody removed it: its requests are asked again

        await self._patiently(read)

    async def _find(self, batch: Submitted) -> str | None:
        """Look for a batch in the provider's list, newest first, and again a little later."""
        until = time.monotonic() + self._settle_s
        while True:
            async for one in self._client.batches.list(limit=100):
                if one.input_file_id == batch.file_id or (one.metadata or {}).get(METADATA_KEY) == batch.name:
                    return one.id
                if one.created_at < batch.uploaded_at - CLOCKS_DIFFER_S:
                    break
            if time.monotonic() > until:
                return None
            await asyncio.sleep(self._settle_s / LOOKS_WHILE_IT_SETTLES)

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """The API's answer; a passing failure is waited out, unless it lasts or the API was never reached."""
        since, wait_s = time.monotonic(), FIRST_BACKOFF_S
        while True:
            try:
                answer = await call()
            except openai.APIStatusError as error:
                trouble = self._passing(error)
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
                raise TeacherMisconfigured(f"{trouble}, for {self._gone_s:.0f} s; {self._left_behind()}") from None
            await asyncio.sleep(wait_s)
            wait_s = min(LONGEST_BACKOFF_S, wait_s * 2)

    def _passing(self, error: openai.APIStatusError) -> str:
        """The words of an error that may pass; raises `TeacherMisconfigured`, which ends the run, for any other."""
        status = error.status_code
        read = read_error(status, error.response.content)
        words = self._replies.shown(read.message)
        said = f"{self._base_url} answered {status}" + (f" ({words})" if words else "")
        if read.is_no_credit:
            raise TeacherMisconfigured(f"{said}: {ADD_CREDIT}") from None
        if may_pass(status):
            return said
        remedy = {
            401: self._access.remedy,
            403: "check that the key may use the Batch API here",
            404: "check --base-url; an endpoint without the Batch API can be asked without --batch",
        }.get(status, "the same command without --batch asks without batches")
        raise TeacherMisconfigured(f"{said}: {remedy}") from None


def has_ended(info: Batch) -> bool:
    """Whether nothing more will happen to a batch, and its files can be read."""
    if info.status == "completed" and not info.output_file_id and info.request_counts:
        return not info.request_counts.completed  # its answers are there, their file is not yet
    return info.status in {"completed", "failed", "expired", "cancelled"}


async def _whole_lines(content: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Lines that end in a line feed; a decoder's own idea of lines would split at characters inside answers."""
    rest = b""
    async for piece in content:
        *lines, rest = (rest + piece).split(b"\n")
        yield lines
    yield [rest]
