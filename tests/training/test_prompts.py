from personamath.training import prompts


def test_the_prompts_are_alpacas_and_the_papers() -> None:
    alpaca = (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n1 + 1?\n\n### Response:"
    )
    assert prompts.alpaca("1 + 1?") == alpaca
    assert prompts.paper_evaluation("1 + 1?") == f"{alpaca} Let's think step by step."


def test_braces_in_a_problem_are_left_as_they_are() -> None:
    problem = r"Find $\frac{a}{b}$ with {instruction} and {0}."
    assert f"\n{problem}\n" in prompts.alpaca(problem)
