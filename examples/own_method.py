"""Write your own method: the teacher retells each problem, and the rows whose answer stays the same are kept.

python examples/own_method.py --teacher qwen2.5:7b --base-url http://127.0.0.1:11434/v1 --output runs/retold
"""

import argparse
from dataclasses import dataclass, replace
from typing import ClassVar

import personamath
from personamath.methods.method import Kind, Method, Outline, Step
from personamath.methods.prompts import Prompt
from personamath.methods.work import USABLE, Work
from personamath.records import Dropped, Problem, Solution


@dataclass(frozen=True, kw_only=True)
class Retelling(Method):
    """Let the teacher retell each problem as a longer story and solve it; keep it if the answer stays the same."""

    sentences: int = 3

    prompts: ClassVar = {"retell": Prompt("Retell this math problem in {sentences} sentences:\n{problem}")}
    outline: ClassVar = Outline(
        method="retelling",
        title="retelling",
        how="The teacher retells each problem in {sentences} sentences and solves the result.",
        cite="",
        steps=(Step("retold", "retold", "retold seed problems, solved", rewrites=True),),
        kinds=(
            Kind("retold: retell", "retell the problem", "retold", "rewrite"),
            Kind("retold: solve", "solve the retold problem", "retold", "solve", after="retold: retell"),
        ),
    )

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """Make one retold problem from each seed problem."""
        values = {"problem": seed.question, "sentences": str(self.sentences)}
        completion = await work.ask(work.requests.make("retold: retell", "retell", **values), seed.id)
        if isinstance(completion, Dropped):
            return []
        work.count("retold: retell", USABLE)
        retold = replace(seed, id=f"{seed.id}/retold", question=completion.text.strip(), parent=seed.id)
        return work.correct([await work.solve(retold, "retold: solve")])


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--problems", default="gsm8k", help="any value of `personamath augment --problems`")
parser.add_argument("--teacher", required=True, help="model name at the endpoint")
parser.add_argument("--base-url", required=True, help="endpoint, up to and including /v1")
parser.add_argument("--output", default="runs/retold", help="run directory (default %(default)s)")
options = parser.parse_args()

rows = personamath.augment(
    options.problems,
    method=Retelling(sentences=4),
    limit=10,
    teacher=options.teacher,
    base_url=options.base_url,
    output=options.output,
)
print(f"{len(rows)} rows: {rows[0]['id']}, ...")
print(rows[0]["problem"])
