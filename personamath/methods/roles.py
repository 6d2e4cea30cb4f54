"""A recipe's `teacher` as a mapping of roles: which model solves, which rewrites, which reflects.

A role without a key (`temperature`, `max_tokens`, ...) has the recipe's, and a role without a model has `default`.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from personamath.errors import BadInput
from personamath.files import in_one_line, nearest, validated
from personamath.methods.method import ROLES, Outline
from personamath.methods.requests import Sampler

DEFAULT = "default"
"""The key that names the model of every role without one."""
EXAMPLE = "teacher: {default: gpt-6-luna, rewrite: {model: Qwen/Qwen2.5-72B-Instruct}}"
_KNOWN = (DEFAULT, *ROLES)
_KEYS = tuple(each.name for each in fields(Sampler))
# For these keys, none is a value; any other key without a value keeps the recipe's.
_NULLABLE = ("temperature", "max_tokens", "token_limit", "system")


def role_keys(teacher: Mapping[Any, Any], place: str) -> dict[str, dict[str, Any]]:
    """The keys of each role; a role that is only the name of a model has the key `model`.

    Raises `BadInput`, which names `place` and the key, for an unknown role or a value that is not a role.
    """
    roles = {}
    for role, value in teacher.items():
        if role not in _KNOWN:
            raise BadInput(f"{place}: teacher: unknown role {role!r}; {nearest(str(role), _KNOWN)}")
        if isinstance(value, str) and value:
            roles[role] = {"model": value}
        elif isinstance(value, Mapping) and role != DEFAULT:
            roles[role] = {str(key): of for key, of in value.items()}
        else:
            more = "; its other keys are the recipe's own" if role == DEFAULT else ", or keys and values"
            raise BadInput(
                f"{place}: teacher.{role} is {in_one_line(repr(value), 80)}; it must be the name of a model{more}"
            )
    return roles


def main_model(teacher: Mapping[Any, Any], place: str) -> str:
    """The model in `default`, else that of the first role with one; raises `BadInput` without any."""
    roles = role_keys(teacher, place)
    for role in _KNOWN:
        if model := roles.get(role, {}).get("model"):
            return str(model)
    raise BadInput(f"{place}: teacher names no model, e.g. `{EXAMPLE}`")


def read_roles(teacher: Mapping[Any, Any], recipes: Sampler, outline: Outline, place: str) -> dict[str, Sampler]:
    """The teacher of each role that the method asks, in its order; `recipes` has the recipe's own keys.

    Raises `BadInput`, which names `place` and the key, for an unknown role or key, a wrong value, a role that the
    method does not use, or a role without a model.
    """
    roles = role_keys(teacher, place)
    for role in roles:
        if role not in (DEFAULT, *outline.roles):
            asked = " and ".join(outline.roles)
            raise BadInput(f"{place}: teacher.{role}: the method {outline.method} asks only {asked}; remove this role")
    return {role: _teacher(role, roles, recipes, place) for role in outline.roles}


def of_method(teacher: Mapping[Any, Any], outline: Outline, place: str) -> dict[Any, Any]:
    """A mapping of roles that was written for another method, with only the roles that this one asks."""
    asked = {role: of for role, of in teacher.items() if role in outline.roles}
    return {DEFAULT: main_model(teacher, place)} | asked


def _teacher(role: str, roles: Mapping[str, Mapping[str, Any]], recipes: Sampler, place: str) -> Sampler:
    given = {key: value for key, value in roles.get(role, {}).items() if value is not None or key in _NULLABLE}
    model = given.get("model") or roles.get(DEFAULT, {}).get("model")
    if not model:
        raise BadInput(f"{place}: teacher.{role} has no model: give teacher.{role}.model, or teacher.{DEFAULT}")
    keys = {key: getattr(recipes, key) for key in _KEYS} | given | {"model": model}
    return validated(Sampler, keys, f"{place}: teacher.{role}")


def as_keys(teacher: Sampler, recipes: Sampler) -> dict[str, Any]:
    """The keys from which `read_roles` makes this teacher: its model, and values that differ from the recipe's."""
    values = {key: getattr(teacher, key) for key in _KEYS}
    return {key: value for key, value in values.items() if key == "model" or value != getattr(recipes, key)}
