"""The forms that HTTP can give an answer, as bytes over a socket: whole ones are read, all others are asked again."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from personamath.errors import TeacherMisconfigured
from personamath.records import Completion, Request
from personamath.teachers.bodies import LARGEST_BODY_BYTES
from personamath.teachers.http import HttpTeacher

REQUEST = Request("What is 1 + 1?", "teacher-1", 0.7, 2048)
USAGE = {"prompt_tokens": 12, "completion_tokens": 34}
CHOICE = {"message": {"role": "assistant", "content": r"$\boxed{2}$"}, "finish_reason": "stop"}
BODY = json.dumps({"choices": [CHOICE], "usage": USAGE}).encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
EVENTS = b"".join(
    b"data: " + json.dumps(event).encode() + b"\n\n"
    for event in (
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": r"$\boxed"}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"content": "{2}$"}, "finish_reason": "stop"}]},
        {"choices": [], "usage": USAGE},
    )
)


def length(body: bytes, *headers: bytes) -> bytes:
    lines = [b"Content-Length: %d" % len(body), *headers]
    return OK + b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*pieces: bytes) -> bytes:
    parts = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(parts) + b"0\r\n\r\n"


raw = zlib.compressobj(wbits=-15)
RAW_DEFLATE = raw.compress(BODY) + raw.flush()
READ = {
    "plain": length(BODY),
    "another status of success": length(BODY).replace(b"200 OK", b"201 Created"),
    "an interim response before it": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + length(BODY),
    "a byte order mark": length(b"\xef\xbb\xbf" + BODY),
    "blank lines and a byte order mark": chunked(b"\n\n", b"\xef\xbb\xbf", BODY),
    "UTF-16": length(BODY.decode().encode("utf-16")),
    "HTTP/1.0 without a length": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    "HTTP/1.1 without a length": OK + b"Connection: close\r\n\r\n" + BODY,
    "in chunks": chunked(BODY[:7], BODY[7:]),
    "blank lines before the body": chunked(b"\n", b"\n", b" \r\n", BODY),
    "comments before the body": chunked(b": OPENROUTER PROCESSING\n\n", b": OPENROUTER PROCESSING\n\n", BODY),
    "gzip": length(gzip.compress(BODY), b"Content-Encoding: gzip"),
    "gzip in chunks": chunked(BODY).replace(b"Transfer", b"Content-Encoding: identity\r\nTransfer"),
    "gzip that no header names": length(gzip.compress(BODY)),
    "gzip under its old name": length(gzip.compress(BODY), b"Content-Encoding: x-gzip"),
    "deflate": length(zlib.compress(BODY), b"Content-Encoding: deflate"),
    "deflate without its header": length(RAW_DEFLATE, b"Content-Encoding: deflate"),
    "a stream of events": chunked(EVENTS, b"data: [DONE]\n\n"),
    "a stream of events over HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + EVENTS,
    "a stream behind comments": chunked(b": keep-alive\n\n", EVENTS),
    "bare line feeds": length(BODY).replace(b"\r\n", b"\n"),
}
# A cut answer, or one that cannot be read, is asked for again, and the second try gets a whole one.
AGAIN = {
    "HTTP/1.0 that is cut": b"HTTP/1.0 200 OK\r\n\r\n" + BODY[:-9],
    "a body that is shorter than its length": length(BODY)[:-9],
    "chunks that are cut": chunked(BODY)[:-9],
    "gzip that is cut": length(gzip.compress(BODY)[:-20], b"Content-Encoding: gzip"),
    "a stream that is cut": chunked(EVENTS[: EVENTS.index(b"stop")]),
    "brotli": length(b"\x0b\x02\x80{}\x03", b"Content-Encoding: br"),
    "zstd": length(b"\x28\xb5\x2f\xfd{}", b"Content-Encoding: zstd"),
    "Retry-After of 0": b"HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
    "Retry-After as a float": b"HTTP/1.1 503 Busy\r\nRetry-After: 0.1\r\nContent-Length: 0\r\n\r\n",
    "Retry-After as a date": b"HTTP/1.1 429 Slow\r\nDate: Fri, 02 Jan 1970 00:00:00 GMT\r\n"
    b"Retry-After: Fri, 02 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
}


@asynccontextmanager
async def answering(*replies: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that sends bytes as they are, the last ones for ever, and hangs up after each; and what it was sent."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(size)
        asked.append(head)
        writer.write(replies[min(len(asked), len(replies)) - 1])
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", asked


def ask(*replies: bytes) -> tuple[Completion, int]:
    """The answer of a server that sends these bytes, and how often it was asked."""

    async def run() -> tuple[Completion, int]:
        async with answering(*replies) as (url, asked), HttpTeacher([url]) as teacher:
            return await teacher.complete(REQUEST), len(asked)

    return asyncio.run(asyncio.wait_for(run(), 30))


@pytest.mark.parametrize("reply", READ.values(), ids=READ)
def test_an_answer_is_read_in_every_form_that_http_knows(reply: bytes) -> None:
    assert ask(reply) == (Completion(r"$\boxed{2}$", "stop", 12, 34), 1)


def test_a_body_without_an_end_is_not_read_on() -> None:
    endless = OK + b"Connection: close\r\n\r\n" + b'{"choices": [' + b" " * LARGEST_BODY_BYTES + BODY
    assert ask(endless, length(BODY)) == (Completion(r"$\boxed{2}$", "stop", 12, 34), 2)


FINAL = {
    "a redirect": (
        b"Location: https://another.example/v1?key=sk-very-secret",
        "a redirect to https://another.example/v1",
    ),
    "a redirect to what is no URL": (b"Location: http://[half/v1?key=sk-very-secret", "a redirect to http://[half/v1"),
    "a redirect without a place": (b"X-None: 1", "a redirect to an unnamed place"),
}


@pytest.mark.parametrize(("header", "said"), FINAL.values(), ids=FINAL)
def test_a_redirect_is_named_and_not_followed(header: bytes, said: str) -> None:
    reply = b"HTTP/1.1 307 There\r\nContent-Length: 0\r\n" + header + b"\r\n\r\n"
    with pytest.raises(TeacherMisconfigured) as error:
        ask(reply)
    assert said in str(error.value) and "secret" not in str(error.value)


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    body = json.dumps({"error": {"message": "no\x1b[2J\x07 such model\x9b"}}).encode()
    with pytest.raises(TeacherMisconfigured, match=r"no\ufffd\[2J\ufffd such model\ufffd") as error:
        ask(b"HTTP/1.1 404 No\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("reply", AGAIN.values(), ids=AGAIN)
def test_an_answer_that_is_cut_or_put_off_is_asked_for_again(reply: bytes) -> None:
    assert ask(reply, length(BODY)) == (Completion(r"$\boxed{2}$", "stop", 12, 34), 2)
