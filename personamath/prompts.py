"""The prompts that models are trained and evaluated with (PersonaMath, arXiv 2410.01504 v1, section 4)."""

import re

# Section 4 and appendix A: Stanford Alpaca's prompt without an input, `###` as in the released trainer. Training and
# evaluation both take it from here. It ends with the colon: a space after it would be a token of its own.
ALPACA = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:"
)

# What the paper evaluates with, although it trains on the prompt above: kept for parity.
PAPER_EVALUATION = ALPACA + " Let's think step by step."

# The one text that may stop an evaluated completion beside EOS: a model that goes on writes the next instruction. The
# release also stops at words such as "Question", which cuts correct solutions.
STOP = "\n\n### Instruction:"

_PLACEHOLDER = re.compile(r"\{(instruction)\}")


def alpaca(instruction: str) -> str:
    """What a model is trained on, up to the response; also what it is evaluated with."""
    return _fill(ALPACA, instruction=instruction)


def paper_evaluation(instruction: str) -> str:
    """What the paper evaluates with."""
    return _fill(PAPER_EVALUATION, instruction=instruction)


def _fill(template: str, **values: str) -> str:
    # One pass, so that a problem whose text holds `{persona}` is left as it is; `str.format` would trip over \boxed{}.
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)
