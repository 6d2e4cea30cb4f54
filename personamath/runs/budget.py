"""A budget decides which seed problems make rows, so that a larger budget contains a smaller one.

All seed problems have a fixed order, by a digest of `rng_seed` and their id. They are begun in that order, and the rows
come from the longest run of them, counted from the first, that the budget holds. What a seed problem uses depends only
on the answers to its own requests, so the order in which answers arrive changes nothing. A seed problem with a request
that got no answer ends the rows until the same command has asked again: nobody knows yet what it uses.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from personamath.budget import Budget
from personamath.errors import BadInput, TeacherMisconfigured
from personamath.methods.draw import rank
from personamath.methods.work import UNANSWERED, Outcome
from personamath.recipe import Recipe
from personamath.records import Problem
from personamath.runs.funnel import BudgetUse, Funnel
from personamath.runs.pipeline import Sink
from personamath.runs.setup import Setup
from personamath.teachers.prices import Price
from personamath.teachers.rates import DIRECT

MILLION = 10**6


def check_budget(recipe: Recipe, setup: Setup) -> None:
    """Raise `BadInput` if a recipe's budget cannot be kept, before anything is asked."""
    if not recipe.budget:
        return
    budget = Budget.of(recipe.budget)
    if setup.engine == "ray":
        raise BadInput("--budget does not work with --engine ray: use --engine local")
    if setup.batch:
        raise BadInput(
            "--budget does not work with --batch, which begins thousands of seed problems at once and pays for them "
            "all: leave --batch out, or use --limit"
        )
    if budget.unit in ("usd", "tokens") and not recipe.method.outline.kinds:
        raise BadInput(f"budget: the method {recipe.method.outline.method!r} asks no teacher: use rows: or questions:")
    if budget.unit == "usd":
        by_kind = direct_prices(recipe, setup)
        for kind in recipe.method.outline.kinds:
            if by_kind[kind.name] is None:
                raise BadInput(setup.teachers(recipe).unknown_price(recipe.by_role[kind.role].model))
        if not any(price and price.usd(1, 1) for price in by_kind.values()):
            raise BadInput("budget: the teacher costs nothing: use tokens:, rows: or questions:")


def direct_prices(recipe: Recipe, setup: Setup) -> dict[str, Price | None]:
    """The price of each kind of request, sent by itself as the recipe says, and not in a batch."""
    teachers, prices = setup.teachers(recipe), setup.prices(recipe)
    found = {}
    for kind in recipe.method.outline.kinds:
        price = prices.of(recipe.by_role[kind.role].model)
        found[kind.name] = price and replace(price, priced_for=DIRECT).sent_as(teachers.tier(kind.role))
    return found


def in_budget_order(problems: Iterable[Problem], rng_seed: int) -> list[tuple[int, Problem]]:
    """The seed problems with their positions, in the order in which a budget takes them."""
    return sorted(enumerate(problems), key=lambda item: rank(item[1].id, rng_seed))


class Used:
    """What some seed problems use of a budget."""

    def __init__(self, budget: Budget, prices: Mapping[str, Price | None]) -> None:
        self.total = Fraction(0)
        self._unit = budget.unit
        self._prices = prices
        self._questions: set[str] = set()

    def add(self, outcome: Outcome) -> Fraction:
        """Add one more seed problem, and return the new total."""
        if self._unit == "questions":
            self._questions.update(row.problem for row in outcome.rows)
            self.total = Fraction(len(self._questions))
        elif self._unit == "rows":
            self.total += len(outcome.rows)
        else:
            self.total += self._paid(outcome)
        return self.total

    def _paid(self, outcome: Outcome) -> Fraction:
        """The tokens of a seed problem's answers, or their cost as if every one were asked now at the full price."""
        if any(one.finish_reason == "stop" and one.completion_tokens is None for one in outcome.answers.values()):
            raise TeacherMisconfigured(
                f"the endpoint does not count tokens, so a budget in {self._unit} cannot work: use rows: or questions:"
            )
        if self._unit == "tokens":
            return Fraction(outcome.tokens.total())
        paid = Fraction(0)
        for (kind, side), count in outcome.tokens.items():
            if price := self._prices[kind]:
                rates = price.rates()
                paid += count * Fraction(str(rates.prompt if side == "prompt" else rates.completion)) / MILLION
        return paid


class Budgeted:
    """A sink that passes on the seed problems that a budget holds, in the budget's order.

    Memory holds all seed problems, and the outcomes that wait for one before them.
    """

    def __init__(
        self,
        budget: Budget,
        seeds: list[tuple[int, Problem]],
        sink: Sink,
        prices: Mapping[str, Price | None],
    ) -> None:
        """`seeds` are in the budget's order; `prices` are those of each kind of request, for a budget in USD."""
        self._amount = budget.amount
        self._seeds = seeds
        self._place = {position: place for place, (position, _) in enumerate(seeds)}
        self._sink = sink
        self._arrived, self._taken = Used(budget, prices), Used(budget, prices)
        self._waiting: dict[int, Outcome] = {}
        self._is_spent = False
        self.used = Fraction(0)
        self.taken = 0
        self.begun = 0

    def seeds(self) -> Iterator[tuple[int, Problem]]:
        """Yield the seed problems to begin, as long as one more may be within the budget."""
        for seed in self._seeds:
            # All that has arrived comes before this one, so it is beyond the budget whatever is still in flight.
            if self._is_spent or self._arrived.total >= self._amount:
                return
            self.begun += 1
            yield seed

    def add(self, position: int, outcome: Outcome) -> None:
        """Take an outcome, and pass on those that are now known to be within the budget."""
        if self._is_spent:
            return
        self._waiting[self._place[position]] = outcome
        if not _unanswered(outcome):
            self._arrived.add(outcome)
        while not self._is_spent and (first := self._waiting.get(self.taken)) and not _unanswered(first):
            total = self._taken.add(first)
            self._is_spent = total >= self._amount
            if total <= self._amount:
                self.used = total
                self._sink.add(self._seeds[self.taken][0], self._waiting.pop(self.taken))
                self.taken += 1

    def end(self, funnel: Funnel, text: str) -> None:
        """Write into the funnel what the budget, stated as `text`, bought, and which requests hold it up."""
        funnel.budget = BudgetUse(text, float(self.used), self.taken, self.begun)
        if self._is_spent:
            return  # what failed beyond the budget is missed by nobody
        for place in sorted(self._waiting):
            outcome = self._waiting[place]
            funnel.merge(
                Funnel(
                    counts=_only_unanswered(outcome),
                    failures=outcome.failures,
                )
            )


def _only_unanswered(outcome: Outcome) -> Counter[tuple[str, str]]:
    return Counter({key: count for key, count in outcome.counts.items() if key[1] in UNANSWERED})


def _unanswered(outcome: Outcome) -> bool:
    return any(_only_unanswered(outcome).values())
