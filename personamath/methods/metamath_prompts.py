r"""The few-shot prompts of the `metamath` method. The words are ours, the examples bundled problems of this package.

MetaMath shows eight examples for each of the two sources. Four that mix both kinds take half the tokens, and one prompt
serves every source.
"""

from collections.abc import Sequence

from personamath.methods import prompts
from personamath.methods.prompts import Prompt

_ORIGIN = "the words are this package's, the examples its bundled problems"

_REPHRASING_TASK = (
    "Rephrase the last of the following questions. The new question must ask for the same thing and "
    "have the same answer: keep every number, every formula and every condition, and change the words "
    "and the order in which they come. Write only the rephrased question."
)
_REPHRASING_SHOTS = (
    (
        (
            "A tent costs $160. At the end of the summer the shop lowers the price by 25%. Members of the "
            "hiking club get another 10% off the lowered price. How many dollars does a member pay for the "
            "tent?"
        ),
        (
            "The price of a tent was $160 until the shop cut it by 25% at the end of the summer. A hiking club "
            "gets its members a further discount of 10% on that lower price. What does the tent cost a member, "
            "in dollars?"
        ),
    ),
    (
        (
            "An aquarium holds 252 liters and is empty. A hose pours in 16 liters every minute, but a loose "
            "valve lets 4 liters escape every minute. After 5 minutes someone tightens the valve, and nothing "
            "escapes any more. How many minutes after the start is the aquarium full?"
        ),
        (
            "Somebody starts to fill an empty aquarium of 252 liters with a hose that brings 16 liters a "
            "minute. For the first 5 minutes a loose valve loses 4 liters of water a minute; then it is "
            "tightened and loses none. After how many minutes in total is the aquarium full?"
        ),
    ),
    (
        (
            "A bag contains 5 red and 4 blue buttons. Three buttons are drawn at random without replacement. "
            "What is the probability that exactly two of them are red? Express your answer as a common "
            "fraction."
        ),
        (
            "You take three buttons at random, without putting any back, from a bag in which 5 buttons are red "
            "and 4 are blue. How likely is it that exactly two of the three are red? Express your answer as a "
            "common fraction."
        ),
    ),
    (
        "What value of $x$ satisfies $5(x-3)=2x+9$?",
        "Solve the equation $5(x-3)=2x+9$ for $x$.",
    ),
)

_DECLARATION_TASK = (
    "Turn the last of the following questions into a statement that contains its answer. Keep every "
    "number, every condition and every unknown such as x as they are, and add nothing. Write only the "
    "statement, in one sentence."
)
_DECLARATION_SHOTS = (
    (
        "How many dollars does a member pay for the tent?",
        "108",
        "A member pays 108 dollars for the tent.",
    ),
    (
        "If he starts on a Monday, how many weeks does he need for the whole book of x pages?",
        "4",
        "If he starts on a Monday, he needs 4 weeks for the whole book of x pages.",
    ),
    (
        "What is the probability that exactly two of them are red?",
        r"$\frac{10}{21}$",
        r"The probability that exactly two of them are red is $\frac{10}{21}$.",
    ),
    (
        "Find the value of $k$ for which $5(k-3)=xk+9$.",
        "8",
        "The value of $k$ for which $5(k-3)=xk+9$ is 8.",
    ),
)


def _few_shot(task: str, heads: Sequence[str], shots: Sequence[Sequence[str]], asked: Sequence[str]) -> str:
    """A prompt: the task, the examples with their parts under heads, and the question with its last part left open."""
    shown = ["\n".join(f"{head}: {part}" for head, part in zip(heads, shot, strict=True)) for shot in shots]
    last = "\n".join(f"{head}: {part}" for head, part in zip(heads, asked, strict=False))
    return "\n\n".join([task, *shown, f"{last}\n{heads[-1]}:"])


REPHRASING = Prompt(
    _few_shot(_REPHRASING_TASK, ("Question", "Rephrased question"), _REPHRASING_SHOTS, ("{problem}",)),
    says="rephrase a problem",
    reply=prompts.REWRITING.reply,
    origin=_ORIGIN,
)

DECLARATION = Prompt(
    _few_shot(_DECLARATION_TASK, ("Question", "Answer", "Statement"), _DECLARATION_SHOTS, ("{question}", "{answer}")),
    says="turn the sentence that asks into a statement with the answer in it",
    reply="one statement that holds the answer, the unknown and every number of the question",
    origin=_ORIGIN,
)
