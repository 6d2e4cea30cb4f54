"""Estimate a run before you pay for it: requests, tokens, cost, time and disk space.

The estimate comes from a pilot, which asks the teacher about some of the seed problems, or from the method's expected
rates. A pilot's problems are spread over each source by difficulty and length, so that a few represent all. Each source
is estimated separately.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from personamath.methods.method import Kind, Method, Outline, Seeds, Usage
from personamath.methods.work import PASSED, Outcome
from personamath.records import CHARACTERS_PER_TOKEN, Persona, Problem
from personamath.sources.seed_problems import Skipped
from personamath.teachers.prices import Price

ASSUMED_ANSWER_S = 5.0
"""Seconds from sending a request to its whole answer; our assumption if no pilot measured it."""
# For the spread of a cost without a known price: most lists charge four times as much for completions.
ASSUMED_PRICE = Price(1.0, 4.0)
ASSUMED_IN_FLIGHT = 256
"""Requests in flight, if neither the user nor a pilot says."""
# A pilot sees few requests of a rare kind. So the rare kind's rate is averaged with the method's expected rate, as if
# this many more of the requests before it had been seen.
PRIOR_REQUESTS = 10
# Bytes of an answer in the journal in addition to its texts (keys, indexes, the JSON around the prompt, half-filled
# pages), and bytes of the dataset per byte of text; both measured on a run with 7,685 answers.
JOURNAL_OVERHEAD_BYTES = 460
DATASET_SHARE = 0.15
# 95 % of a normal distribution lies within this many standard deviations.
TWO_SIDED_95 = 1.96


@dataclass(slots=True)
class Plan:
    """The estimated size of a run."""

    seeds: Mapping[str, int]
    """Seed problems by source."""
    usage: dict[str, Usage]
    """Estimated usage by kind of request."""
    error: float | None = None
    """Half the width of the cost's 95 % interval, as a share of the cost; None without a pilot."""

    @classmethod
    def empty(cls, seeds: Iterable[Seeds], outline: Outline) -> "Plan":
        """Make a plan without requests."""
        return cls({of.source: of.count for of in seeds}, {kind.name: Usage() for kind in outline.kinds})

    @property
    def total(self) -> Usage:
        """The usage of all kinds together."""
        total = Usage()
        for usage in self.usage.values():
            total.add(usage)
        return total

    @property
    def disk_bytes(self) -> float:
        """The size of the journal and the dataset."""
        total = self.total
        texts = (total.prompt_tokens + total.completion_tokens) * CHARACTERS_PER_TOKEN
        return total.requests * JOURNAL_OVERHEAD_BYTES + texts * (1 + DATASET_SHARE)


class Survey(NamedTuple):
    """The seed problems of a recipe, and the choice of a pilot's problems."""

    seeds: list[Seeds]
    """One entry per source."""
    pilot: Mapping[str, frozenset[int]]
    """By source, the positions of the pilot's problems among the source's problems."""


def survey(problems: Iterable[Problem | Skipped], pilot: int = 0) -> Survey:
    """Count the seed problems of each source, and choose the pilot's problems evenly by level and then by length.

    Each source gets its share of the pilot by largest remainder, and at least one problem.
    """
    keys: dict[str, array[int]] = {}
    characters: Counter[str] = Counter()
    for problem in problems:
        if isinstance(problem, Problem):
            keys.setdefault(problem.source, array("q")).append((problem.level or 0) << 32 | len(problem.question))
            characters[problem.source] += len(problem.question)
    wanted = shares(pilot, {source: len(key) for source, key in keys.items()})
    return Survey(
        [Seeds(source, len(key), characters[source] / len(key)) for source, key in keys.items()],
        {source: _spread(key, wanted[source]) for source, key in keys.items()},
    )


def shares(wanted: int, counts: Mapping[str, int]) -> dict[str, int]:
    """Split a number over groups by size, with largest remainders; each gets at least 1 unless the number is 0."""
    if not wanted:
        return dict.fromkeys(counts, 0)
    exact = {name: wanted * count / sum(counts.values()) for name, count in counts.items()}
    found = {name: max(1, int(share)) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: found[name] - exact[name])
    for name in by_remainder[: max(0, wanted - sum(found.values()))]:
        found[name] += 1
    return {name: min(share, counts[name]) for name, share in found.items()}


def _spread(keys: Sequence[int], wanted: int) -> frozenset[int]:
    in_order = sorted(range(len(keys)), key=keys.__getitem__)
    return frozenset(in_order[int((turn + 0.5) * len(keys) / wanted)] for turn in range(wanted))


def chosen(problems: Iterable[Problem | Skipped], found: Survey) -> list[Problem]:
    """Return the pilot's problems."""
    places: Counter[str] = Counter()
    pilot = []
    for problem in problems:
        if isinstance(problem, Problem):
            if places[problem.source] in found.pilot[problem.source]:
                pilot.append(problem)
            places[problem.source] += 1
    return pilot


def from_pilot(
    method: Method,
    seeds: Sequence[Seeds],
    pilot: Sequence[tuple[Problem, Outcome]],
    personas: Sequence[Persona],
    prices: Mapping[str, Price | None] | None = None,
) -> Plan:
    """Extrapolate a plan from the outcomes of the pilot's problems; `prices` are those of each kind of request."""
    plan = Plan.empty(seeds, method.outline)
    variance = spent = 0.0
    for of in seeds:
        outcomes = [outcome for problem, outcome in pilot if problem.source == of.source]
        if not outcomes:
            continue
        each = _mean_usage(outcomes, method.outline)
        _correct_rare(each, outcomes, method, method.expected(of, personas))
        for kind, usage in each.items():
            plan.usage[kind].add(usage, of.count)
        costs = [_weight(outcome, prices or {}) for outcome in outcomes]
        mean = sum(costs) / len(costs)
        spent += of.count * mean
        if len(costs) > 1:
            spread = sum((cost - mean) ** 2 for cost in costs) / (len(costs) - 1)
            variance += of.count**2 * (1 - len(costs) / of.count) * spread / len(costs)
    plan.error = TWO_SIDED_95 * sqrt(variance) / spent if spent else None
    return plan


def _mean_usage(outcomes: Sequence[Outcome], outline: Outline) -> dict[str, Usage]:
    each = {kind.name: Usage() for kind in outline.kinds}
    for outcome in outcomes:
        for (kind, _), count in outcome.counts.items():
            each[kind].requests += count / len(outcomes)
        for (kind, side), count in outcome.tokens.items():
            each[kind].prompt_tokens += count / len(outcomes) * (side == "prompt")
            each[kind].completion_tokens += count / len(outcomes) * (side == "completion")
    return each


def _correct_rare(
    each: dict[str, Usage], outcomes: Sequence[Outcome], method: Method, expected: Mapping[str, Usage]
) -> None:
    """Re-estimate rare kinds with the method's expected rate added to the pilot's, and the kinds that follow them.

    One recovered problem leads to many rewrites, and most pilots see at most two recovered problems.
    """
    corrected: set[str] = set()
    for kind in method.outline.kinds:
        before = kind.after and each[kind.after].requests
        if kind.after is None or not before:
            continue
        if kind.rare:
            prior = expected[kind.name].requests / expected[kind.after].requests * PRIOR_REQUESTS
            seen, asked = (each[name].requests * len(outcomes) for name in (kind.name, kind.after))
            requests = before * (seen + prior) / (asked + PRIOR_REQUESTS)
        elif kind.after in corrected:
            requests = before * _pass_rate(kind.after, outcomes, method.outline)
        else:
            continue
        corrected.add(kind.name)
        each[kind.name] = _rescaled(kind, each, requests, method.outline)


def _pass_rate(name: str, outcomes: Sequence[Outcome], outline: Outline) -> float:
    """Return the share of requests that lead to a next one, over all kinds with the same role."""
    alike = {kind.name for kind in outline.kinds if kind.role == outline.kind(name).role}
    counts: Counter[bool] = Counter()
    for outcome in outcomes:
        for (kind, reason), count in outcome.counts.items():
            if kind in alike:
                counts[reason in PASSED] += count
    return counts[True] / counts.total() if counts.total() else 1.0


def _rescaled(kind: Kind, each: Mapping[str, Usage], requests: float, outline: Outline) -> Usage:
    """Return the usage of this many requests of a kind, with the pilot's mean length for it or for a kind like it."""
    alike = [kind.name, *(other.name for other in outline.kinds if other.role == kind.role)]
    known = next((each[name] for name in alike if each[name].requests), None)
    usage = Usage()
    if known:
        usage.add(known, requests / known.requests)
    return usage


def _weight(outcome: Outcome, prices: Mapping[str, Price | None]) -> float:
    """Weigh one seed problem's cost, for the spread."""
    # Prices that are all 0 weigh nothing.
    weighs = None not in prices.values() and any(price and price.usd(1, 1) for price in prices.values())
    cost = 0.0
    for (kind, side), count in outcome.tokens.items():
        price = (prices.get(kind) if weighs else None) or ASSUMED_PRICE
        cost += price.usd(count, 0) if side == "prompt" else price.usd(0, count)
    return cost


def from_expectation(method: Method, seeds: Sequence[Seeds], personas: Sequence[Persona]) -> Plan:
    """Make a plan from the method's expected rates."""
    plan = Plan.empty(seeds, method.outline)
    for of in seeds:
        for kind, usage in method.expected(of, personas).items():
            plan.usage[kind].add(usage)
    return plan


def wall_s(
    plan: Plan,
    concurrency: int,
    answer_s: float | None,
    waves: int = 1,
    rpm: float | None = None,
    tpm: float | None = None,
) -> float:
    """Estimate the seconds of a run; the slowest of concurrency, the request limit and the token limit decides.

    `waves` is the most requests of one problem that wait for one another: no run is faster than they are.
    """
    total = plan.total
    tokens = total.prompt_tokens + total.completion_tokens
    return max(
        max(total.requests / concurrency, waves if total.requests else 0) * (answer_s or ASSUMED_ANSWER_S),
        total.requests / rpm * 60 if rpm else 0.0,
        tokens / tpm * 60 if tpm else 0.0,
    )


def usd(usage: Mapping[str, Usage], prices: Mapping[str, Price | None]) -> float | None:
    """Return the cost of requests in USD, each kind at the price of its teacher; None if a price is unknown."""
    total = 0.0
    for kind, of_kind in usage.items():
        if (price := prices[kind]) is None:
            return None
        total += price.usd(of_kind.prompt_tokens, of_kind.completion_tokens)
    return total
