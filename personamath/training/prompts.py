"""The prompts of fine-tuning and evaluation (arXiv 2410.01504 v1, section 4 and appendix A)."""

# Stanford Alpaca's prompt for an instruction without an input, with `###` as in the released trainer. Training and
# evaluation both use it. It ends with the colon: a space after it would be a token of its own.
ALPACA = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:"
)

# The prompt that the paper evaluates with, although it trains with the one above.
PAPER_EVALUATION = ALPACA + " Let's think step by step."

# The only text besides EOS that may stop a completion: a model that runs on writes the next instruction. The release
# also stops at words such as "Question", which cuts off correct solutions.
STOP = "\n\n### Instruction:"


def alpaca(instruction: str) -> str:
    """Return the prompt that a model is trained with, up to the response; it is also evaluated with it."""
    return ALPACA.format(instruction=instruction)


def paper_evaluation(instruction: str) -> str:
    """Return the prompt that the paper evaluates with."""
    return PAPER_EVALUATION.format(instruction=instruction)
