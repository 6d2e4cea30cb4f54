"""Prices and bills: what is listed, what is given, what an answer costs once, and where a run ends at a cap."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath.journal.store import Journal
from personamath.recipe import Recipe
from personamath.records import AnsweredBy, Completion, Request
from personamath.runs.setup import Setup
from personamath.teachers.prices import Bill, Caps, Paid, Price, Prices, find_price
from personamath.teachers.rates import Rates
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.commands.test_augment import FEW
from tests.conftest import ScriptedTeacher

Start = Callable[..., ScriptedTeacher]
PROBLEMS = [flag for source in bundled_problems() for flag in ("--problems", source)]
PRICE = ("--price-in", "10000", "--price-out", "20000")  # so that a few answers are many dollars, and all whole cents


# Model, address, whether it has a price there, and whether the list knows what a batch costs.
LISTED = [
    ("gpt-4o-mini-2024-07-18", None, True, True),
    ("gpt-4o-mini", "https://api.openai.com/v1", True, True),
    ("gpt-6-luna", "https://api.openai.com/v1", True, True),
    ("gpt-4.1", "http://127.0.0.1:4000/v1", True, True),  # a proxy in front of OpenAI
    ("deepseek-chat", "https://api.deepseek.com/v1", True, False),
    ("openai/gpt-4o-mini", "https://openrouter.ai/api/v1", True, None),
    ("my-own-7b", "http://127.0.0.1:8000/v1", False, False),
    ("qwen2.5:7b", "http://127.0.0.1:11434/v1", False, False),
    ("Qwen/Qwen2.5-72B-Instruct", None, False, False),
    ("gpt-4o-mini-but-mine", None, False, False),
    ("llama-3.1-8b-instant", "http://127.0.0.1:8000/v1", False, False),  # a reseller's name
    ("simulated-teacher", "https://api.openai.com/v1", False, False),
]


@pytest.mark.parametrize(("model", "base_url", "has_price", "has_batch"), LISTED)
def test_models_are_priced_by_their_provider_or_by_their_exact_name(
    model: str, base_url: str | None, has_price: bool, has_batch: bool | None
) -> None:
    price = find_price(model, base_url=base_url)
    assert (price is not None) == has_price
    if price:
        assert 0 < price.prompt < price.completion and price.source.startswith("https://") and price.date
        assert has_batch is None or ("batch" in price.tiers) == has_batch


def test_the_papers_teacher_costs_what_its_list_price_says() -> None:
    price = find_price("gpt-4o-mini-2024-07-18")
    assert price and price.rates() == pytest.approx((0.15, 0.60, 0.075))
    assert price.usd(1_000_000, 0) == pytest.approx(0.15) and price.usd(0, 1_000_000) == pytest.approx(0.60)
    assert price.rates("batch")[:2] == pytest.approx((0.075, 0.30))


def test_a_model_that_is_not_listed_has_no_price_until_it_is_given_one() -> None:
    assert find_price("my-own-7b") is None
    assert find_price("my-own-7b", 0.0, 0.0) == Price(0.0, 0.0)
    given = find_price("gpt-4o-mini", 1.0, 2.0)
    assert given and (given.prompt, given.completion, given.date) == (1.0, 2.0, None)
    assert given.cached == pytest.approx(0.5) and given.rates("batch")[:2] == pytest.approx((0.5, 1.0))


@pytest.mark.parametrize("prices", [(1.0, None), (None, 1.0), (-1.0, 1.0), (float("nan"), 1.0), (float("inf"), 1.0)])
def test_a_price_that_cannot_be_is_refused(prices: tuple[float | None, float | None]) -> None:
    with pytest.raises(BadInput, match="--price-in and --price-out"):
        find_price("gpt-4o-mini", *prices)


def test_a_bill_goes_on_from_what_the_journal_holds() -> None:
    bill = Bill.so_far(Prices("mine", Price(1.0, 10.0)), [Paid("mine", "stage1_inference", 3, 1_000_000, 100_000, 1)])
    assert (bill.usd, bill.answers, bill.uncounted) == (2.0, 3, 1)
    bill.add(Paid.of("mine", "stage2_reflection", Completion("text", "stop", 500_000, 50_000)))
    bill.add(Paid.of("mine", "stage2_reflection", Completion("text", "stop")))
    assert bill.usd == 3.0 and bill.tokens == 1_650_000 and bill.uncounted == 2
    facts = bill.as_dict(["stage1_inference", "stage2_reflection"])
    assert [facts["by_purpose"][purpose]["usd"] for purpose in facts["by_purpose"]] == [2.0, 1.0]
    assert Bill.so_far(None, []).as_dict([])["usd"] is None


def test_each_models_answers_are_priced_by_its_own_price() -> None:
    gpt, listed = "gpt-4o-mini", find_price("gpt-4o-mini")
    assert listed
    bill = Bill.so_far(
        Prices("mine", Price(1.0, 10.0)),
        [
            Paid("mine", "stage1_inference", 2, 1_000_000, 100_000, 0),
            Paid(gpt, "stage1_inference", 3, 1_000_000, 1_000_000, 0),
            Paid(gpt, "stage2_reflection", 1, 1_000_000, 0, 1),
            Paid("unknown", "stage2_reflection", 4, 5_000, 5_000, 0),
        ],
    )
    theirs = 2 * listed.prompt + listed.completion
    assert bill.usd == pytest.approx(2.0 + theirs) and bill.unpriced == {"unknown": 4}
    assert bill.usd_each == pytest.approx((2.0 + theirs) / 6)  # of the answers that have a price
    facts = bill.as_dict(["stage1_inference", "stage2_reflection", "stage2_rewrite: rewrite"])
    assert facts["usd"] == pytest.approx(2.0 + theirs)
    assert (facts["answers"], facts["answers_without_price"], facts["answers_without_token_counts"]) == (10, 4, 1)
    by_purpose = [(one["answers"], one["usd"], one["answers_without_price"]) for one in facts["by_purpose"].values()]
    assert by_purpose == [
        (5, pytest.approx(2.0 + listed.prompt + listed.completion), 0),
        (5, pytest.approx(listed.prompt), 4),
        (0, 0.0, 0),
    ]
    assert {model: one["usd"] for model, one in facts["by_model"].items()} == {
        gpt: pytest.approx(theirs),
        "mine": 2.0,
        "unknown": None,
    }
    assert facts["by_model"]["unknown"]["price"] is None and facts["by_model"][gpt]["price"] == listed.as_dict()
    reflections = facts["by_model"][gpt]["by_purpose"]["stage2_reflection"]
    assert (reflections["answers"], reflections["usd"]) == (1, listed.prompt)


def test_money_is_unknown_where_no_answer_has_a_price() -> None:
    unknown = Paid("unknown", "stage1_inference", 1, 10, 10, 0)
    assert Bill.so_far(Prices("mine", Price(1.0, 1.0)), []).known_usd == 0.0
    assert Bill.so_far(Prices("mine", Price(1.0, 1.0)), [unknown]).known_usd is None
    assert Bill.so_far(Prices("mine", None), []).known_usd is None
    assert Bill.so_far(None, [unknown]).known_usd is None


def test_a_price_says_how_its_requests_are_sent() -> None:
    direct = Price(2.0, 8.0, tiers={"batch": Rates(1.0, 4.0)})
    in_batches = direct.sent_as("batch")
    assert (direct.priced_for, in_batches.priced_for) == ("direct", "batch")
    assert (direct.rates(), in_batches.rates()) == (Rates(2.0, 8.0), Rates(1.0, 4.0))
    unlisted = Price(2.0, 8.0)
    assert unlisted.sent_as("batch") == unlisted  # reckoned at the full price, and says so
    bill = Bill(Prices("mine", in_batches)).as_dict([])
    assert (bill["price"]["prompt"], bill["priced_for"]) == (1.0, "batch")
    assert Bill(None).as_dict([])["priced_for"] is None


CAPPED = [
    # cap, answers, their money, in flight, reached
    (Caps(), 10**9, 10**9, 10**9, False),
    (Caps(answers=10), 9, 0, 0, False),
    (Caps(answers=10), 9, 0, 1, True),
    (Caps(answers=10), 10, 0, 0, True),
    (Caps(usd=1), 0, 0, 1000, False),  # nothing is known yet of what an answer costs
    (Caps(usd=1), 10, 0.5, 9, False),
    (Caps(usd=1), 10, 0.5, 10, True),
    (Caps(usd=1), 10, 1.5, 0, True),
    (Caps(usd=1, answers=5), 5, 0.1, 0, True),
]


@pytest.mark.parametrize(("caps", "answers", "usd", "in_flight", "reached"), CAPPED)
def test_a_cap_counts_what_is_in_flight(caps: Caps, answers: int, usd: float, in_flight: int, reached: bool) -> None:
    prices = Prices("mine", Price(1.0, 0.0))
    bill = Bill.so_far(prices, [Paid("mine", "stage1_inference", answers, round(usd * 1e6), 0, 0)])
    assert caps.reached(bill, in_flight) is reached


def run(teacher: ScriptedTeacher, output: Path, *flags: str) -> int:
    command = ("augment", *PROBLEMS, "--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(output))
    return main([*command, *FEW, *flags])


def run_file(output: Path) -> dict[str, Any]:
    return dict(json.loads((output / "run.json").read_text()))


def journaled(output: Path) -> tuple[int, int, int]:
    """Answers, prompt tokens and completion tokens, by another reader than the one under test."""
    with closing(sqlite3.connect(output / "journal.sqlite")) as journal:
        sums = "select count(*), sum(prompt_tokens), sum(completion_tokens) from answers"
        return tuple(journal.execute(sums).fetchone())


def test_run_json_holds_the_bill_of_every_answer_paid_once(start_teacher: Start, tmp_path: Path) -> None:
    teacher = start_teacher(*PROBLEMS)
    assert run(teacher, tmp_path / "run", *PRICE) == 0
    first = run_file(tmp_path / "run")
    answers, prompt, completion = journaled(tmp_path / "run")
    paid = first["paid"]
    assert paid["answers"] == answers == teacher.stats()["requests"]
    assert paid["usd"] == pytest.approx((10_000 * prompt + 20_000 * completion) / 1e6)
    assert sum(step["usd"] for step in paid["by_purpose"].values()) == pytest.approx(paid["usd"], abs=1e-4)
    # every answer is used by this recipe, and equal requests are counted once there, too
    for purpose, tokens in first["tokens"].items():
        assert tokens["prompt"] == paid["by_purpose"][purpose]["prompt_tokens"]
        assert tokens["completion"] == paid["by_purpose"][purpose]["completion_tokens"]
    assert run(teacher, tmp_path / "run", *PRICE) == 0
    assert run_file(tmp_path / "run")["paid"] == paid


def test_answers_of_another_teacher_in_the_directory_are_not_charged_at_this_teachers_price(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    assert run(teacher, tmp_path / "alone", *PRICE) == 0
    alone = run_file(tmp_path / "alone")["paid"]

    async def ask_others() -> None:
        for model, prompt in (("gpt-4o-mini", "one"), ("gpt-4o-mini", "two"), ("not-listed", "three")):
            completion = Completion("text", "stop", 1_000_000, 1_000_000)
            await journal.put(Request(prompt, model, 0.7, 100), completion)

    with Journal(output) as journal:
        asyncio.run(ask_others())
    capsys.readouterr()
    assert run(teacher, output, *PRICE) == 0
    paid = run_file(output)["paid"]
    assert paid["by_model"][MODEL] == alone["by_model"][MODEL]
    assert paid["by_model"]["gpt-4o-mini"]["usd"] == pytest.approx(2 * (0.15 + 0.60))
    assert paid["by_model"]["not-listed"]["usd"] is None and paid["answers_without_price"] == 1
    assert paid["usd"] == pytest.approx(alone["usd"] + 1.50)
    total = f"${paid['usd']:,.2f}, not counting answers of models whose price is unknown (1 of not-listed)."
    assert total in capsys.readouterr().out


def test_a_run_ends_at_its_cap_of_requests_and_goes_on_with_a_higher_one(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = start_teacher(*PROBLEMS, "--latency", "0.02")
    output = tmp_path / "run"
    assert run(teacher, output, "--max-requests", "100") == 3
    assert teacher.stats()["requests"] == journaled(output)[0] == 100
    facts = run_file(output)
    assert not facts["complete"] and not facts["failed"]
    assert sum(outcomes.get("not asked", 0) for outcomes in facts["requests"].values()) > 0
    said = capsys.readouterr().out
    assert "Stopped at --max-requests 100. Run the same command with a higher limit to continue" in said
    assert run(teacher, output, "--max-requests", "100") == 3  # the cap is the run directory's, not the command's
    assert teacher.stats()["requests"] == 100
    assert run(teacher, output, "--max-requests", "150") == 3
    assert teacher.stats()["requests"] == 150
    assert run(teacher, output) == 0
    assert run(teacher, tmp_path / "whole") == 0
    assert teacher.stats()["again"] == journaled(tmp_path / "whole")[0]  # the second run's, and nothing of the first's
    for file in (output / "dataset").rglob("*.parquet"):
        assert file.read_bytes() == (tmp_path / "whole" / "dataset" / file.relative_to(output / "dataset")).read_bytes()


def test_a_run_ends_at_its_cap_of_money_passed_by_no_more_than_what_is_in_flight(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = start_teacher(*PROBLEMS, "--latency", "0.05")
    for cap in (200.0, 400.0):
        assert run(teacher, tmp_path / "run", *PRICE, "--max-usd", str(cap), "--concurrency", "8") == 3
        spent = run_file(tmp_path / "run")["paid"]["usd"]
        dearest = 20.0  # dollars an answer: a prompt of 500 tokens and a completion of 750
        assert cap <= spent < cap + 8 * dearest
        said = capsys.readouterr().out
        assert (
            f"${spent:,.2f}" in said
            and f"Stopped at --max-usd {cap:,}. Run the same command with a higher limit" in said
        )
    assert teacher.stats()["again"] == 0


def test_tokens_of_replies_that_are_thrown_away_are_on_the_bill(start_teacher: Start, tmp_path: Path) -> None:
    wasteful, thrifty = start_teacher(*PROBLEMS, "--fault", "abort=0.3"), start_teacher(*PROBLEMS)
    bills = []
    for name, teacher in {"wasteful": wasteful, "thrifty": thrifty}.items():
        for _ in range(2):  # the second time from the journal alone
            assert run(teacher, tmp_path / name, *PRICE, "--limit", "4") == 0
        bills.append(run_file(tmp_path / name)["paid"])
    more, less = bills
    assert more["answers"] == less["answers"]
    assert 1.2 < more["prompt_tokens"] / less["prompt_tokens"] < 1.8
    assert more["usd"] > less["usd"]


def test_money_cannot_be_capped_where_it_cannot_be_counted(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = start_teacher(*PROBLEMS, "--fault", "uncounted")
    assert run(teacher, tmp_path / "run", "--max-usd", "1") == 1
    assert "no price known for simulated-teacher: give --price-in and --price-out" in capsys.readouterr().err
    assert teacher.stats().get("requests", 0) == 0
    assert run(teacher, tmp_path / "run", "--max-usd", "1", *PRICE, "--concurrency", "4") == 1
    assert "does not count tokens" in capsys.readouterr().err
    assert journaled(tmp_path / "run")[0] == teacher.stats()["requests"] <= 8  # what was asked is kept


# 1 USD a million for a prompt token, 0.25 for one from the cache, 4 for a completion token; flex and batches half.
DIRECT = Rates(1.0, 4.0, 0.25)
TIERED = Price(*DIRECT, tiers={"flex": Rates(0.5, 2.0, 0.125), "batch": Rates(0.5, 2.0), "priority": Rates(2.0, 8.0)})

# Prompt, cached and completion tokens, how it was sent, and USD: reckoned by hand.
ANSWERED = [
    (1_000_000, 0, 0, "default", 1.0),
    (1_000_000, 400_000, 0, "default", 0.6 + 0.1),
    (1_000_000, 1_000_000, 100_000, "default", 0.25 + 0.4),
    (1_000_000, 400_000, 100_000, "flex", 0.3 + 0.05 + 0.2),
    (1_000_000, 400_000, 100_000, "batch", 0.5 + 0.2),  # a batch's cached tokens have no price of their own
    (1_000_000, 0, 100_000, "priority", 2.0 + 0.8),
    (1_000_000, 400_000, 100_000, "scale", 0.6 + 0.1 + 0.4),  # an unlisted tier costs what a direct request does
    (100, 200, 0, "default", 200 * 0.25 / 1e6),  # more cached than sent: a mistake, and never a refund
]


@pytest.mark.parametrize(("prompt", "cached", "completion", "sent", "usd"), ANSWERED)
def test_cached_tokens_and_service_tiers_have_prices_of_their_own(
    prompt: int, cached: int, completion: int, sent: str, usd: float
) -> None:
    tier, processing = (None, sent) if sent == "batch" else (sent, None)
    by = AnsweredBy(service_tier=tier, processing=processing, cached_tokens=cached)
    answer = Completion("text", "stop", prompt, completion, by)
    bill = Bill.so_far(Prices("mine", TIERED), [Paid.of("mine", "solve", answer)])
    assert bill.usd == pytest.approx(usd)
    # The command's way of sending counts only where a reply does not say how it was sent.
    other = Bill.so_far(Prices("mine", TIERED.sent_as("flex")), [Paid.of("mine", "solve", answer)])
    assert other.usd == pytest.approx(usd)
    unsaid = Completion("text", "stop", prompt, completion)
    flex = Bill.so_far(Prices("mine", TIERED.sent_as("flex")), [Paid.of("mine", "solve", unsaid)])
    assert flex.usd == pytest.approx((0.5 * prompt + 2.0 * completion) / 1e6)


def test_run_json_states_cached_and_reasoning_tokens_and_the_prices_of_tiers() -> None:
    answers = [
        Completion("text", "stop", 1_000_000, 100_000, AnsweredBy("m", cached_tokens=400_000, reasoning_tokens=60_000)),
        Completion("text", "stop", 1_000_000, 100_000, AnsweredBy("m", service_tier="flex")),
        Completion("text", "stop", 1_000_000, 100_000),
    ]
    bill = Bill.so_far(Prices("mine", TIERED), [Paid.of("mine", "solve", one) for one in answers])
    facts = bill.as_dict(["solve"])
    assert facts["usd"] == pytest.approx((0.6 + 0.1 + 0.4) + (0.5 + 0.2) + (1.0 + 0.4))
    assert (facts["cached_prompt_tokens"], facts["reasoning_tokens"]) == (400_000, 60_000)
    assert facts["by_purpose"]["solve"]["answers"] == facts["by_model"]["mine"]["by_purpose"]["solve"]["answers"] == 3
    assert facts["price_of_cached_tokens"] == 0.25
    assert facts["prices_of_tiers"]["flex"] == {"prompt": 0.5, "completion": 2.0, "cached": 0.125}
    assert bill.reasoning_share == pytest.approx(0.2)


def test_the_list_knows_flex_batches_and_the_cache() -> None:
    price = find_price("gpt-6-luna")
    assert price and price.rates() == pytest.approx((0.10, 0.50, 0.01))
    assert price.rates("flex") == price.rates("batch") == pytest.approx((0.05, 0.25, 0.005))
    given = find_price("gpt-6-luna", 2.0, 5.0)  # twenty and ten times the listed price
    assert given and given.rates("flex") == pytest.approx((1.0, 2.5, 0.1))


def test_flex_requests_are_planned_at_the_price_of_flex(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = Recipe(problems=("gsm8k",), teacher="gpt-6-luna", request={"service_tier": "flex"})
    price = Setup(output="o").prices(recipe).price
    assert price and price.rates() == pytest.approx((0.05, 0.25, 0.005))
    command = ["plan", *PROBLEMS, "--teacher", "gpt-6-luna", "--request", "{service_tier: flex}"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "price      0.05 / 0.25 USD per million tokens" in shown
    assert "reasoning  its tokens are billed as completion tokens; this plan includes none: --pilot 50" in shown
    assert main([*command, "--request", "{reasoning_effort: none}"]) == 0
    assert "reasoning  " not in capsys.readouterr().out
