"""What tokens cost."""

from typing import NamedTuple

PER = 1_000_000
"""Prices are for this many tokens."""
DIRECT = "direct"
"""Requests that are sent one by one, in no special service tier."""
BATCH = "batch"
"""Requests that are sent in files, through the Batch API."""
REUSED = "reused"
"""Requests that were not sent, because another run had the answer; that run paid for it."""


class Rates(NamedTuple):
    """USD per million tokens, of requests that were sent in one way."""

    prompt: float
    completion: float
    cached: float | None = None
    """Of prompt tokens that the provider had in its cache; None if they cost what others do."""

    def usd(self, prompt_tokens: float, completion_tokens: float, cached_tokens: float = 0) -> float:
        """The cost of these tokens; the cached ones are among those of the prompt."""
        cached = self.prompt if self.cached is None else self.cached
        fresh = max(0, prompt_tokens - cached_tokens)
        return (self.prompt * fresh + cached * cached_tokens + self.completion * completion_tokens) / PER

    def scaled(self, listed: "Rates", given: "Rates") -> "Rates":
        """Scale these listed rates for a user whose direct rates are `given` while the list's are `listed`."""
        of_prompt, of_completion = _share(given.prompt, listed.prompt), _share(given.completion, listed.completion)
        cached = None if self.cached is None else self.cached * of_prompt
        return Rates(self.prompt * of_prompt, self.completion * of_completion, cached)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
