"""Recipes as YAML: the same keys as the options, the command line wins, mistakes are named."""

import argparse
import json
import re
from pathlib import Path

import pytest
import yaml

from personamath import load_recipe
from personamath.commands import augment
from personamath.commands.augment import method_settings, read_settings
from personamath.commands.settings import Setting, settings_of
from personamath.errors import BadInput
from personamath.methods import METHODS, PersonaMath
from personamath.recipe import Recipe
from personamath.runs.setup import Setup, open_access
from tests.conftest import REPO

MINIMAL = "problems: [gsm8k, math]\nteacher: teacher-1\noutput: runs/x\n"


def merge(config: Path | None, *options: str) -> tuple[Recipe, Setup]:
    parser = argparse.ArgumentParser()
    augment.add_arguments(parser)
    parser.set_defaults(parser=parser)
    parsed = parser.parse_args([*options, *(["--config", str(config)] if config else [])])
    return read_settings(parsed)


def method(recipe: Recipe) -> PersonaMath:
    assert isinstance(recipe.method, PersonaMath)
    return recipe.method


ALL = [*settings_of(Recipe), *method_settings(), *settings_of(Setup)]
# What goes with a setting that means nothing by itself.
COMPANIONS = {
    "batch_queue_tokens": {"batch": "true"},
    "vllm_args": {"serve": "vllm"},
    "ray_address": {"engine": "ray"},
    "price_in": {"price_out": "1"},
    "share": {"until_right": "7"},
    "min_votes": {"n_solve": "7"},
}


@pytest.mark.parametrize("setting", ALL, ids=lambda setting: setting.name)
def test_every_setting_means_the_same_in_yaml_and_on_the_command_line(tmp_path: Path, setting: Setting) -> None:
    by_kind = {int: "7", float: "0.25", bool: "true", dict: "{top_p: 0.5}", str: "some"}
    by_name = {
        "budget": "rows:7",
        "header": "X-Some=1",
        "base_url": "http://some/v1",
        "prompts": "{inference: {text: 'Solve {problem}'}}",
    }
    value = setting.choices[-1] if setting.choices else by_name.get(setting.name, by_kind[setting.kind])
    of = next(
        (name for name, cls in METHODS.items() if setting.name in {one.name for one in settings_of(cls)}), "persona"
    )
    recipe = tmp_path / "recipe.yaml"
    lines = {"problems": "[gsm8k]", "teacher": "t", "output": "o", "method": of}
    lines |= {setting.name: value} | COMPANIONS.get(setting.name, {})
    recipe.write_text("".join(f"{name}: {json.dumps(text.strip('[]'))}\n" for name, text in lines.items()))
    recipe.write_text(re.sub(r'"(true|\{.*\})"', r"\1", recipe.read_text()))
    options = [part for name, text in lines.items() for part in (f"--{name.replace('_', '-')}", text.strip("[]"))]
    options = [part for part in options if part != "true"]
    assert merge(recipe) == merge(None, *options)


def test_only_a_default_that_says_something_is_shown() -> None:
    parser = argparse.ArgumentParser()
    augment.add_arguments(parser)
    help = parser.format_help()
    assert "(default 42)" in help and "(default )" not in help and "(default {})" not in help


def test_the_command_line_wins(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(MINIMAL + "k1: 3\nk2: 9\n")
    merged, _ = merge(recipe, "--k1", "7", "--problems", "math:mine.jsonl")
    assert (method(merged).k1, method(merged).k2, merged.problems) == (7, 9, ("math:mine.jsonl",))


def test_hyphens_and_empty_keys_are_understood(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(MINIMAL + "max-tokens: 100\nlimit:\n")
    merged, _ = merge(recipe)
    assert (merged.max_tokens, merged.limit) == (100, None)


def test_roles_may_be_given_on_the_command_line(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(MINIMAL)
    roles = "{default: a, rewrite: {model: b, temperature: 1, base_url: 'http://there/v1'}}"
    found, setup = merge(recipe, "--teacher", roles, "--base-url", "http://here/v1")
    assert {role: teacher.model for role, teacher in found.by_role.items()} == {
        "solve": "a",
        "rewrite": "b",
        "reflect": "a",
    }
    assert setup.teachers(found).routes_by_role["rewrite"].base_urls == ("http://there/v1",)
    assert merge(recipe, "--teacher", "b")[0].models == ("b",)


@pytest.mark.parametrize("text", ["{solve: a, rewrite: b", "{}}", "{a"])
def test_roles_that_are_no_yaml_are_a_usage_error(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        merge(None, "--problems", "gsm8k", "--teacher", text, "--output", "o")
    assert "argument --teacher: write a model's name, or roles, e.g. " in capsys.readouterr().err


BAD = [
    ("base_url: []\n", "base_url is empty"),
    ("base_url: [http://a/v1, http://A/v1/]\n", "base URL 'http://a/v1' is given twice"),
    ("request: {extra_body: {top_k: 1}}\n", "write its fields right into `request`"),
    ("temprature: 1\n", "unknown key 'temprature'; the nearest known one is 'temperature'"),
    ("learning_rate: 1\n", "unknown key 'learning_rate'; known are method, problems, teacher, "),
    ("k1: many\n", "k1 is 'many'; it must be a whole number"),
    ("k1: 5.5\n", "k1 is 5.5; it must be a whole number"),
    ("k1: [5]\n", "k1 is [5]; it must be a whole number"),
    ("temperature: warm\n", "it must be a number"),
    ("batch: perhaps\n", "batch is 'perhaps'; it must be true or false"),
    ("persona_draw: fair\n", "it must be uniform or by-occupation"),
    ("k1: 5: 6\n", "not valid YAML"),
    ("- k1\n", "expected keys and values"),
]


@pytest.mark.parametrize(("line", "message"), BAD)
def test_mistakes_are_named_with_their_file(tmp_path: Path, line: str, message: str) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text((MINIMAL if line[0] != "-" else "") + line)
    with pytest.raises(BadInput) as error:
        merge(recipe)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


IMPOSSIBLE = [
    ("--k1", "-1"),
    ("--max-tokens", "0"),
    ("--limit", "0"),
    ("--temperature", "-0.1"),
    ("--concurrency", "0"),
    ("--rpm", "0"),
    ("--tpm", "nan"),
    ("--patience", "nan"),
    ("--request", "{day: 2026-11-29}"),
    ("--request", "{top_p: .nan}"),
    ("--request", '{stop: "\\ud800"}'),
    ("--max-usd", "0"),
    ("--max-requests", "0"),
]


@pytest.mark.parametrize("flags", IMPOSSIBLE)
def test_values_that_no_run_can_mean_are_refused(flags: tuple[str, str]) -> None:
    with pytest.raises(BadInput, match="must"):
        merge(None, "--problems", "gsm8k", "--teacher", "t", "--output", "o", *flags)


PINNED = ("gsm8k@740312add88f781978c0658806c59bc2815b9866", "math@21a5633873b6a120296cce3e2df9d5550074f4a3")


@pytest.mark.parametrize("path", sorted((REPO / "recipes").glob("augment-*.yaml")), ids=lambda path: path.name)
def test_the_recipes_take_gsm8k_and_math_at_the_commits_of_the_evaluation(path: Path) -> None:
    recipe, _ = merge(path, "--output", "o")
    assert recipe.problems == PINNED
    for name, splits in {source.name: source.splits for source in recipe.sources.problems}.items():
        task = (REPO / "personamath" / "evaluation" / "tasks" / f"{name}.yaml").read_text()
        assert {f"dataset_kwargs: {{revision: {split.revision}}}" in task for split in splits} == {True}
    assert {source.splits[0].revision for source in recipe.sources.benchmarks} == {
        one.partition("@")[2] for one in PINNED
    }


def test_the_papers_recipes_are_what_they_say() -> None:
    v1, _ = merge(REPO / "recipes" / "augment-paper-v1.yaml", "--output", "o")
    assert v1 == Recipe(
        problems=PINNED,
        teacher="gpt-4o-mini-2024-07-18",
        max_tokens=2048,
        method=PersonaMath(personas="proj-persona/PersonaHub"),
    )
    v2, _ = merge(REPO / "recipes" / "augment-paper-v2.yaml", "--output", "o")
    assert (method(v2).k1, method(v2).k2, method(v2).persona_draw) == (11, 22, "by-occupation")


def test_what_v2_does_not_state_is_marked_assumed() -> None:
    text = (REPO / "recipes" / "augment-paper-v2.yaml").read_text()
    fields = {line.partition(":")[0]: line for line in text.splitlines() if line and not line.startswith("#")}
    assert set(fields) == set(yaml.safe_load(text))
    assert {name for name, line in fields.items() if "*assumed*" not in line} == {"problems"}


@pytest.mark.parametrize("path", sorted((REPO / "recipes").glob("augment-*.yaml")), ids=lambda path: path.name)
def test_every_recipe_is_read_by_the_command_and_by_the_api(path: Path) -> None:
    recipe, _ = merge(path, "--output", "o")
    assert load_recipe(path) == recipe


def test_headers_may_be_keys_and_values_and_a_wrong_value_is_not_shown() -> None:
    assert Setup.of({"output": "o", "header": {"X-Title": "mine", "api-key": "env:K"}}, "r.yaml").header == (
        "X-Title=mine",
        "api-key=env:K",
    )
    assert Setup.of({"output": "o", "header": ["X-Title=mine"]}, "r.yaml").header == ("X-Title=mine",)
    for header in (
        ["X-Title=mine", {"api-key": "a-secret"}],
        {"api-key": "a-secret"},
        [7],
        {"api-key": ["a-secret"]},
        7,
    ):
        with pytest.raises(BadInput, match="header") as refused:
            Setup.of({"output": "o", "header": header}, "r.yaml")
        assert "a-secret" not in str(refused.value)


def test_the_endpoint_of_the_environment_is_the_default_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Setup(output="o").base_url == ("https://api.openai.com/v1",)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert Setup(output="o").base_url == ("http://127.0.0.1:1/v1",)
    assert Setup.of({"output": "o", "base_url": None}, "r.yaml").base_url == ("http://127.0.0.1:1/v1",)


def test_a_line_says_which_endpoint_gets_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    setup = Setup(output="o", base_url=("http://127.0.0.1:8000/v1", "https://models.example/v1"))
    open_access(setup, Recipe(problems=("gsm8k",), teacher="teacher-1"))
    assert capsys.readouterr().err == (
        "note: no key is sent to https://models.example/v1. If one is needed, name the environment variable that holds "
        "it: --api-key-env NAME. If not: --api-key-env none\n"
    )
