"""How the simulated teacher answers the `program` method: the known solution as comments, and a line that prints."""

FENCE = "```"


def write_program(explanation: str, answer: str) -> str:
    """A program that prints an answer, in the form in which real models write one."""
    steps = "\n".join(f"# {line}" for line in explanation.splitlines() if line.strip())
    return f"{FENCE}python\n{steps}\nanswer = {answer!r}\nprint(answer)\n{FENCE}"


def write_spoiled_program(answer: str, *, forbidden: bool) -> str:
    """A program that fails, or one that wants what no program may have."""
    spoiled = f"import os\nprint(os.environ.get('ANSWER', {answer!r}))" if forbidden else f"print({answer!r} / 0)"
    return f"Here is the program:\n\n{FENCE}python\n{spoiled}\n{FENCE}"
