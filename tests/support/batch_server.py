"""A provider with the Batch API for tests and benchmarks, in a process of its own, with faults by flag.

    python -m tests.support.batch_server --problems math:train.jsonl --delay 2 \\
        --fault expired=0.05 --at lose@1 --at expire@2

Prints its base URL when it is ready. It takes files, makes batches of them, and answers their lines as the scripted
teacher does, in an order of its own. A fault of a line strikes by a seeded draw over the request and the number of
times it was asked, so that later tries come through; what happens to whole batches is told by their number, from 1.
GET /stats tells what it has done: `again` counts answers beyond the first to each request, which somebody paid twice.
"""

import argparse
import asyncio
import hashlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from personamath.records import CHARACTERS_PER_TOKEN
from personamath.sources.problems import ProblemSource
from personamath.teachers.simulated import MODEL, SimulatedTeacher, chat_reply
from tests.support.scripted_teacher import PAPER_HABITS

MOST_LINES = 50_000
MOST_BYTES = 200 * 10**6
PAGE = 20
# Lines answered before the server looks at its other connections.
LINES_AT_ONCE = 100

Json = dict[str, Any]


def _error(message: str, code: str | None = None) -> Json:
    return {"error": {"message": message, "type": "scripted", "param": None, "code": code}}


# What becomes of a line instead of its answer: a status and a body, a code without a response, or nothing at all.
FAULTS: dict[str, tuple[int, Json] | str | None] = {
    "http_500": (500, _error("scripted 500")),
    "http_429": (429, _error("scripted 429")),
    "status_0": (0, {}),
    "empty": (200, chat_reply(MODEL, "", "")),
    "abort": (200, {"choices": [{"message": {"content": "half"}, "finish_reason": "abort"}]}),
    "wrong_types": (200, {"choices": {"0": "none"}}),
    "expired": "batch_expired",
    "timeout": "request_timeout",
    "missing": None,
    "illegible": None,
}
# Always the same to the same request.
ENDINGS: dict[str, tuple[int, Json] | str] = {
    "content_filter": (400, _error("filtered", "content_filter")),
    "http_400": (400, _error("too long", "context_length_exceeded")),
    "no_credit": (429, _error("You exceeded your current quota", "insufficient_quota")),
    "not_asked_no_credit": "insufficient_quota",
}
EVENTS = ("lose", "unmade", "refuse", "unpaid", "expire", "cancel")


@dataclass
class Made:
    """A batch, and the lines it still has to answer."""

    info: Json
    lines: list[Json]
    tokens: int
    fate: set[str] = field(default_factory=set)


class Provider:
    """Files and batches, in memory."""

    def __init__(self, teacher: SimulatedTeacher, options: argparse.Namespace) -> None:
        self._teacher = teacher
        self._options = options
        self._faults: dict[str, float] = dict(options.fault)
        self._events: set[tuple[str, int]] = set(options.at)
        self._files: dict[str, bytes] = {}
        self._batches: dict[str, Made] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._asked: Counter[str] = Counter()
        self._answered: Counter[str] = Counter()
        self._creations = self._downloads = 0
        self.stats: Counter[str] = Counter()

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path == "/stats":
            again = sum(count - 1 for count in self._answered.values())
            return web.json_response(self.stats | {"different": len(self._answered), "again": again})
        if self._options.key and request.headers.get("Authorization") != f"Bearer {self._options.key}":
            return web.json_response(_error(f"wrong key {request.headers.get('Authorization')}"), status=401)
        return await handler(request)

    async def upload(self, request: web.Request) -> web.Response:
        parts = await request.multipart()
        content, purpose = b"", ""
        async for part in parts:
            if getattr(part, "name", None) == "file":
                content = bytes(await part.read())  # type: ignore[union-attr]
            elif getattr(part, "name", None) == "purpose":
                purpose = await part.text()  # type: ignore[union-attr]
        if purpose != "batch" or len(content) > MOST_BYTES:
            return web.json_response(_error("not a batch file, or too large"), status=400)
        self.stats["files"] += 1
        id = self._file(content)
        return web.json_response(
            {
                "id": id,
                "object": "file",
                "bytes": len(content),
                "created_at": int(time.time()),
                "filename": "upload.jsonl",
            }
            | {"purpose": purpose, "status": "processed"}
        )

    async def content(self, request: web.Request) -> web.StreamResponse:
        content = self._files.get(request.match_info["id"])
        if content is None:
            return web.json_response(_error("no such file"), status=404)
        self._downloads += 1
        if ("cut", self._downloads) not in self._events:
            return web.Response(body=content)
        stream = web.StreamResponse(headers={"Content-Length": str(len(content))})
        await stream.prepare(request)
        await stream.write(content[: len(content) // 2])
        assert request.transport
        request.transport.abort()
        return stream

    async def create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self._creations += 1
        if ("unmade", self._creations) in self._events:
            return web.json_response(_error("scripted 500"), status=500)
        content = self._files.get(asked["input_file_id"])
        if content is None or asked["endpoint"] != "/v1/chat/completions" or asked["completion_window"] != "24h":
            return web.json_response(_error("no such file, endpoint or window"), status=400)
        made = self._made(asked, [json.loads(line) for line in content.splitlines()])
        task = asyncio.create_task(self._run(made))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if "lose" in made.fate:
            assert request.transport
            request.transport.abort()
        return web.json_response(made.info)

    def _made(self, asked: Json, lines: list[Json]) -> Made:
        id = f"batch_{self._creations:04}"
        counts = {"total": len(lines), "completed": 0, "failed": 0}
        info = asked | {"id": id, "object": "batch", "status": "validating", "created_at": int(time.time())}
        tokens = sum(len(line["body"]["messages"][0]["content"]) // CHARACTERS_PER_TOKEN + 1 for line in lines)
        fate = {name for name, number in self._events if number == self._creations}
        made = self._batches[id] = Made(info | {"request_counts": counts}, lines, tokens, fate)
        self.stats["batches"] += 1
        self.stats["most_lines"] = max(self.stats["most_lines"], len(lines))
        refusal = self._refusal(made)
        if refusal:
            made.info |= {"status": "failed", "errors": {"object": "list", "data": [refusal]}}
        else:
            self.stats["lines"] += len(lines)
            self.stats["most_enqueued"] = max(self.stats["most_enqueued"], self._enqueued())
        return made

    def _enqueued(self) -> int:
        return sum(
            made.tokens for made in self._batches.values() if made.info["status"] in ("validating", "in_progress")
        )

    def _refusal(self, made: Made) -> Json | None:
        ids = {line["custom_id"] for line in made.lines}
        if len(made.lines) > MOST_LINES or len(ids) < len(made.lines) or "refuse" in made.fate:
            return {"code": "invalid_request", "line": 1, "message": "scripted refusal", "param": None}
        if "unpaid" in made.fate:
            return {"code": "billing_hard_limit_reached", "line": None, "message": "Billing hard limit", "param": None}
        limit = self._options.queue_limit
        if limit and self._enqueued() > limit:
            self.stats["queue_full"] += 1
            text = f"Enqueued token limit reached for {self._options.model}."
            if not self._options.secretive:
                text += f" Limit: {limit:,} enqueued tokens."
            return {"code": "token_limit_exceeded", "line": None, "message": text, "param": None}
        return None

    async def _run(self, made: Made) -> None:
        """Take a batch through its states."""
        if made.info["status"] == "failed":
            return
        made.info["status"] = "in_progress"
        await asyncio.sleep(self._options.delay)
        random.Random(made.info["id"]).shuffle(made.lines)
        early = next((event for event in ("expire", "cancel") if event in made.fate), None)
        last = len(made.lines) // 2 if early else len(made.lines)
        output, errors = bytearray(), bytearray()
        for number, line in enumerate(made.lines):
            told = self._tell(line) if number < last else (f"batch_{early}ed".replace("ee", "e"), None)
            self._write(line["custom_id"], told, output, errors, made.info["request_counts"])
            if number % LINES_AT_ONCE == 0:
                await asyncio.sleep(0)
        made.info["output_file_id"] = self._file(bytes(output)) if output else None
        made.info["error_file_id"] = self._file(bytes(errors)) if errors else None
        made.info["status"] = {"expire": "expired", "cancel": "cancelled", None: "completed"}[early]
        made.lines.clear()

    def _tell(self, line: Json) -> tuple[str, tuple[int, Json] | None]:
        """What becomes of a line: a code, and a status and a body unless the code is all."""
        id, body = line["custom_id"], line["body"]
        self._asked[id] += 1
        for name, share in self._faults.items():
            tries = b"" if name in ENDINGS else b"%d" % self._asked[id]
            draw = hashlib.blake2b(name.encode() + tries + id.encode(), digest_size=4).digest()
            if int.from_bytes(draw) < share * 2**32:
                self.stats[name] += 1
                fault = (FAULTS | ENDINGS)[name]
                return (fault, None) if isinstance(fault, str) else (name, fault)
        if body["model"] != self._options.model:
            return "", (404, _error("no such model", "model_not_found"))
        self._answered[id] += 1
        prompt = body["messages"][0]["content"]
        return "", (200, chat_reply(body["model"], prompt, self._teacher.complete(prompt)))

    def _write(
        self, id: str, told: tuple[str, tuple[int, Json] | None], output: bytearray, errors: bytearray, counts: Json
    ) -> None:
        code, answer = told
        response = answer and {"status_code": answer[0], "request_id": "r", "body": answer[1]}
        error = None if answer else {"code": code, "message": "scripted"}
        entry = json.dumps({"id": "batch_req", "custom_id": id, "response": response, "error": error}).encode() + b"\n"
        good = answer is not None and answer[0] == 200
        counts["completed" if good else "failed"] += 1
        if code == "illegible":
            output += entry[:20] + b"\n"
        elif code != "missing":
            (output if good else errors).extend(entry)

    async def retrieve(self, request: web.Request) -> web.Response:
        made = self._batches.get(request.match_info["id"])
        if made is None:
            return web.json_response(_error("no such batch"), status=404)
        return web.json_response(made.info)

    async def list(self, request: web.Request) -> web.Response:
        """Newest first, in pages."""
        ids = list(reversed(self._batches))
        after = request.query.get("after")
        start = ids.index(after) + 1 if after else 0
        page = [self._batches[id].info for id in ids[start : start + PAGE]]
        return web.json_response({"object": "list", "data": page, "has_more": start + PAGE < len(ids)})

    def _file(self, content: bytes) -> str:
        id = f"file-{len(self._files):04}"
        self._files[id] = content
        return id


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    if name not in FAULTS | ENDINGS:
        raise argparse.ArgumentTypeError(f"{name}: one of {', '.join(FAULTS | ENDINGS)}")
    return name, float(share or 1)


def _event(text: str) -> tuple[str, int]:
    name, _, number = text.partition("@")
    if name not in (*EVENTS, "cut"):
        raise argparse.ArgumentTypeError(f"{name}: one of {', '.join(EVENTS)}, cut")
    return name, int(number)


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", action="append", default=[], help="a source, as `personamath augment` names it")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before a batch is answered")
    parser.add_argument("--fault", action="append", type=_share, default=[], help="of lines: NAME=SHARE")
    parser.add_argument(
        "--at", action="append", type=_event, default=[], help="to the Nth creation or download: NAME@N"
    )
    parser.add_argument("--queue-limit", type=int, default=0, help="prompt tokens that may be enqueued")
    parser.add_argument("--secretive", action="store_true", help="do not say what the limit is")
    parser.add_argument("--key", help="the only key that is let in")
    options = parser.parse_args()

    teacher = SimulatedTeacher((ProblemSource.parse(text) for text in options.problems), PAPER_HABITS)
    provider = Provider(teacher, options)
    app = web.Application(middlewares=[provider.middleware], client_max_size=2 * MOST_BYTES)
    app.router.add_post("/v1/files", provider.upload)
    app.router.add_get("/v1/files/{id}/content", provider.content)
    app.router.add_post("/v1/batches", provider.create)
    app.router.add_get("/v1/batches", provider.list)
    app.router.add_get("/v1/batches/{id}", provider.retrieve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until whoever started it is gone


if __name__ == "__main__":
    asyncio.run(_main())
