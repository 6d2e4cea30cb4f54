"""A dataset for reports: rows of every step, with mathematics, money, and what an attacker would write."""

from personamath.folder.provenance import Origins, provenance
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Persona, Row
from personamath.report.analysis.rows import RunData
from personamath.runs.funnel import Funnel
from personamath.sources.personas import read_personas

# Each of these, were it not kept in its place, would run, load, draw over the page or never end.
HOSTILE = (
    '<img src=x onerror="window.hit=1"><svg onload="window.hit=2"></svg></script><script>window.hit=3</script>'
    "<!-- <style>*{display:none}</style> {{ 7*'7' }} \u2028\u2029\u202e &lt;b&gt; ]]> ' \" ` [x](javascript:hit) "
    r"$\href{javascript:window.hit=4}{here}$ $\url{javascript:window.hit=5}$ "
    r"$\includegraphics{https://example.org/x.png}$ "
    r"$\htmlClass{skip}{x}$ $\htmlStyle{position:fixed}{x}$ $\def\a{\a\a}\a$ $\gdef\frac{\text{stolen}}$ "
    r"$\rule{99999em}{99999em}$ $\kern-99999em x$ $\raisebox{9999em}{x}$ $" + "{" * 2_000 + r"$ $\frac{1}{2}$"
)
PERSONA = Persona(0, "A cook in Lyon", "Services and Sales Workers")
HOSTILE_PERSONA = Persona(1, HOSTILE, HOSTILE)


def row(step: str, seed: str, problem: str, response: str, persona: Persona | None = None, level: int = 2) -> Row:
    """One row, with what its step asks for."""
    return Row(
        id=f"{seed}/p{persona.index:04}" if persona else seed,
        problem=problem,
        response=response,
        answer="4",
        source=seed.partition("-")[0],
        method="persona",
        step=step,
        seed_id=seed,
        seed_problem=f"What is $2 + 2$, seen from {seed}?" if persona else problem,
        level=level if seed.startswith("math") else None,
        subject="Algebra" if seed.startswith("math") else None,
        teacher="teacher-1",
        request="0" * 32,
        columns={
            "stage": 1 if step.startswith("stage1") else 2,
            "persona": persona.description if persona else None,
            "review": "It forgot to $\\text{carry}$." if step.startswith("stage2") else None,
        },
    )


def report_data(*more: Row, name: str = "runs/v1") -> RunData:
    """Forty solved families, one of two rewrites, one that was corrected, and what a test adds."""
    rows = [
        *(
            row("stage1_inference", f"gsm8k-train-{n:05}", f"Ann has {n} apples.", f"It is \\boxed{{{n}}}.")
            for n in range(40)
        ),
        row(
            "stage1_inference",
            "math-train-00001",
            "What is $2 + 2$, seen from math-train-00001?",
            r"\[ 2 + 2 = \boxed{4} \]",
            level=1,
        ),
        row("stage1_rewrite", "math-train-00001", "In Lyon, what is $2 + 2$?", r"\(4\): $\boxed{4}$", PERSONA, level=1),
        row(
            "stage2_reflection",
            "math-train-00002",
            "What is $2 + 2$, seen from math-train-00002?",
            r"Truly $\boxed{4}$.",
            level=5,
        ),
        row("stage2_rewrite", "math-train-00002", "A quiche of $1 + 3$?", r"Again $\boxed{4}$.", PERSONA, level=5),
        *more,
    ]
    outcome = Outcome(rows=rows)
    outcome.counts.update({("stage1_inference", "kept"): 41, ("stage1_inference", "wrong answer"): 1})
    funnel = Funnel()
    funnel.seed_problems.update({"gsm8k": 40, "math": 2})
    funnel.add(outcome)
    recipe = Recipe(problems=("gsm8k", "math"), teacher="teacher-1")
    return RunData(
        name,
        tuple(rows),
        provenance(recipe, funnel.as_dict(recipe.method.outline), Origins.named(recipe), None, {}),
        wrong={"math-train-00002": "It is $5$, plainly."},
        personas=(PERSONA, HOSTILE_PERSONA, *read_personas("bundled")[2:5]),
    )
