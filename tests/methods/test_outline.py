"""What a method declares of itself: in JSON and back, and refused where it cannot be one."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from personamath.errors import BadInput
from personamath.methods import METHODS, PersonaMath, in_current_words
from personamath.methods.method import Column, Config, Kind, Outline, Step

OUTLINE = PersonaMath.outline


def as_read(outline: Outline) -> Any:
    """As provenance.json gives it, whose keys are sorted."""
    return json.loads(json.dumps(outline.as_dict(), sort_keys=True))


@pytest.mark.parametrize("method", METHODS)
def test_an_outline_comes_back_from_json_in_its_order(method: str) -> None:
    outline = METHODS[method]().outline
    found = Outline.of(as_read(outline), "provenance.json")
    assert found == outline
    assert (list(found.columns), list(found.configs)) == (list(outline.columns), list(outline.configs))


@pytest.mark.parametrize("method", METHODS)
def test_a_step_has_one_name_and_its_requests_are_called_by_it(method: str) -> None:
    outline = METHODS[method]().outline
    labels = [outline.label(kind) for kind in outline.kinds]
    assert len({step.label for step in outline.steps}) == len(outline.steps) and len(set(labels)) == len(labels)
    assert all(
        label.startswith(outline.step(kind.step).label) for label, kind in zip(labels, outline.kinds, strict=True)
    )


def test_an_outline_of_an_earlier_version_gets_todays_names() -> None:
    content = as_read(OUTLINE)
    content["steps"][1]["label"], content["kinds"][1]["says"] = "1: rewrite", "Stage 1: rewrite it"
    earlier = Outline.of(content, "provenance.json")
    assert earlier.label(earlier.kinds[2]) == "1: rewrite (solve)"
    assert in_current_words(earlier) == OUTLINE and OUTLINE.label(OUTLINE.kinds[2]) == "Stage 1: rewrite (solve)"
    gone = replace(earlier, steps=(*earlier.steps, Step("stage3", "Stage 3", "what later versions do not make")))
    assert in_current_words(gone).steps == (*OUTLINE.steps, gone.steps[-1])
    unknown = replace(earlier, method="unknown")
    assert in_current_words(unknown) == unknown


def test_what_a_later_version_added_is_left_out() -> None:
    content = as_read(OUTLINE) | {"more": 1}
    for listed in ("steps", "kinds", "configs", "columns"):
        content[listed] = [each | {"more": [1]} for each in content[listed]]
    assert Outline.of(content, "provenance.json") == OUTLINE


def put(*place: str | int, value: Any) -> Callable[[Any], None]:
    """Put a value in a place of an outline."""

    def change(content: Any) -> None:
        for key in place[:-1]:
            content = content[key]
        content[place[-1]] = value

    return change


def leave_out(*place: str | int) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for key in place[:-1]:
            content = content[key]
        del content[place[-1]]

    return change


GARBAGE: list[tuple[Callable[[Any], None], str]] = [
    (leave_out("title"), "'title'"),
    (put("how", value=None), "how is missing"),
    (put("steps", value=5), "not a method's outline"),
    (put("steps", value=["stage1_inference"]), "not a method's outline"),
    (put("steps", value=[]), "at least one step"),
    (put("steps", 0, "name", value=1), r"steps\.0\.name is 1; it must be text"),
    (put("steps", 0, "name", value="../elsewhere"), r"'\.\./elsewhere' cannot name a folder"),
    (put("steps", 0, "rewrites", value="perhaps"), r"steps\.0\.rewrites is 'perhaps'; it must be true or false"),
    (put("steps", 0, "answer_from", value="nobody"), "it must be seed, derived or majority"),
    (put("steps", 0, "fixed", value={"stage": [1]}), r"steps\.0\.fixed.* is \[1\]"),
    (leave_out("steps", 0, "name"), r"steps\.0\.name is missing"),
    (leave_out("kinds", 1, "says"), r"kinds\.1\.says is missing"),
    (put("kinds", 1, "step", value="stage3"), "begin with the name of its step"),
    (put("kinds", 1, "after", value="stage2_rewrite: reflect"), "which is no kind before it"),
    (put("configs", 0, "steps", value=["stage3"]), "the config 'stage1' has steps that do not exist"),
    (put("columns", value={"stage": "number"}), "not a method's outline"),
    (put("columns", 0, "type", value="float"), "columns.stage.type is 'float'; it must be text or number"),
]


@pytest.mark.parametrize(("spoil", "message"), GARBAGE)
def test_garbage_is_refused_in_one_line_that_names_its_place(spoil: Callable[[Any], None], message: str) -> None:
    content = copy.deepcopy(as_read(OUTLINE))
    spoil(content)
    with pytest.raises(BadInput, match=message) as raised:
        Outline.of(content, "runs/v1/provenance.json: method")
    assert str(raised.value).startswith("runs/v1/provenance.json: method: ") and "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [None, [], "persona", 5, {}])
def test_what_is_no_outline_at_all_is_refused(content: object) -> None:
    with pytest.raises(BadInput, match="here: not a method's outline"):
        Outline.of(content, "here")


SOLVE = Kind("solved", "Solve it", "solved", "solve")
UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"steps": ()}, "at least one step"),
    ({"steps": (Step("so/lved", "", ""),)}, "cannot name a folder"),
    ({"kinds": (SOLVE._replace(name="other: solve"),)}, "must begin with the name of its step"),
    ({"kinds": (SOLVE._replace(after="later"),)}, "waits for 'later'"),
    (
        {"kinds": (SOLVE._replace(role="grade"),)},  # type: ignore[arg-type]
        "the kind 'solved' has the role 'grade'; it must be one of solve, rewrite, reflect",
    ),
    ({"configs": {"both": Config("", ("solved", "rewritten"))}}, "steps that do not exist"),
    ({"configs": {"both": Config("", ())}}, "the config 'both' has no steps"),
    ({"configs": {"solved": Config("", ("solved",))}}, "'solved' names two steps or configs"),
    ({"configs": {"strict": Config("", ("solved",))}}, "'strict' has a meaning in every dataset"),
    ({"configs": {"sft": Config("", ("solved",))}}, "'sft' has a meaning in every dataset"),
    ({"kinds": (SOLVE, SOLVE)}, "two kinds have the name 'solved'"),
    ({"columns": {"flag": Column("")}}, "the column 'flag' is one that every row has"),
    ({"steps": (Step("solved", "", "", fixed={"stage": 1}),)}, "the column 'stage', which is not declared"),
]


@pytest.mark.parametrize(("change", "message"), UNFIT)
def test_a_method_whose_parts_do_not_fit_together_is_refused_when_it_is_written(
    change: dict[str, Any], message: str
) -> None:
    outline = Outline("mine", "mine", "It solves.", "", (Step("solved", "solved", "solved problems"),), (SOLVE,))
    with pytest.raises(ValueError, match=f"^method 'mine': .*{message}"):
        replace(outline, **change)
