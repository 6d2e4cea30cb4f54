"""What a run prints of its counts."""

import re

import pytest

from personamath.methods import METHODS
from personamath.runs.funnel import Funnel, narrative


@pytest.mark.parametrize("name", METHODS)
def test_the_counts_of_every_method_are_in_one_column(name: str) -> None:
    lines = narrative(Funnel(), METHODS[name]().outline).splitlines()
    ends = {found.end() for line in lines if (found := re.search(r" 0(?= )", line))}
    assert len(ends) == 1
