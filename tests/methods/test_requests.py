"""What a recipe sends: the fields of the body, by model family and by the recipe's own keys."""

import json
from typing import Any

import pytest

from personamath.errors import BadInput
from personamath.recipe import Recipe

QUESTION = "1 + 1?"


def body(**settings: Any) -> dict[str, Any]:
    recipe = Recipe.of({"problems": "gsm8k", "teacher": "teacher-1"} | settings, "recipe.yaml")
    return dict(json.loads(recipe.requests.solve("any", QUESTION).body()))


def test_without_keys_of_its_own_a_recipe_sends_four_fields() -> None:
    sent = body()
    assert sorted(sent) == ["max_tokens", "messages", "model", "temperature"]
    assert [message["role"] for message in sent["messages"]] == ["user"]


FAMILIES = [
    ("gpt-4o-mini-2024-07-18", "max_tokens"),
    ("gpt-4.1", "max_tokens"),
    ("gpt-3.5-turbo", "max_tokens"),
    ("gpt-5", "max_completion_tokens"),
    ("gpt-5-mini-2025-08-07", "max_completion_tokens"),
    ("gpt-6-luna", "max_completion_tokens"),
    ("gpt-10", "max_completion_tokens"),
    ("o1", "max_completion_tokens"),
    ("o4-mini", "max_completion_tokens"),
    ("openai/gpt-6-luna", "max_completion_tokens"),
    ("gpt-oss-20b", "max_tokens"),
    ("openai/gpt-oss-120b", "max_tokens"),
    ("olmo-2", "max_tokens"),
    ("Qwen/Qwen2.5-72B-Instruct", "max_tokens"),
    ("someone/gpt-5-distilled", "max_tokens"),
]


@pytest.mark.parametrize(("teacher", "field"), FAMILIES)
def test_the_limit_goes_where_the_model_takes_it(teacher: str, field: str) -> None:
    sent = body(teacher=teacher, max_tokens=7)
    assert {name: value for name, value in sent.items() if name.startswith("max_")} == {field: 7}
    other = "max_tokens" if field == "max_completion_tokens" else "max_completion_tokens"
    assert body(teacher=teacher, token_limit=other, max_tokens=7)[other] == 7


def test_a_system_message_comes_first_and_more_fields_come_along() -> None:
    sent = body(system="Be brief.", request={"top_p": 0.9, "chat_template_kwargs": {"enable_thinking": False}})
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": sent["messages"][1]["content"]},
    ]
    assert sent["top_p"] == 0.9 and sent["chat_template_kwargs"] == {"enable_thinking": False}


def test_a_temperature_of_none_is_left_out() -> None:
    assert all("temperature" not in body(temperature=none) for none in (None, "none", "null"))
    assert body(temperature=0)["temperature"] == 0


CHANGES = [{"system": ""}, {"system": "Be brief."}, {"request": {"seed": 1}}, {"temperature": None}]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_whatever_is_sent_is_part_of_the_digest(change: dict[str, Any]) -> None:
    recipe = Recipe(problems=("gsm8k",), teacher="teacher-1")
    changed = Recipe.of(recipe.as_dict() | change, "recipe.yaml")
    one, other = (each.requests.solve("any", QUESTION) for each in (recipe, changed))
    assert one.digest != other.digest and one != other


OWN = ["messages", "model", "max_tokens", "max_completion_tokens", "temperature", "n", "stream"]


@pytest.mark.parametrize("name", OWN)
def test_fields_that_are_set_here_are_refused_with_the_key_to_use(name: str) -> None:
    with pytest.raises(BadInput, match=rf"^request: {name} \w+") as error:
        body(request={name: 1})
    assert "\n" not in str(error.value)


def test_a_request_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(BadInput, match=r"recipe\.yaml: request is 'top_p'; it must be keys and values"):
        body(request="top_p")
