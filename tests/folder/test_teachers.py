"""How a card names the teachers of a dataset: one, none, or one for each role."""

from typing import Any

import pytest

from personamath.folder.provenance import is_changed
from personamath.folder.teachers import column_text, has_roles, in_words, key_of, models, share_table, writers
from personamath.methods import PersonaMath

OUTLINE = PersonaMath().outline
ROLES = {
    "solve": {"model": "small", "temperature": None},
    "rewrite": {"model": "big", "max_tokens": 4096},
    "reflect": {"model": "small"},
}


def recipe(teacher: Any) -> dict[str, Any]:
    return {"teacher": teacher, "temperature": 0.7, "max_tokens": 2048}


NAMED = [
    ("small", ["small"], "small"),
    (ROLES, ["small", "big"], "small (solve, reflect) and big (rewrite)"),
    ({"solve": {"model": "small"}, "rewrite": {"model": "small"}}, ["small"], "small"),
]


@pytest.mark.parametrize(("teacher", "named", "words"), NAMED)
def test_each_model_is_named_once_with_its_roles(teacher: Any, named: list[str], words: str) -> None:
    assert models(recipe(teacher)) == named and in_words(recipe(teacher)) == words
    assert has_roles(recipe(teacher)) == isinstance(teacher, dict)


def test_a_dataset_that_nobody_was_asked_for_has_no_teacher() -> None:
    assert models(recipe(None)) == [] and not has_roles(recipe(None))


def test_a_role_has_its_own_keys_or_the_recipes() -> None:
    keys = [(role, key) for role in ROLES for key in ("temperature", "max_tokens")]
    assert [key_of(recipe(ROLES), *each) for each in keys] == [None, 2048, 0.7, 4096, 0.7, 2048]
    assert key_of(recipe("small"), "solve", "temperature") == 0.7
    assert writers(recipe(ROLES), OUTLINE, "stage1_rewrite") == {"big", "small"}
    assert writers(recipe(ROLES), OUTLINE, "stage1_inference") == {"small"}
    assert column_text(recipe(ROLES)).endswith("`big` was asked for rewrites.")
    assert column_text(recipe({"solve": {"model": "small"}})) == "The model that was asked for the response."


def test_the_shares_of_the_roles_are_those_of_their_kinds_of_requests() -> None:
    asked = {kind.name: 0 for kind in OUTLINE.kinds} | {"stage1_inference": 6, "stage1_rewrite: rewrite": 2}
    funnel = {
        "requests": {kind: {"kept": count} for kind, count in asked.items()},
        "tokens": {kind: {"prompt": 0, "completion": 0} for kind in asked},
    }
    lines = share_table({"recipe": recipe(ROLES), "funnel": funnel}, OUTLINE).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert cells == [
        ["solve", "`small`", "its default", "2,048", "6", "75%", "not known"],
        ["rewrite", "`big`", "0.7", "4,096", "2", "25%", "not known"],
        ["reflect", "`small`", "0.7", "2,048", "0", "0%", "not known"],
    ]


CHANGED = [
    ({"sha256": "a"}, {"sha256": "a"}, False),
    ({"sha256": "a"}, {"sha256": "b"}, True),
    ({"sha256": "a"}, {}, True),
    ({"hub": [{"commit": "a"}]}, {"hub": [{"commit": "a"}]}, False),
    ({"hub": [{"commit": "a"}, {"commit": "b"}]}, {"hub": [{"commit": "a"}, {"commit": "c"}]}, True),
    ({"hub": [{"commit": None}]}, {"hub": [{"commit": "a"}]}, False),  # an earlier version did not record it
    ({}, {"hub": [{"commit": "a"}]}, False),
]


@pytest.mark.parametrize(("recorded", "found", "changed"), CHANGED)
def test_a_source_is_another_if_its_digest_or_a_commit_is(
    recorded: dict[str, Any], found: dict[str, Any], changed: bool
) -> None:
    assert is_changed(recorded, found) == changed
