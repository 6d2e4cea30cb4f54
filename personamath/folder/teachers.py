"""The teachers of a dataset, as the recipe in its provenance.json names them: one, or one for each role."""

from collections.abc import Iterable, Mapping
from typing import Any

from personamath.folder.markdown import code, table
from personamath.methods.method import Outline


def model_of(recipe: Mapping[str, Any], role: str) -> str:
    """The model of a role."""
    teacher = recipe["teacher"]
    return str(teacher[role]["model"] if isinstance(teacher, Mapping) else teacher)


def models(recipe: Mapping[str, Any]) -> list[str]:
    """The models that were asked, each once; empty if the method asks nobody."""
    teacher = recipe["teacher"]
    if teacher is None:
        return []
    return list(dict.fromkeys(model_of(recipe, role) for role in (teacher if has_roles(recipe) else ("",))))


def has_roles(recipe: Mapping[str, Any]) -> bool:
    """Whether roles have teachers of their own."""
    return isinstance(recipe["teacher"], Mapping)


def in_words(recipe: Mapping[str, Any]) -> str:
    """The teachers in one phrase, e.g. `A`, or `A (solve, reflect) and B (rewrite)`."""
    named = models(recipe)
    if len(named) == 1:
        return named[0]
    roles = {model: [role for role in recipe["teacher"] if model_of(recipe, role) == model] for model in named}
    return " and ".join(f"{model} ({', '.join(of)})" for model, of in roles.items())


def writers(recipe: Mapping[str, Any], outline: Outline, step: str) -> set[str]:
    """The models that may have been asked for a response of a step."""
    return {model_of(recipe, kind.role) for kind in outline.kinds if kind.step == step}


def key_of(recipe: Mapping[str, Any], role: str, key: str) -> Any:
    """The value that a role's teacher has for a key: its own, or else the recipe's."""
    teacher = recipe["teacher"]
    return teacher[role].get(key, recipe[key]) if isinstance(teacher, Mapping) else recipe[key]


def column_text(recipe: Mapping[str, Any]) -> str:
    """What the column `teacher` holds if roles have teachers of their own; a router may let another model answer."""
    rewriter = f" {code(model_of(recipe, 'rewrite'))} was asked for rewrites." if "rewrite" in recipe["teacher"] else ""
    return f"The model that was asked for the response.{rewriter}"


def share_table(provenance: Mapping[str, Any], outline: Outline) -> str:
    """A table of the roles: each one's teacher, how it was asked, and its share of the requests and of the tokens."""
    recipe, funnel = provenance["recipe"], provenance["funnel"]
    asked = {kind.name: sum(funnel["requests"][kind.name].values()) for kind in outline.kinds}
    tokens = {kind.name: sum(funnel["tokens"][kind.name].values()) for kind in outline.kinds}
    rows = []
    for role in recipe["teacher"]:
        kinds = [kind.name for kind in outline.kinds if kind.role == role]
        temperature = key_of(recipe, role, "temperature")
        rows.append(
            [
                role,
                code(model_of(recipe, role)),
                "its default" if temperature is None else str(temperature),
                f"{key_of(recipe, role, 'max_tokens'):,}",
                f"{sum(asked[kind] for kind in kinds):,}",
                _share(asked, kinds),
                _share(tokens, kinds),
            ]
        )
    heads = ["role", "teacher", "temperature", "token limit", "requests", "share of requests", "share of tokens"]
    return table(heads, rows, text_columns=(0, 1))


def _share(counts: Mapping[str, int], kinds: Iterable[str]) -> str:
    total = sum(counts.values())
    return f"{sum(counts[kind] for kind in kinds) / total:.0%}" if total else "not known"
