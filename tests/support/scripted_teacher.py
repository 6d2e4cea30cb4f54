"""An OpenAI-compatible teacher for tests and benchmarks, in a process of its own, with faults by flag.

    python tests/support/scripted_teacher.py --problems math:train.jsonl --latency 0.2 \\
        --fault http_429=0.05 --fault hang=0.005

Prints its base URL when it is ready. Its answers are those of `personamath.teachers.simulated`. A fault strikes a
request by a seeded draw over the prompt and the number of times it was asked, so later tries come through. GET /stats
returns what it has done.
"""

import argparse
import asyncio
import contextlib
import gzip
import hashlib
import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import IO

from aiohttp import web

from personamath.sources.problems import ProblemSource
from personamath.teachers.simulated import MODEL, Habits, SimulatedTeacher, application

# The rates that the paper's table 2 implies; of wrong first answers reflection recovers about a tenth.
PAPER_HABITS = Habits(solves=0.80, solves_rewrite=0.92, spoils_rewrite=0.02, recovers=0.10, recovers_rewrite=0.70)
# A gateway's usual way of holding a request forever is to answer long after everyone has left.
HANG_S = 3600.0
DRIP_S = 0.05

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


async def _hang(_: web.Request, body: bytes) -> web.StreamResponse:
    await asyncio.sleep(HANG_S)
    return web.Response(body=body)


async def _reset(request: web.Request, body: bytes) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response(body=body)


async def _cut(request: web.Request, body: bytes) -> web.StreamResponse:
    """The connection ends in the middle of the body."""
    stream = web.StreamResponse(headers={"Content-Length": str(len(body))})
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2])
    return await _reset(request, body)


async def _drip(request: web.Request, body: bytes) -> web.StreamResponse:
    """The body comes slowly, a tenth at a time."""
    stream = web.StreamResponse()
    await stream.prepare(request)
    tenth = len(body) // 10 + 1
    for start in range(0, len(body), tenth):
        await stream.write(body[start : start + tenth])
        await asyncio.sleep(DRIP_S)
    return stream


def _status(status: int, headers: dict[str, str] | None = None, message: str = "") -> Fault:
    async def answer(_: web.Request, __: bytes) -> web.StreamResponse:
        error = {"error": {"message": message or f"scripted {status}", "type": "scripted", "code": None}}
        return web.json_response(error, status=status, headers=headers)

    return answer


def _body(change: Callable[[bytes], bytes]) -> Fault:
    """An answer whose bytes are changed."""

    async def answer(_: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(body=change(body))

    return answer


def _message(finish_reason: str = "stop", **changed: object) -> Fault:
    """An answer whose message and finish_reason are changed."""

    def change(body: bytes) -> bytes:
        answer = json.loads(body)
        answer["choices"][0]["message"] |= changed
        answer["choices"][0]["finish_reason"] = finish_reason
        return json.dumps(answer).encode()

    return _body(change)


def _thinking(body: bytes) -> bytes:
    """The answer behind thoughts, as a reasoning model writes it where its server does not part the two."""
    answer = json.loads(body)
    message = answer["choices"][0]["message"]
    message["content"] = f"<think>\nIs it $\\boxed{{0}}$?\n</think>\n\n{message['content']}<|im_end|>"
    return json.dumps(answer).encode()


def _encoded(body: bytes, encoding: str) -> Fault:
    """Bytes in an encoding that was not asked for."""

    async def answer(_: web.Request, __: bytes) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Encoding": encoding})

    return answer


def _in_parts(body: bytes) -> bytes:
    answer = json.loads(body)
    message = answer["choices"][0]["message"]
    text, thoughts = message["content"], {"type": "thinking", "thinking": [{"type": "text", "text": "Let me see."}]}
    half = len(text) // 2
    message["content"] = [thoughts, *({"type": "text", "text": part} for part in (text[:half], text[half:]))]
    return json.dumps(answer).encode()


def _streamed(body: bytes) -> bytes:
    """The answer as a stream of events, a few words in each."""
    answer = json.loads(body)
    (choice,) = answer.pop("choices")
    words = choice["message"]["content"].split(" ")
    texts = [
        " ".join([*words[start : start + 8], *([""] if start + 8 < len(words) else [])])
        for start in range(0, len(words), 8)
    ]
    chunks = [{"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in texts]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    events = [json.dumps(answer | chunk | {"usage": None}) for chunk in (*chunks, end)]
    usage = json.dumps({"choices": [], "usage": answer["usage"]})
    return "".join(f"data: {event}\n\n" for event in (*events, usage, "[DONE]")).encode()


def _without_usage(body: bytes) -> bytes:
    answer = json.loads(body)
    del answer["usage"]
    return json.dumps(answer).encode()


FAULTS: dict[str, Fault] = {
    "http_429": _status(429, {"Retry-After": "1"}),
    "http_500": _status(500),
    "http_503": _status(503),
    "http_400": _status(400),
    "reset": _reset,
    "hang": _hang,
    "cut": _cut,
    "drip": _drip,
    "truncated_json": _body(lambda body: body[:-20]),
    "wrong_types": _body(lambda _: b'{"choices": {"0": "none"}}'),
    "error_in_200": _body(lambda _: b'{"error": {"message": "overloaded"}}'),
    "empty": _message(content=""),
    "null": _message(content=None),
    "abort": _message("abort", content="The answer is"),
    "html": _body(lambda _: b"<!doctype html><title>Just a moment</title>"),
    "sse": _body(lambda body: _streamed(body)),
    "cut_sse": _body(lambda body: _streamed(body)[: len(body) // 2]),
    "padded": _body(lambda body: b": PROCESSING\n\n\n" + body),
    "gzip": _body(gzip.compress),
    "br": _encoded(b"\x0b\x02\x80{}\x03", "br"),
    "absurd_wait": _status(429, {"Retry-After": "inf"}),
    "wait_a_day": _status(429, {"Retry-After": "86400"}, "daily limit reached"),
    "no_credit": _status(402, message="Insufficient Balance"),
}
# Not faults of the line but answers, always the same to the same prompt.
ENDINGS: dict[str, Fault] = {
    "uncounted": _body(_without_usage),
    "thinks": _body(_thinking),
    "parts": _body(_in_parts),
    "reasoned": _message(reasoning="Let me see.", reasoning_content="Let me see."),
    "moderated": _status(403, message="Your input was flagged"),
    "no_choice": _body(lambda _: b'{"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}'),
    "max_tokens": _message("max_tokens", content=None, reasoning="Let me see."),
    "refused": _status(400, message="context length exceeded"),
    "length": _message("length"),
    "repetition": _message("repetition", content="to to to to"),
    "content_filter": _message("content_filter", content=None),
    "refusal": _message(content=None, refusal="I cannot help with that."),
}


class Allowance:
    """A bucket as OpenAI keeps it: so many a minute, filling steadily, told of in the headers of every reply."""

    def __init__(self, kind: str, per_minute: float, stock: float) -> None:
        self._kind, self._limit, self._level = kind, per_minute, min(stock, per_minute)
        self._at = time.monotonic()

    def admits(self, cost: float) -> bool:
        """Whether it holds so much; what it holds is brought up to date."""
        now = time.monotonic()
        self._level = min(self._limit, self._level + self._limit / 60 * (now - self._at))
        self._at = now
        return self._level >= cost

    def take(self, cost: float) -> None:
        """Let a request in."""
        self._level -= cost

    def headers(self) -> dict[str, str]:
        """Its state in OpenAI's names and forms."""
        reset = (self._limit - self._level) / self._limit * 60
        return {
            f"x-ratelimit-limit-{self._kind}": f"{self._limit:.0f}",
            f"x-ratelimit-remaining-{self._kind}": str(int(self._level)),
            f"x-ratelimit-reset-{self._kind}": f"{reset:.3f}s" if reset >= 1 else f"{reset * 1000:.0f}ms",
        }

    def retry_after(self, cost: float) -> int:
        """Whole seconds until it holds so much."""
        return math.ceil(max(0.0, cost - self._level) / (self._limit / 60))


class Script:
    """Decides what happens to each request, and counts."""

    def __init__(
        self,
        faults: dict[str, float],
        latency_s: float,
        slots: int | None,
        statuses: int,
        key: str | None,
        allowances: dict[str, Allowance],
        announced: bool,
        log: IO[bytes] | None,
        names: list[str],
        models: str,
    ) -> None:
        self._faults = faults
        self._allowances = allowances
        self._announced = announced
        self._latency_s = latency_s
        self._slots = asyncio.Semaphore(slots) if slots else contextlib.nullcontext()
        self._always = statuses
        self._key = key
        self._asked: Counter[bytes] = Counter()
        self._log = log
        self._names = names
        self._models = models
        self.stats: Counter[str] = Counter()
        self._asked_at = self._answered_at = 0.0
        """When the first request came, and when the last answer went."""

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Play the script around the teacher's own answer."""
        if request.path == "/stats":  # no route: the middleware comes before the 404
            counts = {
                "different": len(self._asked),
                "again": self._asked.total() - len(self._asked),
                "asking_ms": max(0, round(1000 * (self._answered_at - self._asked_at))),
            }
            return web.json_response(self.stats | counts)
        if request.path == "/v1/models" and self._models:
            self.stats["models"] += 1
            return web.Response(text=self._models, content_type="application/json")
        if request.method != "POST":
            return await handler(request)
        self._asked_at = self._asked_at or time.monotonic()
        self.stats["requests"] += 1
        if self._key and request.headers.get("Authorization") != f"Bearer {self._key}":
            return await _status(401)(request, b"")
        if self._always:
            return await _status(self._always)(request, b"")
        content = await request.read()
        headers, refusal = self._admit(content)
        if refusal:
            return refusal
        body = hashlib.sha256(content).digest()
        self._asked[body] += 1
        async with self._slots:
            await asyncio.sleep(self._latency_s)
        response = await handler(request)
        response.headers.update(headers)
        assert isinstance(response, web.Response) and isinstance(response.body, bytes)
        if self._names and response.status == 200:
            response.body = self._renamed(body, response.body)
        if response.status == 200 and (fault := self._draw(body)):
            self.stats[fault] += 1
            return await (FAULTS | ENDINGS)[fault](request, response.body)
        self.stats["answered"] += 1
        self._answered_at = time.monotonic()
        if self._log:
            os.write(self._log.fileno(), body)
        return response

    def _admit(self, content: bytes) -> tuple[dict[str, str], web.Response | None]:
        """The headers that tell of the allowances, and a refusal where they do not hold the request."""
        if not self._allowances:
            return {}, None
        asked = json.loads(content)
        tokens = len(asked["messages"][0]["content"]) / 4 + asked["max_tokens"]  # taken before a word is written
        costs = {kind: 1.0 if kind == "requests" else tokens for kind in self._allowances}
        short = [kind for kind, allowance in self._allowances.items() if not allowance.admits(costs[kind])]
        if not short:
            for kind, allowance in self._allowances.items():
                allowance.take(costs[kind])
        headers: dict[str, str] = {}
        if self._announced:
            for allowance in self._allowances.values():
                headers |= allowance.headers()
        if not short:
            return headers, None
        self.stats["refused"] += 1
        after = max(self._allowances[kind].retry_after(costs[kind]) for kind in short)
        error = {"error": {"message": "scripted rate limit", "code": "rate_limit_exceeded"}}
        return headers, web.json_response(error, status=429, headers=headers | {"Retry-After": str(after)})

    def _renamed(self, request: bytes, body: bytes) -> bytes:
        """The answer, from a model and a provider by the prompt."""
        answer = json.loads(body)
        model, _, provider = self._names[request[0] % len(self._names)].partition("@")
        answer |= {"model": model} | ({"provider": provider} if provider else {})
        return json.dumps(answer).encode()

    def _draw(self, body: bytes) -> str | None:
        for name, share in self._faults.items():
            tries = b"" if name in ENDINGS else b"%d" % self._asked[body]
            draw = hashlib.blake2b(name.encode() + tries + body, digest_size=4).digest()
            if int.from_bytes(draw) < share * 2**32:
                return name
        return None


def _allowance(text: str) -> tuple[str, Allowance]:
    kind, _, amount = text.partition("=")
    per_minute, _, stock = amount.partition(":")
    return kind, Allowance(kind, float(per_minute), float(stock or per_minute))


def _fault(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    if name not in FAULTS | ENDINGS:
        raise argparse.ArgumentTypeError(f"{name}: one of {', '.join(FAULTS | ENDINGS)}")
    return name, float(share or 1)


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", action="append", default=[], help="a source, as `personamath augment` names it")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--slots", type=int, help="answers at a time; others wait")
    parser.add_argument(
        "--fault", action="append", type=_fault, default=[], help=f"{', '.join(FAULTS | ENDINGS)}=SHARE"
    )
    parser.add_argument(
        "--allow", action="append", type=_allowance, default=[], help="requests=PER_MINUTE[:AT_START], tokens=..."
    )
    parser.add_argument("--unannounced", action="store_true", help="tell of the allowances in no header")
    parser.add_argument("--status", type=int, default=0, help="answer everything with this status")
    parser.add_argument("--key", help="the only key that is let in")
    parser.add_argument(
        "--log", type=argparse.FileType("ab", bufsize=0), help="a file for the SHA-256 of each request that is answered"
    )
    parser.add_argument(
        "--answers-as", action="append", default=[], help="MODEL or MODEL@PROVIDER; several take turns by the prompt"
    )
    parser.add_argument("--models", default="", help="the JSON of /v1/models")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()

    script = Script(
        dict(options.fault),
        options.latency,
        options.slots,
        options.status,
        options.key,
        dict(options.allow),
        announced=not options.unannounced,
        log=options.log,
        names=options.answers_as,
        models=options.models,
    )
    teacher = SimulatedTeacher((ProblemSource.parse(text) for text in options.problems), PAPER_HABITS)
    app = application(teacher, options.model)
    app.middlewares.append(script.middleware)
    # As real endpoints do: a request whose client is gone is dropped, and not paid for.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port, backlog=2048).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until whoever started it is gone


if __name__ == "__main__":
    asyncio.run(_main())
