"""A refusal of a request's parameter: which option to set, and to what."""

import re

_REFUSED = re.compile(
    r"unsupported|not supported|does(?:n't| not) support|unknown|unrecogni[sz]ed|unexpected|not (?:permitted|allowed)"
    r"|deprecated|not available|only the default|cannot be (?:set|specified|used)|not accept|no longer",
    re.IGNORECASE,
)
"""Words by which endpoints refuse a parameter of every request alike."""
_OF_ONE_PROMPT = re.compile(r"context|too (?:long|large|many)|exceed|maximum|at (?:most|least)", re.IGNORECASE)
"""Words by which they refuse one request, for its length."""
_NAMED = re.compile(
    r"\b(?P<own>max_tokens|max_completion_tokens|temperature|system)\b|[`'\"](?P<other>[a-z]+(?:_[a-z]+)*)[`'\"]"
)

REMEDIES = {
    "max_tokens": "give --token-limit max_completion_tokens (token_limit in a recipe)",
    "max_completion_tokens": "give --token-limit max_tokens (token_limit in a recipe)",
    "temperature": "give --temperature none (temperature: null in a recipe)",
    "system": "leave out --system (system in a recipe)",
}
"""What to do about the parameters that requests have by themselves. Any other comes from the recipe's `request`."""


def parameter_remedy(message: str) -> str | None:
    """What to set where an endpoint refuses a parameter of every request; None for any other refusal.

    The first parameter that the message names is the refused one: a better one may be named after it.
    """
    if not _REFUSED.search(message) or _OF_ONE_PROMPT.search(message):
        return None
    named = _NAMED.search(message)
    if named is None:
        return None
    name = named["own"] or named["other"]
    if name in REMEDIES:
        return REMEDIES[name]
    return f"take {name} out of --request (request in a recipe), or give it a value that this model takes"
