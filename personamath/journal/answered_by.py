"""The journal's column `answered_by`: what really answered, as one JSON object without the keys that are unknown."""

import json
from functools import lru_cache

from personamath.records import AnsweredBy

# Most answers of a run say the same, so few distinct objects occur. Those with reasoning all differ, and are long:
# caching many of them would cost memory.
REMEMBERED = 64
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@lru_cache(REMEMBERED)
def as_json(answered_by: AnsweredBy) -> str:
    """A record as JSON."""
    return _encoded({name: value for name, value in answered_by._asdict().items() if value is not None})


@lru_cache(REMEMBERED)
def from_json(text: str) -> AnsweredBy:
    """Read a record from JSON; keys that a later version added are left out."""
    content = json.loads(text)
    return AnsweredBy(**{name: content[name] for name in AnsweredBy._fields if name in content})
