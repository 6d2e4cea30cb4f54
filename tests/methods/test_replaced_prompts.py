"""A recipe's `prompts`: what may replace a prompt of the method, what is refused, and what the requests hold then."""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from personamath.errors import BadInput
from personamath.methods import METHODS, Method
from personamath.methods.method import Kind, Outline, Step
from personamath.methods.prompts import REWRITING, Prompt
from personamath.methods.replaced_prompts import as_file
from personamath.methods.rewriting import new_question
from personamath.methods.work import Work
from personamath.recipe import Recipe
from personamath.records import Problem, Solution

PLACE = "recipe.yaml"
TEXT = "Retell for {persona}:\n{problem}"
SEED = "Amy has 12 jars of honey and buys 6 more. How many jars does she have?"


def recipe(prompts: Any, **keys: Any) -> Recipe:
    return Recipe.of({"problems": "gsm8k", "teacher": "teacher-1", "prompts": prompts} | keys, PLACE)


def asked(of: Recipe) -> str:
    return of.requests.make("stage1_rewrite: rewrite", "rewriting", problem="1 + 1?", persona="a cook").prompt


READ: list[tuple[bytes, str]] = [
    (b"Retell for {persona}:\n{problem}", TEXT),
    (b"Retell for {persona}:\n{problem}\n", TEXT),
    (b"Retell for {persona}:\n{problem}\n\n", f"{TEXT}\n"),
    (b"Retell for {persona}:\r\n{problem}\r\n", TEXT),
    (b"\xef\xbb\xbfRetell for {persona}:\n{problem}\n", TEXT),
    ("Für {persona}: {problem} ∑".encode(), "Für {persona}: {problem} ∑"),
    (b"{persona}{problem}", "{persona}{problem}"),
    (rb"{persona} boxes \boxed{}, \boxed{ } or $\frac{a}{b}^{n}, \sqrt[3]{x}, x_{n}, \{k\}$ of {problem}", ""),
    (b'{persona}: answer {problem} as {"question": "..."}, { answer }, {0}', ""),
]


@pytest.mark.parametrize(("content", "text"), READ)
def test_the_text_of_a_file_replaces_the_prompt(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "mine.txt").write_bytes(content)
    of = recipe({"rewriting": str(tmp_path / "mine.txt")})
    template = text or content.decode()
    assert of.prompts_in_use["rewriting"].template == template
    assert asked(of) == template.replace("{persona}", "a cook").replace("{problem}", "1 + 1?")
    assert of.as_dict()["prompts"] == {"rewriting": {"file": "mine.txt", "text": template}}


def test_a_key_without_a_value_keeps_the_methods_own_and_those_after_it_count() -> None:
    assert asked(recipe({"inference": None, "rewriting": {"text": TEXT}})) == "Retell for a cook:\n1 + 1?"


REFUSED: list[tuple[str, bytes, str]] = [
    ("rewriting", b"Retell {problem}", "mine.txt: has no placeholder {persona}: write it where the persona belongs"),
    ("rewriting", b"Retell for {persona}", "has no placeholder {problem}"),
    ("reflection", b"Mend {problem}", "has no placeholder {explanation}"),
    (
        "rewriting",
        b"{problem} for {Persona}",
        "{Persona} is not a placeholder of this prompt, which has {problem} and {persona}; for braces that are sent as "
        "they are, write { Persona }",
    ),
    ("inference", b"{problem} Answer: {answer}", "{answer} is not a placeholder of this prompt, which has {problem};"),
    ("inference", b"Solve {{problem}}", "has {{problem}}: write {problem}, with single braces"),
    ("inference", b"Solve {{ problem }}", "has no placeholder {problem}"),
    ("inference", b"", "mine.txt: is empty: write the prompt into it, or leave the key out"),
    ("inference", b" \r\n\t\n", "is empty"),
    ("inference", b"\xff\xfeS\x00o\x00", "is not UTF-8 text: save it as UTF-8"),
    ("inference", "Löse {problem}".encode("latin-1"), "is not UTF-8 text"),
]


@pytest.mark.parametrize(("name", "content", "line"), REFUSED)
def test_a_file_that_cannot_replace_the_prompt_is_refused(tmp_path: Path, name: str, content: bytes, line: str) -> None:
    (tmp_path / "mine.txt").write_bytes(content)
    with pytest.raises(BadInput) as raised:
        recipe({name: str(tmp_path / "mine.txt")})
    said = str(raised.value)
    assert line in said and said.startswith(f"recipe.yaml: prompts.{name}: {tmp_path}/mine.txt: ") and "\n" not in said


WRONG: list[tuple[Any, dict[str, str], str]] = [
    ({"rewrite": "mine.txt"}, {}, "prompts: unknown prompt 'rewrite'; the nearest known one is 'rewriting'"),
    ({"rewriting": "mine.txt"}, {"method": "rejection"}, "unknown prompt 'rewriting'; known are inference"),
    (
        {"inference": "gone.txt"},
        {},
        "prompts.inference: gone.txt: No such file or directory; give a path from the work",
    ),
    ({"inference": "."}, {}, "prompts.inference: .: Is a directory; give a path from the working directory"),
    ({"inference": "Solve: {problem} " * 999}, {}, r"File name too long; .*`{text: 'Rewrite: {problem}'}`"),
    ({"inference": "Solve\0{problem}"}, {}, "null (byte|character)"),
    ({"inference": 7}, {}, "prompts.inference is 7; it must be the path of a file, or a mapping with the key `text`"),
    ({"inference": {"file": "mine.txt"}}, {}, "prompts.inference is {'file': 'mine.txt'}; it must be the path"),
    ({"inference": {"text": "{problem}", "txt": ""}}, {}, "it must be the path of a file, or a mapping with the key"),
    ({"inference": {"text": "\ud800 {problem}"}}, {}, "prompts.inference: holds half of a surrogate pair"),
    (["mine.txt"], {}, r"prompts is \['mine.txt'\]; it must be names of prompts with their files, e.g. `prompts: {re"),
    ("mine.txt", {}, "prompts is 'mine.txt'; it must be names of prompts"),
]


@pytest.mark.parametrize(("prompts", "keys", "line"), WRONG)
def test_what_names_no_prompt_or_no_file_is_refused(prompts: Any, keys: dict[str, str], line: str) -> None:
    with pytest.raises(BadInput, match=line) as raised:
        recipe(prompts, **keys)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("method", METHODS)
def test_a_prompt_that_is_written_and_given_back_changes_nothing(tmp_path: Path, method: str) -> None:
    without = recipe(None, method=method)
    for name, prompt in without.prompts_in_use.items():
        (tmp_path / name).write_text(as_file(prompt))
        assert recipe({name: str(tmp_path / name)}, method=method) == without
    assert "prompts" not in without.as_dict()


def test_a_recipe_that_was_written_down_needs_no_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(TEXT)
    of = recipe({"rewriting": path, "inference": None})
    path.unlink()
    written = json.loads(json.dumps(of.as_dict()))
    assert written["prompts"] == {"rewriting": {"file": "mine.txt", "text": TEXT}}
    assert Recipe.of(written, PLACE).prompts == of.prompts and Recipe.of(of.settings(), PLACE) == of
    assert asked(pickle.loads(pickle.dumps(of))) == asked(of) == asked(recipe({"rewriting": {"text": TEXT}}))


def test_only_the_requests_of_a_replaced_prompt_change() -> None:
    before, after = recipe(None).requests, recipe({"rewriting": {"text": TEXT}}).requests
    assert before.solve("stage1_inference", "1 + 1?").digest == after.solve("stage1_inference", "1 + 1?").digest
    one, other = (of.make("stage1_rewrite: rewrite", "rewriting", problem="1?", persona="b") for of in (before, after))
    assert one.digest != other.digest and one.prompt == REWRITING.fill(problem="1?", persona="b")


@dataclass(frozen=True, kw_only=True)
class Evolving(Method):
    """A method of a user's own, with a prompt of its own."""

    prompts: ClassVar = {"evolve": Prompt("Make it {harder}, in at most {words} words: {problem}")}
    outline: ClassVar = Outline(
        method="evolving",
        title="harder problems",
        how="",
        cite="",
        steps=(Step("evolved", "evolved", "harder problems"),),
        kinds=(Kind("evolved", "Evolve", "evolved", "rewrite"),),
    )

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        return []


def test_a_method_with_placeholders_of_its_own_is_served_like_the_others() -> None:
    of = recipe({"evolve": {"text": r"{problem} {harder} {words} \boxed{x}"}}, method=Evolving())
    request = of.requests.make("evolved", "evolve", problem="1?", harder="deeper", words="9")
    assert request.prompt == r"1? deeper 9 \boxed{x}"
    assert Recipe.of(of.settings(), PLACE) == of
    with pytest.raises(BadInput, match=r"has no placeholder \{words\}"):
        recipe({"evolve": {"text": "{problem} {harder}"}}, method=Evolving())


PLAIN_REPLIES = [
    "A beekeeper has 12 jars of honey and buys 6 more. How many jars does the beekeeper have?",
    "Beekeeping is hard work.\n\nYou have 12 jars of honey and buy 6 more. How many jars do you have?",
    "I keep bees. I have 12 jars, and I buy 6 more: how many is that?\n",
]


@pytest.mark.parametrize("reply", PLAIN_REPLIES)
def test_a_reply_without_any_heading_is_the_new_question(reply: str) -> None:
    assert new_question(reply, SEED, "18") == reply.strip()
