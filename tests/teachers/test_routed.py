"""Several teachers as one, against real servers: where each kind of request goes, and what reaches all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from aiohttp import web

from personamath.errors import NotAsked, TeacherMisconfigured
from personamath.records import Request
from personamath.teachers.concurrency import Limit
from personamath.teachers.http import HttpTeacher
from personamath.teachers.pace import Pace
from personamath.teachers.patience import Patience
from personamath.teachers.prices import Paid
from personamath.teachers.routed import Route, RoutedTeacher, over_http
from tests.support.endpoints import endpoint

SOLVE = Request("1 + 1?", "strong", 0.7, 100, purpose="s: solve")
REWRITE = Request("Rephrase it.", "cheap", 0.7, 100, purpose="s: rewrite")
Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answers with its name; remembers which models it was asked for."""

    def __init__(self, name: str, *replies: web.Response, wait_s: float = 0.0) -> None:
        self.name = name
        self.models: list[str] = []
        self._replies = list(replies)
        self._wait_s = wait_s

    async def reply(self, request: web.Request) -> web.StreamResponse:
        self.models.append((await request.json())["model"])
        await asyncio.sleep(self._wait_s)
        return self._replies.pop(0) if self._replies else answer(self.name)


def answer(text: str) -> web.Response:
    choice = {"message": {"content": text}, "finish_reason": "stop"}
    return web.json_response({"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 7}})


def refusal(message: str) -> web.Response:
    return web.json_response({"error": {"message": message}}, status=400)


def run(work: Callable[..., Awaitable[Any]], *servers: Server, pace: Pace | None = None) -> Any:
    """Do work with a teacher whose roles are asked at the servers in turn; with one server, both there."""

    async def opened() -> Any:
        async with AsyncExitStack() as stack:
            urls = []
            for server in servers:
                urls.append(await stack.enter_async_context(endpoint(server.reply)))
            routes = {
                one.purpose: Route(one.model, (url,))
                for one, url in zip((SOLVE, REWRITE), (*urls, *urls), strict=False)
            }
            patience, shared = Patience(attempts=3), pace or Pace()
            teacher = over_http(routes, lambda route: HttpTeacher(route.base_urls, (), patience, shared))
            assert isinstance(teacher, RoutedTeacher)
            async with teacher:
                return await work(teacher)

    return asyncio.run(opened())


def test_each_kind_of_request_goes_to_the_endpoint_of_its_role() -> None:
    strong, cheap = Server("strong"), Server("cheap")

    async def ask(teacher: RoutedTeacher) -> list[str]:
        requests = [*(replace(one, sample=number) for number in range(5) for one in (SOLVE, REWRITE)), SOLVE]
        answers = await asyncio.gather(*map(teacher.complete, requests))
        return [one.text for one in answers]

    assert run(ask, strong, cheap) == ["strong", "cheap"] * 5 + ["strong"]
    assert strong.models == ["strong"] * 6 and cheap.models == ["cheap"] * 5


ROUTES: list[tuple[Mapping[str, Route], int]] = [
    ({"a": Route("m", ("http://1/v1",)), "b": Route("m", ("http://1/v1",))}, 1),
    ({"a": Route("m", ("http://1/v1", "http://2/v1")), "b": Route("m", ("http://1/v1", "http://2/v1"))}, 1),
    ({"a": Route("m", ("http://1/v1",)), "b": Route("n", ("http://1/v1",))}, 2),
    ({"a": Route("m", ("http://1/v1",)), "b": Route("m", ("http://2/v1",))}, 2),
    ({"a": Route("m", ("http://1/v1",)), "b": Route("n", ("http://2/v1",)), "c": Route("m", ("http://1/v1",))}, 2),
]


@pytest.mark.parametrize(("routes", "teachers"), ROUTES, ids=str)
def test_there_is_one_teacher_for_each_model_and_its_endpoints(routes: Mapping[str, Route], teachers: int) -> None:
    numbers = count(1)

    def opened(route: Route) -> HttpTeacher:
        next(numbers)
        return HttpTeacher(route.base_urls)

    assert isinstance(over_http(routes, opened), HttpTeacher if teachers == 1 else RoutedTeacher)
    assert next(numbers) == teachers + 1


def test_a_stop_reaches_all() -> None:
    async def stopped(teacher: RoutedTeacher) -> list[object]:
        teacher.stop()
        asked = (teacher.complete(SOLVE), teacher.complete(REWRITE))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    assert [type(one) for one in run(stopped, Server("strong"), Server("cheap"))] == [NotAsked, NotAsked]


def test_what_is_asked_again_thrown_away_and_in_flight_is_counted_over_all() -> None:
    wasted: list[Paid] = []
    empty = {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
    strong, cheap = (Server(name, web.json_response(empty), wait_s=0.2) for name in ("strong", "cheap"))

    async def count_them(teacher: RoutedTeacher) -> int:
        async def take(paid: Paid) -> None:
            wasted.append(paid)

        teacher.thrown_away = take
        asking = asyncio.gather(teacher.complete(SOLVE), teacher.complete(REWRITE))
        await asyncio.sleep(0.1)
        in_flight = teacher.in_flight
        await asking
        assert teacher.retries == {"empty answer": 2} and teacher.in_flight == 0
        return in_flight

    assert run(count_them, strong, cheap) == 2
    assert sorted((paid.model, paid.prompt_tokens) for paid in wasted) == [("cheap", 3), ("strong", 3)]


def test_what_the_user_limits_holds_for_all_together() -> None:
    async def take_turns(teacher: RoutedTeacher) -> float:
        start = asyncio.get_running_loop().time()
        for number in range(6):
            await asyncio.gather(*(teacher.complete(replace(one, sample=number)) for one in (SOLVE, REWRITE)))
        return asyncio.get_running_loop().time() - start

    # Twelve requests, five at once and then ten a second; with a limit each they would take 0.1 s.
    assert run(take_turns, Server("strong"), Server("cheap"), pace=Pace(rpm=600)) > 0.6


def test_each_teacher_has_no_more_in_flight_than_its_own_limits_allow() -> None:
    class Counting(Server):
        now = most = 0

        async def reply(self, request: web.Request) -> web.StreamResponse:
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                return await super().reply(request)
            finally:
                self.now -= 1

    strong, cheap = Counting("strong", wait_s=0.02), Counting("cheap", wait_s=0.05)
    allowed = {SOLVE.model: 6, REWRITE.model: 2}

    async def ask() -> None:
        async with AsyncExitStack() as stack:
            routes: dict[str, Route] = {}
            for one, server in ((SOLVE, strong), (REWRITE, cheap)):
                urls = (await stack.enter_async_context(endpoint(server.reply)),)
                routes[one.purpose] = Route(one.model, urls)

            def opened(route: Route) -> HttpTeacher:
                most = allowed[route.model]
                return HttpTeacher(route.base_urls, limits=[Limit(60.0, most, most)])

            teacher = await stack.enter_async_context(RoutedTeacher(routes, opened))
            requests = [replace(one, sample=number) for number in range(20) for one in (SOLVE, REWRITE)]

            async def take_and_ask(request: Request) -> None:
                async with teacher.slots:
                    await teacher.complete(request)

            await asyncio.gather(*map(take_and_ask, requests))
            assert sorted(teacher.reached.values()) == [2, 6]

    asyncio.run(ask())
    assert cheap.most <= 2 and strong.most <= 6


def test_a_model_that_refuses_everything_ends_the_run_although_another_is_answered() -> None:
    says = "Unsupported parameter: 'max_tokens' is not supported with this model."

    class OneRefuses(Server):
        async def reply(self, request: web.Request) -> web.StreamResponse:
            await super().reply(request)
            return answer("yes") if self.models[-1] == "strong" else refusal(says)

    async def ask(teacher: RoutedTeacher) -> None:
        await teacher.complete(SOLVE)
        requests = [replace(REWRITE, sample=number) for number in range(20)]
        for answered in await asyncio.gather(*map(teacher.complete, requests), return_exceptions=True):
            if isinstance(answered, TeacherMisconfigured):
                raise answered

    with pytest.raises(TeacherMisconfigured, match="max_completion_tokens"):
        run(ask, OneRefuses("both"))


def test_earlier_answers_of_one_model_say_nothing_of_another() -> None:
    class Counted(HttpTeacher):
        answered = 0

        def answered_before(self) -> None:
            self.answered += 1

    opened: list[Counted] = []

    def remembered(route: Route) -> HttpTeacher:
        opened.append(Counted(route.base_urls))
        return opened[-1]

    teacher = RoutedTeacher({"a": Route("m", ("http://1/v1",)), "b": Route("n", ("http://1/v1",))}, remembered)
    teacher.answered_before({"n", "other"})
    assert [one.answered for one in opened] == [0, 1]
