"""How the latency of answers grows with the requests in flight, estimated without keeping the answers."""

from dataclasses import dataclass
from math import inf, log, sqrt

# Fewer answers, or answers that were all sent with the same number in flight, show nothing.
LEAST_WEIGHT = 4.0
LEAST_VARIANCE = 1e-6
# Where a line through the latencies falls below this share of their mean, it does not describe them.
LEAST_SHARE = 0.01


@dataclass(slots=True)
class Latencies:
    """Least squares for `latency = a + b in_flight + c length`; old answers fade.

    The line is exact where requests wait in a queue, and close enough where a server batches continuously.
    """

    count: int = 0
    latency_s: float = 0.0
    _weight: float = 0.0
    _n: float = 0.0
    _length: float = 0.0
    """Means of the requests in flight and of the lengths; `latency_s` is the mean of the latencies."""
    _nn: float = 0.0
    _ll: float = 0.0
    _ss: float = 0.0
    _nl: float = 0.0
    _ns: float = 0.0
    _ls: float = 0.0
    """Sums of products of the differences from the means: `n` in flight, `l` length, `s` seconds."""

    def add(self, in_flight: int, length: float, latency_s: float, memory: float = inf) -> None:
        """Count an answer (Welford's update); others are forgotten after about `memory` more."""
        keep = 1 - 1 / memory
        self.count += 1
        self._weight = self._weight * keep + 1
        n, ell, s = in_flight - self._n, length - self._length, latency_s - self.latency_s
        self._n += n / self._weight
        self._length += ell / self._weight
        self.latency_s += s / self._weight
        old = (self._weight - 1) / self._weight
        self._nn = self._nn * keep + n * n * old
        self._ll = self._ll * keep + ell * ell * old
        self._ss = self._ss * keep + s * s * old
        self._nl = self._nl * keep + n * ell * old
        self._ns = self._ns * keep + n * s * old
        self._ls = self._ls * keep + ell * s * old

    def growth(self, smaller: float, larger: float) -> tuple[float, float]:
        """How latency grows between two limits, as a power of the requests in flight, and its standard error.

        0 where no request waits, 1 where throughput stays as it is; the error is infinite where nothing shows it.
        """
        by_length = 1 / self._ll if self._ll > LEAST_VARIANCE else 0.0
        nn = self._nn - self._nl * self._nl * by_length
        if self._weight < LEAST_WEIGHT or nn < LEAST_VARIANCE * self._weight:
            return 0.0, inf
        slope = (self._ns - self._nl * self._ls * by_length) / nn
        unexplained = max(0.0, self._ss - self._ls * self._ls * by_length - slope * slope * nn)
        error = sqrt(unexplained / (self._weight - LEAST_WEIGHT + 1) / nn)
        least = LEAST_SHARE * self.latency_s
        before = max(least, self.latency_s + slope * (smaller - self._n))
        after = max(least, self.latency_s + slope * (larger - self._n))
        times = log(larger / smaller)
        leverage = (self._n - smaller) / before + (larger - self._n) / after
        return log(after / before) / times, error * leverage / times
