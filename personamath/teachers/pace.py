"""How fast to ask: at the pace of the user, else at that which an endpoint announces in `x-ratelimit-*` headers.

An endpoint's allowance is a bucket: it holds `limit` requests (or tokens), each request takes from it, and it fills up
again. OpenAI's fills steadily, `reset` being the time until it is full; others are full again at once when a minute is
over. Both are followed by keeping our own count of the bucket, put right by every reply. A count is ahead of the
headers: they tell how things stood when that request was let in, before all that was sent since.

What is not covered: other names than OpenAI's for the headers, and limits that nobody announces.
"""

import re
import time
from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, get_args

from personamath.records import Completion, Request

Kind = Literal["requests", "tokens"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PERIOD_S = 60.0
"""What `--rpm` and `--tpm` are per, and what a limit is per where the endpoint does not tell."""
PERIODS_S = (PERIOD_S, 86_400.0)
"""What announced limits are per, for the rounding of the headers to be taken out."""
PERIOD_TOLERANCE = 0.25
# What may be made up for after a pause of ours (a slow disk, a busy machine); more would be a burst, which endpoints
# that count by the second refuse.
CATCH_UP_S = 0.5
# Two requests may arrive this much closer to one another than they were sent: so much of a bucket is left in it, and
# no less than so many requests.
JITTER_S = 0.1
JITTER_REQUESTS = 2.0
# Asked before an endpoint's first reply, which tells its allowance, and how long that reply is waited for.
FIRST_REQUESTS = 4
FIRST_REPLY_S = 5.0
# What a bucket holds is not sent all at once but over some such time, more slowly the less is left: near its end the
# requests arrive about in the order in which they were sent, and the headers of the last tell of all of them.
SPREAD_S = 2.0
# From there on, and from one request after a refusal, as many again every so often: a refusal comes sooner than that.
DOUBLING_S = 0.25
# How soon to look again for a reply that nobody can foresee.
LOOK_S = 0.02
# So many refusals in a row that the headers do not explain mean that waiting is needed all the same.
REFUSED_IN_A_ROW = 5
# The first pause after a refusal that does not say for how long; the next are eight times as long, up to the reset.
FIRST_PAUSE_S = 1.0
# A rough count, before there is a better one: a token of English is about four characters.
CHARACTERS_PER_TOKEN = 4

_DURATION = re.compile(r"(?:[\d.]+(?:ms|s|m|h|d))+")
_PART = re.compile(r"([\d.]+)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# Above it a number of seconds is a time of day: seconds since 1970.
_EPOCH = 1e9


class Bucket:
    """So much a second, and at most `capacity` at a time."""

    def __init__(self, rate: float, capacity: float, level: float, now: float) -> None:
        self.rate = rate
        self.capacity = capacity
        self.taken = 0.0
        """All that was ever taken."""
        self._level = level
        self._at = now

    def level(self, now: float) -> float:
        """What is in it."""
        filled = self._level + self.rate * (now - self._at)
        return min(filled, max(self.capacity, self._level))  # what was given back may stand above the brim

    def wait_s(self, cost: float, now: float, left: float = 0.0) -> float:
        """Seconds until `cost` is in it beside what is to be left; a cost above the capacity runs it into debt."""
        missing = min(cost + left, self.capacity) - self.level(now)
        return 0.0 if missing <= 0 else missing / self.rate

    def interval_s(self, cost: float, now: float) -> float:
        """Seconds between requests of this cost, for what is in it to last `SPREAD_S` or so."""
        return cost / (self.rate + max(0.0, self.level(now)) / SPREAD_S)

    def take(self, cost: float, now: float) -> None:
        """Take `cost` out; a negative one is given back."""
        self._level, self._at = self.level(now) - cost, now
        self.taken += cost

    def set(self, level: float, now: float) -> None:
        """Put right what is in it."""
        self._level, self._at = min(level, self.capacity), now


class Charge(NamedTuple):
    """Tokens that a request is reckoned at."""

    most: float
    """Prompt and `max_tokens`: what OpenAI takes from its allowance, whatever the completion comes to."""
    expected: float
    """Prompt and a completion as long as those so far: what the user's own allowance is meant for."""


class Pace:
    """The user's `--rpm` and `--tpm`, over all endpoints together."""

    def __init__(self, rpm: float | None = None, tpm: float | None = None) -> None:
        self._requests = _paced(rpm)
        self._tokens = _paced(tpm)
        self._answers = 0
        self._completion_tokens = 0
        self.kinds: frozenset[Kind] = frozenset(kind for kind, cap in zip(KINDS, (rpm, tpm), strict=True) if cap)
        """What of an endpoint's own word it takes the place of."""

    def charge(self, request: Request) -> Charge:
        """What to reckon a request at before it is answered; its completion like those so far."""
        prompt = len(request.prompt) / CHARACTERS_PER_TOKEN
        most = prompt + request.max_tokens
        return Charge(most, prompt + self._completion_tokens / self._answers if self._answers else most)

    def wait_s(self, charge: Charge, now: float) -> float:
        """Seconds until the next request may go."""
        wait = self._requests.wait_s(1, now) if self._requests else 0.0
        return max(wait, self._tokens.wait_s(charge.expected, now)) if self._tokens else wait

    def sent(self, charge: Charge, now: float) -> None:
        """One request goes."""
        if self._requests:
            self._requests.take(1, now)
        if self._tokens:
            self._tokens.take(charge.expected, now)

    def answered(self, charge: Charge, completion: Completion, now: float) -> None:
        """It is answered: take the tokens that it really took, where the endpoint counts them."""
        if self._tokens and completion.prompt_tokens is not None and completion.completion_tokens is not None:
            self._answers += 1
            self._completion_tokens += completion.completion_tokens
            self._tokens.take(completion.prompt_tokens + completion.completion_tokens - charge.expected, now)

    def failed(self, charge: Charge, now: float) -> None:
        """It was not answered: give its tokens back."""
        if self._tokens:
            self._tokens.take(-charge.expected, now)


def _paced(per_minute: float | None) -> Bucket | None:
    if per_minute is None:
        return None
    rate = per_minute / PERIOD_S
    capacity = max(1.0, rate * CATCH_UP_S)
    return Bucket(rate, capacity, capacity, time.monotonic())


class Sent(NamedTuple):
    """How an endpoint's buckets stood when a request went."""

    at: float
    charge: Charge
    taken: dict[Kind, float]


class Announced:
    """What one endpoint says of its allowance, and how much of it is left."""

    def __init__(self, ignored: Collection[Kind] = ()) -> None:
        self._kinds = [kind for kind in KINDS if kind not in ignored]
        self._buckets: dict[Kind, Bucket] = {}
        self._steady = False
        """Whether it refuses although there is something left, as endpoints do that count by the second."""
        self._run_up = FIRST_REQUESTS
        self._run_up_at = 0.0
        """From then on so many requests, and as many again every `DOUBLING_S`."""
        self._run_up_sent = 0
        self._newest = -1.0
        """When the request went that the headers were last taken from; replies come in any order."""
        self._next = 0.0
        """When the next request is due."""
        self._replied = False
        self._refused = 0
        """In a row."""
        self._paused_until = 0.0

    def wait_s(self, charge: Charge, now: float) -> float:
        """Seconds until the next request may go, as far as can be told now."""
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
        """Seconds that it has asked to be left alone for."""
        return max(0.0, self._paused_until - now)

    def sent(self, charge: Charge, now: float) -> Sent:
        """One request goes; gives what `heard` is to be told with its reply."""
        if not self._run_up_sent:
            self._run_up_at = now
        self._run_up_sent += 1
        interval = 0.0
        for kind, bucket in self._buckets.items():
            cost = _cost(kind, charge)
            interval = max(interval, bucket.interval_s(cost, now))
            bucket.take(cost, now)
        # The clock of an event loop is coarse: what it slept over is made up for.
        self._next = max(self._next, now - LOOK_S) + interval
        return Sent(now, charge, {kind: bucket.taken for kind, bucket in self._buckets.items()})

    def heard(self, sent: Sent, status: int, headers: Mapping[str, str], after_s: float | None, now: float) -> None:
        """A reply came, with these headers; `after_s` is its Retry-After."""
        if not self._replied:
            self._replied, self._run_up_at = True, now
        words = {kind: word for kind in self._kinds if (word := _Word.of(kind, headers))}
        if words and sent.at >= self._newest:
            self._newest = sent.at
            for kind, word in words.items():
                self._follow(kind, word, sent, now)
        if sent.at < self._paused_until:
            return  # news from before the last refusal
        if status != 429:
            self._refused = 0
        elif self._buckets:
            spent = [word for kind, word in words.items() if word.remaining < _cost(kind, sent.charge)]
            self._refuse(bool(spent), after_s, max((word.reset_s or 0.0 for word in spent), default=PERIOD_S), now)

    def _follow(self, kind: Kind, word: "_Word", sent: Sent, now: float) -> None:
        used = word.limit - word.remaining
        rate = _rate(word.limit, used, word.reset_s)
        bucket = self._buckets.get(kind)
        if bucket is None:
            bucket = self._buckets[kind] = Bucket(rate, word.limit, word.limit, now)
        bucket.rate = rate
        bucket.capacity = max(1.0, rate * CATCH_UP_S) if self._steady else word.limit
        level = word.remaining + rate * (now - sent.at) - (bucket.taken - sent.taken.get(kind, 0.0))
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
    """How fast a bucket fills up that is whole again after `reset_s`."""
    if used <= 0 or not reset_s:
        return limit / PERIOD_S
    period = limit * reset_s / used
    return limit / next((usual for usual in PERIODS_S if abs(period / usual - 1) < PERIOD_TOLERANCE), period)


def _cost(kind: Kind, charge: Charge) -> float:
    return 1.0 if kind == "requests" else charge.most


class _Word(NamedTuple):
    """An endpoint's word on one kind of allowance."""

    limit: float
    remaining: float
    reset_s: float | None
    """Seconds until it is whole again; None where that is not told."""

    @classmethod
    def of(cls, kind: Kind, headers: Mapping[str, str]) -> "_Word | None":
        """None without a legible limit; Azure sends -1 where it has none."""
        if (limit := headers.get(f"x-ratelimit-limit-{kind}")) is None:
            return None
        try:
            word = cls(float(limit), float(headers[f"x-ratelimit-remaining-{kind}"]), None)
        except (KeyError, ValueError):
            return None
        if not (0 < word.limit < float("inf") and word.remaining >= 0):
            return None
        return word._replace(reset_s=seconds(headers.get(f"x-ratelimit-reset-{kind}", "")))


def seconds(text: str) -> float | None:
    """A reset as seconds from now: `12ms`, `6m0s`, a number, or seconds since 1970; None for anything else."""
    try:
        if _DURATION.fullmatch(text):
            return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
        number = float(text)
    except ValueError:
        return None
    if number > _EPOCH:
        number -= time.time()
    return number if 0 <= number < float("inf") else None
