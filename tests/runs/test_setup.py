"""The setup: whether second tries are made, and how many requests are in flight to begin with."""

import json
from pathlib import Path
from typing import Any

import pytest

from personamath.errors import BadInput
from personamath.files import validated
from personamath.recipe import Recipe
from personamath.runs.run_file import reached_before
from personamath.runs.setup import Setup, open_teacher, slots_of
from personamath.teachers.concurrency import START
from personamath.teachers.http import HttpTeacher
from personamath.teachers.slots import Slots
from personamath.teachers.urls import OPENAI_URL

OPEN = Recipe(problems=("gsm8k",), teacher="Qwen/Qwen2.5-72B-Instruct")
HERE = "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("settings", "hedges"),
    [
        ({"base_url": [HERE]}, True),
        ({"base_url": ["http://localhost:11434/v1"]}, True),
        ({"base_url": ["http://[::1]:8000/v1"]}, True),
        ({"base_url": ["http://10.0.0.7:8000/v1", "http://node-7:8000/v1", "http://vllm.lan/v1"]}, True),
        ({"base_url": [HERE, "https://router.huggingface.co/v1"]}, False),
        ({"base_url": ["http://8.8.8.8/v1"]}, False),
        ({"base_url": [HERE], "price_in": 0.1, "price_out": 0.4}, False),
        ({"base_url": ["https://gpu.example.com/v1"], "price_in": 0, "price_out": 0}, True),
        ({"base_url": [HERE], "hedge": False}, False),
        ({"base_url": [OPENAI_URL], "hedge": True}, True),
    ],
)
def test_a_second_try_is_made_where_it_costs_nothing_or_the_user_wants_it(
    settings: dict[str, Any], hedges: bool
) -> None:
    assert validated(Setup, {"output": "run", **settings}, "test").hedges(OPEN) is hedges


def test_a_model_with_a_list_price_is_billed_behind_a_proxy_on_this_machine_too() -> None:
    recipe = Recipe(problems=("gsm8k",), teacher="gpt-4o-mini")
    assert not Setup(output="run", base_url=(HERE,)).hedges(recipe)


@pytest.mark.parametrize(
    ("value", "concurrency"), [("auto", None), (None, None), (16, 16), ("16", 16)], ids=["auto", "none", "16", "text"]
)
def test_requests_in_flight_are_fixed_or_found(value: Any, concurrency: int | None) -> None:
    setup = validated(Setup, {"output": "run", "base_url": HERE, "concurrency": value}, "test")
    teacher = open_teacher(OPEN, setup)
    slots = slots_of(setup, teacher)
    assert setup.fixed_concurrency == concurrency
    assert slots == concurrency or (concurrency is None and isinstance(slots, Slots))


@pytest.mark.parametrize("value", [0, -1, "many", True])
def test_other_numbers_are_refused(value: Any) -> None:
    with pytest.raises(BadInput, match="concurrency"):
        validated(Setup, {"output": "run", "concurrency": value}, "test")


@pytest.mark.parametrize(
    ("content", "start"),
    [
        ({"recipe": {"teacher": OPEN.teacher}, "concurrency": {"reached": {HERE: 96}}}, 96),
        ({"recipe": {"teacher": "another"}, "concurrency": {"reached": {HERE: 96}}}, START),
        ({"recipe": {"teacher": OPEN.teacher}, "concurrency": {"reached": {"http://node-7/v1": 96}}}, START),
        ({"recipe": {"teacher": OPEN.teacher}, "concurrency": {"reached": {HERE: "many"}}}, START),
        ({"recipe": {"teacher": OPEN.teacher}}, START),
        ([], START),
        (None, START),
    ],
    ids=[
        "same",
        "other teacher",
        "other endpoint",
        "no number",
        "earlier version",
        "no run.json of ours",
        "no run.json",
    ],
)
def test_a_run_begins_with_what_the_last_one_reached(content: Any, start: int, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(json.dumps(content))
    setup = Setup(output=str(tmp_path), base_url=(HERE,))
    teacher = open_teacher(OPEN, setup, reached_before(tmp_path, OPEN))
    assert isinstance(teacher, HttpTeacher) and teacher.reached == {HERE: 1 if start == START else start}
