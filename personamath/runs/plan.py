"""What a run will come to before it is paid for: requests, tokens, money, time and disk.

From a pilot, which really asks for some of the seed problems, or from the paper's rates. A pilot's problems are spread
over each source by difficulty and length, so that a few stand for all; each source is reckoned by itself.
"""

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

from personamath import prompts
from personamath.errors import PersonaMathError
from personamath.runs.funnel import PURPOSES, Funnel
from personamath.teachers.pace import CHARACTERS_PER_TOKEN
from personamath.teachers.prices import Price
from personamath.sources.problems import Skipped
from personamath.recipe import Recipe
from personamath.records import Completion, Persona, Problem, Purpose, Request, Teacher
from personamath.methods.persona.stages import KEPT, USABLE, Outcome, Stages

PAPER_SOLVED = {"gsm8k": 6_600 / 7_473, "math": 5_400 / 7_500}
"""First answers that are right: rows kept by inference (v1, table 2) over the problems of each train split."""
PAPER_RECOVERED = 0.10
"""Wrong first answers that reflection puts right (v1, table 2: 0.3K of about 2.9K)."""
ASSUMED_COMPLETION_TOKENS = 500
"""Of an explanation, and of each part of a reflection. Ours: the paper states no tokens; a pilot measures them."""
ASSUMED_ANSWER_S = 5.0
"""From asking to the whole answer. Ours, where no pilot has measured it."""
# So many of the paper's reflections are added to a pilot's: one recovered problem means K2 rewrites, and few pilots see
# more than one or two.
PRIOR_REFLECTIONS = 10
# Bytes that an answer takes in the journal beside its texts (keys, indexes, the JSON around the prompt, half-filled
# pages), and bytes of the dataset for each byte of text; both as a run of 7,685 answers took them.
JOURNAL_OVERHEAD_BYTES = 460
DATASET_SHARE = 0.15
# 95 % of a normal distribution.
TWO_SIDED_95 = 1.96
REWRITES: tuple[Purpose, ...] = ("stage1_rewrite: rewrite", "stage2_rewrite: rewrite")
REFLECTS: tuple[Purpose, ...] = ("stage2_reflection", "stage2_rewrite: reflect")


@dataclass(frozen=True, slots=True)
class Seeds:
    """The seed problems of one source, as far as a plan needs to know them."""

    count: int
    question_characters: int
    """Of all questions together."""
    chosen: frozenset[int]
    """Places of the pilot's problems among them."""


@dataclass(slots=True)
class Usage:
    """What requests of one purpose come to."""

    requests: float = 0.0
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0

    def plus(self, other: "Usage", times: float = 1.0) -> None:
        """Add so many times another."""
        self.requests += other.requests * times
        self.prompt_tokens += other.prompt_tokens * times
        self.completion_tokens += other.completion_tokens * times

    def usd(self, price: Price) -> float:
        """What it costs."""
        return price.usd(self.prompt_tokens, self.completion_tokens)


@dataclass(slots=True)
class Plan:
    """A run before it is paid for."""

    seeds: Mapping[str, int]
    """By source."""
    usage: dict[Purpose, Usage] = field(default_factory=lambda: {purpose: Usage() for purpose in PURPOSES})
    error: float | None = None
    """Half the width of a 95 % interval of the tokens' cost, as a share of it; None where there is no pilot to tell."""

    @property
    def total(self) -> Usage:
        """All purposes together."""
        total = Usage()
        for usage in self.usage.values():
            total.plus(usage)
        return total

    @property
    def disk_bytes(self) -> float:
        """Of the journal and the dataset."""
        total = self.total
        texts = (total.prompt_tokens + total.completion_tokens) * CHARACTERS_PER_TOKEN
        return total.requests * JOURNAL_OVERHEAD_BYTES + texts * (1 + DATASET_SHARE)


def survey(problems: Iterable[Problem | Skipped], pilot: int = 0) -> dict[str, Seeds]:
    """Count the seed problems of each source, and choose the pilot's: evenly by level, then by length."""
    keys: dict[str, array[int]] = {}
    characters: Counter[str] = Counter()
    for problem in problems:
        if isinstance(problem, Problem):
            keys.setdefault(problem.source, array("q")).append((problem.level or 0) << 32 | len(problem.question))
            characters[problem.source] += len(problem.question)
    total = sum(map(len, keys.values()))
    return {
        source: Seeds(len(key), characters[source], _spread(key, round(pilot * len(key) / total)))
        for source, key in keys.items()
    }


def _spread(keys: Sequence[int], wanted: int) -> frozenset[int]:
    wanted = min(wanted, len(keys))
    in_order = sorted(range(len(keys)), key=keys.__getitem__)
    return frozenset(in_order[int((turn + 0.5) * len(keys) / wanted)] for turn in range(wanted))


def chosen(problems: Iterable[Problem | Skipped], seeds: Mapping[str, Seeds]) -> list[Problem]:
    """The pilot's problems."""
    places: Counter[str] = Counter()
    found = []
    for problem in problems:
        if isinstance(problem, Problem):
            if places[problem.source] in seeds[problem.source].chosen:
                found.append(problem)
            places[problem.source] += 1
    return found


class Timed:
    """A teacher whose answers are timed."""

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher
        self._answers = 0
        self._seconds = 0.0

    async def complete(self, request: Request) -> Completion:
        """The teacher's answer."""
        start = time.monotonic()
        completion = await self._teacher.complete(request)
        self._answers += 1
        self._seconds += time.monotonic() - start
        return completion

    @property
    def answer_s(self) -> float | None:
        """Seconds an answer takes on average; None before there was one."""
        return self._seconds / self._answers if self._answers else None


async def ask(stages: Stages, problems: Sequence[Problem], funnel: Funnel) -> list[tuple[Problem, Outcome]]:
    """Take a pilot's problems through the stages, all at once; what is in flight is bounded by the teacher."""

    async def augment(problem: Problem) -> Outcome:
        outcome = await stages.augment(problem)
        funnel.add(outcome)
        return outcome

    try:
        async with asyncio.TaskGroup() as group:
            asked = [(problem, group.create_task(augment(problem))) for problem in problems]
    except* PersonaMathError as errors:
        raise errors.exceptions[0] from None  # the same for all of them
    return [(problem, task.result()) for problem, task in asked]


def from_pilot(recipe: Recipe, seeds: Mapping[str, Seeds], pilot: Sequence[tuple[Problem, Outcome]]) -> Plan:
    """The plan that follows from what became of the pilot's problems."""
    plan = Plan({source: of.count for source, of in seeds.items()})
    variance = spent = 0.0
    for source, of in seeds.items():
        outcomes = [outcome for problem, outcome in pilot if problem.source == source]
        if not outcomes:
            continue
        each = _mean_usage(outcomes)
        _put_recovery_right(each, outcomes, recipe.k2)
        for purpose, usage in each.items():
            plan.usage[purpose].plus(usage, of.count)
        costs = [_weight(outcome) for outcome in outcomes]
        mean = sum(costs) / len(costs)
        spent += of.count * mean
        if len(costs) > 1:
            spread = sum((cost - mean) ** 2 for cost in costs) / (len(costs) - 1)
            variance += of.count**2 * (1 - len(costs) / of.count) * spread / len(costs)
    plan.error = TWO_SIDED_95 * sqrt(variance) / spent if spent else None
    return plan


def _mean_usage(outcomes: Sequence[Outcome]) -> dict[Purpose, Usage]:
    each = {purpose: Usage() for purpose in PURPOSES}
    for outcome in outcomes:
        for (purpose, _), count in outcome.counts.items():
            each[purpose].requests += count / len(outcomes)
        for (purpose, kind), count in outcome.tokens.items():
            each[purpose].prompt_tokens += count / len(outcomes) * (kind == "prompt")
            each[purpose].completion_tokens += count / len(outcomes) * (kind == "completion")
    return each


def _put_recovery_right(each: dict[Purpose, Usage], outcomes: Sequence[Outcome], k2: int) -> None:
    """Reckon the rewrites of recovered problems with the paper's share of them as well as the pilot's."""
    counts: Counter[tuple[Purpose, str]] = Counter()
    for outcome in outcomes:
        counts.update(outcome.counts)
    asked = {purpose: each[purpose].requests * len(outcomes) for purpose in PURPOSES}
    if not asked["stage2_reflection"]:
        return
    recovered = counts["stage2_reflection", KEPT] + PRIOR_REFLECTIONS * PAPER_RECOVERED
    rewrites = each["stage2_reflection"].requests * recovered / (asked["stage2_reflection"] + PRIOR_REFLECTIONS) * k2
    usable = sum(counts[purpose, USABLE] for purpose in REWRITES)
    made = sum(asked[purpose] for purpose in REWRITES)
    reflections = rewrites * (usable / made if made else 1.0)
    _rescale(each, "stage2_rewrite: rewrite", "stage1_rewrite: rewrite", rewrites)
    _rescale(each, "stage2_rewrite: reflect", "stage2_reflection", reflections)


def _rescale(each: dict[Purpose, Usage], purpose: Purpose, like: Purpose, requests: float) -> None:
    """So many requests of a purpose, each as long as the pilot's, or as those of another purpose if it had none."""
    known = each[purpose] if each[purpose].requests else each[like]
    each[purpose] = Usage()
    if known.requests:
        each[purpose].plus(known, requests / known.requests)


def _weight(outcome: Outcome) -> float:
    """Of one seed problem, for the spread: a completion's tokens cost about four times a prompt's, list after list."""
    return sum(count * (4 if kind == "completion" else 1) for (_, kind), count in outcome.tokens.items())


def from_paper(recipe: Recipe, seeds: Mapping[str, Seeds], personas: Sequence[Persona]) -> Plan:
    """The plan that follows from the rates in the paper's table 2, and from how long the questions and personas are."""
    plan = Plan({source: of.count for source, of in seeds.items()})
    persona = sum(len(one.description) for one in personas) / len(personas)
    for source, of in seeds.items():
        question = of.question_characters / of.count
        solved = of.count * PAPER_SOLVED[source]
        wrong = of.count - solved
        recovered = wrong * PAPER_RECOVERED
        requests: dict[Purpose, float] = {
            "stage1_inference": of.count,
            "stage1_rewrite: rewrite": solved * recipe.k1,
            "stage1_rewrite: solve": solved * recipe.k1,
            "stage2_reflection": wrong,
            "stage2_rewrite: rewrite": recovered * recipe.k2,
            "stage2_rewrite: reflect": recovered * recipe.k2,
        }
        for purpose, count in requests.items():
            plan.usage[purpose].plus(_assumed(purpose, question, persona), count)
    return plan


def _assumed(purpose: Purpose, question: float, persona: float) -> Usage:
    """One request, where nothing is measured; lengths in characters."""
    explanation = ASSUMED_COMPLETION_TOKENS
    rewritten = question if purpose == "stage1_inference" or purpose == "stage2_reflection" else question + persona
    if purpose in REWRITES:
        prompt = len(prompts.REWRITING) + question + persona
        return Usage(1.0, prompt / CHARACTERS_PER_TOKEN, (question + persona) / CHARACTERS_PER_TOKEN)
    if purpose in REFLECTS:
        prompt = len(prompts.REFLECTION) + rewritten
        return Usage(1.0, prompt / CHARACTERS_PER_TOKEN + explanation, 2.0 * explanation)
    return Usage(1.0, (len(prompts.INFERENCE) + rewritten) / CHARACTERS_PER_TOKEN, explanation)


def wall_s(
    plan: Plan, concurrency: int, answer_s: float | None, rpm: float | None = None, tpm: float | None = None
) -> float:
    """Seconds that a run takes: as fast as the slowest of the pace and the requests in flight lets it."""
    total = plan.total
    tokens = total.prompt_tokens + total.completion_tokens
    return max(
        total.requests * (answer_s or ASSUMED_ANSWER_S) / concurrency,
        total.requests / rpm * 60 if rpm else 0.0,
        tokens / tpm * 60 if tpm else 0.0,
    )
