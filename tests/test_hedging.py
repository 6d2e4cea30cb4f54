"""Second tries: what a hung request costs, and what second tries may cost, against a real server."""

import asyncio
import time
from collections import Counter

import pytest
from aiohttp import web

from personamath.hedging import ANSWERS_COMPARED, AT_ONCE, LEAST_S, LOOK_EVERY_S, SHARE, TIMES_THE_SLOWEST, Hedging, Try
from personamath.limits import Charge
from personamath.records import Completion, Request
from personamath.simulated import serve
from personamath.teacher import HttpTeacher, Patience

TIMEOUT_S = 30.0
WARM_UP = 2 * ANSWERS_COMPARED


def question(number: int) -> Request:
    return Request(f"What is {number} + 1?", "teacher-1", 0.7, 2048)


class Server:
    """Answers each request with the number of the try; the first tries of some take as long as they say."""

    def __init__(self, first_tries: dict[str, float], status_afterwards: int = 200) -> None:
        self._first_tries = first_tries
        self._status_afterwards = status_afterwards
        self.tries: Counter[str] = Counter()
        self.left: list[str] = []
        """Requests whose client went away before the answer."""

    async def reply(self, request: web.Request) -> web.StreamResponse:
        prompt = (await request.json())["messages"][0]["content"]
        self.tries[prompt] += 1
        number = self.tries[prompt]
        try:
            await asyncio.sleep(self._first_tries.get(prompt, 0.0) if number == 1 else 0.0)
        except asyncio.CancelledError:
            self.left.append(prompt)
            raise
        if number > 1 and self._status_afterwards != 200:
            return web.json_response({}, status=self._status_afterwards)
        choice = {"message": {"content": f"try {number}"}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "usage": {}})


def ask(server: Server, late: list[Request]) -> tuple[list[Completion], Counter[str], float]:
    """Answers to `late` once a lot of others were answered; what was asked again, and the seconds it took."""

    async def run() -> tuple[list[Completion], Counter[str], float]:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", server.reply)
        async with serve(app) as url, HttpTeacher([url], patience=Patience(TIMEOUT_S)) as teacher:
            await asyncio.gather(*(teacher.complete(question(number)) for number in range(WARM_UP)))
            start = time.monotonic()
            answers = await asyncio.gather(*map(teacher.complete, late))
            return answers, teacher.retries, time.monotonic() - start

    return asyncio.run(run())


def test_a_hung_request_is_answered_by_a_second_try_long_before_the_timeout() -> None:
    hung = question(-1)
    server = Server({hung.prompt: 3600})
    answers, retries, seconds = ask(server, [hung])
    assert [answer.text for answer in answers] == ["try 2"]
    assert retries == {"overdue": 1} and server.left == [hung.prompt]
    assert seconds < TIMEOUT_S / 4


def test_the_first_try_counts_if_it_is_answered_first() -> None:
    slow = question(-1)
    server = Server({slow.prompt: LEAST_S + 3 * LOOK_EVERY_S}, status_afterwards=500)
    answers, retries, _ = ask(server, [slow])
    assert [answer.text for answer in answers] == ["try 1"]
    assert retries["overdue"] == server.tries[slow.prompt] - 1 >= 1


def test_second_tries_are_few_when_an_endpoint_stands_still() -> None:
    late = [question(-number) for number in range(1, 4 * AT_ONCE)]
    server = Server({request.prompt: LEAST_S + 3 * LOOK_EVERY_S for request in late})
    answers, retries, _ = ask(server, late)
    assert len(answers) == len(late)
    assert retries["overdue"] == int(SHARE * WARM_UP) < AT_ONCE


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
    async def overdue() -> list[str]:
        hedging = Hedging(never)
        for _ in range(answers):
            hedging.answered(slowest)
        async with asyncio.timeout(None) as end:
            old, new = (Try(b"", Charge(0, 0), since, end) for since in (100.0, 100.0 + age))
            with hedging.watched(old), hedging.watched(new):
                return ["old" if one is old else "new" for one in hedging.overdue(100.0 + age)]

    assert asyncio.run(overdue()) == ["old"] * due


def test_the_slowest_answer_is_forgotten_in_time() -> None:
    async def overdue(answers: int) -> int:
        hedging = Hedging(never)
        hedging.answered(100.0)
        for _ in range(answers):
            hedging.answered(0.1)
        async with asyncio.timeout(None) as end:
            with hedging.watched(Try(b"", Charge(0, 0), 0.0, end)):
                return len(hedging.overdue(100.0))

    assert asyncio.run(overdue(ANSWERS_COMPARED)) == 0
    assert asyncio.run(overdue(2 * ANSWERS_COMPARED)) == 1


async def never(_: Try) -> None:
    raise AssertionError
