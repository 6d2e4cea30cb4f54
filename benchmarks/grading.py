"""Accuracy, precision, recall and speed of graders on labelled pairs, as Markdown.

    python benchmarks/grading.py pairs.jsonl

A pair has `gold`, `candidate`, `form` (`bare`: the answer itself; `full`: a model output, whose last box counts),
`kind` and `equal`. Every grader gets the same last box; an output without one counts as not equal. CPU seconds are
those of this process, imports left out; how many pairs went to a worker process is said below.
"""

import argparse
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from math_verify import parse, verify

from personamath.answers import equivalent, extract
from personamath.answers.equivalence import compare
from personamath.answers.paper import as_float, math_normal_form


class Pair(NamedTuple):
    kind: str
    gold: str
    answer: str | None
    equal: bool


class Result(NamedTuple):
    said: list[bool]
    cpu_seconds: float


def math_verify(gold: str, answer: str) -> bool:
    """math-verify, given the box that it would look for."""
    return bool(verify(parse(rf"\boxed{{{gold}}}"), parse(rf"\boxed{{{answer}}}")))


MINERVA_REPLACED = [
    ("an ", ""), ("a ", ""), (".$", "$"), (r"\$", ""), (r"\ ", ""), (" ", ""), ("mbox", "text"), (r",\text{and}", ","),
    (r"\text{and}", ","), (r"\text{m}", r"\text{}"),
]  # fmt: skip
MINERVA_REMOVED = [
    "square", "ways", "integers", "dollars", "mph", "inches", "ft", "hours", "km", "units", r"\ldots", "sue", "points",
    "feet", "minutes", "digits", "cents", "degrees", "cm", "gm", "pounds", "meters", "meals", "edges", "students",
    "childrentickets", "multiples", r"\text{s}", r"\text{.}", r"\text{}^2", r"\text{}^3", r"\text{}", r"\mathrm{th}",
    r"^\circ", r"^{\circ}", r"\;", r",\!", "{,}", '"', r"\dots",
]  # fmt: skip


def minerva(answer: str) -> str:
    """Normal form of Lewkowycz et al., appendix D.1, which lm-eval's minerva_math compares before it asks sympy."""
    answer = answer.split("=")[-1]
    for old, new in MINERVA_REPLACED:
        answer = answer.replace(old, new)
    for old in MINERVA_REMOVED:
        answer = answer.replace(old, "")
    answer = re.sub(r"\\(?:text|textbf|overline|boxed)\{(.*?)\}", r"\1", answer)
    answer = re.sub(r"(frac)([^{])(.)", r"frac{\2}{\3}", answer)
    answer = re.sub(r"(sqrt)([^{])", r"sqrt{\2}", answer).replace("$", "")
    return answer.replace(",", "") if answer.replace(",", "").isdigit() else answer


def math_rule(gold: str, answer: str) -> bool:
    """Hendrycks et al.'s rule, which is also that of lm-eval's hendrycks_math."""
    try:
        return math_normal_form(gold) == math_normal_form(answer)
    except (ValueError, IndexError):
        return gold == answer


def paper_rule(gold: str, answer: str) -> bool:
    """The same as the paper released it."""
    try:
        return as_float(math_normal_form(gold)) == as_float(math_normal_form(answer))
    except (ValueError, IndexError):
        return gold == answer


GRADERS: dict[str, Callable[[str, str], bool]] = {
    "PersonaMath": equivalent,
    "math-verify, last box": math_verify,
    "lm-eval minerva_math, its normal form": lambda gold, answer: minerva(gold) == minerva(answer),
    "MATH's rule, also lm-eval hendrycks_math": math_rule,
    "the paper's MATH grader": paper_rule,
}


def run(grader: Callable[[str, str], bool], pairs: list[Pair]) -> Result:
    grader("1", r"\sqrt{2}")  # what is imported at first use
    start = time.process_time()
    said = [pair.answer is not None and grader(pair.gold, pair.answer) for pair in pairs]
    return Result(said, time.process_time() - start)


def share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "–"


def row(name: str, said: list[bool], pairs: list[Pair]) -> str:
    right = sum(equal == pair.equal for equal, pair in zip(said, pairs, strict=True))
    hits = sum(equal and pair.equal for equal, pair in zip(said, pairs, strict=True))
    measures = share(right, len(pairs)), share(hits, sum(said)), share(hits, sum(pair.equal for pair in pairs))
    return f"| {name} | {' | '.join(measures)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    lines = parser.parse_args().pairs.read_text(encoding="utf-8").split("\n")  # an answer may hold U+2028
    rows = [json.loads(line) for line in lines if line]
    answers = [extract(row["candidate"]) if row["form"] == "full" else row["candidate"] for row in rows]
    pairs = [Pair(row["kind"], row["gold"], answer, row["equal"]) for row, answer in zip(rows, answers, strict=True)]
    real = [pair for pair in pairs if pair.kind.startswith("real_")]

    print(f"{len(pairs)} pairs, {len(real)} of them real model outputs\n")
    print(
        "| grader | accuracy | precision | recall | pairs per CPU second | on real outputs |\n|---|---|---|---|---|---|"
    )
    results = {}
    for name, grader in GRADERS.items():
        on_real = run(grader, real)
        results[name] = run(grader, pairs)
        speeds = f"{len(pairs) / results[name].cpu_seconds:,.0f} | {len(real) / on_real.cpu_seconds:,.0f}"
        print(f"{row(name, results[name].said, pairs)} {speeds} |")

    left_open = sum(pair.answer is not None and compare(pair.gold, pair.answer).equal is None for pair in pairs)
    print(f"\nPersonaMath's cheap rules decided all but {left_open} of the pairs.")

    by_kind = defaultdict(list)
    for index, pair in enumerate(pairs):
        by_kind[pair.kind].append(index)
    for name, result in results.items():
        print(f"\n{name}\n\n| kind | accuracy | precision | recall |\n|---|---|---|---|")
        for kind, places in sorted(by_kind.items()):
            label = f"{kind} ({len(places)})"
            print(row(label, [result.said[place] for place in places], [pairs[place] for place in places]))


if __name__ == "__main__":
    main()
