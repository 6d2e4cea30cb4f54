"""How fast to ask: as the user says, else as an endpoint announces in `x-ratelimit-*` headers.

An endpoint's allowance is a bucket: it holds `limit` requests (or tokens), each request takes from it, and it fills up
again. OpenAI's fills steadily, and `reset` is the time until it is full; others fill up at once when a minute is over.
For both we keep our own count of the bucket and correct it with every reply. Our count is ahead of the headers: they
describe the bucket when their request was let in, before everything that was sent since.

What is not covered: headers with other names than OpenAI's, and limits that are not announced.
"""

import re
import time
from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, get_args

from personamath.records import Completion, Request
from personamath.teachers.patience import credible

Kind = Literal["requests", "tokens"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PERIOD_S = 60.0
"""The time that `--rpm` and `--tpm` are per, and announced limits whose period is not known."""
PERIODS_S = (PERIOD_S, 86_400.0)
"""The usual periods of announced limits. Headers are rounded, so a period near one of these is taken as it."""
PERIOD_TOLERANCE = 0.25
# How much of a pause of ours (a slow disk, a busy machine) to make up for; more would be a burst, which endpoints that
# count by the second refuse.
CATCH_UP_S = 0.5
# Two requests may arrive this much closer to one another than they were sent. So a bucket is never emptied: it keeps
# what flows in during this time, and at least this many requests.
JITTER_S = 0.1
JITTER_REQUESTS = 2.0
# Requests before an endpoint's first reply, which announces its allowance, and how long to wait for that reply.
FIRST_REQUESTS = 4
FIRST_REPLY_S = 5.0
# A full bucket is not sent all at once but over about this time, more slowly as it empties. Near its end the requests
# then arrive about in the order in which they were sent, and the headers of the last one count all of them.
SPREAD_S = 2.0
# How often the requests may double, from the first few on, or from one on after a refusal; the next refusal arrives
# sooner than that.
DOUBLING_S = 0.25
# How soon to look again for a reply that may come at any time.
LOOK_S = 0.02
# After this many refusals in a row, pause even if the headers do not explain them.
REFUSED_IN_A_ROW = 5
# The first pause after a refusal without a Retry-After; each further one is eight times as long, up to the reset.
FIRST_PAUSE_S = 1.0
# A rough estimate: a token of English is about four characters.
CHARACTERS_PER_TOKEN = 4

_DURATION = re.compile(r"(?:[\d.]+(?:ms|s|m|h|d))+")
_PART = re.compile(r"([\d.]+)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# Above it a number of seconds is a time of day: seconds since 1970.
_EPOCH = 1e9


class Bucket:
    """Fills by `rate` a second, up to `capacity`."""

    def __init__(self, rate: float, capacity: float, level: float, now: float) -> None:
        self.rate = rate
        self.capacity = capacity
        self.taken = 0.0
        """All that was ever taken."""
        self._level = level
        self._at = now

    def level(self, now: float) -> float:
        """How much is in it."""
        filled = self._level + self.rate * (now - self._at)
        return min(filled, max(self.capacity, self._level))  # what was put back may exceed the capacity

    def wait_s(self, cost: float, now: float, left: float = 0.0) -> float:
        """Seconds until it holds `cost` and, beyond that, `left`; a cost above the capacity runs it into debt."""
        missing = min(cost + left, self.capacity) - self.level(now)
        return 0.0 if missing <= 0 else missing / self.rate

    def interval_s(self, cost: float, now: float) -> float:
        """Seconds between requests of this cost, for what is in it to last `SPREAD_S` or so."""
        return cost / (self.rate + max(0.0, self.level(now)) / SPREAD_S)

    def take(self, cost: float, now: float) -> None:
        """Take `cost` out; a negative cost is put back."""
        self._level, self._at = self.level(now) - cost, now
        self.taken += cost

    def set(self, level: float, now: float) -> None:
        """Correct how much is in it."""
        self._level, self._at = min(level, self.capacity), now


class Charge(NamedTuple):
    """How many tokens a request counts for."""

    most: float
    """Prompt and `max_tokens`: OpenAI takes this from its allowance, however long the completion is."""
    expected: float
    """Prompt and a completion of the average length so far: what the user's own allowance counts."""


class Pace:
    """The user's `--rpm` and `--tpm`, over all endpoints together."""

    def __init__(self, rpm: float | None = None, tpm: float | None = None) -> None:
        self._requests = _paced(rpm)
        self._tokens = _paced(tpm)
        self._answers = 0
        self._completion_tokens = 0
        self.kinds: frozenset[Kind] = frozenset(kind for kind, cap in zip(KINDS, (rpm, tpm), strict=True) if cap)
        """The kinds that the user sets; what endpoints announce of these is ignored."""

    def charge(self, request: Request) -> Charge:
        """How many tokens to count for a request before it is answered."""
        prompt = (len(request.prompt) + len(request.system or "")) / CHARACTERS_PER_TOKEN
        most = prompt + request.max_tokens
        return Charge(most, prompt + self._completion_tokens / self._answers if self._answers else most)

    def wait_s(self, charge: Charge, now: float) -> float:
        """Seconds until the next request may go."""
        wait = self._requests.wait_s(1, now) if self._requests else 0.0
        return max(wait, self._tokens.wait_s(charge.expected, now)) if self._tokens else wait

    def sent(self, charge: Charge, now: float) -> None:
        """A request is sent."""
        if self._requests:
            self._requests.take(1, now)
        if self._tokens:
            self._tokens.take(charge.expected, now)

    def answered(self, charge: Charge, completion: Completion, now: float) -> None:
        """A request is answered: count the tokens that it really took, if the endpoint says how many."""
        if self._tokens and completion.prompt_tokens is not None and completion.completion_tokens is not None:
            self._answers += 1
            self._completion_tokens += completion.completion_tokens
            self._tokens.take(completion.prompt_tokens + completion.completion_tokens - charge.expected, now)

    def failed(self, charge: Charge, now: float) -> None:
        """A request was not answered: put its tokens back."""
        if self._tokens:
            self._tokens.take(-charge.expected, now)


def _paced(per_minute: float | None) -> Bucket | None:
    if per_minute is None:
        return None
    rate = per_minute / PERIOD_S
    capacity = max(1.0, rate * CATCH_UP_S)
    return Bucket(rate, capacity, capacity, time.monotonic())


class Sent(NamedTuple):
    """An endpoint's buckets when a request was sent."""

    at: float
    charge: Charge
    taken: dict[Kind, float]


class Announced:
    """The allowance that one endpoint announces, and how much of it is left."""

    def __init__(self, ignored: Collection[Kind] = ()) -> None:
        self._kinds = [kind for kind in KINDS if kind not in ignored]
        self._buckets: dict[Kind, Bucket] = {}
        self._steady = False
        """Whether it refuses although something is left, as endpoints that count by the second do."""
        self._run_up = FIRST_REQUESTS
        self._run_up_at = 0.0
        """From then on `_run_up` requests are allowed, and twice as many after every `DOUBLING_S`."""
        self._run_up_sent = 0
        self._newest = -1.0
        """When the request was sent whose headers were used last; replies come in any order."""
        self._next = 0.0
        """When the next request is due."""
        self._replied = False
        self._refused = 0
        """In a row."""
        self._paused_until = 0.0

    @property
    def announces(self) -> bool:
        """Whether it announces any allowance."""
        return bool(self._buckets)

    def wait_s(self, charge: Charge, now: float) -> float:
        """Seconds until the next request may go, as far as is known now."""
        if now < self._paused_until:
            return self._paused_until - now
        if not self._replied:
            return LOOK_S if self._run_up_sent >= FIRST_REQUESTS and now < self._run_up_at + FIRST_REPLY_S else 0.0
        if not self._buckets:
            return 0.0
        if self._run_up_sent >= int(self._run_up * 2.0 ** min((now - self._run_up_at) / DOUBLING_S, 64)):
            return LOOK_S
        waits = [self._next - now]
        for kind, bucket in self._buckets.items():
            cost = _cost(kind, charge)
            waits.append(bucket.wait_s(cost, now, max(cost * JITTER_REQUESTS, bucket.rate * JITTER_S)))
        return max(waits)

    def pause_s(self, now: float) -> float:
        """Seconds for which it has asked to be left alone."""
        return max(0.0, self._paused_until - now)

    def sent(self, charge: Charge, now: float) -> Sent:
        """A request is sent; `heard` needs what this returns."""
        if not self._run_up_sent:
            self._run_up_at = now
        self._run_up_sent += 1
        interval = 0.0
        for kind, bucket in self._buckets.items():
            cost = _cost(kind, charge)
            interval = max(interval, bucket.interval_s(cost, now))
            bucket.take(cost, now)
        # The clock of an event loop is coarse: make up for the time that it overslept.
        self._next = max(self._next, now - LOOK_S) + interval
        return Sent(now, charge, {kind: bucket.taken for kind, bucket in self._buckets.items()})

    def heard(self, sent: Sent, status: int, headers: Mapping[str, str], after_s: float | None, now: float) -> None:
        """A reply came, with these headers; `after_s` is its Retry-After."""
        if not self._replied:
            self._replied, self._run_up_at = True, now
        limits = {kind: limit for kind in self._kinds if (limit := _Limit.of(kind, headers))}
        if limits and sent.at >= self._newest:
            self._newest = sent.at
            for kind, limit in limits.items():
                self._follow(kind, limit, sent, now)
        if sent.at < self._paused_until:
            return  # it was sent before the last refusal
        if status != 429:
            self._refused = 0
        elif self._buckets:
            spent = [limit for kind, limit in limits.items() if limit.remaining < _cost(kind, sent.charge)]
            self._refuse(bool(spent), after_s, max((limit.reset_s or 0.0 for limit in spent), default=PERIOD_S), now)

    def _follow(self, kind: Kind, limit: "_Limit", sent: Sent, now: float) -> None:
        used = limit.most - limit.remaining
        rate = _rate(limit.most, used, limit.reset_s)
        bucket = self._buckets.get(kind)
        if bucket is None:
            bucket = self._buckets[kind] = Bucket(rate, limit.most, limit.most, now)
        bucket.rate = rate
        bucket.capacity = max(1.0, rate * CATCH_UP_S) if self._steady else limit.most
        level = limit.remaining + rate * (now - sent.at) - (bucket.taken - sent.taken.get(kind, 0.0))
        bucket.set(min(level, bucket.level(now)) if self._steady else level, now)

    def _refuse(self, explained: bool, after_s: float | None, reset_s: float, now: float) -> None:
        self._refused += 1
        if not explained:
            self._steady = True
            for bucket in self._buckets.values():
                bucket.capacity = max(1.0, bucket.rate * CATCH_UP_S)
                bucket.set(0.0, now)
        if explained or self._refused >= REFUSED_IN_A_ROW:
            pause = min(reset_s, FIRST_PAUSE_S * 8.0 ** min(self._refused - 1, 8)) if after_s is None else after_s
            self._paused_until = self._run_up_at = now + pause
            self._run_up, self._run_up_sent = 1, 0


def _rate(limit: float, used: float, reset_s: float | None) -> float:
    """How fast a bucket fills that is full again after `reset_s`."""
    if used <= 0 or not reset_s:
        return limit / PERIOD_S
    period = limit * reset_s / used
    return limit / next((usual for usual in PERIODS_S if abs(period / usual - 1) < PERIOD_TOLERANCE), period)


def _cost(kind: Kind, charge: Charge) -> float:
    return 1.0 if kind == "requests" else charge.most


class _Limit(NamedTuple):
    """What an endpoint announces of one kind of allowance."""

    most: float
    remaining: float
    reset_s: float | None
    """Seconds until all of it is there again; None if it does not say."""

    @classmethod
    def of(cls, kind: Kind, headers: Mapping[str, str]) -> "_Limit | None":
        """None without a legible limit; Azure sends -1 for no limit."""
        if (limit := headers.get(f"x-ratelimit-limit-{kind}")) is None:
            return None
        try:
            read = cls(float(limit), float(headers[f"x-ratelimit-remaining-{kind}"]), None)
        except (KeyError, ValueError):
            return None
        if not (0 < read.most < float("inf") and read.remaining >= 0):
            return None
        return read._replace(reset_s=seconds(headers.get(f"x-ratelimit-reset-{kind}", "")))


def seconds(text: str) -> float | None:
    """A reset as seconds from now: `12ms`, `6m0s`, a number, or seconds since 1970; None for anything else."""
    try:
        if _DURATION.fullmatch(text):
            return credible(sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text)))
        number = float(text)
    except ValueError:
        return None
    if number > _EPOCH:
        number -= time.time()
    return credible(number)
