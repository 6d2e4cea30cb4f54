"""Pacing: against endpoints simulated in their own time, by the kinds of bucket they keep, and against real ones."""

import asyncio
import heapq
import itertools
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from personamath.errors import Interrupted, NotAsked
from personamath.journal.journaled import JournaledTeacher
from personamath.journal.store import Journal
from personamath.records import Completion, Request
from personamath.teachers.http import HttpTeacher
from personamath.teachers.pace import FIRST_REQUESTS, Announced, Charge, Pace, Sent, seconds
from personamath.teachers.simulated import MODEL
from tests.conftest import ScriptedTeacher

Start = Callable[..., ScriptedTeacher]
IN_FLIGHT = 256
RESETS = [
    ("12ms", 0.012),
    ("1s", 1.0),
    ("6m0s", 360.0),
    ("1h2m3.5s", 3723.5),
    ("2d", 172_800.0),
    ("59", 59.0),
    ("0.25", 0.25),
    ("", None),
    ("soon", None),
    ("-1", None),
    ("1.2.3s", None),
    ("nan", None),
    ("2026-11-21T12:00:00Z", None),
]


@pytest.mark.parametrize(("text", "expected"), RESETS)
def test_resets_are_read_in_every_form_that_endpoints_send(text: str, expected: float | None) -> None:
    assert seconds(text) == (expected if expected is None else pytest.approx(expected))


def test_a_reset_may_be_a_time_of_day() -> None:
    assert seconds(str(time.time() + 30)) == pytest.approx(30, abs=1)


class Reply(NamedTuple):
    """What a simulated endpoint says."""

    status: int
    headers: dict[str, str]
    after_s: float | None = None


@dataclass
class Steady:
    """OpenAI's bucket: it fills steadily, and announces its whole limit; its real depth may be less than that."""

    per_minute: float
    depth: float
    level: float = 0.0
    at: float = 0.0
    retry_after: bool = True
    kind: str = "requests"
    cost: float = 1.0

    def allows(self, start: float, end: float) -> float:
        """Requests, of an allowance whose stock at the start was used up before."""
        return self.per_minute / 60 * (end - start) / self.cost

    def ask(self, now: float) -> Reply:
        rate = self.per_minute / 60
        self.level = min(self.depth, self.level + rate * (now - self.at))
        self.at = now
        admitted = self.level >= self.cost
        self.level -= self.cost * admitted
        used = self.depth - self.level
        headers = {
            f"x-ratelimit-limit-{self.kind}": f"{self.per_minute:.0f}",
            f"x-ratelimit-remaining-{self.kind}": f"{math.floor(self.per_minute - used)}",
            f"x-ratelimit-reset-{self.kind}": f"{used / rate:.3f}s",
        }
        return Reply(200, headers) if admitted else Reply(429, headers, self._after(rate))

    def _after(self, rate: float) -> float | None:
        return float(math.ceil((self.cost - self.level) / rate)) if self.retry_after else None


@dataclass
class Window:
    """Another's: full again at once when the minute is over."""

    per_minute: float
    retry_after: bool = True
    window: int = -1
    left: float = 0.0

    def allows(self, start: float, end: float) -> float:
        return self.per_minute * (end - start) / 60

    def ask(self, now: float) -> Reply:
        window, into = divmod(now + 20, 60)  # the first minute is partly over
        if window != self.window:
            self.window, self.left = int(window), self.per_minute
        admitted = self.left >= 1
        self.left -= admitted
        headers = {
            "x-ratelimit-limit-requests": f"{self.per_minute:.0f}",
            "x-ratelimit-remaining-requests": f"{self.left:.0f}",
            "x-ratelimit-reset-requests": f"{60 - into:.0f}",
        }
        return Reply(200, headers) if admitted else Reply(429, headers, 60 - into if self.retry_after else None)


@dataclass
class Client:
    """As many requests as may go, through the limits under test, in simulated time."""

    server: Steady | Window
    latency: float
    announced: Announced = field(default_factory=Announced)
    pace: Pace | None = None
    charge: Charge = field(default_factory=lambda: Charge(2300.0, 700.0))
    admitted: int = 0
    refused: int = 0
    now: float = 0.0

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.chance = random.Random(0)
        self.turns = itertools.count()  # so that what is due at the same time is never compared further
        self.arrivals: list[tuple[float, int, Sent]] = []
        self.replies: list[tuple[float, int, Sent, Reply]] = []

    def run(self, until: float) -> int:
        """Go on until then; gives how many requests were admitted so far."""
        while self.now < until:
            self.deliver()
            wait = self.wait_s()
            if wait <= 0:
                self.send()
            else:
                self.now += min(max(wait, 0.001), 0.02)  # the clock of an event loop is no finer
        return self.admitted

    def deliver(self) -> None:
        while self.arrivals and self.arrivals[0][0] <= self.now:
            at, turn, sent = heapq.heappop(self.arrivals)
            reply = self.server.ask(at)
            self.admitted += reply.status == 200
            self.refused += reply.status == 429
            takes = 0.02 + (self.latency * self.chance.uniform(0.5, 1.5) if reply.status == 200 else 0)
            heapq.heappush(self.replies, (at + takes, turn, sent, reply))
        while self.replies and self.replies[0][0] <= self.now:
            _, _, sent, reply = heapq.heappop(self.replies)
            self.announced.heard(sent, reply.status, reply.headers, reply.after_s, self.began + self.now)

    def wait_s(self) -> float:
        if len(self.replies) + len(self.arrivals) >= IN_FLIGHT:
            return 0.001
        paced = self.pace.wait_s(self.charge, self.began + self.now) if self.pace else 0.0
        return max(paced, self.announced.wait_s(self.charge, self.began + self.now))

    def send(self) -> None:
        if self.pace:
            self.pace.sent(self.charge, self.began + self.now)
        sent = self.announced.sent(self.charge, self.began + self.now)
        heapq.heappush(self.arrivals, (self.now + self.chance.uniform(0.01, 0.06), next(self.turns), sent))


ENDPOINTS: dict[str, Callable[[], Steady | Window]] = {
    "as OpenAI's, full at the start": lambda: Steady(600, 600, level=600),
    "as OpenAI's, empty at the start": lambda: Steady(600, 600),
    "without Retry-After": lambda: Steady(600, 600, retry_after=False),
    "counting by the second whatever it announces": lambda: Steady(600, 10),
    "small": lambda: Steady(60, 60, level=60),
    "large": lambda: Steady(12_000, 12_000, level=12_000),
    "tokens, taken as OpenAI takes them": lambda: Steady(2_000_000, 2_000_000, kind="tokens", cost=2300),
    "tokens, taken as they are used": lambda: Steady(500_000, 500_000, level=500_000, kind="tokens", cost=700),
    "by the minute": lambda: Window(600),
    "by the minute, without Retry-After": lambda: Window(600, retry_after=False),
}


@pytest.mark.slow
@pytest.mark.parametrize("latency", [0.2, 5.0])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_an_endpoint_announces_is_used_in_full_without_a_storm_of_refusals(endpoint: str, latency: float) -> None:
    client = Client(ENDPOINTS[endpoint](), latency)
    before = client.run(100)
    admitted = client.run(220) - before
    possible = min(client.server.allows(100, 220), IN_FLIGHT * 120 / (latency + 0.05))
    assert admitted >= 0.95 * possible
    assert client.refused < 0.01 * client.admitted


def test_the_users_pace_takes_the_place_of_what_an_endpoint_announces() -> None:
    for rpm, server in ((600.0, Steady(600, 10)), (120.0, Steady(600, 600, level=600)), (600.0, Window(600))):
        pace = Pace(rpm=rpm)
        client = Client(server, 0.2, Announced(pace.kinds), pace)
        before = client.run(40)
        assert 0.97 * rpm * 2 < client.run(160) - before <= rpm * 2 + 5
        assert client.refused < 0.01 * client.admitted


def test_tokens_are_paced_by_what_answers_really_take() -> None:
    pace, now = Pace(tpm=60_000), time.monotonic()  # 1,000 a second
    request = Request("x" * 400, "teacher-1", 0.7, 2000)
    used, end = 0, now + 60
    while now < end:
        charge = pace.charge(request)
        if wait := pace.wait_s(charge, now):
            now += max(wait, 0.001)
            continue
        pace.sent(charge, now)
        used += 500
        pace.answered(charge, Completion("text", "stop", 100, 400), now)
    assert 0.95 * 60_000 < used < 1.05 * 60_000
    assert pace.charge(request).expected == pytest.approx(500)


def test_tokens_of_what_was_not_answered_are_given_back() -> None:
    pace, now = Pace(tpm=60_000), time.monotonic()
    charge = Charge(500.0, 500.0)
    pace.sent(charge, now)
    assert pace.wait_s(charge, now) > 0.4
    pace.failed(charge, now)
    assert pace.wait_s(charge, now) == 0


NOTHING_ANNOUNCED = [
    {},
    {"x-ratelimit-limit-tokens": "-1", "x-ratelimit-remaining-tokens": "-1", "x-ratelimit-reset-tokens": "0"},
    {"x-ratelimit-limit-requests": "many", "x-ratelimit-remaining-requests": "some"},
    {"x-ratelimit-limit-requests": "600"},
    {"x-ratelimit-limit-requests": "inf", "x-ratelimit-remaining-requests": "inf"},
]


@pytest.mark.parametrize("headers", NOTHING_ANNOUNCED)
def test_an_endpoint_that_announces_nothing_is_not_slowed_down(headers: dict[str, str]) -> None:
    announced, now, charge = Announced(), time.monotonic(), Charge(2300.0, 700.0)
    sent = [announced.sent(charge, now) for _ in range(FIRST_REQUESTS)]
    assert announced.wait_s(charge, now) > 0  # until the first reply has told what it has to tell
    assert announced.wait_s(charge, now + 6) == 0  # or does not come
    announced.heard(sent[0], 429, headers, 60.0, now + 0.1)
    announced.heard(sent[1], 200, headers, None, now + 0.1)
    for _ in range(10_000):
        assert announced.wait_s(charge, now + 0.1) == 0
        announced.sent(charge, now + 0.1)


def word(remaining: int) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": "600",
        "x-ratelimit-remaining-requests": str(remaining),
        "x-ratelimit-reset-requests": f"{(600 - remaining) / 10:.3f}s",
    }


def test_news_that_come_late_do_not_count() -> None:
    announced, now, charge = Announced(), time.monotonic(), Charge(2300.0, 700.0)
    early, late = announced.sent(charge, now), announced.sent(charge, now + 0.01)
    announced.heard(late, 200, word(500), None, now + 0.05)
    announced.heard(early, 200, word(0), None, now + 0.06)
    assert announced.wait_s(charge, now + 0.07) == 0


def test_what_is_in_stock_is_not_sent_all_at_once() -> None:
    announced, now, charge = Announced(), time.monotonic(), Charge(2300.0, 700.0)
    announced.heard(announced.sent(charge, now), 200, word(600), None, now)
    later, sent = now + 10, 0
    while announced.wait_s(charge, later) == 0:
        announced.sent(charge, later)
        sent += 1
    assert 1 <= sent < 20  # of 600


ALLOWED = {
    # 100 requests a second, and nothing in stock
    "requests": (["--allow", "requests=6000:0"], Pace()),
    "tokens": (["--allow", "tokens=606000:0"], Pace()),  # 100 tokens of completion and one of prompt, each
    "the user's": (["--allow", "requests=6000:100", "--unannounced"], Pace(rpm=5_900)),
}


def test_real_endpoints_are_asked_as_fast_as_they_allow(start_teacher: Start) -> None:
    endpoints = {name: start_teacher(*flags, "--latency", "0.05") for name, (flags, _) in ALLOWED.items()}

    async def run(name: str) -> tuple[float, int]:
        async with HttpTeacher([endpoints[name].base_url], pace=ALLOWED[name][1]) as teacher:

            async def ask_on(who: int) -> None:
                for turn in itertools.count():
                    await teacher.complete(Request(f"{who} {turn}", MODEL, 0.7, 100))

            asking = [asyncio.create_task(ask_on(who)) for who in range(64)]
            seen = []
            for wait in (2, 4):
                await asyncio.sleep(wait)
                seen.append((time.monotonic(), (await asyncio.to_thread(endpoints[name].stats))["answered"]))
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            (start, before), (end, after) = seen
            return end - start, after - before

    async def run_all() -> list[tuple[float, int]]:  # at the same time: each takes six seconds
        return await asyncio.gather(*map(run, ALLOWED))

    for name, (took, answered) in zip(ALLOWED, asyncio.run(run_all()), strict=True):
        assert answered > 0.9 * 100 * took, name
        stats = endpoints[name].stats()
        assert stats.get("refused", 0) <= FIRST_REQUESTS + 0.01 * stats["requests"], name


def test_an_endpoint_that_asks_to_wait_is_told_of_and_holds_nobody_who_stops(start_teacher: Start) -> None:
    endpoint = start_teacher("--allow", "requests=1:0")  # a whole minute for the first

    async def run() -> list[BaseException | Completion]:
        async with HttpTeacher([endpoint.base_url]) as teacher:
            asked = [teacher.complete(Request(str(number), MODEL, 0.7, 100)) for number in range(20)]
            answers = asyncio.gather(*asked, return_exceptions=True)
            while "asks for" not in teacher.waiting_for():
                await asyncio.sleep(0.02)
            teacher.stop()
            return await asyncio.wait_for(answers, 10)

    assert all(isinstance(answer, NotAsked) for answer in asyncio.run(run()))
    assert endpoint.stats()["requests"] <= FIRST_REQUESTS


def test_after_a_stop_a_request_in_backoff_is_not_sent_again(start_teacher: Start) -> None:
    endpoint = start_teacher("--status", "500")

    async def run() -> None:
        async with HttpTeacher([endpoint.base_url]) as teacher:
            asked = [asyncio.create_task(teacher.complete(Request(str(n), MODEL, 0.7, 100))) for n in range(4)]
            while endpoint.stats().get("requests", 0) < 4:
                await asyncio.sleep(0.02)
            teacher.stop()
            before = endpoint.stats()["requests"]
            outcomes = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
            assert all(isinstance(outcome, NotAsked) for outcome in outcomes)
            assert endpoint.stats()["requests"] == before

    asyncio.run(run())


def test_a_journaled_teacher_that_stops_sends_nothing_more(start_teacher: Start, tmp_path: Path) -> None:
    endpoint = start_teacher("--status", "500")

    async def run() -> None:
        with Journal(tmp_path) as journal:
            async with HttpTeacher([endpoint.base_url]) as teacher:
                journaled = JournaledTeacher(journal, teacher, 4, stop_sending=teacher.stop)
                asked = [journaled.complete(Request(str(n), MODEL, 0.7, 100)) for n in range(4)]
                answers = asyncio.gather(*asked, return_exceptions=True)
                while (await asyncio.to_thread(endpoint.stats)).get("requests", 0) < 4:
                    await asyncio.sleep(0.02)
                reason = Interrupted(2, "stopped")
                journaled.stop(reason)
                assert await asyncio.wait_for(answers, 10) == [reason] * 4

    asyncio.run(run())
