"""Prices as endpoints state them in their lists of models: OpenRouter's form and that of Hugging Face's router."""

import json
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personamath.commands.cli import main
from personamath.teachers.rates import Rates
from personamath.teachers.simulated import MODEL, bundled_problems
from personamath.teachers.stated_prices import TIMEOUT_S, StatedPrices
from tests.conftest import ScriptedTeacher

Start = Callable[..., ScriptedTeacher]
PROBLEMS = [flag for source in bundled_problems() for flag in ("--problems", source)]


def listed(*models: dict[str, Any]) -> str:
    return json.dumps({"object": "list", "data": list(models)})


OPENROUTER = {
    "id": "deepseek/deepseek-chat",
    "canonical_slug": "deepseek/deepseek-chat",
    "context_length": 163_840,
    "pricing": {"prompt": "0.00000025", "completion": "0.000001", "input_cache_read": "0.000000025", "request": "0"},
}
ROUTER = {
    "id": "openai/gpt-oss-120b",
    "object": "model",
    "owned_by": "openai",
    "providers": [
        {"provider": "groq", "status": "live", "pricing": {"input": 0.15, "output": 0.75}, "context_length": 131_072},
        {"provider": "cheap", "status": "live", "pricing": {"input": 0.05, "output": 0.25}},
        {"provider": "silent", "status": "live"},
    ],
}
DEAREST, CHEAPEST = Rates(0.15, 0.75), Rates(0.05, 0.25)

# The list, the model, and what it costs.
STATED: list[tuple[str, str, Rates | None]] = [
    (listed(OPENROUTER), "deepseek/deepseek-chat", Rates(0.25, 1.0, 0.025)),
    (listed(OPENROUTER), "deepseek/deepseek-chat:nitro", Rates(0.25, 1.0, 0.025)),
    (listed(OPENROUTER), "deepseek/other", None),
    (listed(OPENROUTER | {"pricing": {"prompt": "0", "completion": "0"}}), "deepseek/deepseek-chat", Rates(0, 0)),
    (listed(OPENROUTER | {"pricing": {"prompt": "-1", "completion": "-1"}}), "deepseek/deepseek-chat", None),
    (listed(OPENROUTER | {"pricing": {"prompt": "dear", "completion": "1"}}), "deepseek/deepseek-chat", None),
    (listed(OPENROUTER | {"pricing": {"prompt": "NaN", "completion": "1"}}), "deepseek/deepseek-chat", None),
    (listed(OPENROUTER | {"pricing": None}), "deepseek/deepseek-chat", None),
    (listed(ROUTER), "openai/gpt-oss-120b:groq", DEAREST),
    (listed(ROUTER), "openai/gpt-oss-120b:cheap", CHEAPEST),
    (listed(ROUTER), "openai/gpt-oss-120b:cheapest", CHEAPEST),
    (listed(ROUTER), "openai/gpt-oss-120b:fastest", DEAREST),
    (listed(ROUTER), "openai/gpt-oss-120b", DEAREST),
    (listed(ROUTER | {"providers": [{"provider": "silent"}]}), "openai/gpt-oss-120b", None),
    (listed(ROUTER | {"providers": "none"}), "openai/gpt-oss-120b", None),
    (listed({"id": "teacher-1", "object": "model"}), "teacher-1", None),
    (listed(), "teacher-1", None),
    ("[]", "teacher-1", None),
    ("<html>", "teacher-1", None),
    ('{"data": [1]}', "teacher-1", None),
]


@pytest.mark.parametrize(("models", "model", "rates"), STATED)
def test_a_price_is_read_as_the_endpoint_states_it(
    start_teacher: Start, models: str, model: str, rates: Rates | None
) -> None:
    teacher = start_teacher("--models", models)
    stated = StatedPrices()
    price = stated.of(teacher.base_url, model)
    assert (price and price.rates()) == (rates and pytest.approx(rates))
    if price:
        assert price.source == f"{teacher.base_url}/models" and price.date
    assert stated.of(teacher.base_url + "/", "another") is None
    copied = pickle.loads(pickle.dumps(stated))
    assert copied.of(teacher.base_url, model) == price
    assert teacher.stats()["models"] == 1  # the list is read once
    StatedPrices().of(teacher.base_url, model)
    assert teacher.stats()["models"] == 2  # once more for another run: by then another server may have this address


def test_the_list_is_read_through_the_proxy_that_requests_go_through(
    start_teacher: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = start_teacher("--models", listed(OPENROUTER))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert StatedPrices().of(teacher.base_url, str(OPENROUTER["id"]))  # not on this machine
    monkeypatch.setenv("HTTP_PROXY", teacher.base_url.removesuffix("/v1"))
    elsewhere = StatedPrices().of("http://models.example/v1", str(OPENROUTER["id"]))
    assert elsewhere and elsewhere.source == "http://models.example/v1/models"


def test_an_endpoint_that_does_not_answer_costs_what_the_list_says(start_teacher: Start) -> None:
    teacher = start_teacher()
    teacher.kill()
    started = time.monotonic()
    assert StatedPrices().of(teacher.base_url, "gpt-4o-mini") is None
    assert StatedPrices().of("https://api.openai.com/v1/", "gpt-4o-mini") is None  # it is not asked
    assert time.monotonic() - started < TIMEOUT_S


def run(teacher: ScriptedTeacher, output: Path, *flags: str) -> dict[str, Any]:
    command = ("augment", *PROBLEMS, "--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(output))
    assert main([*command, "--limit", "3", "--k1", "1", "--k2", "2", *flags]) == 0
    return dict(json.loads((output / "run.json").read_text())["paid"])


def test_a_run_is_billed_at_the_stated_price_unless_one_is_given(start_teacher: Start, tmp_path: Path) -> None:
    stated = {"id": MODEL, "pricing": {"prompt": "0.001", "completion": "0.002"}}
    teacher = start_teacher(*PROBLEMS, "--models", listed(stated))
    paid = run(teacher, tmp_path / "stated")
    assert paid["usd"] == pytest.approx(0.001 * paid["prompt_tokens"] + 0.002 * paid["completion_tokens"])
    assert paid["price"]["source"] == f"{teacher.base_url}/models" and paid["price"]["date"]
    given = run(teacher, tmp_path / "given", "--price-in", "1", "--price-out", "2")
    assert given["usd"] == pytest.approx(paid["usd"] / 1_000, rel=1e-3)
    assert given["price"]["source"] == "--price-in, --price-out"
    assert teacher.stats()["models"] == 1  # a run reads the list once, and not at all if it has a price
    assert run(teacher, tmp_path / "again")["usd"] == paid["usd"]
    assert teacher.stats()["models"] == 2
