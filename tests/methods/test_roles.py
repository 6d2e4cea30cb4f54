"""A `teacher` that is a mapping of roles: what each kind of request is asked with, and what is refused."""

import json
from typing import Any

import pytest

from personamath.errors import BadInput
from personamath.methods.reasoning import MAX_TOKENS, MAX_TOKENS_TO_REASON
from personamath.methods.requests import Sampler
from personamath.recipe import Recipe

CHEAP, STRONG = "open-7b", "gpt-6-luna"
PLACE = "recipe.yaml"
SOLVES, REWRITES, REFLECTS = "stage1_inference", "stage2_rewrite: rewrite", "stage2_reflection"


def recipe(teacher: Any, **keys: Any) -> Recipe:
    return Recipe.of({"problems": "gsm8k", "teacher": teacher} | keys, PLACE)


def body(of: Recipe, kind: str) -> dict[str, Any]:
    return dict(json.loads(of.requests.solve(kind, "1 + 1?").body()))


MODELS = [
    ({"solve": STRONG, "rewrite": CHEAP, "reflect": STRONG}, (STRONG, CHEAP, STRONG)),
    ({"default": STRONG, "rewrite": CHEAP}, (STRONG, CHEAP, STRONG)),
    ({"default": STRONG, "rewrite": {"model": CHEAP}}, (STRONG, CHEAP, STRONG)),
    ({"default": CHEAP, "solve": STRONG}, (STRONG, CHEAP, CHEAP)),
    ({"default": CHEAP, "reflect": {"model": STRONG}}, (CHEAP, CHEAP, STRONG)),
    ({"default": STRONG, "rewrite": {"temperature": 1}}, (STRONG, STRONG, STRONG)),
    ({"default": STRONG, "rewrite": {"model": None}}, (STRONG, STRONG, STRONG)),
]


@pytest.mark.parametrize(("teacher", "models"), MODELS, ids=str)
def test_each_kind_of_request_has_the_model_of_its_role(teacher: Any, models: tuple[str, ...]) -> None:
    of = recipe(teacher)
    assert tuple(body(of, kind)["model"] for kind in (SOLVES, REWRITES, REFLECTS)) == models
    assert set(of.models) == set(models)


def test_a_role_has_the_recipes_keys_where_it_names_none() -> None:
    of = recipe(
        {
            "default": STRONG,
            "rewrite": {"model": CHEAP, "temperature": None, "max_tokens": 99, "request": {"top_p": 1}},
        },
        temperature=0.2,
        system="Be brief.",
        request={"reasoning_effort": "none"},
    )
    solve, rewrite = body(of, SOLVES), body(of, REWRITES)
    assert (solve["temperature"], solve["max_completion_tokens"], solve["reasoning_effort"]) == (0.2, 2048, "none")
    assert "temperature" not in rewrite and rewrite["max_tokens"] == 99 and rewrite["top_p"] == 1
    assert "reasoning_effort" not in rewrite, "a role's `request` replaces the recipe's"
    assert [body["messages"][0]["content"] for body in (solve, rewrite)] == ["Be brief."] * 2


def test_a_role_says_what_its_model_takes() -> None:
    of = recipe({"default": CHEAP, "reflect": {"model": CHEAP, "token_limit": "max_completion_tokens", "system": None}})
    assert "max_tokens" in body(of, SOLVES) and "max_completion_tokens" in body(of, REFLECTS)


def test_one_teacher_in_all_roles_is_one_teacher() -> None:
    of = recipe({"solve": STRONG, "rewrite": {"model": STRONG}, "reflect": STRONG})
    assert of == recipe(STRONG) and of.as_dict()["teacher"] == STRONG and not of.roles


def test_how_it_is_written_down_says_which_model_does_what() -> None:
    of = recipe({"default": STRONG, "rewrite": {"model": CHEAP, "temperature": 1.0}})
    written = of.as_dict()
    assert written["teacher"] == {
        "solve": {"model": STRONG},
        "rewrite": {"model": CHEAP, "temperature": 1.0, "max_tokens": 2048},
        "reflect": {"model": STRONG},
    }
    assert Recipe.of(json.loads(json.dumps(written)), PLACE).as_dict() == written
    assert Recipe.of(of.settings(), PLACE) == of


def test_a_role_has_the_limit_that_its_model_needs_unless_the_recipe_states_one() -> None:
    roles = {"default": CHEAP, "solve": "o3", "reflect": {"model": "o3", "max_tokens": 2048}}
    limits = {role: teacher.max_tokens for role, teacher in recipe(roles).by_role.items()}
    assert limits == {"solve": MAX_TOKENS_TO_REASON, "rewrite": MAX_TOKENS, "reflect": 2048}
    stated = recipe(roles, max_tokens=99)
    assert {role: teacher.max_tokens for role, teacher in stated.by_role.items()} == limits | {
        "solve": 99,
        "rewrite": 99,
    }
    changed = Recipe.of(recipe(roles).settings() | {"max_tokens": 99}, PLACE)
    assert changed.by_role == stated.by_role, "a limit that nobody stated for a role is no limit of its own"
    for of in (recipe(roles), stated):
        assert Recipe.of(of.settings(), PLACE) == of and Recipe.of(of.as_dict(), PLACE).by_role == of.by_role


SAME = [
    {"default": STRONG, "rewrite": CHEAP},
    {"default": CHEAP, "solve": STRONG, "reflect": {"model": STRONG}},
    {"reflect": {"model": STRONG, "temperature": "0.7"}, "rewrite": CHEAP, "solve": STRONG},
]


@pytest.mark.parametrize("teacher", SAME, ids=str)
def test_the_same_teachers_are_the_same_recipe_however_they_are_written(teacher: Any) -> None:
    assert recipe(teacher) == recipe(SAME[0])


def test_only_the_roles_that_a_method_asks_count() -> None:
    assert recipe({"solve": STRONG}, method="rejection", k=2) == recipe(STRONG, method="rejection", k=2)
    assert recipe({"default": CHEAP, "solve": STRONG}, method="rejection").models == (STRONG,)


def test_the_digests_of_a_role_are_those_of_a_recipe_with_that_teacher() -> None:
    alone = recipe(CHEAP, temperature=1.0, max_tokens=50)
    together = recipe({"default": STRONG, "rewrite": {"model": CHEAP, "temperature": 1.0, "max_tokens": 50}})
    first, second = (
        of.requests.make(REWRITES, "rewriting", problem="1 + 1?", persona="A cook") for of in (alone, together)
    )
    assert first.digest == second.digest


REFUSED = [
    ({"rewriter": CHEAP}, r"teacher: unknown role 'rewriter'; the nearest known one is 'rewrite'"),
    ({"default": STRONG, 7: CHEAP}, r"teacher: unknown role 7; known are default, solve, rewrite, reflect"),
    ({}, "teacher names no model, e.g. `teacher: {default: "),
    ({"rewrite": {"temperature": 1}}, "teacher names no model"),
    (
        {"solve": STRONG, "rewrite": CHEAP},
        r"teacher\.reflect has no model: give teacher\.reflect\.model, or teacher\.d",
    ),
    ({"default": {"model": STRONG}}, r"teacher\.default is \{.*\}; it must be the name of a model; its other keys"),
    ({"default": STRONG, "rewrite": 7}, r"teacher\.rewrite is 7; it must be the name of a model, or keys and values"),
    ({"default": STRONG, "rewrite": ""}, r"teacher\.rewrite is ''; it must be the name of a model"),
    (
        {"default": STRONG, "rewrite": {"modle": CHEAP}},
        r"teacher\.rewrite: unknown key 'modle'; the nearest known one is 'model'",
    ),
    (
        {"default": STRONG, "rewrite": {"max_tokens": "many"}},
        r"teacher\.rewrite: max_tokens is 'many'; it must be a whole number",
    ),
]


@pytest.mark.parametrize(("teacher", "message"), REFUSED, ids=str)
def test_what_cannot_be_meant_is_refused_in_one_line_that_names_the_key(teacher: Any, message: str) -> None:
    with pytest.raises(BadInput, match=rf"^recipe\.yaml: {message}") as error:
        recipe(teacher)
    assert "\n" not in str(error.value)


WRONG = [
    ({"max_tokens": 0}, r"teacher\.rewrite\.max_tokens is 0: it must be at least 1"),
    ({"temperature": -1}, r"teacher\.rewrite\.temperature is -1\.0: it must be a number, 0 or more"),
    ({"request": {"n": 2}}, r"teacher\.rewrite\.request: n must stay 1"),
]


@pytest.mark.parametrize(("keys", "message"), WRONG, ids=str)
def test_a_roles_values_keep_to_the_recipes_bounds(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=f"^{message}"):
        recipe({"default": STRONG, "rewrite": keys})


def test_a_role_that_the_method_never_asks_is_refused() -> None:
    with pytest.raises(BadInput, match=r"teacher\.rewrite: the method rejection asks only solve; remove this role"):
        recipe({"default": STRONG, "rewrite": CHEAP}, method="rejection")


def test_roles_is_no_key_of_a_recipe() -> None:
    with pytest.raises(BadInput, match="unknown key 'roles'"):
        recipe(STRONG, roles={"rewrite": CHEAP})


def test_a_recipe_built_from_objects_holds_samplers() -> None:
    cheap = Sampler(model=CHEAP, temperature=None, max_tokens=10)
    of = Recipe(problems=("gsm8k",), teacher=STRONG, roles={"rewrite": cheap})
    assert of.requests.of(REWRITES) == cheap and of.requests.of(SOLVES).model == STRONG
