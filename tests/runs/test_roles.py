"""Roles from a recipe to its rows: endpoints, prices, the plan's money, and a whole run with three teachers."""

import hashlib
import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import personamath
from personamath.commands.cli import main
from personamath.errors import BadInput, PersonaMathWarning
from personamath.folder.checks import check_folder
from personamath.folder.reading import read_rows
from personamath.methods.method import Usage
from personamath.recipe import Recipe
from personamath.report.analysis.costs import costs
from personamath.report.analysis.result import Analysis
from personamath.report.analysis.rows import read_run
from personamath.runs.opinions import BlindSolves
from personamath.runs.plan import usd
from personamath.runs.roles import split_roles
from personamath.runs.run_file import read_recipe
from personamath.runs.setup import Setup, connections_allowed, limits_for, open_access, open_teacher, slots_of
from personamath.teachers.prices import Price
from personamath.teachers.routed import Route, RoutedTeacher, connections
from personamath.teachers.simulated import bundled_problems
from tests.conftest import ScriptedTeacher, scripted_teacher

PLACE = "recipe.yaml"
HERE, THERE = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"


def read(teacher: Any, **keys: Any) -> tuple[Recipe, Setup]:
    """What a recipe with these keys asks, and where."""
    of_setup = {
        name: keys.pop(name)
        for name in ("base_url", "api_key_env", "header", "max_usd", "batch", "serve", "timeout", "hedge")
        if name in keys
    }
    settings, by_role = split_roles({"problems": "gsm8k", "teacher": teacher} | keys, PLACE)
    prices = {name: settings.pop(name) for name in ("price_in", "price_out") if name in settings}
    return Recipe.of(settings, PLACE), Setup(output="run", by_role=by_role, **of_setup, **prices)


def asked(recipe: Recipe, setup: Setup) -> dict[str, tuple[str, ...]]:
    return {role: (route.model, *route.base_urls) for role, route in setup.teachers(recipe).routes_by_role.items()}


PLACES = [
    (
        {"default": "a", "rewrite": {"model": "b", "base_url": THERE}},
        {"solve": ("a", HERE), "rewrite": ("b", THERE), "reflect": ("a", HERE)},
    ),
    (
        {"default": "a", "rewrite": "b"},
        {"solve": ("a", HERE), "rewrite": ("b", HERE), "reflect": ("a", HERE)},
    ),
    (
        {"default": "a", "solve": {"base_url": [HERE, THERE]}},
        {"solve": ("a", HERE, THERE), "rewrite": ("a", HERE), "reflect": ("a", HERE)},
    ),
]


@pytest.mark.parametrize(("teacher", "places"), PLACES, ids=str)
def test_a_role_is_asked_at_its_endpoints_or_else_at_the_recipes(teacher: Any, places: Any) -> None:
    assert asked(*read(teacher, base_url=(HERE,))) == places


def test_endpoints_and_prices_decide_no_rows() -> None:
    with_them, _ = read({"default": "a", "rewrite": {"model": "b", "base_url": THERE, "price_in": 1, "price_out": 2}})
    without, _ = read({"default": "a", "rewrite": "b"})
    assert with_them == without and "base_url" not in json.dumps(with_them.as_dict())


KEYS = [
    ({"default": "a", "rewrite": {"base_url": THERE, "api_key_env": "THEIRS"}}, {HERE: "our-key", THERE: "their-key"}),
    ({"default": "a", "rewrite": {"base_url": THERE}}, {HERE: "our-key", THERE: None}),
    ({"default": "a", "rewrite": {"base_url": HERE}}, {HERE: "our-key"}),
    ({role: {"model": "a", "base_url": THERE} for role in ("solve", "rewrite", "reflect")}, {THERE: None}),
]


@pytest.mark.parametrize(("teacher", "keys"), KEYS, ids=str)
def test_keys_and_headers_go_where_they_belong(
    teacher: Any, keys: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "our-key")
    monkeypatch.setenv("THEIRS", "their-key")
    recipe, setup = read(teacher, base_url=(HERE,), api_key_env=("OURS",), header=("X-Team=ours",))
    access = open_access(setup, recipe)
    assert {url: one.key for url, one in access.items()} == keys
    assert all(one.own == ({"X-Team": "ours"} if url == HERE else {}) for url, one in access.items())


def test_an_endpoint_has_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEIRS", "their-key")
    recipe, setup = read({"default": "a", "rewrite": {"base_url": HERE, "api_key_env": "THEIRS"}}, base_url=(HERE,))
    with pytest.raises(BadInput, match=f"^{HERE} has two keys: give every role that asks it the same api_key_env"):
        open_access(setup, recipe)


PRICES = [
    ({"default": "a", "rewrite": {"model": "b", "price_in": 1, "price_out": 2}}, {}, {"a": None, "b": (1, 2)}),
    ({"default": "a", "rewrite": {"model": "b", "price_in": 1, "price_out": 2}}, (3, 4), {"a": (3, 4), "b": (1, 2)}),
    ({"default": "a", "rewrite": "b"}, (3, 4), {"a": (3, 4), "b": None}),
    ({"default": "a", "rewrite": {"temperature": 1}}, (3, 4), {"a": (3, 4)}),
    (
        {"default": "gpt-4o-mini", "rewrite": {"model": "b", "price_in": 0, "price_out": 0}},
        {},
        {"gpt-4o-mini": (0.15, 0.6)},
    ),
    (
        {role: {"model": role, "price_in": 0, "price_out": 9} for role in ("solve", "rewrite", "reflect")},
        {},
        dict.fromkeys(("solve", "rewrite", "reflect"), (0, 9)),
    ),
]


@pytest.mark.parametrize(("teacher", "own", "prices"), PRICES, ids=str)
def test_each_model_has_its_price(teacher: Any, own: Any, prices: Any) -> None:
    given = {"price_in": own[0], "price_out": own[1]} if own else {}
    recipe, setup = read(teacher, base_url=(HERE,), **given)
    found = setup.prices(recipe)
    for model, expected in prices.items():
        price = found.of(model)
        assert (price and (price.prompt, price.completion)) == expected


def test_a_kind_of_request_costs_what_its_teacher_does() -> None:
    usage = {"solve": Usage(10, 1_000_000, 2_000_000), "rewrite": Usage(10, 3_000_000, 1_000_000)}
    assert usd(usage, {"solve": Price(1, 10), "rewrite": Price(0, 0.5)}) == 21.5
    assert usd(usage, {"solve": Price(1, 10), "rewrite": None}) is None


REFUSED = [
    (
        {"default": "a", "rewrite": {"bse_url": HERE}},
        {},
        r"teacher\.rewrite: unknown key 'bse_url'; the nearest .*'base_url'",
    ),
    ({"default": "a", "rewrite": {"price_in": 1}}, {}, r"teacher\.rewrite: price_in and price_out go together"),
    (
        {"default": "a", "solve": {"price_in": -1, "price_out": 1}},
        {},
        r"teacher\.solve: price_in and price_out must be 0 or",
    ),
    (
        {"default": "a", "solve": {"price_in": "x", "price_out": 1}},
        {},
        r"teacher\.solve: price_in is 'x'; it must be a number",
    ),
    (
        {"solve": "a", "rewrite": "b", "reflect": "a"},
        {"price_in": 1, "price_out": 1},
        "price_in and price_out would be the default teacher's",
    ),
]


@pytest.mark.parametrize(("teacher", "keys", "message"), REFUSED, ids=str)
def test_what_cannot_be_meant_is_refused_in_one_line_that_names_the_key(
    teacher: Any, keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=rf"^recipe\.yaml: {message}") as error:
        read(teacher, **keys)
    assert "\n" not in str(error.value)


def test_one_model_has_one_price() -> None:
    two = {"price_in": 1, "price_out": 2}
    recipe, setup = read({"default": "a", "solve": two, "rewrite": two | {"price_out": 3}, "reflect": two})
    with pytest.raises(BadInput, match="a has two prices: give every role that asks it the same price_in"):
        setup.prices(recipe)


def test_a_limit_on_the_cost_needs_the_price_of_every_teacher() -> None:
    recipe, setup = read({"default": "gpt-4o-mini", "rewrite": "b"}, max_usd=5)
    with pytest.raises(BadInput, match=r"^no price known for b: give price_in and price_out in teacher\.rewrite of"):
        setup.prices(recipe)


IMPOSSIBLE = [
    (
        {"default": "a", "rewrite": {"base_url": THERE}},
        {"batch": True},
        f"^--batch works with one endpoint, and the roles name {HERE} and {THERE}: give every role the same one$",
    ),
    (
        {"default": "a", "rewrite": "b"},
        {"serve": "vllm"},
        "^--serve vllm runs one model, and the roles name a and b",
    ),
    (
        {"default": "a", "rewrite": {"base_url": THERE}},
        {"serve": "vllm"},
        r"^--serve vllm asks no endpoint: take base_url out of teacher\.rewrite$",
    ),
]


@pytest.mark.parametrize(("teacher", "keys", "message"), IMPOSSIBLE, ids=str)
def test_what_takes_one_endpoint_or_one_model_says_so(teacher: Any, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        open_teacher(*read(teacher, base_url=(HERE,), **keys))


def test_every_role_is_looked_up_among_the_models_that_are_switched_off() -> None:
    recipe, setup = read(
        {"default": "a", "rewrite": {"model": "gpt-4o", "base_url": "https://api.openai.com/v1"}}, base_url=(HERE,)
    )
    with pytest.warns(PersonaMathWarning, match="gpt-4o on 14 January 2027"):
        setup.warn(recipe)


TIMEOUTS = [
    ({"default": "a", "rewrite": "b"}, {}, 120),
    ({"default": "a", "reflect": "deepseek-r1"}, {}, 480),
    ({"default": "a", "reflect": {"request": {"reasoning_effort": "high"}}}, {}, 480),
    ({"default": "a", "reflect": "deepseek-r1"}, {"timeout": 30.0}, 30),
]


@pytest.mark.parametrize(("teacher", "keys", "seconds"), TIMEOUTS, ids=str)
def test_a_try_has_the_time_that_the_slowest_role_needs(teacher: Any, keys: Any, seconds: float) -> None:
    recipe, setup = read(teacher, base_url=(HERE,), **keys)
    assert setup.patience_with(recipe).timeout_s == seconds


FREE, BILLED = {"price_in": 0, "price_out": 0}, {"price_in": 1, "price_out": 2}
HEDGED = [
    ({"default": "a", "rewrite": {"model": "b", "base_url": THERE}}, {}, True),
    ({"default": "a", "rewrite": {"model": "b"} | FREE}, {}, True),
    ({"default": "a", "rewrite": {"model": "b"} | BILLED}, {}, False),
    ({"default": "a", "rewrite": {"model": "b"} | BILLED}, {"hedge": True}, True),
    ({"default": "a", "rewrite": {"model": "b", "base_url": "https://models.example/v1"} | FREE}, {}, True),
]


@pytest.mark.parametrize(("teacher", "keys", "hedges"), HEDGED, ids=str)
def test_a_second_try_must_cost_nothing_in_any_role(teacher: Any, keys: Any, hedges: bool) -> None:
    recipe, setup = read(teacher, base_url=(HERE,), **keys)
    assert setup.hedges(recipe) is hedges


def test_requests_in_flight_are_found_out_for_each_model_at_each_endpoint() -> None:
    recipe, setup = read({"default": "a", "rewrite": "b", "reflect": {"base_url": THERE}}, base_url=(HERE,))
    teacher = open_teacher(recipe, setup, {f"b at {HERE}": 40})
    assert isinstance(teacher, RoutedTeacher)
    assert teacher.reached == {f"a at {HERE}": 1, f"b at {HERE}": 40, f"a at {THERE}": 1}
    assert slots_of(setup, teacher) is teacher.slots and slots_of(replace(setup, concurrency=7), teacher) == 7


def test_all_models_together_keep_to_the_connections_that_the_system_allows() -> None:
    allowed = connections_allowed()
    (limit,) = limits_for((HERE,), 60.0, {HERE: allowed}, max(1, allowed // 10))
    assert 10 <= limit.allowed <= 11
    assert connections({"x": Route("a", (HERE,)), "y": Route("b", (HERE, THERE)), "z": Route("a", (HERE,))}) == 3


def test_a_second_opinion_on_an_own_methods_rows_asks_the_teacher_that_solves(tmp_path: Path) -> None:
    recipe, _ = read({"default": "a", "rewrite": "b", "solve": "c"})
    (tmp_path / "run.json").write_text(json.dumps({"recipe": recipe.as_dict() | {"method": "mine", "k9": 1}}))
    assert read_recipe(tmp_path, BlindSolves(times=1)).models == ("c",)


def test_the_plan_says_which_teacher_reasons_and_prices_each_role_as_it_is_sent(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    teacher = {"default": "gpt-6-luna", "rewrite": {"model": "gpt-4o-mini"}, "reflect": {"model": "gpt-6-luna"}}
    flex = teacher | {"reflect": {"request": {"service_tier": "flex"}}}
    money = []
    for roles in (teacher, flex):
        (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"problems": PROBLEMS, "teacher": roles}))
        assert main(["plan", "--config", str(tmp_path / "recipe.yaml"), "--base-url", "https://api.openai.com/v1"]) == 0
        lines = capsys.readouterr().out.splitlines()
        (reasoning,) = (line for line in lines if line.startswith("reasoning"))
        assert reasoning.startswith("reasoning  gpt-6-luna (solve, reflect): its tokens are billed")
        money.append({re.split(" {2,}", line)[0]: line.split()[-2] for line in lines if line.startswith("Stage")})
    direct, in_flex = money
    assert {kind for kind in direct if direct[kind] != in_flex[kind]} == {
        "Stage 2: reflection",
        "Stage 2: rewrite (reflect)",
    }
    assert float(in_flex["Stage 2: reflection"]) < float(direct["Stage 2: reflection"])


# A whole run with a teacher for each role.

SOLVER, REWRITER, REFLECTOR = (f"simulated-{role}" for role in ("solver", "rewriter", "reflector"))
MODELS = {"solve": SOLVER, "rewrite": REWRITER, "reflect": REFLECTOR}
PROBLEMS = bundled_problems()


class Made(NamedTuple):
    """A finished run and its teachers, which still answer."""

    config: Path
    output: Path
    teachers: dict[str, ScriptedTeacher]

    def command(self, *flags: str, name: str = "augment") -> int:
        return main([name, "--config", str(self.config), "--output", str(self.output), *flags])

    @property
    def asked(self) -> dict[str, int]:
        return {role: teacher.stats().get("requests", 0) for role, teacher in self.teachers.items()}

    @property
    def run_file(self) -> dict[str, Any]:
        return dict(json.loads((self.output / "run.json").read_text()))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("roles")
    problems = [flag for source in PROBLEMS for flag in ("--problems", source)]
    with (
        scripted_teacher(*problems, "--model", SOLVER) as solver,
        scripted_teacher(*problems, "--model", REWRITER) as rewriter,
        scripted_teacher(*problems, "--model", REFLECTOR) as reflector,
    ):
        teachers = {"solve": solver, "rewrite": rewriter, "reflect": reflector}
        recipe = {
            "problems": PROBLEMS,
            "k1": 2,
            "k2": 3,
            "base_url": solver.base_url,
            "price_in": 1,
            "price_out": 10,
            "teacher": {
                "default": SOLVER,
                "rewrite": {
                    "model": REWRITER,
                    "base_url": rewriter.base_url,
                    "temperature": 1.0,
                    "price_in": 0,
                    "price_out": 1,
                },
                "reflect": {"model": REFLECTOR, "base_url": reflector.base_url, "price_in": 2, "price_out": 20},
            },
        }
        (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
        one = Made(folder / "recipe.yaml", folder / "run", teachers)
        assert one.command() == 0
        yield one


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def role_of(purpose: str) -> str:
    if "reflect" in purpose:
        return "reflect"
    return "rewrite" if purpose.endswith(": rewrite") else "solve"


def test_every_request_is_journaled_as_its_teacher_was_asked(made: Made) -> None:
    with closing(sqlite3.connect(made.output / "journal.sqlite")) as journal:
        found = [
            (json.loads(request), purpose)
            for request, purpose in journal.execute("select request, purpose from answers")
        ]
    assert {role_of(purpose) for _, purpose in found} == set(MODELS)
    for request, purpose in found:
        assert request["model"] == MODELS[role_of(purpose)]
        assert request["temperature"] == (1.0 if role_of(purpose) == "rewrite" else 0.7)
    assert Counter(role_of(purpose) for _, purpose in found) == made.asked


def test_a_row_names_the_model_that_wrote_its_response(made: Made) -> None:
    rows = read_rows(made.output / "dataset")
    writers = {row.step: set[str | None]() for row in rows}
    for row in rows:
        writers[row.step].add(row.teacher)
    assert writers == {
        "stage1_inference": {SOLVER},
        "stage1_rewrite": {SOLVER},
        "stage2_reflection": {REFLECTOR},
        "stage2_rewrite": {REFLECTOR},
    }


def test_run_json_names_every_teacher_its_endpoint_and_its_share(made: Made) -> None:
    found = made.run_file
    assert found["recipe"]["teacher"] == {
        "solve": {"model": SOLVER},
        "rewrite": {"model": REWRITER, "temperature": 1.0},
        "reflect": {"model": REFLECTOR},
    }
    urls = {role: teacher.base_url for role, teacher in made.teachers.items()}
    assert found["teachers"] == {role: {"model": MODELS[role], "endpoints": [urls[role]]} for role in MODELS}
    assert found["endpoints"] == list(urls.values()) and found["simulated"]
    prices = {SOLVER: (1, 10), REWRITER: (0, 1), REFLECTOR: (2, 20)}
    by_model = found["paid"]["by_model"]
    for role, model in MODELS.items():
        paid, (prompt, completion) = by_model[model], prices[model]
        assert paid["answers"] == made.asked[role]
        assert paid["usd"] == pytest.approx(
            (paid["prompt_tokens"] * prompt + paid["completion_tokens"] * completion) / 1e6
        )
    assert found["paid"]["usd"] == pytest.approx(sum(paid["usd"] for paid in by_model.values()))


def test_the_card_names_every_teacher_its_share_and_its_terms(made: Made) -> None:
    card = (made.output / "dataset" / "README.md").read_text()
    (rewrites,) = [line for line in card.splitlines() if line.startswith("| rewrite ")]
    cells = [cell.strip() for cell in rewrites.split("|")[1:-1]]
    share = made.asked["rewrite"] / sum(made.asked.values())
    assert cells[:6] == ["rewrite", f"`{REWRITER}`", "1.0", "2,048", str(made.asked["rewrite"]), f"{share:.0%}"]
    for model in MODELS.values():
        assert f"| completions by `{model}` | [Apache License 2.0]" in card  # it is simulated
    assert f"| `teacher` | The model that was asked for the response. `{REWRITER}` was asked for rewrites. |" in card


def test_the_folder_passes_its_checks_and_a_teacher_that_nobody_named_does_not(made: Made, tmp_path: Path) -> None:
    folder = made.output / "dataset"
    assert check_folder(folder, allow_simulated=True)
    copy = shutil.copytree(folder, tmp_path / "dataset")
    facts = json.loads((copy / "provenance.json").read_text())
    facts["recipe"]["teacher"]["solve"]["model"] = "simulated-other"
    (copy / "provenance.json").write_text(json.dumps(facts))
    with pytest.raises(BadInput, match=f"its teacher is {SOLVER}, but provenance.json names simulated-"):
        check_folder(copy, allow_simulated=True)


@pytest.mark.slow
def test_the_report_reckons_each_teachers_tokens_at_its_price(made: Made) -> None:
    data = read_run(made.output / "dataset", "roles", made.output)
    found = costs(data)
    assert isinstance(found, Analysis)
    spent = {str(row[0]): row[5] for row in found.table.rows}
    assert spent["all"] == pytest.approx(made.run_file["paid"]["usd"], abs=1e-6)
    assert all(f"Prices of {model}: " in found.note for model in MODELS.values())
    assert main(["report", str(made.output), "--output", str(made.output / "report")]) == 0
    assert f"{SOLVER} (solve) and {REWRITER} (rewrite) and {REFLECTOR} (reflect)" in "".join(
        path.read_text() for path in (made.output / "report").rglob("*.html")
    )


def test_the_same_command_asks_nothing_and_makes_the_same_bytes(made: Made) -> None:
    before, bytes_before = made.asked, digests(made.output / "dataset")
    assert made.command() == 0
    assert made.asked == before and digests(made.output / "dataset") == bytes_before
    shutil.rmtree(made.output / "dataset")
    assert made.command("--concurrency", "3") == 0
    assert made.asked == before and digests(made.output / "dataset") == bytes_before


def test_python_asks_the_same_by_the_recipes_file_and_by_a_mapping(made: Made) -> None:
    before = made.asked
    by_file = personamath.augment(recipe=made.config, output=made.output)
    keys = yaml.safe_load(made.config.read_text())
    by_mapping = personamath.augment(output=made.output, **keys)
    assert made.asked == before and by_file.to_list() == by_mapping.to_list()
    assert set(by_file["teacher"]) == {SOLVER, REFLECTOR}


def test_other_teachers_are_another_recipe(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert made.command("--teacher", SOLVER) == 1
    assert "contains the dataset of another recipe (teacher was {" in capsys.readouterr().err


def test_the_plan_prices_each_kind_by_its_teacher(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert made.command("--pilot", "48", name="plan") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("price ")] == [
        f"price      {SOLVER} (solve): 1 / 10 USD per million tokens (price_in, price_out)",
        f"price      {REWRITER} (rewrite): 0 / 1 USD per million tokens (price_in, price_out)",
        f"price      {REFLECTOR} (reflect): 2 / 20 USD per million tokens (price_in, price_out)",
    ]
    money = {
        re.split(" {2,}", line)[0]: float(line.split()[-2]) for line in lines if line.startswith(("Stage", "all "))
    }
    by_purpose = made.run_file["paid"]["by_purpose"]
    assert money["Stage 1: rewrite (rewrite)"] == pytest.approx(by_purpose["stage1_rewrite: rewrite"]["usd"], abs=0.01)
    assert money["all"] == pytest.approx(sum(cost for kind, cost in money.items() if kind != "all"), abs=0.04)


def test_a_second_opinion_asks_the_teacher_that_solves(made: Made) -> None:
    before = made.asked
    arguments = ["opinion", str(made.output), "--all", "--solves", "1", "--base-url", made.teachers["solve"].base_url]
    assert main(arguments) == 0
    rewrites = sum(row.step.endswith("rewrite") for row in read_rows(made.output / "dataset"))
    assert made.asked == before | {"solve": before["solve"] + rewrites}


def test_a_limit_on_the_cost_counts_every_teachers_answers(made: Made, tmp_path: Path) -> None:
    limited = made._replace(output=tmp_path / "run")
    assert limited.command("--max-usd", "0.06", "--concurrency", "2") == 3
    paid = limited.run_file["paid"]
    assert 0.05 < paid["usd"] < 0.065 and {SOLVER, REWRITER} <= set(paid["by_model"])
