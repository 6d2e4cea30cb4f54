"""`personamath opinion`: blind solves of rewrites, to see whether they kept their problems."""

import argparse
import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from personamath import prompts
from personamath.answers import Grader
from personamath.commands.asking import URL_VARIABLE, clean_interruption, endpoint_key, ready_process
from personamath.commands.augment import Setup, http_teacher, teacher_price
from personamath.errors import BadInput, PersonaMathError, RequestFailed
from personamath.journal.journaled import JournaledTeacher
from personamath.journal.run_folder import is_url, shown
from personamath.journal.store import Journal
from personamath.recipe import Recipe
from personamath.records import Request, Row
from personamath.report.analysis.rows import read_recipe, read_rows
from personamath.runs.opinions import FILE_NAME, Opinion, tally, write_opinions
from personamath.runs.progress import REFRESH_S
from personamath.teachers.http import OPENAI_URL, HttpTeacher
from personamath.teachers.prices import Prices

HELP = "ask the teacher again whether rewrites kept their problems"
DESCRIPTION = """\
Have a run's own teacher solve its flagged rewrites again, without an answer to reach, and count how many solves come to
the seed problem's answer. Where most do, the problem is probably kept, although its numbers or formulas are not.

  personamath opinion runs/v1 --solves 3

The key comes from OPENAI_API_KEY; the address from --base-url, else OPENAI_BASE_URL, else it is OpenAI's. Every answer
is journaled in the run directory as it arrives: the same command again asks, and pays, for nothing twice. The sum that
`augment` shows of the run directory counts these answers, too. `personamath report RUN` shows what came out.

writes  RUN/second_opinion.json   for each rewrite: its flag, the solves, how many are right

exit    0 complete   1 an error   2 usage   3 some requests failed: the same command tries them again   130 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("run_directory", metavar="RUN", help="run directory, with its dataset; not a URL")
    parser.add_argument("--solves", type=int, default=3, metavar="N", help="of each rewrite (default %(default)s)")
    parser.add_argument("--all", action="store_true", help="all rewrites, not only those with a flag")
    parser.add_argument(
        "--base-url",
        action="append",
        metavar="BASE_URL",
        help="OpenAI-compatible endpoint, up to and including /v1; may be repeated",
    )
    parser.add_argument(
        "--concurrency", type=int, default=256, metavar="N", help="requests in flight (default %(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Do it; gives the exit status."""
    if is_url(options.run_directory):
        raise BadInput(
            f"{shown(options.run_directory)}: opinion keeps its answers in the run's journal, which has to be in a "
            "directory: copy the run to one, and name that"
        )
    folder = Path(options.run_directory)
    if options.solves < 1:
        raise BadInput(f"solves is {options.solves}: it must be at least 1")
    recipe = read_recipe(folder)
    rows = [row for row in read_rows(folder / "dataset") if row.step.endswith("rewrite") and (options.all or row.flag)]
    if not rows:
        print("Nothing to ask: no rewrite " + ("was kept." if options.all else "has a flag; --all asks about all."))
        return 0
    urls = tuple(options.base_url or (os.environ.get(URL_VARIABLE) or OPENAI_URL,))
    setup = Setup(base_url=urls, concurrency=options.concurrency, output=str(folder))
    endpoints = http_teacher(setup, endpoint_key(setup.base_url))
    ready_process(setup.concurrency)
    with Journal(folder) as journal:
        prices = Prices(recipe.teacher, teacher_price(recipe, setup))
        teacher = JournaledTeacher(journal, endpoints, setup.concurrency, prices, stop_sending=endpoints.stop)
        before = teacher.bill.usd
        solves = BlindSolves(recipe, rows, options.solves)
        asyncio.run(solves.ask(teacher, endpoints, setup.concurrency))
        found = [(row, Opinion(row.request, solves.ended[row.id], solves.right[row.id])) for row in rows]
        write_opinions(folder, found)
    counts = tally(opinion for _, opinion in found)
    print(
        f"{counts.solved:,} {'' if options.all else 'flagged '}rewrites solved again, {options.solves} times each: "
        f"{counts.majority:,} reach the seed problem's answer in most solves, {counts.none:,} in none."
    )
    paid = f", for ${teacher.bill.usd - before:,.2f}" if prices.price else ""
    print(f"{teacher.asked:,} answers asked{paid}, {teacher.replayed:,} from the journal.")
    print(f"Each rewrite is in {folder / FILE_NAME}")
    if solves.failed:
        reasons = ", ".join(f"{reason} ({count:,})" for reason, count in solves.failed.most_common())
        print(f"\nIncomplete: {solves.failed.total():,} requests failed: {reasons}. The same command tries just them.")
    return 3 if solves.failed else 0


class BlindSolves:
    """Each row's problem solved so many times, and what came of it, by the rows' ids."""

    def __init__(self, recipe: Recipe, rows: Sequence[Row], times: int) -> None:
        self._recipe = recipe
        self._total = len(rows) * times
        # Sample 0 is stage 1's solution in the dataset, which is there because it is right: no second opinion.
        self._waiting = ((row, sample) for row in rows for sample in range(1, times + 1))
        self._done = 0
        self.ended: Counter[str] = Counter()
        """Completions that ended by themselves."""
        self.right: Counter[str] = Counter()
        """Those of them that reach the reference answer."""
        self.failed: Counter[str] = Counter()
        """Requests without an answer, by reason."""

    async def ask(self, teacher: JournaledTeacher, endpoints: HttpTeacher, at_once: int) -> None:
        """Ask for all; raises what ends the asking, once what is in flight has arrived."""
        try:
            async with endpoints, Grader() as grader, self._shown():
                with clean_interruption(teacher, endpoints):
                    async with asyncio.TaskGroup() as group:
                        for _ in range(min(at_once, self._total)):
                            group.create_task(self._work(teacher, grader))
        except* PersonaMathError as errors:
            # The same reason reaches every task; one line is enough.
            raise errors.exceptions[0] from None

    async def _work(self, teacher: JournaledTeacher, grader: Grader) -> None:
        recipe = self._recipe
        for row, sample in self._waiting:
            prompt = prompts.inference(row.problem)
            request = Request(
                prompt, recipe.teacher, recipe.temperature, recipe.max_tokens, sample, "stage1_rewrite: solve"
            )
            try:
                completion = await teacher.complete(request)
            except RequestFailed as failure:
                self.failed[failure.reason] += 1
            else:
                if completion.finish_reason == "stop":
                    self.ended[row.id] += 1
                    self.right[row.id] += (await grader.grade(row.answer, completion.text)).correct
            self._done += 1
            await asyncio.sleep(0)  # what is answered from the journal alone has not let anyone else run

    @asynccontextmanager
    async def _shown(self) -> AsyncIterator[None]:
        """A live line on a terminal as long as the context lasts."""

        async def show() -> None:
            while True:
                await asyncio.sleep(REFRESH_S)
                print(f"\r\x1b[2K{self._done:,}/{self._total:,} solves", end="", file=sys.stderr, flush=True)

        progress = asyncio.create_task(show()) if sys.stderr.isatty() else None
        try:
            yield
        finally:
            if progress:
                progress.cancel()
                print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
