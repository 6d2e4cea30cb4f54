"""Second tries: what a hung request costs, and what second tries may cost, against a real server."""

import asyncio
import time
from collections import Counter
from typing import NamedTuple

import pytest
from aiohttp import web

from personamath.records import Completion, Request
from personamath.teachers.hedging import (
    ANSWERS_COMPARED,
    AT_ONCE,
    LATE_LOOK_S,
    LEAST_S,
    LOOK_EVERY_S,
    SHARE,
    TIMES_THE_SLOWEST,
    Hedging,
    Try,
)
from personamath.teachers.http import HttpTeacher
from personamath.teachers.patience import Patience
from personamath.teachers.simulated import serve

WARM_UP = 2 * ANSWERS_COMPARED
WARM_UP_AT_ONCE = 32
"""Few, so that the slowest of them is fast on a busy machine, too."""
NEVER = 3600.0
# The second try goes out within this time.
SECOND_BY_S = LEAST_S + LOOK_EVERY_S
OVERDUE = Request("What is 1 + 1?", "teacher-1", 0.7, 2048)


class Reply(NamedTuple):
    """What the server does at one try."""

    after_s: float = 0.0
    status: int = 200


class Server:
    """Answers every try with its number; those of `OVERDUE` by the script, whose last line goes on for ever."""

    def __init__(self, *script: Reply) -> None:
        self._script = script
        self.tries: Counter[str] = Counter()
        self.left: list[int] = []
        """Tries of `OVERDUE` whose client went away before the answer."""

    async def reply(self, request: web.Request) -> web.StreamResponse:
        prompt = (await request.json())["messages"][0]["content"]
        self.tries[prompt] += 1
        number = self.tries[prompt]
        scripted = self._script[min(number, len(self._script)) - 1] if prompt.startswith(OVERDUE.prompt) else Reply()
        try:
            await asyncio.sleep(scripted.after_s)
        except asyncio.CancelledError:
            self.left.append(number)
            raise
        choice = {"message": {"content": f"try {number}"}, "finish_reason": "stop"}
        body = {"choices": [choice], "usage": {}}
        return web.json_response(body, status=scripted.status, headers={"Retry-After": "60"})


class Ended(NamedTuple):
    """What came of asking for `OVERDUE`."""

    answers: list[Completion]
    retries: Counter[str]
    took_s: float


class Scene(NamedTuple):
    """What is asked of which server."""

    server: Server
    timeout_s: float = 30.0
    overdue: int = 1
    """Requests like `OVERDUE`."""
    pause_s: float = 0.0
    """This process stands still for this long while they are in flight."""
    hedge: bool = True


async def play(scene: Scene, warming_up: asyncio.Lock) -> Ended:
    """Ask for the overdue requests once a lot of others were answered; only one scene at a time is warmed up."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", scene.server.reply)
    patience = Patience(scene.timeout_s)
    async with serve(app) as url, HttpTeacher([url], patience=patience, hedge=scene.hedge) as teacher:
        slots = asyncio.Semaphore(WARM_UP_AT_ONCE)

        async def warm_up(number: int) -> None:
            async with slots:
                await teacher.complete(Request(f"What is {number} + 2?", "teacher-1", 0.7, 2048))

        async with warming_up:
            await asyncio.gather(*map(warm_up, range(WARM_UP)))
        start = time.monotonic()
        late = [Request(OVERDUE.prompt + " " * number, "teacher-1", 0.7, 2048) for number in range(scene.overdue)]
        asking = asyncio.gather(*map(teacher.complete, late))
        await asyncio.sleep(LOOK_EVERY_S / 2)
        time.sleep(scene.pause_s)
        answers = await asking
        took_s = time.monotonic() - start
        await asyncio.sleep(LOOK_EVERY_S / 2)  # for the server to see who has left
        return Ended(answers, teacher.retries, took_s)


SCENES = {
    "hangs": Scene(Server(Reply(NEVER), Reply())),
    "not hedged": Scene(Server(Reply(2 * SECOND_BY_S)), hedge=False),
    "first is first": Scene(Server(Reply(2 * SECOND_BY_S), Reply(NEVER))),
    "first fails": Scene(Server(Reply(2 * SECOND_BY_S, 500), Reply(1.5 * SECOND_BY_S))),
    "first times out": Scene(Server(Reply(NEVER), Reply(1.5 * SECOND_BY_S)), timeout_s=2 * SECOND_BY_S),
    "second is told to wait": Scene(Server(Reply(2 * SECOND_BY_S), Reply(0.0, 429))),
    "stands still": Scene(Server(Reply(2 * SECOND_BY_S)), overdue=4 * AT_ONCE),
}


@pytest.fixture(scope="module")
def played() -> dict[str, Ended]:
    """What came of the scenes, which wait for their answers at the same time."""

    async def play_all() -> list[Ended]:
        warming_up = asyncio.Lock()
        return await asyncio.gather(*(play(scene, warming_up) for scene in SCENES.values()))

    return dict(zip(SCENES, asyncio.run(play_all()), strict=True))


@pytest.mark.slow
def test_a_hung_request_is_answered_by_a_second_try_long_before_the_timeout(played: dict[str, Ended]) -> None:
    ended = played["hangs"]
    assert [answer.text for answer in ended.answers] == ["try 2"]
    assert ended.retries == {"overdue": 1} and SCENES["hangs"].server.left == [1]
    assert ended.took_s < 30 / 3


def test_without_hedging_an_overdue_request_is_asked_once_and_waited_for(played: dict[str, Ended]) -> None:
    ended = played["not hedged"]
    assert [answer.text for answer in ended.answers] == ["try 1"]
    assert SCENES["not hedged"].server.tries[OVERDUE.prompt] == 1 and not ended.retries


def test_the_first_try_counts_if_it_is_answered_first(played: dict[str, Ended]) -> None:
    ended = played["first is first"]
    assert [answer.text for answer in ended.answers] == ["try 1"]
    assert ended.retries == {"overdue": 1} and SCENES["first is first"].server.left == [2]


@pytest.mark.parametrize("name", ["first fails", "first times out"])
def test_a_second_try_under_way_is_waited_for_when_the_first_one_ends_without_an_answer(
    name: str, played: dict[str, Ended]
) -> None:
    ended = played[name]
    assert [answer.text for answer in ended.answers] == ["try 2"]
    assert SCENES[name].server.tries[OVERDUE.prompt] == 2 and ended.retries == {"overdue": 1}


def test_a_second_try_waits_as_long_as_it_is_told_and_the_first_one_goes_on(played: dict[str, Ended]) -> None:
    ended = played["second is told to wait"]
    assert [answer.text for answer in ended.answers] == ["try 1"]
    assert SCENES["second is told to wait"].server.tries[OVERDUE.prompt] == 2
    assert ended.retries == {"overdue": 1, "http 429": 1}


def test_second_tries_are_few_when_an_endpoint_stands_still(played: dict[str, Ended]) -> None:
    ended = played["stands still"]
    assert len(ended.answers) == 4 * AT_ONCE
    assert ended.retries["overdue"] == int(SHARE * (WARM_UP + 1))


@pytest.mark.slow
def test_after_a_pause_of_this_process_nothing_seems_overdue() -> None:
    scene = Scene(Server(Reply(LOOK_EVERY_S)), pause_s=LATE_LOOK_S + SECOND_BY_S)
    ended = asyncio.run(play(scene, asyncio.Lock()))
    assert [answer.text for answer in ended.answers] == ["try 1"] and not ended.retries


@pytest.mark.parametrize(
    ("answers", "slowest", "age", "due"),
    [
        (ANSWERS_COMPARED - 1, 0.1, 1000.0, False),
        (ANSWERS_COMPARED, 0.1, LEAST_S + 0.01, True),
        (ANSWERS_COMPARED, 0.1, LEAST_S - 0.01, False),
        (ANSWERS_COMPARED, 20.0, 20.0 * TIMES_THE_SLOWEST - 0.01, False),
        (ANSWERS_COMPARED, 20.0, 20.0 * TIMES_THE_SLOWEST + 0.01, True),
    ],
)
def test_overdue_is_what_takes_far_longer_than_the_slowest_answer(
    answers: int, slowest: float, age: float, due: bool
) -> None:
    hedging = Hedging(never)
    for _ in range(answers):
        hedging.answered(slowest)
    old, new = Try(OVERDUE, 100.0), Try(OVERDUE, 100.0 + age)
    with hedging.watched(old), hedging.watched(new):
        assert hedging.overdue(100.0 + age) == [old] * due
    assert hedging.overdue(100.0 + age) == []


def test_the_slowest_answer_is_forgotten_in_time() -> None:
    hedging, one = Hedging(never), Try(OVERDUE, 0.0)
    hedging.answered(100.0)
    with hedging.watched(one):
        for due in ([], [one]):
            for _ in range(ANSWERS_COMPARED):
                hedging.answered(0.1)
            assert hedging.overdue(100.0) == due


@pytest.mark.slow
def test_so_many_at_a_time_and_again_as_many_once_those_are_over() -> None:
    async def run() -> list[int]:
        hedging = Hedging(never)
        for _ in range(int(3 * AT_ONCE / SHARE)):
            hedging.answered(0.1)
        tries = [Try(OVERDUE) for _ in range(2 * AT_ONCE)]
        watched = [hedging.watched(one) for one in tries]
        for watch in watched:
            watch.__enter__()
        later = time.monotonic() + 10 * LEAST_S
        room = [len(hedging.overdue(later))]
        looking = asyncio.create_task(hedging.ask_again())
        while not any(one.second for one in tries):
            await asyncio.sleep(LOOK_EVERY_S)
        room.append(len(hedging.overdue(later)))
        looking.cancel()
        for one in tries:
            one.leave()
        await asyncio.sleep(0.01)
        room.append(len(hedging.overdue(later)))
        for watch in watched:
            watch.__exit__(None, None, None)
        return room

    assert asyncio.run(run()) == [AT_ONCE, 0, AT_ONCE]


async def never(_: Request) -> Completion | None:
    await asyncio.sleep(NEVER)
    return None
