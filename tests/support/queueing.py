"""A server with slots and its client, simulated event by event: minutes of asking pass in a fraction of a second.

Answers have log-normal lengths. A server with a slowdown batches continuously: each answer takes longer the more are
written at a time. Requests beyond its slots wait in the order of their arrival, and are dropped when their client
leaves.
"""

import heapq
import itertools
import math
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from personamath.teachers.concurrency import TIMEOUT_WEIGHT, Sent

ATTEMPTS = 10
REFUSED_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A server, what it is asked, and how long its client waits."""

    slots: int
    slowdown: float = 0.0
    """How much longer an answer takes for each other one that is written at the same time."""
    seconds: float = 5.0
    """Of the mean answer, with all slots taken."""
    lengths: float = 0.6
    """Standard deviation of the logarithm of an answer's length."""
    noise: float = 0.2
    """The same of what else decides how long an answer takes."""
    timeout_s: float = 120.0
    queue: float = math.inf
    """How many may wait; others are refused."""
    gone: tuple[float, float] = (math.inf, math.inf)
    """From when to when nothing is answered."""


class Limited(Protocol):
    """What decides how many requests are in flight."""

    @property
    def allowed(self) -> int:
        """Requests that may be in flight now."""
        ...

    def answered(self, sent: Sent, length: float, in_flight: int, now: float) -> None:
        """A request was answered."""
        ...

    def failed(self, sent_at: float, now: float, weight: int = 1) -> None:
        """A request was refused, or not answered in time."""
        ...

    def restart(self, now: float) -> None:
        """The server was gone."""
        ...


@dataclass
class Fixed:
    """Always so many."""

    allowed: int

    def answered(self, sent: Sent, length: float, in_flight: int, now: float) -> None: ...
    def failed(self, sent_at: float, now: float, weight: int = 1) -> None: ...
    def restart(self, now: float) -> None: ...


@dataclass
class Ask:
    """A request, through all its tries."""

    length: float
    work: float
    tries: int = 0
    timed_out: bool = False
    """Whether a try did."""
    sent: Sent = field(default_factory=lambda: Sent(0.0, 0))


class Answer(NamedTuple):
    """When it came, and how long it is."""

    at: float
    length: float


@dataclass
class Run:
    """What came of asking."""

    answers: list[Answer] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    given_up: int = 0
    allowed: list[int] = field(default_factory=list)
    """Once a second."""

    def per_second(self, since: float, until: float) -> float:
        """Tokens of the answers that came in this time."""
        return sum(answer.length for answer in self.answers if since <= answer.at < until) / (until - since)


class Server:
    """The slots and the queue. Work is counted on a clock of its own, which slows down as more is written."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._worked, self._at = 0.0, 0.0
        self._writing: list[tuple[float, int, Ask]] = []
        self._queue: deque[tuple[int, Ask]] = deque()
        self._left: set[int] = set()

    def _pace(self) -> float:
        return 1 + self._shape.slowdown * (len(self._writing) - 1)

    def _until(self, now: float) -> None:
        if self._writing:
            self._worked += (now - self._at) / self._pace()
        self._at = now

    def put(self, number: int, ask: Ask, now: float) -> bool:
        """Take a request, unless too many wait."""
        self._until(now)
        if len(self._writing) < self._shape.slots:
            heapq.heappush(self._writing, (self._worked + ask.work, number, ask))
        elif len(self._queue) < self._shape.queue:
            self._queue.append((number, ask))
        else:
            return False
        return True

    def next_at(self) -> float:
        """When the next answer is written."""
        return self._at + (self._writing[0][0] - self._worked) * self._pace() if self._writing else math.inf

    def pop(self, now: float) -> int:
        """The number of the request that is answered now."""
        self._until(now)
        number = heapq.heappop(self._writing)[1]
        self._fill()
        return number

    def leave(self, number: int, now: float) -> None:
        """A client leaves."""
        self._until(now)
        kept = [entry for entry in self._writing if entry[1] != number]
        if len(kept) == len(self._writing):
            self._left.add(number)
        heapq.heapify(kept)
        self._writing = kept
        self._fill()

    def _fill(self) -> None:
        while self._queue and len(self._writing) < self._shape.slots:
            number, ask = self._queue.popleft()
            if number in self._left:
                self._left.remove(number)
            else:
                heapq.heappush(self._writing, (self._worked + ask.work, number, ask))


def is_due(again: list[tuple[float, int, Ask]], now: float) -> bool:
    """Whether a failed request is to be asked again now."""
    return bool(again) and again[0][0] <= now


def simulate(shape: Shape, limit: Limited, seconds: float, seed: int = 0) -> Run:
    """Ask for so long, with always more to ask."""
    draw, run, server = random.Random(seed), Run(), Server(shape)
    alone_s = shape.seconds / (1 + shape.slowdown * (shape.slots - 1))
    in_flight: dict[int, Ask] = {}
    again: list[tuple[float, int, Ask]] = []
    deadlines: deque[tuple[float, int]] = deque()
    now, number, order = 0.0, 0, itertools.count()

    def fail(ask: Ask, reason: str, weight: int, again_s: float) -> None:
        ask.tries += reason != "429"
        run.failures[reason] += 1
        if not (ask.timed_out and reason == "timeout"):
            limit.failed(ask.sent.at, now, weight)
        ask.timed_out |= reason == "timeout"
        if ask.tries == ATTEMPTS:
            run.given_up += 1
        else:
            heapq.heappush(again, (now + again_s, next(order), ask))

    def new() -> Ask:
        length, noise = draw.gauss(-(shape.lengths**2) / 2, shape.lengths), draw.gauss(0, shape.noise)
        return Ask(500 * math.exp(length), alone_s * math.exp(length + noise - shape.noise**2 / 2))

    while now < seconds:
        is_gone = shape.gone[0] <= now < shape.gone[1]
        # As in a run, a request that waits to be asked again keeps its place, and needs room like any other.
        while len(in_flight) < limit.allowed and (is_due(again, now) or len(in_flight) + len(again) < limit.allowed):
            ask = heapq.heappop(again)[2] if is_due(again, now) else new()
            number += 1
            ask.sent = Sent(now, len(in_flight) + 1)
            if is_gone:
                fail(ask, "lost", 1, REFUSED_AGAIN_S)
            elif server.put(number, ask, now):
                in_flight[number] = ask
                deadlines.append((now + shape.timeout_s, number))
            else:
                fail(ask, "429", 1, REFUSED_AGAIN_S)
        while deadlines and deadlines[0][1] not in in_flight:
            deadlines.popleft()
        moments = {
            "answer": server.next_at(),
            "timeout": deadlines[0][0] if deadlines else math.inf,
            "again": max(now, again[0][0]) if again and len(in_flight) < limit.allowed else math.inf,
            "gone": shape.gone[0] if now < shape.gone[0] else math.inf,
            "back": shape.gone[1] if now < shape.gone[1] else math.inf,
        }
        event = min(moments, key=moments.__getitem__)
        now = moments[event]
        run.allowed += [limit.allowed] * (int(now) + 1 - len(run.allowed))
        if event == "answer":
            done = server.pop(now)
            limit.answered(in_flight[done].sent, in_flight[done].length, len(in_flight), now)
            run.answers.append(Answer(now, in_flight.pop(done).length))
        elif event == "timeout":
            late = deadlines.popleft()[1]
            server.leave(late, now)
            fail(in_flight.pop(late), "timeout", TIMEOUT_WEIGHT, 0.0)
        elif event == "gone":
            for lost, ask in list(in_flight.items()):
                server.leave(lost, now)
                del in_flight[lost]
                fail(ask, "lost", 1, shape.gone[1] - now)
            limit.restart(now)
    return run
