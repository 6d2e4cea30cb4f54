"""The report of 70,000 rows and 5,000 answers that were not kept: how long it takes to make, its size and its speed.

The page is used in a headless Chromium.

python -m benchmarks.report     # measures, on rows made up here
"""

import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from personamath.folder.provenance import Origins, provenance
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Problem, Row
from personamath.report.analysis.not_kept import MOST_OF_EACH, Lost, NotKept
from personamath.report.analysis.result import Analyses
from personamath.report.analysis.rows import RunData
from personamath.report.write import write_found
from personamath.runs.funnel import Funnel
from personamath.sources.personas import read_personas
from tests.support.chromium import Page, chromium

SEEDS, REWRITES = 14_000, 4
# As long as the paper's rows: a question of 45 words, a solution of 200, in words as frequent as rank allows.
QUESTION_WORDS, SOLUTION_WORDS = 45, 200
VOCABULARY = 20_000
# As many pairs of a kind of request and a reason as a run of that size has, each with more than fit on the page.
REASONS, LOST_OF_EACH = 25, 1_000
PROMPT_WORDS = 120


def made_up(rng: random.Random) -> RunData:
    """Rows of the paper's number and lengths; no reader of them learns anything."""
    words = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(2, 9))) for _ in range(VOCABULARY)]
    weights = [1 / rank for rank in range(1, VOCABULARY + 1)]
    personas = tuple(read_personas("bundled"))

    def text(length: int) -> str:
        drawn = rng.choices(words, weights, k=length)
        drawn[::12] = [f"$\\frac{{{rng.randint(1, 99)}}}{{{rng.randint(1, 99)}}}$" for _ in drawn[::12]]
        return " ".join(drawn)

    outcome = Outcome()
    for number in range(SEEDS):
        source = "math" if number % 2 else "gsm8k"
        question = text(QUESTION_WORDS)
        for place in range(REWRITES + 1):
            persona = rng.choice(personas) if place else None
            outcome.rows.append(
                Row(
                    id=f"{source}-train-{number:05}" + (f"/p{persona.index:04}" if persona else ""),
                    problem=text(QUESTION_WORDS) if persona else question,
                    response=text(SOLUTION_WORDS) + " $\\boxed{7}$.",
                    answer="7",
                    source=source,
                    method="persona",
                    step="stage1_rewrite" if persona else "stage1_inference",
                    seed_id=f"{source}-train-{number:05}",
                    seed_problem=question,
                    level=number % 5 + 1 if number % 2 else None,
                    subject="Algebra" if number % 2 else None,
                    teacher="made-up",
                    request=f"{rng.getrandbits(128):032x}",
                    columns={"stage": 1, "persona": persona.description if persona else None},
                )
            )
    funnel = Funnel(seed_problems=Counter(gsm8k=SEEDS // 2, math=SEEDS // 2))
    funnel.add(outcome)
    recipe = Recipe(problems=("gsm8k", "math"), teacher="made-up")
    facts = provenance(recipe, funnel.as_dict(recipe.method.outline), Origins.named(recipe), None, {})
    kinds = [kind.name for kind in recipe.method.outline.kinds]
    reasons = [(kinds[at % len(kinds)], f"reason {at}") for at in range(REASONS)]
    lost = [
        NotKept(
            id=f"{row.seed_id}/p0001",
            seed=Problem(row.seed_id, row.source, row.seed_problem, row.answer, row.level, row.subject),
            kind=kind,
            reason=reason,
            problem=text(QUESTION_WORDS),
            answer=row.answer,
            persona=rng.choice(personas).description,
            prompt=text(PROMPT_WORDS),
            text=text(SOLUTION_WORDS),
            teacher="made-up",
            request=f"{rng.getrandbits(128):032x}",
        )
        for kind, reason in reasons
        for row in rng.sample(outcome.rows, MOST_OF_EACH)
    ]
    counts = dict.fromkeys(reasons, LOST_OF_EACH)
    return RunData("made-up", tuple(outcome.rows), facts, personas=personas, lost=Lost(tuple(lost), counts))


FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
# Runs in the page; answers with milliseconds by what was done.
MEASURE = """(async () => {
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const took = {};
  const timed = async (name, act, test) => {
    const start = performance.now();
    act();
    do await painted(); while (!test());
    took[name] = Math.round(performance.now() - start);
  };
  const part = (name) => document.querySelector(`[data-part=${name}]`);
  const filled = () => {
    const all = [...document.querySelectorAll(".snippet")];
    return all.length && all.every((snippet) => snippet.textContent !== "…");
  };
  const count = () => part("count").textContent;
  const type = (text) => { part("query").value = text; part("form").requestSubmit(); };
  const choose = (name, value) => {
    const select = part("filters").querySelector(`select[name=${name}]`);
    select.value = value;
    select.dispatchEvent(new Event("change"));
  };
  const said = (text) => part("said").textContent.startsWith(text);
  await timed("rows in sight", () => (location.hash = "#rows"), filled);
  await timed("a row opened", () => document.querySelector("[role=option]").click(),
    () => document.querySelector(".ancestry .katex"));
  await timed("scrolled to the middle", () => (part("list").scrollTop = part("list").scrollHeight / 2), filled);
  const all = count();
  await timed("filtered", () => choose("step", "1"), () => count() !== all && filled());
  await timed("filter taken away", () => choose("step", ""), () => count() === all && filled());
  await timed("what was not kept", () => choose("outcome", "1"), () => count() !== all && filled());
  await timed("kept again", () => choose("outcome", "0"), () => count() === all && filled());
  await timed("longest first", () => choose("sort", "2"), filled);
  await timed("in order again", () => choose("sort", "0"), filled);
  await timed("a row marked", () => document.querySelector("[name=good]").click(), () => said("Marked"));
  let before = all;
  for (const [name, query] of Object.entries(QUERIES)) {
    await timed(name, () => type(query), () => part("count").dataset.done === "true" && count() !== before);
    before = took[`${name}, found`] = count();
  }
  type("");
  await timed("all rows exported", () => part("export").click(), () => said("Exported"));
  return took;
})()"""


def measure(page: Page, url: str, queries: dict[str, str]) -> None:
    """Print how long everything takes that a reader does, in ms."""
    start = time.monotonic()
    page.open(url)
    print(f"page loaded: {1000 * (time.monotonic() - start):.0f}, first paint: {page.evaluate(FIRST_PAINT):.0f}")
    for name, value in page.evaluate(MEASURE.replace("QUERIES", json.dumps(queries))).items():
        print(f"{name}: {value}")
    print(f"memory, MB: {page.evaluate('performance.memory.usedJSHeapSize') / 1e6:.0f}; problems: {page.problems}")


def main() -> None:
    """Make a report of 70,000 rows, and use it."""
    with tempfile.TemporaryDirectory() as scratch:
        data = made_up(random.Random(1))
        start = time.monotonic()
        path = write_found(data, Analyses((), ()), Path(scratch) / "report")
        print(
            f"{len(data.rows):,} rows written in {time.monotonic() - start:.1f} s, {path.stat().st_size / 1e6:.1f} MB"
        )
        word = data.rows[0].problem.split()[1]
        queries = {"first search": data.rows[-1].id, "a formula": r"\frac{17}{19}", "a common word": word}
        with chromium(Path(scratch) / "profile") as page:
            measure(page, path.as_uri(), queries)


if __name__ == "__main__":
    main()
