"""The funnel: counts of a run's problems, requests, tokens and rows, from input to output."""

import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from personamath.files import in_one_line
from personamath.methods.method import Outline
from personamath.methods.work import FAILED, KEPT, MARKS, NOT_ASKED, REASONING, WRONG, Failure, Outcome
from personamath.records import Problem
from personamath.sources.problems import source_label
from personamath.sources.seed_problems import Skipped

# More than anyone reads. Without a limit, a run that lost its teacher would list every remaining request.
LISTED_FAILURES = 1_000
# If this many first answers of a source are all wrong, it is no longer bad luck: a teacher that solves a quarter of the
# problems gets ten wrong in a row once in 18 times.
SUSPICIOUS = 10
# How many skipped problems and failures the screen shows; run.json has more.
SHOWN_NAMES = 5
# Width of the names of kinds of requests in characters, unless one is longer.
FIRST_COLUMN = 23
# Characters of a heading of a column, so that four steps and their sum fit on a terminal of 80 columns.
HEADING = 12
# Enough of an answer to see what is wrong with it.
SHOWN_OF_AN_ANSWER = 60


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """What a budget bought."""

    text: str
    """The budget, as the recipe states it."""
    used: float
    """In the budget's unit."""
    seeds: int
    """Seed problems within it."""
    begun: int
    """Seed problems that were begun; the answers of those beyond the budget stay in the journal."""

    def as_dict(self) -> dict[str, Any]:
        """For run.json and provenance.json: what depends on the answers only, and not on the order of their arrival."""
        return {"budget": self.text, "used": self.used, "seed_problems": self.seeds}

    def says(self, total: int) -> str:
        """A sentence for the screen; `total` is the number of all seed problems."""
        beyond = self.begun - self.seeds
        return (
            f"Budget {self.text}: used {self.used:,.10g} for {self.seeds:,} of {total:,} seed problems; "
            f"{total - self.begun:,} not begun, {beyond:,} begun whose rows are left out (answers stay in the journal)."
        )


@dataclass(slots=True)
class Funnel:
    """Counts of a whole run: sums over the `Outcome`s of its seed problems."""

    skipped: list[Skipped] = field(default_factory=list)
    seed_problems: Counter[str] = field(default_factory=Counter)
    """Usable problems, by source."""
    done: int = 0
    """Seed problems that are augmented."""
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Kept rows, by source and step."""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    tokens: Counter[tuple[str, str]] = field(default_factory=Counter)
    taken_off: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Completions by kind and by what was taken off them before they were read."""
    answered_by: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Answers by the model that was asked, the model that answered and the provider; `""` where a reply says none."""
    graded: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Attempts by source, kind, and how they were graded."""
    wrong: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By source, the reference answer and the final answer of one wrong attempt."""
    failures: list[Failure] = field(default_factory=list)
    """The first `LISTED_FAILURES`; `counts` has all of them."""
    budget: BudgetUse | None = None
    """What the recipe's budget bought; None without one."""

    @classmethod
    def survey(cls, problems: Iterable[Problem | Skipped]) -> "Funnel":
        """Make the funnel of a run before it starts; reads all problems, so that bad input is found before paying."""
        funnel = cls()
        for problem in problems:
            if isinstance(problem, Skipped):
                funnel.skipped.append(problem)
            else:
                funnel.seed_problems[problem.source] += 1
        return funnel

    def add(self, outcome: Outcome) -> None:
        """Count one more seed problem."""
        self.done += 1
        for row in outcome.rows:
            self.rows[row.source, row.step] += 1
        self.counts.update(outcome.counts)
        self.tokens.update(outcome.tokens)
        self.taken_off.update(outcome.taken_off)
        self.answered_by.update(outcome.answered_by)
        self.graded.update(outcome.graded)
        self.wrong = outcome.wrong | self.wrong
        self.failures += outcome.failures[: LISTED_FAILURES - len(self.failures)]

    def merge(self, part: "Funnel") -> None:
        """Add the counts of a funnel over other seed problems of the same sources."""
        self.done += part.done
        self.rows.update(part.rows)
        self.counts.update(part.counts)
        self.tokens.update(part.tokens)
        self.taken_off.update(part.taken_off)
        self.answered_by.update(part.answered_by)
        self.graded.update(part.graded)
        self.wrong = part.wrong | self.wrong
        self.failures += part.failures[: LISTED_FAILURES - len(self.failures)]

    @property
    def failed(self) -> int:
        """Requests that got no answer."""
        return self._total(FAILED)

    @property
    def complete(self) -> bool:
        """Whether every request got its answer."""
        return not self.failed and not self.not_asked

    @property
    def not_asked(self) -> int:
        """Requests not sent because of a cap; the requests that would have followed from them are not counted."""
        return self._total(NOT_ASKED)

    def taken_off_by_kind(self) -> dict[str, int]:
        """Completions by what was taken off them."""
        found = Counter[str]()
        for (_, what), count in self.taken_off.items():
            found[what] += count
        return {what: found[what] for what in (REASONING, MARKS)}

    def says_taken_off(self) -> str | None:
        """A sentence on what was taken off completions; None if nothing was."""
        found = [f"{what} ({count:,})" for what, count in self.taken_off_by_kind().items() if count]
        return f"Taken off completions before they were read: {', '.join(found)}." if found else None

    def _total(self, reason: str) -> int:
        return sum(count for (_, of), count in self.counts.items() if of == reason)

    def requests(self, purpose: str) -> dict[str, int]:
        """Count the requests of one purpose by outcome, most frequent first."""
        counts = {reason: count for (of, reason), count in self.counts.items() if of == purpose and count}
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def as_dict(self, outline: Outline) -> dict[str, Any]:
        """Return the counts for run.json and provenance.json, in the order of the method's steps and kinds."""
        kinds = [kind.name for kind in outline.kinds]
        sources = sorted(self.seed_problems)
        return {
            "problems": {
                "read": self.seed_problems.total() + len(self.skipped),
                "skipped": _by_reason(self.skipped),
                "seed_problems": {source: self.seed_problems[source] for source in sources},
            },
            "requests": {kind: self.requests(kind) for kind in kinds},
            "rows": {
                step.name: {source: count for source in sources if (count := self.rows[source, step.name])}
                for step in outline.steps
            },
            "tokens": {kind: {side: self.tokens[kind, side] for side in ("prompt", "completion")} for kind in kinds},
            **({"budget": self.budget.as_dict()} if self.budget else {}),
            **({"answered_by": by_model} if (by_model := self.answered_by_model()) else {}),
            "failed": [failure._asdict() for failure in self.failures],
        }

    def answered_by_model(self) -> list[dict[str, Any]]:
        """Count answers by what really answered; empty where no reply says it, as in journals of earlier versions."""
        if not any(model or provider for _, model, provider in self.answered_by):
            return []
        by_asked = sorted(self.answered_by.items(), key=lambda item: (item[0][0], -item[1], item[0]))
        return [
            {"asked": asked, "model": model or None, "provider": provider or None, "answers": count}
            for (asked, model, provider), count in by_asked
        ]


def never_right(funnel: Funnel, outline: Outline) -> list[str]:
    """One warning for each source of which many first answers were graded and nothing was ever right."""
    right = {source for (source, _, reason), count in funnel.graded.items() if reason == KEPT and count}
    warnings = []
    for source in sorted(set(funnel.seed_problems) - right):
        wrong = funnel.graded[source, outline.kinds[0].name, WRONG] if outline.kinds else 0
        if wrong >= SUSPICIOUS:
            reference, answer = (in_one_line(text, SHOWN_OF_AN_ANSWER) for text in funnel.wrong[source])
            warnings.append(
                f"none of {wrong:,} first answers to {source_label(source)} problems is right, e.g. {answer!r} where "
                f"the reference answer is {reference!r}: check that source's reference answers, then the teacher"
            )
    return warnings


def composition(funnel: Funnel, outline: Outline) -> str:
    """Return a table of kept rows by source and step, laid out like the paper's table 2."""
    steps = [step.name for step in outline.steps]
    sources = sorted(funnel.seed_problems)
    labelled = [(source_label(source), [source]) for source in sources]
    if len(sources) > 1:
        labelled.append(("all", sources))
    headings = _headings([step.label for step in outline.steps])
    cells = [["", *line, "all" if line is headings[-1] else ""] for line in headings]
    for label, of in labelled:
        counts = [sum(funnel.rows[source, step] for source in of) for step in steps]
        cells.append([label, *(f"{count:,}" for count in (*counts, sum(counts)))])
    first = max(len(row[0]) for row in cells) + 1
    widths = [max(10, *map(len, column)) + 2 for column in list(zip(*cells, strict=True))[1:]]
    return "\n".join(
        (
            f"{row[0]:<{first}}" + "".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths, strict=True))
        ).rstrip()
        for row in cells
    )


def _headings(labels: list[str]) -> list[list[str]]:
    """Return headings of columns as lines: long ones are wrapped, and all end in the last line."""
    wrapped = [textwrap.wrap(label, HEADING) for label in labels]
    lines = max(map(len, wrapped))
    return [list(line) for line in zip(*([""] * (lines - len(parts)) + parts for parts in wrapped), strict=True)]


def narrative(funnel: Funnel, outline: Outline) -> str:
    """Return the funnel as lines: problems read, skipped and asked, then each kind of request by outcome."""
    total = funnel.seed_problems.total()
    width = max(FIRST_COLUMN, *(len(outline.label(kind)) for kind in outline.kinds), 0) + 1
    line = partial(_padded, width)
    lines = [line("problems", total + len(funnel.skipped), "read")]
    for reason, ids in _by_reason(funnel.skipped).items():
        lines.append(line("", len(ids), f"skipped: {reason} ({_names(ids)})"))
    lines.append(line("", total, "seed problems"))
    for kind in outline.kinds:
        requests = funnel.requests(kind.name)
        out = " · ".join(f"{count:,} {reason}" for reason, count in requests.items())
        lines.append(line(outline.label(kind), sum(requests.values()), f"requests: {out}" if out else "requests"))
    return "\n".join(lines)


def _padded(width: int, label: str, count: int, text: str) -> str:
    return f"{label:<{width}}{count:>10,} {text}"


def _by_reason(skipped: Iterable[Skipped]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for problem in skipped:
        ids.setdefault(problem.reason, []).append(problem.id)
    return ids


def _names(ids: list[str]) -> str:
    more = len(ids) - SHOWN_NAMES
    return ", ".join(ids[:SHOWN_NAMES]) + (f" and {more:,} more" if more > 0 else "")
