"""The teacher that remembers: answers of other runs, caps, an ending run, and what it says of its own time."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from personamath.errors import Interrupted, NotAsked, RunDirectoryError, TeacherMisconfigured
from personamath.journal.journaled import JournaledTeacher
from personamath.journal.store import DISK_RESERVE_BYTES, Journal
from personamath.records import AnsweredBy, Completion, Request
from personamath.teachers.prices import Caps, Price, Prices
from personamath.teachers.slots import Slots
from tests.journal.test_store import ANSWER, SlowTeacher, ask, request

# A dollar a token, so that the answer of 5 prompt tokens costs five.
PRICES = Prices("teacher-1", Price(1_000_000, 1_000_000))
REUSED = Completion("From another run", "stop", 5, 5, AnsweredBy(processing="reused"))
STOPPED = Interrupted(signal.SIGINT, "stopped")


class Counting(SlowTeacher):
    """Answers with five tokens in and none out, which an endpoint counted."""

    async def complete(self, request: Request) -> Completion:
        await super().complete(request)
        return Completion("2", "stop", 5, 0)


def known(number: int) -> Callable[[str], Completion | None]:
    """What another run knows: the answer to one request."""
    return lambda digest: REUSED if digest == request(number).digest else None


def test_another_run_s_answer_is_journaled_and_free(tmp_path: Path) -> None:
    slow = SlowTeacher()
    with Journal(tmp_path) as journal:
        teacher = JournaledTeacher(journal, slow, 1, PRICES, Caps(answers=1), other_runs=known(1))
        assert ask(teacher, request(1), request(2)) == [REUSED, ANSWER]
        assert (teacher.reused, teacher.asked, teacher.replayed, slow.asked) == (1, 1, 0, 1)
        assert (teacher.bill.reused, teacher.bill.answers, teacher.bill.usd) == (1, 1, 5)
        assert ask(teacher, request(1)) == [REUSED] and (teacher.reused, teacher.replayed) == (1, 1)
        assert journal.get(request(1).digest) == REUSED
    with Journal(tmp_path) as journal:  # the next command's bill, too
        bill = JournaledTeacher(journal, slow, 1, PRICES).bill
        assert (bill.reused, bill.answers, bill.usd) == (1, 1, 5)


def test_answers_of_other_runs_need_room_on_the_disk_too(tmp_path: Path) -> None:
    with Journal(tmp_path, free_bytes=lambda _: DISK_RESERVE_BYTES) as journal:
        (answer,) = ask(JournaledTeacher(journal, SlowTeacher(), 1, other_runs=known(1)), request(1))
    assert isinstance(answer, RunDirectoryError) and "less than 64 MB left" in str(answer)


@pytest.mark.parametrize("caps", [Caps(usd=10), Caps(answers=2)], ids=["usd", "answers"])
def test_a_cap_is_reached_exactly_and_the_journal_still_answers(tmp_path: Path, caps: Caps) -> None:
    slow = Counting(0.02)
    with Journal(tmp_path) as journal:
        # The first answer shows the cost of one; until it has come, no other is known to be too many.
        assert ask(JournaledTeacher(journal, slow, 1, PRICES), request(0)) == [Completion("2", "stop", 5, 0)]
        teacher = JournaledTeacher(journal, slow, 8, PRICES, caps)
        answers = ask(teacher, *(request(number) for number in range(5)))
        assert [isinstance(answer, Completion) for answer in answers] == [True, True, False, False, False]
        assert all(isinstance(answer, NotAsked) for answer in answers[2:])
        assert (slow.asked, teacher.asked, teacher.replayed, teacher.bill.usd) == (2, 1, 1, 10)


def test_a_request_waits_while_the_answers_in_flight_may_reach_a_cap(tmp_path: Path) -> None:
    """Two in flight would cost 10 if both cost what the first did; they cost nothing, so the third is asked."""

    class OnlyTheFirstCosts(SlowTeacher):
        async def complete(self, request: Request) -> Completion:
            first = not self.asked
            await super().complete(request)
            return Completion("2", "stop", 5 if first else 0, 0)

    slow = OnlyTheFirstCosts(0.1)
    with Journal(tmp_path) as journal:
        teacher = JournaledTeacher(journal, slow, 8, PRICES, Caps(usd=15))
        ask(teacher, request(0))
        answers = ask(teacher, *(request(number) for number in range(1, 4)))
        assert [isinstance(answer, Completion) for answer in answers] == [True] * 3
    assert slow.most_in_flight == 2 and teacher.bill.usd == 5


def test_a_run_that_ends_asks_nothing_for_those_who_wait_at_a_cap(tmp_path: Path) -> None:
    slow = Counting(0.2)
    with Journal(tmp_path) as journal:
        teacher = JournaledTeacher(journal, slow, 8, PRICES, Caps(usd=12))
        ask(teacher, request(0))

        async def interrupted() -> list[Completion | BaseException]:
            asyncio.get_running_loop().call_later(0.1, teacher.stop, STOPPED)
            return await asyncio.gather(*(teacher.complete(request(n)) for n in range(1, 4)), return_exceptions=True)

        answers = asyncio.run(interrupted())
    assert slow.asked == 3 and [isinstance(answer, Completion) for answer in answers] == [True, True, False]
    assert answers[2] is STOPPED


def test_a_budget_in_money_needs_an_endpoint_that_counts_tokens(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        (answer,) = ask(JournaledTeacher(journal, SlowTeacher(), 1, PRICES, Caps(usd=100)), request())
        assert isinstance(answer, TeacherMisconfigured) and "use --max-requests" in str(answer)
        assert journal.get(request().digest) == ANSWER  # it is paid for
    with Journal(tmp_path / "requests") as journal:
        assert ask(JournaledTeacher(journal, SlowTeacher(), 1, PRICES, Caps(answers=100)), request()) == [ANSWER]


def test_who_asks_after_the_end_gets_the_reason_once_what_is_in_flight_has_arrived(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        told: list[str] = []
        teacher = JournaledTeacher(journal, SlowTeacher(0.2), 4, stop_sending=lambda: told.append("stop"))

        async def run() -> list[Completion | BaseException]:
            first = asyncio.create_task(teacher.complete(request(1)))
            await asyncio.sleep(0.05)
            teacher.stop(STOPPED)
            teacher.stop(Interrupted(signal.SIGTERM, "another reason, which comes too late"))
            late = asyncio.create_task(teacher.complete(request(2)))
            ended: list[asyncio.Task[Completion]] = []
            for task in (late, first):
                task.add_done_callback(ended.append)
            answers = await asyncio.gather(first, late, return_exceptions=True)
            assert ended == [first, late]
            return [*answers]

        assert asyncio.run(run()) == [ANSWER, STOPPED] and told == ["stop"]


def test_a_timeout_of_the_teacher_s_own_is_no_end_of_the_run(tmp_path: Path) -> None:
    class TimesOut(SlowTeacher):
        async def complete(self, request: Request) -> Completion:
            raise TimeoutError("the teacher's own")

    with Journal(tmp_path) as journal:
        (answer,) = ask(JournaledTeacher(journal, TimesOut(), 1), request())
    assert isinstance(answer, TimeoutError) and "own" in str(answer)


def test_it_waits_for_a_teacher_that_starts_and_not_if_nothing_may_be_asked(tmp_path: Path) -> None:
    waits: list[None] = []

    async def ready() -> None:
        waits.append(None)
        await asyncio.sleep(0.1)

    with Journal(tmp_path) as journal:
        teacher = JournaledTeacher(journal, SlowTeacher(0.02), 1, caps=Caps(answers=1), ready=ready)
        times, start = [teacher.answer_s], time.monotonic()
        assert ask(teacher, request(1)) == [ANSWER]
        elapsed = time.monotonic() - start
        times.append(teacher.answer_s)
        assert times[0] is None and times[1] is not None
        assert 0.02 <= times[1] <= elapsed - 0.1  # without the wait for its start
        assert isinstance(ask(teacher, request(2))[0], NotAsked) and len(waits) == 1


def test_slots_may_be_shared_with_others(tmp_path: Path) -> None:
    slow, slots = SlowTeacher(0.01), Slots.fixed(2)
    with Journal(tmp_path) as journal:
        teachers = [JournaledTeacher(journal, slow, slots) for _ in range(2)]

        async def run() -> None:
            await asyncio.gather(*(teachers[number % 2].complete(request(number)) for number in range(6)))

        asyncio.run(run())
    assert slow.most_in_flight == 2 and [teacher.asked for teacher in teachers] == [3, 3]
