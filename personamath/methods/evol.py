"""Evolved problems (WizardMath, Luo et al. 2023): easier and harder ones in rounds, answered by majority.

Each round turns the last usable problem into an easier or a harder one, so a seed problem becomes a family whose
mathematics changes, which no rewrite does. Nobody knows the answers. The paper does not check them; here several
solutions vote, and an answer is kept only if enough of them agree. New problems may be test problems by chance, so a
run always compares its rows with test problems.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, NamedTuple

from personamath.errors import BadInput
from personamath.methods import estimates
from personamath.methods.evolving import MOST_MORE_WORDS, evolved_question
from personamath.methods.method import Column, Kind, Method, Outline, Seeds, Step, Usage
from personamath.methods.prompts import INFERENCE, Prompt
from personamath.methods.requests import Requests
from personamath.methods.rewrites.sameness import words
from personamath.methods.voting import VOTES, Election
from personamath.methods.work import UNANSWERED, USABLE, Work
from personamath.records import CHARACTERS_PER_TOKEN, Dropped, Persona, Problem, Request, Solution

EASIER = Prompt(
    "Here is a math problem:\n\n{problem}\n\nWrite an easier problem on the same topic. Use simpler numbers, drop a "
    "condition or a step, or ask for less. It must make sense on its own and have exactly one answer that follows from "
    "its text. Keep any [asy] drawing as it is. Reply with the text of the easier problem only, and do not solve it.",
    says="write an easier problem",
    reply="one problem without its solution, alone or below a heading such as `Easier Problem:`",
    origin="PersonaMath, after the downward evolution of arXiv 2308.09583",
)
HARDER = Prompt(
    "Here is a math problem:\n\n{problem}\n\nWrite a harder problem from it. Change at least three things together: "
    "add a condition, make something general concrete, replace a given number by one that has to be worked out, or ask "
    "for something that takes more steps of reasoning. It must make sense on its own and have exactly one answer that "
    "follows from its text. Use at most 30 words more than the problem above. Keep any [asy] drawing as it is. Reply "
    "with the text of the harder problem only, and do not solve it.",
    says="write a harder problem",
    reply="one problem without its solution, at most 30 words longer, alone or below a heading such as "
    "`Harder Problem:`",
    origin="PersonaMath, after the upward evolution of arXiv 2308.09583",
)

REPEATED = "repeats another evolved problem"
MOST_ROUNDS = 100
"""More than anyone asks for: the samples of a branch are numbered from a multiple of it, so that more rounds or
branches keep the earlier requests."""
ASSUMED_USABLE = 0.9
"""Evolved problems that can be used. Ours: nobody has published a share."""


class Direction(NamedTuple):
    """One of the two ways to evolve."""

    name: Literal["down", "up"]
    prompt: str
    """Name of its prompt."""

    @property
    def step(self) -> str:
        """Name of its step."""
        return f"evol_{self.name}"

    @property
    def evolve(self) -> str:
        """The kind of request that evolves."""
        return f"{self.step}: evolve"

    @property
    def solve(self) -> str:
        """The kind of request that votes."""
        return f"{self.step}: solve"


DOWN, UP = Direction("down", "easier"), Direction("up", "harder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evol(Method):
    """Make easier and harder problems of each seed problem, and answer them by majority."""

    rounds_down: Annotated[int, "rounds of easier problems, each from the last (from the paper's later notes)"] = 2
    rounds_up: Annotated[int, "rounds of harder problems, each from the last (from the paper's later notes)"] = 3
    branches: Annotated[int, "how often each seed problem is evolved in each direction (ours)"] = 1
    n_solve: Annotated[
        int, "solutions of each evolved problem that vote on its answer (ours; the paper has no vote)"
    ] = 3
    min_votes: Annotated[int, "solutions that must agree (ours)"] = 2

    prompts: ClassVar[Mapping[str, Prompt]] = {"easier": EASIER, "harder": HARDER, "inference": INFERENCE}
    outline: ClassVar[Outline] = Outline(
        method="evol",
        title="easier and harder problems, answered by majority",
        how="""\
1. **Downward.** The teacher makes an easier problem of each seed problem, then an easier one of that, {rounds_down}
   rounds in all: `evol_down`.
2. **Upward.** The teacher makes a harder problem of each seed problem, then a harder one of that, {rounds_up} rounds in
   all: `evol_up`. Each is at most 30 words longer than the one before.
3. **Answers.** The teacher solves each new problem {n_solve} times. The answer is the one that most of these solutions
   agree on, at least {min_votes}; the first of them becomes the response. No other problem is kept.

Each seed problem is evolved {branches} times in each direction. A round that gives no usable problem is lost, and the
next one works on the last usable problem. The answers of the seed problems are not used. **Nobody has confirmed the
answers:** solutions of one teacher can agree on a wrong one.""",
        cite="arXiv 2308.09583",
        steps=(
            Step(
                "evol_down", "easier", "easier problems made of seed problems", "majority", fixed={"direction": "down"}
            ),
            Step("evol_up", "harder", "harder problems made of seed problems", "majority", fixed={"direction": "up"}),
        ),
        kinds=(
            Kind(DOWN.evolve, "make an easier problem", DOWN.step, "rewrite"),
            Kind(DOWN.solve, "solve the easier problem", DOWN.step, "solve", after=DOWN.evolve),
            Kind(UP.evolve, "make a harder problem", UP.step, "rewrite"),
            Kind(UP.solve, "solve the harder problem", UP.step, "solve", after=UP.evolve),
        ),
        columns={
            "direction": Column("`down` (easier) or `up` (harder)."),
            "round": Column("The round that made the problem, from 1; a lost round has a number, too.", "number"),
            VOTES: Column("How many of the teacher's solutions agree on the answer.", "number"),
        },
    )

    def __post_init__(self) -> None:
        """Refuse settings that make no rows."""
        for name, rounds in (("rounds_down", self.rounds_down), ("rounds_up", self.rounds_up)):
            if not 0 <= rounds <= MOST_ROUNDS:
                raise BadInput(f"{name} is {rounds}: it must be from 0 to {MOST_ROUNDS}")
        if not self.rounds_down + self.rounds_up:
            raise BadInput("rounds_down and rounds_up are 0: one of them must be at least 1")
        for name, number in (("branches", self.branches), ("n_solve", self.n_solve), ("min_votes", self.min_votes)):
            if number < 1:
                raise BadInput(f"{name} is {number}: it must be at least 1")
        if self.min_votes > self.n_solve:
            raise BadInput(f"min_votes is {self.min_votes}: it must not be more than n_solve, which is {self.n_solve}")

    @property
    def needs_test_problems(self) -> bool:
        """True: nobody has seen its problems."""
        return True

    @property
    def waves(self) -> int:
        """The rounds, and the solutions of the last one."""
        return max(self.rounds_down, self.rounds_up) + 1

    @property
    def _rounds(self) -> list[tuple[Direction, int]]:
        """The directions that are taken, each with its rounds."""
        return [(of, rounds) for of, rounds in ((DOWN, self.rounds_down), (UP, self.rounds_up)) if rounds]

    def check(self, personas: Sequence[Persona], requests: Requests) -> list[str]:
        """Warn where solutions cannot disagree."""
        if self.n_solve == 1:
            return ["n_solve is 1: no answer is confirmed by another solution"]
        if any(requests.of(of.solve).temperature == 0 for of, _ in self._rounds):
            return [f"temperature is 0: all {self.n_solve} solutions of a problem will agree, whatever they say"]
        return []

    def first_request(self, seed: Problem, requests: Requests) -> Request:
        """The first round."""
        return _evolve(self._rounds[0][0], seed, 0, 1, requests)

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """All branches of both directions; of equal problems the first is kept."""
        election = Election(self.n_solve, self.min_votes)
        branches = [
            _Branch(of, number, rounds, election, work).grow([seed], 1)
            for of, rounds in self._rounds
            for number in range(self.branches)
        ]
        kept: list[Solution] = []
        seen: list[list[str]] = []
        for solution in (solution for branch in await asyncio.gather(*branches) for solution in branch):
            if words(solution.problem.question) in seen:
                work.recount(f"{solution.step}: solve", REPEATED, solution)
            else:
                seen.append(words(solution.problem.question))
                kept.append(solution)
        return kept

    def attempts(self, kept: Mapping[str, int]) -> Mapping[str, int]:
        """One row for each round of each branch."""
        return {of.step: rounds * self.branches for of, rounds in self._rounds}

    def expected(self, seeds: Seeds, personas: Sequence[Persona]) -> Mapping[str, Usage]:
        """Every round once, and the solutions of the problems that can be used; all as long as the seed problems."""
        question = seeds.question_characters
        usage = {}
        for of, rounds in self._rounds:
            asked = (len(self.prompts[of.prompt].template) + question) / CHARACTERS_PER_TOKEN
            evolved = float(seeds.count * self.branches * rounds)
            usage[of.evolve] = estimates.times(Usage(1.0, asked, question / CHARACTERS_PER_TOKEN), evolved)
            usage[of.solve] = estimates.times(estimates.solve(question), evolved * ASSUMED_USABLE * self.n_solve)
        return usage


class _Branch(NamedTuple):
    """One line of descent: a seed problem evolved in one direction, round after round."""

    of: Direction
    number: int
    rounds: int
    election: Election
    work: Work

    async def grow(self, line: list[Problem], round: int) -> list[Solution]:
        """The solutions of this round's problem and of all after it; `line` has its ancestors, the parent last."""
        if round > self.rounds:
            return []
        child = await self._evolved(line, round)
        if isinstance(child, Dropped):
            # After a round without an answer there is no next one: the same command will ask it again.
            return [] if child.reason in UNANSWERED else await self.grow(line, round + 1)
        solution, later = await asyncio.gather(
            self.election.hold(child, self.of.solve, self.work), self.grow([*line, child], round + 1)
        )
        if solution is None:
            return later
        return [replace(solution, columns={"round": round, **solution.columns}), *later]

    async def _evolved(self, line: list[Problem], round: int) -> Problem | Dropped:
        parent, work = line[-1], self.work
        request = _evolve(self.of, parent, self.number, round, work.requests)
        id = f"{parent.id}/{self.of.name}{round}" + (f"-{self.number}" if self.number else "")
        completion = await work.ask(request, id)
        if isinstance(completion, Dropped):
            return completion
        longest = len(parent.question.split()) + MOST_MORE_WORDS if self.of == UP else None
        around = work.requests.prompts[self.of.prompt].fill(problem="")
        question = evolved_question(completion.text, [one.question for one in line], around, longest)
        if isinstance(question, Dropped):
            return work.drop(self.of.evolve, question)
        work.count(self.of.evolve, USABLE)
        # Nobody knows its answer yet; that of its ancestors is another problem's.
        return replace(parent, id=id, question=question, answer="", parent=parent.id)


def _evolve(of: Direction, parent: Problem, branch: int, round: int, requests: Requests) -> Request:
    """The request of a round. The round is part of its sample, so that a lost round is not asked again as it was."""
    sample = branch * MOST_ROUNDS + round - 1
    return requests.make(of.evolve, of.prompt, sample=sample, problem=parent.question)
