"""How many requests to keep in flight at one endpoint, found while asking.

A server answers so many requests at a time, its slots, and lets others wait. Below that number more requests in flight
bring more answers; above it they only wait longer. So the limit goes up in steps, and each step is judged by what came
of it: throughput grows as the requests in flight grow, less what latency grows (Little's law). TCP Vegas and Netflix's
concurrency-limits compare latency with the least that they ever saw. That would be wrong here: a server that batches
continuously answers each request more slowly the more it has, and still gains throughput. So latencies before and after
one step are compared, and the length of each answer is taken into account, because a long answer is no queue.

Waiting costs nothing as long as answers come well within the time-out, so a step that is not clear yet stands.
What is not covered: the user's and the announced rates (`pace.py`), and which endpoint to ask (`endpoints.py`).
"""

from dataclasses import dataclass
from math import exp, inf, log, sqrt
from typing import NamedTuple

START = 4
"""Requests in flight at an endpoint that is not known yet: as many slots as llama.cpp has by default."""
MOST = 1_024
"""Requests in flight at one endpoint: the largest batch of a vLLM server with its default settings, and about as much
as one event loop can feed."""
# A step as a factor: large until one has not paid, to be fast; then small, so that at most about as many wait as are
# being answered.
RAMP = 4.0
STEP = 2.0
# Smaller steps show too little.
LEAST_STEP = 1.25
# A step has paid if throughput grew by at least this share of what the requests in flight grew. A server that batches
# continuously gains twice as much near its largest batch.
PAYS = 0.1
# Standard errors between what is estimated and `PAYS` for a verdict.
SURE = 1.5
LEAST_ANSWERS = 8
"""For a verdict, and half as many as the limit: those that come first are the short ones."""
# Answers, in multiples of the limit, after which the likelier verdict is taken.
LONGEST_STEP = 8
# Answers, in multiples of the limit, until the next step is tried.
HOLD = 20
# Steps up that did not pay, before a step down checks whether a smaller limit would do by now: it may cost throughput.
STEPS_UP = 5
# Answers remembered from before a step, in multiples of the limit.
MEMORY = 4
# Requests sent with fewer in flight than this share of the limit say nothing about it: little was there to be sent.
NEAR = 0.75
# A step that may bring the usual latency to this share of the time-out is not made, unless nothing waits.
LONGEST_WAIT = 1 / 3
# An answer that takes this share of the time-out is a warning, unless nothing waits.
SLOW = 0.5
# Slope of the last step below which hardly anything waits.
WAITS = 0.5
# Of the tries, this share may fail by chance (gateways, flaky networks) before the limit is lowered.
FAILED_SHARE = 0.2
FAILED_BACK = 0.85
TRIES_COUNTED = 20
# One time-out counts as this many failures: it costs the whole time-out, and perhaps an answer that is paid for.
TIMEOUT_WEIGHT = 4


class Sent(NamedTuple):
    """A request in flight."""

    at: float
    in_flight: int
    """With this one."""


@dataclass(slots=True)
class Slope:
    """Least squares for `log latency = a + b log in_flight + c log length`; old answers fade."""

    count: int = 0
    weight: float = 0.0
    x: float = 0.0
    z: float = 0.0
    y: float = 0.0
    """Means of log in-flight, log length and log latency."""
    xx: float = 0.0
    zz: float = 0.0
    yy: float = 0.0
    xz: float = 0.0
    xy: float = 0.0
    zy: float = 0.0
    """Sums of products of the differences from the means."""

    def add(self, in_flight: int, length: float, latency_s: float, memory: float = inf) -> None:
        """Count an answer (Welford's update), and forget others after about `memory`."""
        keep = 1 - 1 / memory
        self.count += 1
        self.weight = self.weight * keep + 1
        dx, dz, dy = log(in_flight) - self.x, log(length) - self.z, log(latency_s) - self.y
        self.x += dx / self.weight
        self.z += dz / self.weight
        self.y += dy / self.weight
        old = (self.weight - 1) / self.weight
        self.xx = self.xx * keep + dx * dx * old
        self.zz = self.zz * keep + dz * dz * old
        self.yy = self.yy * keep + dy * dy * old
        self.xz = self.xz * keep + dx * dz * old
        self.xy = self.xy * keep + dx * dy * old
        self.zy = self.zy * keep + dz * dy * old

    def estimate(self) -> tuple[float, float]:
        """The slope `b` and its standard error, which is infinite while the answers do not show it."""
        by_length = 1 / self.zz if self.zz > 1e-9 else 0.0
        xx = self.xx - self.xz * self.xz * by_length
        if self.weight < 4 or xx < 1e-6:
            return 0.0, inf
        slope = (self.xy - self.xz * self.zy * by_length) / xx
        unexplained = max(0.0, self.yy - self.zy * self.zy * by_length - slope * slope * xx)
        return slope, sqrt(unexplained / (self.weight - 3) / xx)


class Limit:
    """The most requests in flight at one endpoint."""

    def __init__(self, timeout_s: float, start: int = START, most: int = MOST) -> None:
        self.in_flight = 0
        self._timeout_s = timeout_s
        self._most = most
        self._limit = float(min(start, most))
        self._waits = 1.0
        """The slope of the last step: 0 where no request waits, 1 where every further one does."""
        self._checked = 0
        """Steps up that may still be tried before a step down."""
        self._begin_ramp(0.0)

    @property
    def allowed(self) -> int:
        """Requests that may be in flight now."""
        return int(self._limit)

    def sent(self, now: float) -> Sent:
        """A request is sent."""
        self.in_flight += 1
        return Sent(now, self.in_flight)

    def answered(self, sent: Sent, length: float, now: float) -> None:
        """It was answered, with so many tokens."""
        full = self.in_flight >= self.allowed
        self.in_flight -= 1
        self._tries += 1
        if sent.at < self._since:
            return
        latency_s = max(1e-6, now - sent.at)
        if latency_s > SLOW * self._timeout_s and self._waits > WAITS and self._limit > 1:
            self._go(min(self._from, self._limit / STEP), now, hold=0.0)
        elif self._stepping:
            self._seen.add(sent.in_flight, max(1.0, length), latency_s)
            self._left -= 1
            if self._left <= 0:
                self._judge(now)
        else:
            if sent.in_flight >= NEAR * self._limit:
                self._seen.add(sent.in_flight, max(1.0, length), latency_s, MEMORY * self._limit + LEAST_ANSWERS)
            self._left -= 1
            if self._left <= 0 and full and self._seen.count >= LEAST_ANSWERS:
                self._step(now)

    def failed(self, sent: Sent, now: float, weight: int = 1) -> None:
        """It was refused, or not answered in time."""
        self.in_flight -= 1
        self._tries += 1
        if sent.at < self._since:
            return
        if self._tries > max(TRIES_COUNTED, self._limit):
            self._tries, self._failures = 1, 0
        self._failures += weight
        if self._failures >= TIMEOUT_WEIGHT and self._failures > FAILED_SHARE * self._tries:
            self._ramping = False
            self._go(min(self._from, FAILED_BACK * self._limit), now, hold=HOLD)

    def restart(self, now: float) -> None:
        """The endpoint was gone: begin low again."""
        self._limit = min(self._limit, START)
        self._begin_ramp(now)

    def _begin_ramp(self, now: float) -> None:
        """The first requests, all sent at once, are a step from one on."""
        self._ramping = True
        """Whether every step has paid so far."""
        limit = self._limit
        self._go(1.0, now, hold=0.0)
        self._limit, self._stepping = limit, True
        self._left = LEAST_ANSWERS

    def _go(self, limit: float, now: float, hold: float) -> None:
        """Stay at this limit for a while; what was sent before is not looked at."""
        self._limit = max(1.0, min(limit, self._most))
        self._from = self._limit
        self._since = now
        self._left = hold * self._limit
        self._stepping = False
        self._seen = Slope()
        self._tries = self._failures = 0

    def _step(self, now: float) -> None:
        """Try a larger or a smaller limit."""
        upwards = self._ramping or self._checked > 0
        factor = RAMP if self._ramping else STEP
        if self._waits > WAITS:
            factor = min(factor, LONGEST_WAIT * self._timeout_s / exp(self._seen.y))
        limit = min(float(self._most), max(self._limit + 1, self._limit * factor))
        if not upwards:
            limit = max(1.0, self._limit / STEP)
        if limit == self._limit or (upwards and factor < LEAST_STEP):
            self._checked -= 1 if upwards else -STEPS_UP
            self._go(self._limit, now, HOLD)
            return
        self._limit, self._since, self._stepping = limit, now, True
        self._tries = self._failures = 0
        self._left = max(LEAST_ANSWERS, limit / 2)

    def _judge(self, now: float) -> None:
        """Keep the larger limit if it pays and the smaller one if it does not; go on if that is not clear yet."""
        slope, error = self._seen.estimate()
        late = self._left < -LONGEST_STEP * self._limit
        if abs(1 - PAYS - slope) < SURE * error and not late:
            return
        pays = slope < 1 - PAYS
        upwards = self._limit > self._from
        self._ramping = self._ramping and pays
        if pays and slope < WAITS:
            self._checked = STEPS_UP  # a smaller limit would not do
        elif not pays:
            self._checked -= 1
        self._waits = slope
        # What paid upwards may pay once more, and a limit that was too large may still be.
        goes_on = pays == upwards or self._checked <= 0
        larger, smaller = max(self._limit, self._from), min(self._limit, self._from)
        self._go(larger if pays else smaller, now, 0.0 if goes_on else HOLD)
