"""What a run prints of its counts."""

import re
from collections import Counter

import pytest

from personamath.methods import METHODS
from personamath.runs.funnel import Funnel, composition, narrative


@pytest.mark.parametrize("name", METHODS)
def test_the_counts_of_every_method_are_in_one_column(name: str) -> None:
    outline = METHODS[name]().outline
    lines = narrative(Funnel(), outline).splitlines()
    assert all(any(line.startswith(f"{outline.label(kind)} ") for line in lines) for kind in outline.kinds)
    ends = {found.end() for line in lines if (found := re.search(r" 0(?= )", line))}
    assert len(ends) == 1


@pytest.mark.parametrize("name", METHODS)
def test_the_composition_of_every_method_fits_on_a_narrow_terminal(name: str) -> None:
    outline = METHODS[name]().outline
    funnel = Funnel(seed_problems=Counter(gsm8k=1, math=2), rows=Counter({("math", outline.steps[0].name): 54_600}))
    lines = composition(funnel, outline).splitlines()
    assert max(map(len, lines)) <= 80
    words = [word for step in outline.steps for word in step.label.replace("-", "- ").split()]
    assert sorted([*words, "all"]) == sorted(word for line in lines[:-3] for word in line.split())
    assert lines[-1].split()[1] == "54,600"
