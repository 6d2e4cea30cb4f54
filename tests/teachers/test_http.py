"""The HTTP teacher against real servers: what is asked again, what ends a request, what ends the run."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import openai
import pytest
from aiohttp import web

from personamath.errors import RequestFailed, TeacherError, TeacherMisconfigured
from personamath.records import AnsweredBy, Completion, Request
from personamath.teachers.hedging import Try
from personamath.teachers.http import HttpTeacher
from personamath.teachers.keys import Access
from personamath.teachers.pace import Pace
from personamath.teachers.patience import Patience
from personamath.teachers.prices import Paid
from personamath.teachers.refusals import Retry
from personamath.teachers.simulated import MODEL, SimulatedTeacher, application, serve
from personamath.teachers.troubles import NO_CONNECTION
from tests.support.endpoints import endpoint

KEY = "sk-very-secret"
REQUEST = Request("What is 1 + 1?", "teacher-1", 0.7, 2048)
Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def chat(content: object = r"$\boxed{2}$", finish_reason: str | None = "stop", **message: object) -> web.Response:
    choice = {"message": {"content": content, **message}, "finish_reason": finish_reason}
    return web.json_response({"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 7}})


def error(status: int, message: str = "scripted", code: str | None = None, **headers: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": code}}, status=status, headers=headers)


def json_of(body: object, status: int = 200) -> web.Response:
    return web.json_response(body, status=status)


def text_of(text: str | bytes, status: int = 200, **headers: str) -> web.Response:
    body = text if isinstance(text, bytes) else text.encode()
    return web.Response(body=body, status=status, headers={name.replace("_", "-"): v for name, v in headers.items()})


class Server:
    """Gives scripted replies in turn, the last one for ever; remembers what it was sent, and when."""

    def __init__(self, *replies: web.Response | str) -> None:
        self.replies = list(replies)
        self.bodies: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []

    async def reply(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append(dict(request.headers))
        self.times.append(time.monotonic())
        scripted = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if scripted == "reset":
            assert request.transport
            request.transport.abort()
        if isinstance(scripted, str):
            return web.Response(text=scripted)
        # A response can be sent once only.
        return web.Response(body=scripted.body, status=scripted.status, headers=scripted.headers)


def ask(*servers: Server, patience: Patience | None = None, times: int = 1) -> list[Completion | TeacherError]:
    """Answers to the same request, asked `times` times at once; errors in their places."""
    return asyncio.run(asked(*servers, patience=patience, times=times))


async def asked(*servers: Server, patience: Patience | None = None, times: int = 1) -> list[Completion | TeacherError]:
    async with AsyncExitStack() as stack:
        urls = []
        for server in servers:
            urls.append(await stack.enter_async_context(endpoint(server.reply)))
        teacher = await stack.enter_async_context(HttpTeacher(urls, [Access(KEY)] * len(urls), patience))
        answers = await asyncio.gather(*(teacher.complete(REQUEST) for _ in range(times)), return_exceptions=True)
        for answer in answers:
            assert isinstance(answer, (Completion, TeacherError)), answer
        return answers  # type: ignore[return-value]


def test_a_request_goes_out_as_the_openai_protocol_wants_it() -> None:
    server = Server(chat())
    assert ask(server) == [Completion(r"$\boxed{2}$", "stop", 5, 7)]
    assert server.bodies == [
        {
            "model": "teacher-1",
            "messages": [{"role": "user", "content": "What is 1 + 1?"}],
            "temperature": 0.7,
            "max_tokens": 2048,
        }
    ]
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


ANSWERS = [
    (chat(finish_reason="length"), Completion(r"$\boxed{2}$", "length", 5, 7)),
    (chat(None, "length"), Completion("", "length", 5, 7)),
    (chat(None, "content_filter"), Completion("", "content_filter", 5, 7)),
    (chat(None, refusal="I cannot."), Completion("I cannot.", "refusal", 5, 7)),
    (chat(finish_reason=None), Completion(r"$\boxed{2}$", "stop", 5, 7)),
    (chat(finish_reason="max_tokens"), Completion(r"$\boxed{2}$", "length", 5, 7)),
    (chat("half", "SAFETY"), Completion("half", "content_filter", 5, 7)),
    (chat("to to to to to", "repetition"), Completion("to to to to to", "repetition", 5, 7)),
    (chat("2", "tool_calls", tool_calls=[]), Completion("2", "stop", 5, 7)),
    # Reasoning beside the content is no part of the text.
    (chat("2", reasoning="1 + 1"), Completion("2", "stop", 5, 7, AnsweredBy(reasoning="1 + 1"))),
    (chat("2", reasoning_content="1 + 1"), Completion("2", "stop", 5, 7, AnsweredBy(reasoning="1 + 1"))),
    (chat(None, "length", reasoning="so lon"), Completion("", "length", 5, 7, AnsweredBy(reasoning="so lon"))),
    (chat(None, "length", reasoning_content="so lon"), Completion("", "length", 5, 7, AnsweredBy(reasoning="so lon"))),
    (chat(None, "model_length"), Completion("", "length", 5, 7)),
    # Text in parts.
    (chat([{"type": "text", "text": "1 + "}, {"type": "text", "text": "1"}]), Completion("1 + 1", "stop", 5, 7)),
    (chat([{"type": "thinking", "thinking": []}, {"type": "text", "text": "2"}]), Completion("2", "stop", 5, 7)),
    (chat([{"type": "output_text", "text": "2"}, "!"]), Completion("2!", "stop", 5, 7)),
    (chat([{"type": "refusal", "refusal": "I cannot."}]), Completion("I cannot.", "refusal", 5, 7)),
    (chat([], "length"), Completion("", "length", 5, 7)),
    # A filter's words.
    (error(400, code="content_filter"), Completion("", "content_filter")),
    (error(403, "Your input was flagged for violence"), Completion("", "content_filter")),
    (error(403, "no", "content_policy_violation"), Completion("", "content_filter")),
    (json_of({"error": {"code": 403, "message": "requires moderation: flagged"}}), Completion("", "content_filter")),
    (
        json_of({"choices": [], "prompt_filter_results": [{"content_filter_results": {"hate": {"filtered": True}}}]}),
        Completion("", "content_filter"),
    ),
    (json_of({"choices": [], "promptFeedback": {"blockReason": "SAFETY"}}), Completion("", "content_filter")),
    (
        web.json_response({"choices": [{"message": {"content": "2"}}], "usage": {"prompt_tokens": 10**30}}),
        Completion("2", "stop", None, None),
    ),
    (
        web.json_response({"choices": [{"message": {"content": "2"}, "finish_reason": "stop"}]}),
        Completion("2", "stop", None, None),
    ),
]


@pytest.mark.parametrize(("reply", "completion"), ANSWERS)
def test_endings_are_told_apart(reply: web.Response, completion: Completion) -> None:
    assert ask(Server(reply)) == [completion]


PASSING: list[web.Response | str] = [
    error(429, **{"Retry-After": "0"}),
    error(500),
    error(502),
    error(503),
    error(524),
    error(529),
    error(408),
    "reset",
    "",
    "<html>busy</html>",
    '{"choices": [{"message": {"conte',
    '{"choices": []}',
    '{"choices": [{"message": {"content": "half \\ud83d"}}]}',
    '{"choices": ' + "[" * 100_000,
    '{"choices": {"0": 1}}',
    '{"error": {"message": "overloaded"}}',
    "[]",
    "null",
    chat(""),
    chat(" \n"),
    chat(None),
    chat([]),
    chat([{"type": "image", "image": "..."}]),
    chat([1]),
    chat(None, reasoning="so long"),
    chat("half of the te", "abort"),
    chat("half of the te", "error"),
    text_of("data: {}\n\ndata: [DONE]\n\n"),
    text_of(b"\x0b\x02\x80{}\x03", Content_Encoding="br"),
    text_of(b"\x28\xb5\x2f\xfd{}", Content_Encoding="zstd"),
    text_of("{}", Content_Encoding="deflate"),
]


def test_what_may_pass_is_asked_again() -> None:
    servers = [Server(fault, chat()) for fault in PASSING]

    async def ask_all() -> list[list[Completion | TeacherError]]:  # at the same time: each waits before its second try
        return await asyncio.gather(*map(asked, servers))

    for fault, server, answers in zip(PASSING, servers, asyncio.run(ask_all()), strict=True):
        assert answers == [Completion(r"$\boxed{2}$", "stop", 5, 7)], fault
        assert len(server.bodies) == 2, fault


@pytest.mark.slow
def test_retry_after_is_honoured_and_does_not_use_up_tries() -> None:
    server = Server(*[error(429, **{"Retry-After": "0.3"})] * 4, chat())
    assert ask(server, patience=Patience(attempts=2)) == [Completion(r"$\boxed{2}$", "stop", 5, 7)]
    waits = [later - earlier for earlier, later in zip(server.times, server.times[1:], strict=False)]
    assert len(waits) == 4 and min(waits) >= 0.3


def test_a_request_fails_after_its_tries_and_says_why() -> None:
    server = Server(error(500, "out of order"))
    (failure,) = ask(server, patience=Patience(attempts=2))
    assert isinstance(failure, RequestFailed) and failure.reason == "http 500"
    assert "out of order" in str(failure)
    assert len(server.bodies) == 2


def test_a_bad_request_fails_alone_once_others_were_answered() -> None:
    server = Server(chat(), error(400, "context length exceeded"))
    answer, failure = ask(server, times=2)
    assert isinstance(answer, Completion)
    assert isinstance(failure, RequestFailed) and failure.reason == "http 400"


def test_bad_requests_from_the_start_end_the_run() -> None:
    failures = ask(Server(error(400, "unknown parameter")), times=8)
    assert any(isinstance(failure, TeacherMisconfigured) for failure in failures)


ENDING = [
    (error(401, f"bad key: Bearer {KEY}"), "answered 401 (bad key: Bearer [key]): check the key"),
    (error(403), "may use this model"),
    (error(404, "no such model"), "check --teacher and --base-url"),
    (error(410, "no longer served"), "switched off for good"),
    (error(407, "who are you"), "http://USER:PASSWORD@HOST:PORT"),
    (text_of("", 301, Location="https://secret@other.example/v1?key=1"), "redirect to https://other.example/v1, as"),
    # The account has no credit, in the words of many.
    (error(429, "quota", "insufficient_quota"), "no credit left"),
    (error(429, "quota", "billing_not_active"), "no credit left"),
    (error(402, "Insufficient Balance"), "(Insufficient Balance): the account has no credit left"),
    (error(400, "Your credit balance is too low to access the API"), "no credit left"),
    (json_of({"error": {"message": "quota", "type": "insufficient_quota"}}, 429), "no credit left"),
    (error(429, "suspended", "exceeded_current_quota_error"), "no credit left"),
    (error(403, "Access denied, please make sure your account is in good standing."), "no credit left"),
    (error(403, "Sorry, your account balance is insufficient"), "no credit left"),
    (error(403, "Your team has used all available credits or reached its monthly spending limit."), "no credit left"),
    (error(412, "account suspended, likely due to failure to pay past invoices"), "no credit left"),
    (error(429, "账户已欠费, 请充值后重试"), "no credit left"),
    (error(401, "insufficient balance"), "no credit left"),
    (json_of({"error": {"message": "insufficient balance"}}), "no credit left"),
    (json_of([{"error": {"code": 429, "message": "Quota exceeded, limit: 0, model: m"}}], 429), "no credit left"),
    (json_of({"error": {"message": "pay first", "code": 402}}), "answered 200 (pay first): the account has no credit"),
    (json_of({"choices": [{"error": {"code": 402, "message": "pay"}, "message": None}]}), "no credit left"),
]


@pytest.mark.parametrize(("reply", "remedy"), ENDING)
def test_what_no_request_can_pass_ends_the_run_at_once_with_the_remedy(reply: web.Response, remedy: str) -> None:
    server = Server(reply)
    (failure,) = ask(server)
    assert isinstance(failure, TeacherMisconfigured)
    assert remedy in str(failure)
    assert KEY not in str(failure)
    assert len(server.bodies) == 1


@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_what_one_request_cannot_pass_does_not_end_the_run_after_an_answer(status: int) -> None:
    answer, failure = ask(Server(chat(), error(status, "not this one")), times=2)
    assert isinstance(answer, Completion)
    assert isinstance(failure, RequestFailed) and "not this one" in str(failure)


def test_fast_refusals_do_not_end_a_run_whose_first_answer_is_slow() -> None:
    class SlowOnce(Server):
        async def reply(self, request: web.Request) -> web.StreamResponse:
            response = await super().reply(request)
            if response.status == 200:
                await asyncio.sleep(0.3)
            return response

    answers = ask(SlowOnce(*[error(400)] * 10, chat()), times=11)
    assert sum(isinstance(answer, RequestFailed) for answer in answers) == 10
    assert sum(isinstance(answer, Completion) for answer in answers) == 1


def test_in_a_directory_with_answers_refusals_are_of_single_requests() -> None:
    async def run() -> None:
        async with endpoint(Server(error(400)).reply) as url, HttpTeacher([url]) as teacher:
            teacher.answered_before()
            answers = await asyncio.gather(*(teacher.complete(REQUEST) for _ in range(20)), return_exceptions=True)
        assert all(isinstance(answer, RequestFailed) for answer in answers)

    asyncio.run(run())


NO_API = [
    (json_of({"error": {"message": "model is loading"}}), "error with status 200", "answered 200 (model is loading)"),
    (json_of({"object": "error", "message": "too busy"}), "error with status 200", "answered 200 (too busy)"),
    (json_of([{"error": {"message": "too busy"}}]), "error with status 200", "answered 200 (too busy)"),
    (json_of({"detail": "not now"}), "error with status 200", "answered 200 (not now)"),
    (
        json_of({"error": {"code": 502, "message": "Provider error", "metadata": {"raw": "out of memory"}}}),
        "http 502",
        "answered 200 (Provider error: out of memory)",
    ),
    (text_of("<html><title> Please\nsign in </title>"), "malformed body", "with an HTML page titled 'Please sign in'"),
    (text_of("<!DOCTYPE html><h1>524", 524), "http 524", "answered 524 (an HTML page)"),
    (text_of('data: {"choices": [{"del'), "malformed body", "a stream of events (SSE) that is cut or broken: data: {"),
    (
        text_of(': ok\n\ndata: {"choices": [{}]}\n\n'),
        "malformed body",
        "a stream of events (SSE) that is cut or broken: :",
    ),
    (text_of('data: {"id": 1}\n\ndata: [DONE]'), "malformed body", 'without a completion ({"id": 1})'),
    (text_of(b"\x0b", Content_Encoding="br"), "malformed body", "Can not decode content-encoding: brotli (br))"),
    (text_of(b"\x28\xb5\x2f\xfd{}"), "malformed body", "a body compressed with zstd, which its headers do not say"),
    (text_of(""), "malformed body", "an empty body"),
    (text_of('{"choices": ['), "malformed body", "JSON that is cut or broken, 13 bytes"),
    (json_of({"hello": "world"}), "malformed body", 'without a completion ({"hello": "world"})'),
    (chat("half", "abort"), "finish_reason 'abort'", "did not end by itself"),
    (chat(None, reasoning="thoughts"), "empty answer", "without content, but with reasoning"),
    (error(500, f"Bearer {KEY} " + "x" * 500), "http 500", "Bearer [key] xxx"),
    # The key at the end of what is shown.
    (error(500, "x" * 195 + KEY), "http 500", "xxx"),
    (text_of(f"<title>{'x' * 70}{KEY}</title>"), "malformed body", "xxx"),
    (text_of(f"<title>{'x' * 70}{KEY}</title>", 503), "http 503", "xxx"),
    (text_of(f"data: {'x' * 65}{KEY}"), "malformed body", "xxx"),
]


@pytest.mark.parametrize(("reply", "reason", "words"), NO_API)
def test_what_the_endpoint_says_is_named_in_one_line(reply: web.Response, reason: str, words: str) -> None:
    (failure,) = ask(Server(reply), patience=Patience(attempts=1))
    assert isinstance(failure, RequestFailed) and failure.reason == reason
    assert words in str(failure) and "\n" not in str(failure)
    assert KEY[:6] not in str(failure)


def test_an_address_where_there_is_no_api_ends_the_run_before_all_tries_are_used_up() -> None:
    failures = ask(Server(text_of("<html>")), times=8)
    assert any(isinstance(failure, TeacherMisconfigured) and "an HTML page" in str(failure) for failure in failures)


@pytest.mark.slow
def test_what_was_paid_for_without_an_answer_is_counted() -> None:
    async def run() -> list[Paid]:
        paid: list[Paid] = []

        async def take(one: Paid) -> None:
            paid.append(one)

        replies = [chat(""), chat("half", "abort"), json_of({"choices": [], "usage": {"prompt_tokens": 3}})]
        async with endpoint(Server(*replies, chat()).reply) as url, HttpTeacher([url]) as teacher:
            teacher.thrown_away = take
            await teacher.complete(REQUEST)
        return paid

    assert [one[3:5] for one in asyncio.run(run())] == [(5, 7), (5, 7), (3, 0)]


def test_an_endpoint_that_was_never_reached_ends_the_run_at_once() -> None:
    async def run() -> None:
        async with serve(web.Application()) as gone:
            pass
        async with HttpTeacher([gone]) as teacher:
            await teacher.complete(REQUEST)

    with pytest.raises(TeacherMisconfigured, match="cannot reach http"):
        asyncio.run(run())


@pytest.mark.slow
@pytest.mark.parametrize("is_there", [True, False])
def test_a_connection_that_timed_out_is_tried_once_more_before_the_run_ends(is_there: bool) -> None:
    """As where this machine was so busy that it saw the time-out before it saw that it was connected."""

    async def run() -> None:
        async with serve(web.Application()) as url:
            if is_there:
                await ask_after_a_timeout(url)
        if not is_there:
            await ask_after_a_timeout(url)

    async def ask_after_a_timeout(url: str) -> None:
        charge = Pace().charge(REQUEST)
        async with HttpTeacher([url]) as teacher:
            endpoints = teacher._endpoints
            endpoints.silence.asked()
            endpoint = await endpoints.next(charge)
            for _ in range(2):
                endpoints.failed(endpoint, Retry(NO_CONNECTION, f"{url}: no connection in 15 s"), charge, Try(REQUEST))
            assert endpoint.in_doubt and not endpoint.reachable
            assert await endpoints.next(charge) is endpoint

    if is_there:
        asyncio.run(run())
    else:
        with pytest.raises(TeacherMisconfigured, match=r"cannot reach http.*\(no connection in 15 s\)"):
            asyncio.run(run())


def test_a_hung_request_is_asked_again_after_the_timeout() -> None:
    class Hangs(Server):
        async def reply(self, request: web.Request) -> web.StreamResponse:
            response = await super().reply(request)
            if len(self.bodies) == 1:
                await asyncio.sleep(1)
            return response

    server = Hangs(chat())
    assert ask(server, patience=Patience(timeout_s=0.3)) == [Completion(r"$\boxed{2}$", "stop", 5, 7)]
    assert len(server.bodies) == 2


def test_requests_go_to_the_endpoint_with_the_fewest_in_flight() -> None:
    class Slow(Server):
        async def reply(self, request: web.Request) -> web.StreamResponse:
            await asyncio.sleep(0.3)
            return await super().reply(request)

    one, two = Slow(chat()), Slow(chat())
    assert len(ask(one, two, times=10)) == 10
    assert len(one.bodies) == len(two.bodies) == 5


class Endpoint:
    """A server that can go away and come back on the same port."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = 0

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.server.reply)
        self._runner = web.AppRunner(app, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{self.port}/v1"

    async def stop(self) -> None:
        await self._runner.cleanup()


def test_an_endpoint_that_is_down_behind_its_gateway_is_left_out_like_a_dead_one() -> None:
    down, steady = Server(error(503)), Server(chat())
    answers = ask(down, steady, times=100)
    assert answers == [Completion(r"$\boxed{2}$", "stop", 5, 7)] * 100
    assert len(down.bodies) <= 100


def test_a_wait_longer_than_the_patience_ends_the_run_at_once_with_the_endpoints_words() -> None:
    server = Server(error(429, "daily limit reached", **{"Retry-After": "86400"}), chat())
    start = time.monotonic()
    failures = ask(server, times=3, patience=Patience(gone_s=60))
    assert time.monotonic() - start < 5
    gone = [failure for failure in failures if isinstance(failure, RequestFailed)]
    assert gone and all(failure.reason == "teacher gone" for failure in gone)
    assert re.search(
        r"\(daily limit reached\); it asks to wait 86,400 s, longer than --patience \(60 s\)", str(gone[0])
    )


def test_an_endpoint_that_asks_for_a_day_leaves_its_requests_to_the_others() -> None:
    asleep, awake = Server(error(429, **{"Retry-After": "86400"})), Server(chat())
    assert ask(asleep, awake, times=20) == [Completion(r"$\boxed{2}$", "stop", 5, 7)] * 20
    assert len(asleep.bodies) <= 10


@pytest.mark.parametrize("after", ["inf", "nan", "-5", "1e12", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_that_nobody_can_mean_is_ignored(after: str) -> None:
    server = Server(error(429, **{"Retry-After": after}), chat())
    assert ask(server, patience=Patience(gone_s=10)) == [Completion(r"$\boxed{2}$", "stop", 5, 7)]


def test_a_long_wait_is_shown() -> None:
    async def run() -> str:
        async with endpoint(Server(error(429, **{"Retry-After": "40"})).reply) as url, HttpTeacher([url]) as teacher:
            asking = asyncio.create_task(teacher.complete(REQUEST))
            await asyncio.sleep(0.5)
            shown = teacher.waiting_for()
            asking.cancel()
        return shown

    assert re.fullmatch(r"waiting for http://127.0.0.1:\d+/v1 \(asks for (40|39) s\)", asyncio.run(run()))


@pytest.mark.slow
def test_an_endpoint_that_dies_is_left_out_until_it_answers_again() -> None:
    async def run() -> None:
        mortal, steady = Endpoint(Server(chat())), Endpoint(Server(chat()))
        async with HttpTeacher([await mortal.start(), await steady.start()]) as teacher:
            await teacher.complete(REQUEST)
            await mortal.stop()
            await asyncio.gather(*(teacher.complete(REQUEST) for _ in range(20)))
            assert (len(mortal.server.bodies), len(steady.server.bodies)) == (1, 20)
            await mortal.start()
            while len(mortal.server.bodies) == 1:
                await asyncio.sleep(0.1)
                await teacher.complete(REQUEST)
        await mortal.stop()
        await steady.stop()

    asyncio.run(asyncio.wait_for(run(), 20))


@pytest.mark.slow
def test_an_only_endpoint_that_goes_away_is_waited_for() -> None:
    async def run() -> Completion:
        endpoint = Endpoint(Server(chat()))
        async with HttpTeacher([await endpoint.start()]) as teacher:
            await teacher.complete(REQUEST)
            await endpoint.stop()
            waiting = asyncio.create_task(teacher.complete(REQUEST))
            await asyncio.sleep(1)
            assert not waiting.done()
            await endpoint.start()
            answer = await waiting
        await endpoint.stop()
        return answer

    assert asyncio.run(asyncio.wait_for(run(), 20)) == Completion(r"$\boxed{2}$", "stop", 5, 7)


@pytest.mark.slow
def test_after_the_patience_every_request_fails_at_once() -> None:
    async def run() -> list[float]:
        endpoint = Endpoint(Server(chat()))
        async with HttpTeacher([await endpoint.start()], patience=Patience(gone_s=1)) as teacher:
            await teacher.complete(REQUEST)
            await endpoint.stop()
            took = []
            for _ in range(2):
                start = time.monotonic()
                with pytest.raises(RequestFailed, match="teacher gone"):
                    await teacher.complete(REQUEST)
                took.append(time.monotonic() - start)
            return took

    first, second = asyncio.run(asyncio.wait_for(run(), 20))
    assert first > 1 > second


def test_the_embedded_teacher_answers_the_openai_client() -> None:
    async def run() -> tuple[str, str]:
        async with (
            serve(application(SimulatedTeacher([]))) as url,
            openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client,
        ):
            hello: Any = [{"role": "user", "content": "Hello"}]
            answer = await client.chat.completions.create(model=MODEL, messages=hello)
            models = await client.models.list()
            with pytest.raises(openai.NotFoundError, match="no model"):
                await client.chat.completions.create(model="gpt-4o", messages=hello)
            return answer.choices[0].message.content or "", models.data[0].id

    text, model = asyncio.run(run())
    assert text.startswith("I am sorry") and model == MODEL


def test_equal_requests_are_equal_bytes_and_the_sample_tells_rollouts_apart() -> None:
    assert json.loads(REQUEST.body())["messages"][0]["content"] == REQUEST.prompt
    same = Request("What is 1 + 1?", "teacher-1", 0.7, 2048, purpose="stage2_reflection")
    assert same == REQUEST and same.digest == REQUEST.digest
    others = [
        Request("What is 1 + 2?", "teacher-1", 0.7, 2048),
        Request("What is 1 + 1?", "teacher-2", 0.7, 2048),
        Request("What is 1 + 1?", "teacher-1", 0.8, 2048),
        Request("What is 1 + 1?", "teacher-1", 0.7, 4096),
        Request("What is 1 + 1?", "teacher-1", 0.7, 2048, sample=1),
    ]
    assert len({request.digest for request in (REQUEST, *others)}) == 6
