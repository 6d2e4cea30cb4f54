"""The requests in flight that a run finds by itself: on a simulated clock, and against a real server with few slots."""

import asyncio
from collections import Counter

import pytest
from aiohttp import web

from personamath.records import Request
from personamath.teachers.concurrency import MOST, START, STEP, TIMEOUT_WEIGHT, TRIES_COUNTED, Limit, Sent
from personamath.teachers.http import HttpTeacher
from personamath.teachers.simulated import serve
from tests.support.queueing import Fixed, Run, Shape, simulate

WARM_UP_S = 60.0
SECONDS = 200.0
CLOSE = 0.95


def share(run: Run, shape: Shape, since: float = WARM_UP_S, until: float = SECONDS) -> float:
    """Of the tokens that as many in flight as there are slots would have brought."""
    best = simulate(
        Shape(shape.slots, shape.slowdown, shape.seconds, shape.lengths, shape.noise), Fixed(shape.slots), until
    )
    return run.per_second(since, until) / best.per_second(since, until)


@pytest.mark.parametrize("slots", [1, 2, 4, 24, 64, 300, 1_000])
@pytest.mark.parametrize(
    ("lengths", "noise", "batches"),
    [(0.6, 0.2, False), (1.0, 0.2, False), (0.6, 0.6, False), (0.6, 0.2, True)],
    ids=["fixed speed", "lengths differ widely", "time hardly follows length", "batches continuously"],
)
def test_after_a_minute_it_is_as_fast_as_the_best_fixed_number(
    slots: int, lengths: float, noise: float, batches: bool
) -> None:
    shape = Shape(slots, 4 / slots if batches else 0.0, lengths=lengths, noise=noise)
    run = simulate(shape, Limit(shape.timeout_s), SECONDS)
    assert share(run, shape) > CLOSE
    assert not run.given_up and run.failures.total() <= len(run.answers) / 1_000


@pytest.mark.parametrize(("slots", "seconds"), [(1, 5.0), (4, 5.0), (4, 0.5), (64, 5.0)])
def test_no_more_wait_than_a_few_times_as_many_as_are_answered(slots: int, seconds: float) -> None:
    run = simulate(Shape(slots, seconds=seconds), Limit(120.0), SECONDS)
    ends = sorted(run.allowed[-60:])
    assert ends[30] <= 8 * max(slots, STEP)


@pytest.mark.parametrize(("slots", "seconds"), [(1, 20.0), (2, 20.0), (4, 20.0)])
def test_at_a_slow_server_hardly_a_try_ends_by_the_time_out(slots: int, seconds: float) -> None:
    run = simulate(Shape(slots, seconds=seconds), Limit(120.0), 1_800)
    assert not run.given_up and run.failures["timeout"] <= 4


@pytest.mark.parametrize(
    ("slots", "seconds", "least"),
    [(48, 60.0, 0.5), (48, 40.0, 0.75), (300, 40.0, 0.75), (4, 40.0, 0.75), (1, 40.0, 0.9)],
)
def test_answers_that_never_come_in_time_do_not_leave_one_in_flight(slots: int, seconds: float, least: float) -> None:
    shape = Shape(slots, seconds=seconds)  # one answer in 10 to 50 takes longer than the time-out by itself
    run = simulate(shape, Limit(shape.timeout_s), 3_600)
    assert share(run, shape, 600, 3_600) > least


def test_a_remembered_limit_is_kept_although_some_answers_never_come_in_time() -> None:
    run = simulate(Shape(48, seconds=40.0), Limit(120.0, start=64), 600)
    assert min(run.allowed) >= 32


def test_answers_that_take_long_by_themselves_are_no_queue() -> None:
    run = simulate(Shape(MOST, seconds=40.0, lengths=0.3), Limit(120.0), 1_200)
    assert run.allowed[-1] > MOST / 2


def test_a_server_that_refuses_what_would_wait_is_asked_for_about_what_it_answers() -> None:
    shape = Shape(16, queue=0)
    run = simulate(shape, Limit(120.0), 600)
    assert share(run, shape, 120, 600) > CLOSE and not run.given_up
    assert run.failures["429"] < 4 * len(run.answers)


def test_after_an_outage_it_begins_low_and_is_as_fast_again_a_minute_later() -> None:
    shape = Shape(64, gone=(100.0, 130.0))
    limit = Limit(120.0)
    run = simulate(shape, limit, 300)
    assert run.allowed[101] <= START and not run.given_up
    assert share(run, shape, 205, 300) > CLOSE


def test_a_resumed_run_begins_where_the_last_one_was() -> None:
    shape = Shape(64)
    run = simulate(shape, Limit(120.0, start=100), SECONDS)
    assert run.allowed[0] == 100 and min(run.allowed) >= 50
    assert share(run, shape, 10) > CLOSE


def test_a_start_that_is_far_too_high_by_now_is_given_up_before_any_request_is() -> None:
    run = simulate(Shape(4), Limit(120.0, start=256), 900)
    assert run.allowed[-1] <= 64 and not run.given_up


def test_few_failures_are_chance_and_many_are_not() -> None:
    limit = Limit(120.0, start=100)
    for number in range(1_000):
        if number % 10 == 0:
            limit.failed(number, number)
        else:
            limit.answered(Sent(number, 50), 100.0, 50, number + 0.1)
    assert limit.allowed == 100
    for number in range(1_000, 1_030):
        limit.failed(number, number)
    assert 50 < limit.allowed < 100


def test_a_time_out_halves_a_small_limit_and_others_of_that_time_do_no_more() -> None:
    limit = Limit(120.0, start=8)
    for _ in range(4):
        limit.failed(1.0, 121.0, TIMEOUT_WEIGHT)
    assert limit.allowed == 4


def test_where_less_is_in_flight_than_may_be_the_limit_stays() -> None:
    limit = Limit(120.0)
    for number in range(100 * TRIES_COUNTED):  # rates allow two at a time; or the run has no more to ask
        limit.answered(Sent(number, 2), 100.0, 2, number + 1)
    assert limit.allowed == START


class Slots:
    """A server that answers so many requests at a time, and counts how many were there."""

    def __init__(self, slots: int, seconds: float) -> None:
        self._slots, self._seconds = asyncio.Semaphore(slots), seconds
        self.here = 0
        self.most = 0
        self.tries: Counter[str] = Counter()

    async def reply(self, request: web.Request) -> web.Response:
        self.tries[(await request.json())["messages"][0]["content"]] += 1
        self.here += 1
        self.most = max(self.most, self.here)
        try:
            async with self._slots:
                await asyncio.sleep(self._seconds)
        finally:
            self.here -= 1
        choice = {"message": {"content": "4"}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "usage": {"prompt_tokens": 8, "completion_tokens": 20}})


@pytest.mark.slow
def test_a_real_server_of_four_slots_gets_few_more_requests_and_each_of_them_once() -> None:
    server, requests = Slots(4, 0.04), [Request(f"{number} + 2?", "teacher-1", 0.7, 64) for number in range(300)]

    async def run() -> dict[str, int]:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", server.reply)
        async with serve(app) as url, HttpTeacher([url], limits=[Limit(120.0)]) as teacher:

            async def ask(request: Request) -> None:
                async with teacher.slots:
                    await teacher.complete(request)

            await asyncio.gather(*map(ask, requests))
            return teacher.reached

    (reached,) = asyncio.run(run()).values()
    assert server.most <= 128 and 1 <= reached <= 128
    assert set(server.tries.values()) == {1} and len(server.tries) == len(requests)


@pytest.mark.slow
def test_each_of_several_endpoints_has_its_own_limit() -> None:
    small, large = Slots(1, 0.05), Slots(64, 0.05)

    async def run() -> list[int]:
        apps = [web.Application(), web.Application()]
        for app, server in zip(apps, (small, large), strict=True):
            app.router.add_post("/v1/chat/completions", server.reply)
        async with (
            serve(apps[0]) as first,
            serve(apps[1]) as second,
            HttpTeacher([first, second], limits=[Limit(120.0), Limit(120.0)]) as teacher,
        ):

            async def ask(number: int) -> None:
                async with teacher.slots:
                    await teacher.complete(Request(f"{number} + 2?", "teacher-1", 0.7, 64))

            await asyncio.gather(*map(ask, range(600)))
            return list(teacher.reached.values())

    of_small, of_large = asyncio.run(run())
    assert of_small < of_large and small.tries.total() < large.tries.total()
