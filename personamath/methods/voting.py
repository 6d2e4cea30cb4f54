"""The answer that most solutions of a problem agree on, where nobody knows a better one."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from personamath.answers import extract
from personamath.methods.work import KEPT, NO_ANSWER, USABLE, Work
from personamath.records import Dropped, Problem, Solution

OUTVOTED = "outvoted"
NO_MAJORITY = "no majority"

VOTES = "votes"
"""The column of a row with the number of solutions that agree on its answer."""


class Vote(NamedTuple):
    """A solution with a final answer."""

    answer: str
    response: str
    request: str
    """Digest of its request."""


@dataclass(frozen=True, slots=True)
class Election:
    """How many solutions vote on an answer, and how many must agree."""

    n_solve: int
    min_votes: int

    async def hold(self, problem: Problem, purpose: str, work: Work) -> Solution | None:
        """The first solution with the majority's answer, which becomes the problem's; None without a majority.

        Two answers are one if they are equivalent for the grader. The majority is the answer with the most votes, at
        least `min_votes`; of two with as many votes, none is.
        """
        samples = await asyncio.gather(*(self._vote(problem, purpose, n, work) for n in range(self.n_solve)))
        by_answer: list[list[Vote]] = []
        for vote in (sample for sample in samples if isinstance(sample, Vote)):
            await _count(vote, by_answer, work)
        most = max(map(len, by_answer), default=0)
        leading = [votes for votes in by_answer if len(votes) == most]
        if most < self.min_votes or len(leading) > 1:
            work.count(purpose, NO_MAJORITY, _requests(by_answer))
            return None
        [(first, *others)] = leading
        work.count(purpose, KEPT, [first.request])
        work.count(purpose, USABLE, _requests([others]))
        work.count(purpose, OUTVOTED, _requests(votes for votes in by_answer if votes is not leading[0]))
        step = purpose.partition(":")[0]
        voted = replace(problem, answer=first.answer)
        return Solution(voted, step, first.response, correct=True, request=first.request, columns={VOTES: most})

    async def _vote(self, problem: Problem, purpose: str, sample: int, work: Work) -> Vote | Dropped:
        request = work.requests.solve(purpose, problem.question, sample)
        completion = await work.ask(request, problem.id)
        if isinstance(completion, Dropped):
            return completion
        response = completion.text.strip()
        answer = extract(response)
        # An answer that does not equal itself, such as an empty box, is none that others could agree with.
        if answer is None or not (await work.grade(answer, response)).correct:
            return work.drop(purpose, Dropped(NO_ANSWER))
        return Vote(answer, response, request.digest)


def _requests(groups: Iterable[Sequence[Vote]]) -> list[str]:
    return [vote.request for votes in groups for vote in votes]


async def _count(vote: Vote, by_answer: list[list[Vote]], work: Work) -> None:
    """Add a vote to those for an equivalent answer; votes come in the order of the samples."""
    for votes in by_answer:
        if (await work.grade(votes[0].answer, vote.response)).correct:
            votes.append(vote)
            return
    by_answer.append([vote])
