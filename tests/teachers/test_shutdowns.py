"""Models that are switched off are warned of, by the day and the address."""

from datetime import date

import pytest

from personamath import load_recipe
from personamath.teachers.shutdowns import SHUTDOWNS, shutdown_warning
from personamath.teachers.urls import OPENAI_URL
from tests.conftest import REPO

PAPER = "gpt-4o-mini-2024-07-18"
CASES = [
    (PAPER, OPENAI_URL, date(2026, 11, 28), f"OpenAI switches off {PAPER} on 14 January 2027; "),
    (PAPER, OPENAI_URL + "/", date(2027, 1, 14), f"OpenAI switched off {PAPER} on 14 January 2027; "),
    (PAPER, "http://127.0.0.1:8000/v1", date(2026, 11, 28), None),
    ("gpt-6-luna", OPENAI_URL, date(2026, 11, 28), None),
]


@pytest.mark.parametrize(("model", "base_url", "today", "beginning"), CASES)
def test_the_warning_names_day_and_successor(model: str, base_url: str, today: date, beginning: str | None) -> None:
    said = shutdown_warning(model, base_url, today)
    assert said is None if beginning is None else said and said.startswith(beginning)


@pytest.mark.parametrize("successor", {shutdown.successor for shutdown in SHUTDOWNS.values()})
def test_every_successor_has_a_recipe(successor: str) -> None:
    path = REPO / "recipes" / f"augment-{successor}.yaml"
    assert load_recipe(path).teacher == successor
