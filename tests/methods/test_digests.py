"""What was paid for stays paid for: the digests of the persona method's requests are those of version 0.1.0."""

import asyncio
from typing import NamedTuple

import pytest

from personamath.methods import PersonaMath
from personamath.recipe import Recipe
from personamath.records import Completion, Persona, Problem, Request
from personamath.runs.pipeline import Line
from tests.methods.test_stages import InlineGrader

QUESTION = "Natalia sold 48 clips in April and half as many in May. How many clips did she sell?"
REWRITE = "For a beekeeper: how many jars are 48 and half as many?"
WRONG = r"48 + 48 is $\boxed{96}$."
RIGHT = r"48 + 24 is $\boxed{72}$."
PERSONAS = (Persona(7, "A beekeeper who sells honey at the weekend market"),)
RECIPE = Recipe(problems=("gsm8k",), teacher="gpt-4o-mini-2024-07-18", method=PersonaMath(k1=1, k2=1))


class Case(NamedTuple):
    """One kind of request, and its digest as version 0.1.0 computed it."""

    purpose: str
    first: str
    """What the teacher answers to the seed problem."""
    digest: str


# One of each kind, as literals: were one to change, every journal would be asked, and paid, again.
CASES = [
    Case("stage1_inference", RIGHT, "51382ff885e88e16be57af4955a2fb67"),
    Case("stage1_rewrite: rewrite", RIGHT, "e8a9bdd6a98a9a9578d7ee27b9e6ddf7"),
    Case("stage1_rewrite: solve", RIGHT, "a4152aa5957ab56df5f3737818681edb"),
    Case("stage2_reflection", WRONG, "062199e690e2ea8a8394768715ec6ec7"),
    Case("stage2_rewrite: rewrite", WRONG, "e8a9bdd6a98a9a9578d7ee27b9e6ddf7"),
    Case("stage2_rewrite: reflect", WRONG, "155e620600efb8778be0fbf7956d3327"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.purpose)
def test_the_digest_of_each_kind_of_request_never_moves(case: Case) -> None:
    asked: list[Request] = []

    class Teacher:
        async def complete(self, request: Request) -> Completion:
            asked.append(request)
            if request.purpose == "stage1_inference":
                return Completion(case.first, "stop")
            if request.purpose.endswith(": rewrite"):
                return Completion(REWRITE, "stop")
            return Completion(f"Review: wrong.\n\n### Corrected Explanation\n{RIGHT}", "stop")

    seed = Problem("gsm8k-train-00000", "gsm8k", QUESTION, "72")
    line = Line(RECIPE.method, RECIPE.requests, Teacher(), InlineGrader(), PERSONAS, RECIPE.rng_seed)
    asyncio.run(line.augment(seed))
    assert [request.digest for request in asked if request.purpose == case.purpose] == [case.digest]


def test_another_sample_is_another_request() -> None:
    assert RECIPE.requests.solve("any", QUESTION, sample=3).digest == "6c406ed8597436c3a13931ddb221111d"
