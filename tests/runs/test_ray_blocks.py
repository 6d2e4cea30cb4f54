"""What the engine for many machines keeps of each block, and how its actors share the caps: all without a cluster."""

import asyncio
import random
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from personamath.errors import NotAsked, PersonaMathError, RunDirectoryError
from personamath.journal.block_files import adopt_answers, answer_files, paid_in
from personamath.journal.run_folder import RunFolder
from personamath.journal.store import Journal
from personamath.methods import PersonaMath
from personamath.methods.prompts import Prompt
from personamath.recipe import Recipe
from personamath.records import AnsweredBy, Completion, Persona, Problem, Request
from personamath.runs.funnel import Funnel
from personamath.runs.ray import blocks
from personamath.runs.ray.answers import BlockAnswers
from personamath.runs.ray.blocks import Block
from personamath.runs.ray.desk import Desk, Orders, Status
from personamath.runs.ray.gate import UNLIMITED, Allowance, Allowances, Gate
from personamath.runs.ray.worker import BlockWorker, Job, as_block, as_table
from personamath.sources.problems import ProblemSource
from personamath.sources.seed_problems import read_problems
from personamath.teachers.keys import Access
from personamath.teachers.patience import Patience
from personamath.teachers.prices import Bill, Caps, Paid, Price, Prices
from personamath.teachers.routed import Route
from personamath.teachers.simulated import MODEL, SimulatedTeacher, application, bundled_problems, serve

PERSONAS = [Persona(index, f"A person number {index}", None) for index in range(20)]
RECIPE = Recipe(problems=tuple(bundled_problems()), teacher=MODEL)


def request(number: int) -> Request:
    return Request(f"question {number}", "m", 0.7, 100)


def completion(number: int) -> Completion:
    origin = AnsweredBy("m-2026", "Groq", "flex", cached_tokens=number, reasoning="So.") if number % 2 else None
    return Completion(f"answer {number} \N{SNOWMAN}", "stop", number, None if number % 2 else number, origin)


def seeds() -> list[Problem]:
    sources = [ProblemSource.parse(text) for text in RECIPE.problems]
    return [item for item in read_problems(sources) if isinstance(item, Problem)]


async def put(answers: BlockAnswers, *numbers: int) -> None:
    for number in numbers:
        await answers.put(request(number), completion(number))


def known(answers: BlockAnswers, *numbers: int) -> list[bool]:
    return [answers.get(request(number).digest) == completion(number) for number in numbers]


@pytest.mark.parametrize("store", ["path", "memory"])
def test_answers_of_a_block_come_back_and_end_in_one_file(store: str, tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path / "run") if store == "path" else f"memory://{tmp_path.name}-{id(tmp_path)}")

    async def work() -> None:
        for numbers in ((1, 2), (3,), ()):
            async with BlockAnswers(folder, "000000-a") as answers:
                await put(answers, *numbers)
        assert len(answer_files(folder, "000000-a")) == 2
        async with BlockAnswers(folder, "000000-a") as answers:
            assert known(answers, 1, 2, 3, 4) == [True, True, True, False]
            assert (answers.bill.answers, answers.bill.uncounted) == (3, 2)
            assert answers.asked.answers == 0
            answers.recall(request(4).digest)
            await put(answers, 4)
            assert known(answers, 4) == [True]
        answers.gather()
        assert len(answer_files(folder, "000000-a")) == 1
        async with BlockAnswers(folder, "000000-a") as again:
            assert known(again, 1, 2, 3, 4) == [True, True, True, False]  # the journal has the recalled one
        assert again.bill == answers.bill == Bill.so_far(None, paid_in(folder, "000000-a"))

    asyncio.run(work())


@pytest.mark.parametrize("store", ["path", "memory"])
def test_what_was_thrown_away_stays_on_the_bill(store: str, tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path / "run") if store == "path" else f"memory://{tmp_path.name}-{id(tmp_path)}")

    async def work() -> None:
        async with BlockAnswers(folder, "b") as answers:
            await put(answers, 2)
            for tokens in (10, 20):
                await answers.pay(Paid("m", "p", 0, tokens, 1, 0))
        async with BlockAnswers(folder, "b") as again:
            assert again.bill == answers.bill and again.asked == Bill(None)
            await again.pay(Paid("m", "p", 0, 5, 0, 0))
        again.gather()
        assert again.bill == Bill.so_far(None, paid_in(folder, "b"))
        assert again.bill.answers == 1 and again.bill.tokens == 2 + 2 + 10 + 20 + 5 + 2
        with Journal(tmp_path / "run") as journal:
            adopt_answers(journal, folder)
            assert Bill.so_far(None, journal.paid()) == again.bill
            if store == "path":
                adopt_answers(journal, folder)
                assert Bill.so_far(None, journal.paid()) == again.bill and not folder.names("blocks")

    asyncio.run(work())


class SlowFolder(RunFolder):
    """Takes a write for as long as the test says."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        self.writing, self.go_on = threading.Event(), threading.Event()

    def write(self, name: str, content: bytes) -> None:
        self.writing.set()
        assert self.go_on.wait(30)
        super().write(name, content)


def test_what_is_answered_while_a_file_is_written_is_written_too(tmp_path: Path) -> None:
    folder = SlowFolder(str(tmp_path))

    async def work() -> None:
        async with BlockAnswers(folder, "b") as answers:
            await put(answers, 1)
            await asyncio.to_thread(folder.writing.wait, 30)
            await put(answers, 2)
            asyncio.get_running_loop().call_later(0.1, folder.go_on.set)
        async with BlockAnswers(folder, "b") as answers:
            assert known(answers, 1, 2) == [True, True]

    asyncio.run(work())


def test_a_run_directory_that_takes_nothing_ends_the_block_in_one_line(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path / "run"))
    (tmp_path / "run").write_text("a file in its place")

    async def work() -> None:
        async with BlockAnswers(folder, "b") as answers:
            await put(answers, 1)

    with pytest.raises(RunDirectoryError, match=r"run: cannot read blocks/b .* run the same command"):
        asyncio.run(work())


def test_blocks_travel_whole_and_are_named_by_what_they_hold() -> None:
    problems = seeds()
    split = list(blocks.split(problems, 20))
    assert [len(block.problems) for block in split] == [20, 20, 8]
    assert [as_block(as_table(block)) for block in split] == split
    assert split[0].name == Block(0, problems[:20]).name != Block(0, problems[1:21]).name
    assert blocks.fingerprint(RECIPE, PERSONAS) != blocks.fingerprint(RECIPE, PERSONAS[:-1])
    more = Recipe(problems=("gsm8k",), teacher=MODEL, limit=3)
    assert blocks.fingerprint(RECIPE, PERSONAS) == blocks.fingerprint(more, PERSONAS)
    other = Recipe(problems=RECIPE.problems, teacher=MODEL, method=PersonaMath(k1=6))
    assert blocks.fingerprint(RECIPE, PERSONAS) != blocks.fingerprint(other, PERSONAS)
    other = replace(RECIPE, prompts={"inference": Prompt("Solve {problem}")})
    assert blocks.fingerprint(RECIPE, PERSONAS) != blocks.fingerprint(other, PERSONAS)


class Remote:
    """A method of an actor, called here."""

    def __init__(self, method: object) -> None:
        self._method = method

    async def remote(self, *arguments: object) -> object:
        return self._method(*arguments)  # type: ignore[operator]


class DeskHere:
    """The desk without Ray."""

    def __init__(self, desk: Desk) -> None:
        self.report, self.known, self.stop = (Remote(method) for method in (desk.report, desk.known, desk.stop))


def test_an_actor_fills_an_object_store_and_the_journal_can_take_it_over(tmp_path: Path) -> None:
    folder = RunFolder(f"memory://{id(tmp_path)}/run")
    made_by = blocks.fingerprint(RECIPE, PERSONAS)
    first, second = list(blocks.split(seeds()[:20], 10))

    async def work(journal: Path, *todo: Block) -> list[dict[str, object]]:
        desk = Desk(journal, Bill(None), Caps(), 1)
        known_problems = (ProblemSource.parse(source) for source in RECIPE.problems)
        async with serve(application(SimulatedTeacher(known_problems))) as url:
            job = Job(
                output=folder.output,
                recipe=RECIPE,
                personas=PERSONAS,
                made_by=made_by,
                routes={kind.name: Route(MODEL, (url,)) for kind in RECIPE.method.outline.kinds},
                access={url: Access()},
                patience=Patience(),
                concurrency=8,
                actors=1,
                hedge=False,
                rpm=None,
                tpm=None,
                prices=Prices(MODEL, None),
                caps=Caps(),
                desk=DeskHere(desk),
                desk_remembers=True,
            )
            worker = BlockWorker(job)
            done = await asyncio.gather(*(worker(as_table(block)) for block in todo))
            await worker.close()
        assert desk.look().working == 0 and desk.look().funnel.done == sum(len(block.problems) for block in todo)
        return [report.to_pylist()[0] for report in done]

    with Journal(tmp_path / "one") as journal:
        reports = asyncio.run(work(tmp_path / "one", first, second))
        asked = sum(int(str(report["asked"])) for report in reports)
        worked = [blocks.read_worked(folder, block.name) for block in (first, second)]
        assert all(one and one.made_by == made_by and one.funnel.complete for one in worked)
        assert asked == sum(paid.answers for one in worked if one for paid in one.paid)
        rows = [row for block in (first, second) for row in blocks.read_rows(folder, block.name)]
        assert len({row.id for row in rows}) == len(rows) == sum(one.funnel.rows.total() for one in worked if one)
        assert Counter(row.seed_id for row in rows).keys() <= {seed.id for seed in first.problems + second.problems}
        answered_by = Counter[tuple[str, str, str]]()
        for one in worked:
            answered_by.update(one.funnel.answered_by if one else {})
        assert set(answered_by) == {(MODEL, MODEL, "")} and answered_by.total() >= asked
        adopt_answers(journal, folder)
        assert len(journal) == asked

    # with the answers in a journal, and the blocks cut otherwise, nothing is asked again and the same rows come
    with Journal(tmp_path / "one"):
        again = Block(7, first.problems + second.problems)
        (report,) = asyncio.run(work(tmp_path / "one", again))
        assert (report["asked"], report["replayed"]) == (0, asked)
        redone = blocks.read_worked(folder, again.name)
        assert redone and redone.funnel.answered_by == answered_by  # the desk remembers what answered
        assert list(blocks.read_rows(folder, again.name)) == rows
        assert not answer_files(folder, again.name)


def test_the_caps_are_passed_by_no_interleaving_of_actors() -> None:
    prices = Prices("m", Price(1.0, 1.0))
    for seed in range(300):
        rng = random.Random(seed)
        caps = rng.choice([Caps(answers=rng.randint(1, 60)), Caps(usd=rng.randint(1, 60) * 10 / 1e6)])
        actors = {str(number): [0, 0] for number in range(rng.randint(1, 5))}  # allowed, in flight
        allowances = Allowances(caps, len(actors), now=lambda: 0.0)
        bill, first, over = Bill(prices), 0, set[str]()
        while len(over) < len(actors):
            name = rng.choice(sorted(actors))
            actor = actors[name]
            for _ in range(rng.randint(0, 9)):
                if actor[0] and rng.random() < 0.7:
                    actor[0], actor[1] = actor[0] - 1, actor[1] + 1
                elif actor[1]:
                    actor[1] -= 1
                    if rng.random() < 0.9:  # the others fail
                        bill.add(Paid("m", "stage1_inference", 1, 5, 5, 0))
            before = bill.answers == 0
            orders = allowances.hand_out(name, actor[1], bill)
            assert orders.requests is not None
            actor[0] = orders.requests
            first += orders.requests if before and caps.usd else 0
            if orders.over:
                over.add(name)
                actor[0] = 0
        cap = caps.answers if caps.answers is not None else round((caps.usd or 0) / 10e-6)
        # before an answer has told what one costs, a few are sent to learn it
        rounding = 1 if caps.usd else 0
        assert cap - rounding <= bill.answers <= cap + first, seed
        assert not any(allowed for allowed, _ in actors.values())


def test_a_dead_actor_holds_nothing_back() -> None:
    clock = [0.0]
    allowances = Allowances(Caps(answers=10), 2, now=lambda: clock[0])
    assert allowances.hand_out("dead", 0, Bill(None)) == Allowance(5, over=False)
    clock[0] = 3600.0
    assert allowances.hand_out("alive", 5, Bill(None)) == Allowance(2, over=False)
    assert Allowances(Caps(), 2).hand_out("any", 7, Bill(None)) == UNLIMITED


def test_the_gate_lets_through_what_it_is_allowed_and_ends_the_rest() -> None:
    class Endpoint:
        asked = 0

        async def complete(self, request: Request) -> Completion:
            self.asked += 1
            return completion(1)

    async def work() -> None:
        endpoint = Endpoint()
        gate = Gate(endpoint)
        await gate.complete(request(1))
        gate.open(Allowance(2, over=False))
        callers = [asyncio.create_task(gate.complete(request(number))) for number in range(5)]
        await asyncio.sleep(0)
        assert (endpoint.asked, gate.in_flight) == (3, 0)
        gate.open(Allowance(1, over=False))
        await asyncio.sleep(0.01)
        assert endpoint.asked == 4
        gate.open(Allowance(0, over=True))
        outcomes = await asyncio.gather(*callers, return_exceptions=True)
        assert [isinstance(outcome, NotAsked) for outcome in outcomes].count(True) == 2
        assert endpoint.asked == 4

    asyncio.run(work())


def test_the_desk_adds_up_what_actors_report_and_gives_the_first_reason_to_stop(tmp_path: Path) -> None:
    with Journal(tmp_path):
        desk = Desk(tmp_path, Bill(None), Caps(), 2)

        def status(done: int, asked: int, in_flight: int) -> Status:
            bill = Bill(None)
            for _ in range(asked):
                bill.add(Paid("m", "stage1_inference", 1, 1, 1, 0))
            return Status(asked, in_flight, Funnel(done=done), bill)

        nothing = Counter[str]()
        desk.report("a", {1: status(3, 5, 2)}, {}, nothing, 2)
        desk.report("a", {1: status(4, 6, 1)}, {}, Counter({"timeout": 2}), 1)  # takes the place of the one before
        desk.report("b", {2: status(1, 1, 1)}, {}, Counter({"timeout": 1}), 1)
        assert desk.report("a", {}, {1: status(9, 10, 0)}, nothing, 0) == Orders(None, UNLIMITED)
        look = desk.look()
        assert (look.asked, look.in_flight, look.working, look.funnel.done) == (11, 1, 1, 10)
        assert look.bill.answers == 11 and look.retries == {"timeout": 3}
        for reason in ("first", "second"):
            desk.stop(PersonaMathError(reason))
        assert str(desk.report("b", {}, {}, nothing, 0).reason_to_stop) == "first"
        assert str(desk.look().reason_to_stop) == "first"
        assert desk.known("0" * 32) is None


def test_an_actor_without_a_block_gets_nothing_of_what_is_left_until_a_cap(tmp_path: Path) -> None:
    """Ray ends actors that have nothing to do, and what such an actor holds would keep the others waiting."""
    with Journal(tmp_path):
        desk = Desk(tmp_path, Bill(None), Caps(answers=10), 2)
        begun, nothing = Status(0, 0, Funnel(), Bill(None)), Counter[str]()
        assert desk.report("a", {1: begun}, {}, nothing, 0).allowance == Allowance(5, over=False)
        assert desk.report("a", {}, {1: begun}, nothing, 0).allowance == Allowance(0, over=False)
        assert desk.report("b", {2: begun}, {}, nothing, 0).allowance == Allowance(5, over=False)
        assert desk.report("a", {3: begun}, {}, nothing, 0).allowance == Allowance(2, over=False)
