"""How many requests to keep in flight at one endpoint, found while asking.

A server answers a certain number of requests at a time, its slots, and makes others wait. Below that number more
requests in flight bring more answers; above it they only wait longer. So the limit changes in steps, and each step is
judged by its effect on throughput, which is requests in flight divided by latency (Little's law). TCP Vegas and
Netflix's concurrency-limits compare latency with the lowest that they ever saw. That would be wrong here: a server
that batches continuously answers each request more slowly the more it has, and still gains throughput. So latencies
before and after one step are compared (`latencies.py`), allowing for the length of each answer: a long answer is not a
sign of a queue.

Waiting costs nothing as long as answers come well within the time-out, so a step whose effect is not clear yet is kept,
and a few times as many requests as there are slots may be in flight. What is not covered: the user's and the announced
rates (`pace.py`), and which endpoint to ask (`endpoints.py`).
"""

from math import inf, sqrt
from typing import NamedTuple

from personamath.teachers.latencies import Latencies

START = 4
"""Requests in flight at an endpoint that is not known yet: as many as llama.cpp has slots by default."""
MOST = 1_024
"""Requests in flight at one endpoint: the largest batch of a vLLM server with its default settings, and about as much
as one event loop can feed."""
# A step as a factor: large until one has not paid, to be fast; then small.
RAMP = 4.0
STEP = 2.0
# The effect of a smaller step is too small to see.
LEAST_STEP = 1.25
# A step has paid if throughput grew by at least this share of the growth in requests in flight (in logarithms). A
# server that batches continuously gains twice as much near its largest batch.
PAYS = 0.1
# Standard errors between the estimate and `PAYS` for a verdict on a step up, and on a step down, which may do harm.
SURE = 1.5
SURE_DOWN = 3.0
LEAST_ANSWERS = 8
"""Answers needed before a step, and for a verdict on it."""
# And at least this many times the limit, since the first to come are the short ones; fewer for a large step.
SHARE_RAMPING = 0.75
SHARE_LATER = 1.0
# Answers, in multiples of the limit, after which the likelier verdict is taken.
LONGEST_STEP = 8
# Answers, in multiples of the limit, until the next step is tried.
HOLD = 20
# Failed steps up before a step down tests whether a smaller limit is enough by now, which may cost throughput.
STEPS_UP = 5
# Answers remembered from before a step, in multiples of the limit.
MEMORY = 4
# Requests sent with fewer in flight than this share of the limit say nothing about it: there was little to send.
NEAR = 0.75
# At this share of the limit it counts as fully used: some answers are always on their way to the disk.
USED = 0.9
# A step that may bring the usual latency to this share of the time-out is not made, unless hardly anything waits.
LONGEST_WAIT = 1 / 3
# An answer that takes this share of the time-out is a warning, if answers usually take half of `LONGEST_WAIT`.
SLOW = 0.5
# Growth of latency at the last step, from 0 to 1, below which hardly any request waits.
WAITS = 0.5
# Of as many tries as the limit, and at least this many, a share may fail by chance (gateways, flaky networks) before
# the limit is lowered.
TRIES_COUNTED = 20
FAILED_SHARE = 0.2
FAILED_BACK = 0.85
TIMEOUT_WEIGHT = 4
"""One time-out counts as this many failures: it costs the whole time-out, and perhaps an answer that is paid for."""
# Some answers take longer than the time-out however few are in flight. Their share is counted at small limits, where a
# time-out counts less, because a still smaller limit gains little. Larger limits are lowered only for time-outs beyond
# that share, by this many standard deviations.
WEIGHT_AT_SMALL_LIMITS = 2
SURE_TIMEOUTS = 2.0
# The share to begin with, as if so many tries had been counted: one in 20.
ASSUMED_TIMEOUTS, ASSUMED_TRIES = 1, 20


class Sent(NamedTuple):
    """A request, when it was sent."""

    at: float
    in_flight: int
    """Requests in flight, including this one."""


class Limit:
    """The most requests in flight at one endpoint. It reads no clock: whoever asks passes the time in."""

    def __init__(self, timeout_s: float, start: int = START, most: int = MOST) -> None:
        self._timeout_s = timeout_s
        self._most = most
        self._tries = self._failures = self._timeouts = 0
        self._left = 0.0
        """Answers to wait for before the next step, or before the verdict on this one."""
        self._small = float(max(START, start))
        """Up to this limit, time-outs are taken for those of long answers."""
        self._timeouts_there = self._tries_there = 0
        self._limit = float(min(start, most))
        self._from = self._limit
        """The limit before the step that is being made; the limit itself between steps."""
        self._ramping = start <= START
        """Whether every step has paid so far."""
        self._waits = 0.0 if self._ramping else 1.0
        """Growth of latency at the last step: 0 if no request waits, 1 if every further one does."""
        self._steps_up = STEPS_UP
        """How many may be tried before a step down."""
        if self._ramping:
            self._begin_ramp(0.0)
        else:
            self._go(self._limit, 0.0)

    @property
    def allowed(self) -> int:
        """Requests that may be in flight now."""
        return int(self._limit)

    @property
    def reached(self) -> int:
        """A limit to start with next time: the present one, unless it is still being tried."""
        return int(min(self._limit, self._from))

    def answered(self, sent: Sent, length: float, in_flight: int, now: float) -> None:
        """A request was answered, with this many tokens; `in_flight` still counts it."""
        self._count_try(timed_out=False)
        if sent.at < self._since:
            return
        latency_s = now - sent.at
        if latency_s > SLOW * self._timeout_s and self._queue_is_long:
            self._relieve(now)
            return
        if sent.in_flight < NEAR * min(self._limit, self._from):
            return
        self._left -= 1
        if self._stepping:
            self._seen.add(sent.in_flight, length, latency_s)
            if self._left <= 0:
                self._judge(now)
            return
        self._seen.add(sent.in_flight, length, latency_s, MEMORY * self._limit + LEAST_ANSWERS)
        # If fewer are in flight than could be, rates or the end of the run decide, and a step would show nothing.
        if self._left <= 0 and self._seen.count >= LEAST_ANSWERS and in_flight >= USED * self.allowed:
            self._step(now)

    def failed(self, sent_at: float, now: float, weight: int = 1) -> None:
        """A request was refused, or not answered in time.

        A second time-out of the same request is not reported: its answer may be a long one.
        """
        timed_out = weight == TIMEOUT_WEIGHT
        self._count_try(timed_out)
        if sent_at < self._since:
            return
        counted = max(TRIES_COUNTED, self._limit)
        if self._tries > counted:
            self._tries, self._failures, self._timeouts = 1, 0, 0
        self._failures += not timed_out
        self._timeouts += timed_out
        if self._failures + self._weight_of_timeouts() >= FAILED_SHARE * counted:
            self._ramping, self._steps_up = False, STEPS_UP
            limit = min(self._from, self._limit / STEP)
            if not timed_out:  # which may be chance, and then comes however few are in flight
                limit = max(min(self._from, FAILED_BACK * self._limit), min(self._limit, START))
            self._go(limit, now, HOLD)
            if START < self._small > self._limit:  # an earlier run's limit, which was too large
                self._small = max(START, self._limit)
                self._timeouts_there = self._tries_there = 0

    def _count_try(self, timed_out: bool) -> None:
        self._tries += 1
        if self._limit <= self._small:
            self._tries_there += 1
            self._timeouts_there += timed_out

    def _weight_of_timeouts(self) -> float:
        """How much the time-outs say that too many are in flight, beyond those of long answers."""
        if self._limit <= self._small:
            return WEIGHT_AT_SMALL_LIMITS * self._timeouts
        share = (ASSUMED_TIMEOUTS + self._timeouts_there) / (ASSUMED_TRIES + self._tries_there)
        expected = share * self._tries
        return TIMEOUT_WEIGHT * (self._timeouts - expected - SURE_TIMEOUTS * sqrt(expected))

    def restart(self, now: float) -> None:
        """The endpoint was gone: begin low again."""
        self._limit = min(self._limit, START)
        self._begin_ramp(now)

    @property
    def _queue_is_long(self) -> bool:
        """Whether answers take too long, because so many requests wait; one long answer alone is not a sign of that."""
        return self._waits > WAITS and self._seen.latency_s > LONGEST_WAIT / 2 * self._timeout_s

    def _relieve(self, now: float) -> None:
        """Take back a step up; or find out whether answers come sooner with a smaller limit."""
        if self._limit > self._from:
            self._go(self._from, now, HOLD)
        elif not self._stepping and self._limit > 1:
            self._try(self._limit / STEP, now)

    def _begin_ramp(self, now: float) -> None:
        """The first requests, all sent at once, are a step up from one."""
        self._ramping, self._waits = True, 0.0
        limit = self._limit
        self._go(1.0, now)
        self._limit, self._stepping, self._left = limit, limit > 1, LEAST_ANSWERS

    def _go(self, limit: float, now: float, hold: float = 0.0) -> None:
        """Stay at this limit for a while; answers to requests sent earlier do not count."""
        self._limit = self._from = max(1.0, min(limit, self._most))
        self._since = now
        self._left = (hold if self._ramping else max(hold, SHARE_LATER)) * self._limit
        self._stepping = False
        self._seen = Latencies()
        self._tries = self._failures = self._timeouts = 0

    def _step(self, now: float) -> None:
        """Try a larger or a smaller limit."""
        upwards = self._ramping or self._steps_up > 0
        factor = RAMP if self._ramping else STEP
        if self._waits > WAITS:
            factor = min(factor, LONGEST_WAIT * self._timeout_s / self._seen.latency_s)
        larger = min(float(self._most), max(self._limit + 1, self._limit * factor))
        limit = larger if upwards else max(1.0, self._limit / STEP)
        if limit == self._limit or (upwards and self._limit > 1 and factor < LEAST_STEP):
            self._ramping = False
            self._steps_up += -1 if upwards else STEPS_UP
            self._go(self._limit, now, HOLD)
            return
        self._try(limit, now)

    def _try(self, limit: float, now: float) -> None:
        self._limit, self._since, self._stepping = max(1.0, limit), now, True
        self._left = max(LEAST_ANSWERS, self._limit * (SHARE_RAMPING if self._ramping else SHARE_LATER))
        self._tries = self._failures = self._timeouts = 0

    def _judge(self, now: float) -> None:
        """Keep the larger limit if it pays and the smaller one if it does not; go on if that is not clear yet."""
        smaller, larger = sorted((self._limit, self._from))
        growth, error = self._seen.growth(smaller, larger)
        late = self._left < -LONGEST_STEP * self._limit
        sure = SURE if self._limit > self._from else SURE_DOWN
        if abs(1 - PAYS - growth) < sure * error and not late:
            return
        if error == inf:  # less was in flight than might be
            self._go(max(self._from, min(self._limit, START)), now, HOLD)
            return
        pays, upwards = growth < 1 - PAYS, self._limit > self._from
        self._waits = growth
        if pays and (growth < WAITS or not upwards):
            self._steps_up = STEPS_UP  # a smaller limit is not enough
        elif not pays:
            self._steps_up = self._steps_up - 1 if upwards else 0
        found = larger if pays else smaller
        if self._ramping and not pays:  # the step was large, and the right limit may lie between
            self._ramping, found = False, STEP * smaller
        # After a step up that paid, another may pay; and a limit that was too large may still be too large.
        self._go(found, now, 0.0 if pays == upwards else HOLD)
