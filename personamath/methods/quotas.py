"""How many right solutions a seed problem shall have, and how many samples to ask for next (DART, Tong et al. 2024).

A fixed number of samples gives easy problems many rows and hard ones few or none. With a quota, a problem is sampled
until enough solutions are right. Both functions see counts only, so what is asked depends on no order of arrival.
"""

from math import ceil
from typing import Literal

Share = Literal["uniform", "fail-rate"]


def quota(until_right: int, share: Share, right: float, asked: int) -> int:
    """The right solutions to keep of a problem of whose first `asked` samples this many are right.

    `fail-rate` gives a problem that is never solved `until_right`, and others in proportion; at least one.
    """
    return until_right if share == "uniform" else max(1, ceil(until_right * (asked - right) / asked))


def next_wave(wanted: int, right: float, asked: int, most: int) -> int:
    """How many samples to ask for after `asked` samples, of which this many are right; 0 to stop.

    As many as the rate so far says are missing, at most as many as were asked before, and `most` together. So a wave
    seldom asks for much more than is needed, and a problem that is never solved takes few waves to reach `most`.
    """
    if right >= wanted:
        return 0
    rate = (right + 1) / (asked + 2)  # Laplace's, so that the rate of a problem without a right sample is not 0
    return min(ceil((wanted - right) / rate), asked, most - asked)


def samples_and_waves(k: int, until_right: int, share: Share, most: int, rate: float) -> tuple[int, int]:
    """How many samples, in how many waves, a problem takes of which exactly this share of the samples is right."""
    asked, waves = k, 1
    wanted = quota(until_right, share, rate * k, k)
    while more := next_wave(wanted, rate * asked, asked, most):
        asked, waves = asked + more, waves + 1
    return asked, waves
