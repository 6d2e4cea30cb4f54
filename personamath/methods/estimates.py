"""What the two stages take where nothing is measured: rates from the paper's table 2, lengths from the problems."""

from collections.abc import Mapping

from personamath.methods import stages
from personamath.methods.method import ASSUMED_COMPLETION_TOKENS, Seeds, Usage
from personamath.methods.prompts import INFERENCE, REFLECTION, Prompt
from personamath.methods.stages import SecondTries
from personamath.records import CHARACTERS_PER_TOKEN

PAPER_SOLVED = {"gsm8k": 6_600 / 7_473, "math": 5_400 / 7_500}
"""First answers that are right: rows kept by inference (v1, table 2) over the problems of each train split."""
ASSUMED_SOLVED = 12_100 / 14_973
"""The same over both sources, for problems of other sources."""
PAPER_RECOVERED = 0.10
"""Wrong first answers that reflection puts right (v1, table 2: 0.3K of about 2.9K)."""


def two_stages(
    seeds: Seeds, k1: int, k2: int, added: float, template: int, tries: SecondTries | None = None
) -> Mapping[str, Usage]:
    """The requests of both stages, by kind; stage 2 has one reflection unless `tries` says otherwise.

    `added` is what a rewrite adds to a question (the persona), `template` the length of the rewriting prompt, both in
    characters. Every round of stage 2 is expected to put right the share that the paper's one does, however it tries.
    """
    tries = tries or stages.reflecting()
    again = _reflect if tries.recover == stages.REFLECTION else solve
    solved = seeds.count * solved_share(seeds)
    wrong = seeds.count - solved
    left = [wrong * (1 - PAPER_RECOVERED) ** before for before in range(tries.rounds + 1)]
    recovered = wrong - left[-1]
    question = seeds.question_characters
    rewrite = Usage(1.0, _tokens(template + question + added), _tokens(question + added))
    return {
        stages.INFERENCE: times(solve(question), seeds.count),
        stages.REWRITE: times(rewrite, solved * k1),
        stages.SOLVE: times(solve(question + added), solved * k1),
        tries.recover: times(again(question), sum(left[:-1])),
        tries.rewrite: times(rewrite, recovered * k2),
        tries.solve: times(again(question + added), recovered * k2),
    }


def solved_share(seeds: Seeds) -> float:
    """The share of a source's problems whose first answer is right."""
    return PAPER_SOLVED.get(seeds.source, ASSUMED_SOLVED)


def solve(question: float) -> Usage:
    """One request to solve a question of this many characters."""
    return Usage(1.0, _tokens(len(INFERENCE.template) + question), ASSUMED_COMPLETION_TOKENS)


def rewrite(text: float, prompt: Prompt) -> Usage:
    """One request to reword a text of this many characters; the reply is about as long as the text."""
    return Usage(1.0, _tokens(len(prompt.template) + text), _tokens(text))


def times(one: Usage, count: float) -> Usage:
    """The usage of `count` such requests."""
    total = Usage()
    total.add(one, count)
    return total


def _reflect(question: float) -> Usage:
    explanation = ASSUMED_COMPLETION_TOKENS
    return Usage(1.0, _tokens(len(REFLECTION.template) + question) + explanation, 2.0 * explanation)


def _tokens(characters: float) -> float:
    return characters / CHARACTERS_PER_TOKEN
