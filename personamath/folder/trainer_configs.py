"""The configs for trainers: the dataset's rows as messages, in the columns that TRL and others expect.

Each is a parquet file of its own, computed from the rows alone: `check_folder` computes it again and compares.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

from personamath.folder.arrow_arrays import strings, whole_numbers
from personamath.methods.method import Step
from personamath.methods.reflection import WRONG_RESPONSE

_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
# Parquet calls it `element` as well, so a file's schema is the same as this one.
MESSAGES = pa.list_(pa.field("element", _MESSAGE))
"""A conversation, here of one message; chat templates and trainers read it."""


class TrainerConfig(NamedTuple):
    """A config for trainers."""

    name: str
    says: str
    """What it holds, for the card."""
    schema: pa.Schema
    """The row's `id` comes first, so that every example can be traced."""
    reads: tuple[str, ...]
    """The columns of the rows that it is computed from."""
    examples: Callable[[Iterable[pa.Table]], Iterator[pa.Table]]
    """Makes the examples of tables of rows, which come in order."""
    takes: Callable[[Step], bool]
    """Whether it takes the rows of a step."""

    @property
    def path(self) -> str:
        """The path of its file in the folder."""
        return f"{self.name}/train.parquet"


def _messages(role: str, texts: pa.ChunkedArray) -> pa.ListArray:
    """Return a conversation of one message for each text."""
    roles = strings([role] * len(texts))
    messages = pa.StructArray.from_arrays([roles, texts.combine_chunks()], fields=list(_MESSAGE))
    return pa.ListArray.from_arrays(whole_numbers(range(len(texts) + 1)), messages, type=MESSAGES)


def _sft(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    for rows in tables:
        columns = [rows["id"], _messages("user", rows["problem"]), _messages("assistant", rows["response"])]
        yield pa.table(columns, schema=SFT.schema)


def _rl(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Keep the first row of each problem; problems that differ only in white space are the same."""
    seen: set[bytes] = set()
    for rows in tables:
        first = []
        for place, problem in enumerate(rows["problem"].to_pylist()):
            # 128 bits, so that no two of 10^9 problems share a digest by chance.
            digest = hashlib.blake2b(" ".join(problem.split()).encode(), digest_size=16).digest()
            if digest not in seen:
                first.append(place)
            seen.add(digest)
        chosen = rows.take(whole_numbers(first))
        same = [chosen[name] for name in ("answer", "level", "subject", "source")]
        yield pa.table([chosen["id"], _messages("user", chosen["problem"]), *same], schema=RL.schema)


def _preference(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    for rows in tables:
        both = rows.filter(rows[WRONG_RESPONSE].is_valid())
        answers = [_messages("assistant", both[name]) for name in ("response", WRONG_RESPONSE)]
        yield pa.table([both["id"], _messages("user", both["problem"]), *answers], schema=PREFERENCE.schema)


def _any_step(_: Step) -> bool:
    return True


def _is_verified(step: Step) -> bool:
    """Whether more than a vote confirms the answers; a reward must not repeat the teacher's mistakes."""
    return step.answer_from != "majority"


_EXAMPLE = [("id", pa.string()), ("prompt", MESSAGES)]

SFT = TrainerConfig(
    "sft",
    "every solution: `prompt` and `completion` as messages, for supervised fine-tuning",
    pa.schema([*_EXAMPLE, ("completion", MESSAGES)]),
    ("id", "problem", "response"),
    _sft,
    _any_step,
)
RL = TrainerConfig(
    "rl",
    "every different problem once: `prompt` as messages and the reference answer as `solution`, for reinforcement "
    "learning",
    pa.schema(
        [
            *_EXAMPLE,
            *[("solution", pa.string()), ("level", pa.int32()), ("subject", pa.string()), ("source", pa.string())],
        ]
    ),
    ("id", "problem", "answer", "level", "subject", "source"),
    _rl,
    _is_verified,
)
PREFERENCE = TrainerConfig(
    "preference",
    "the problems that reflection recovered: `prompt`, `chosen` (the corrected solution) and `rejected` (the wrong "
    "one) as messages, for preference optimization",
    pa.schema([*_EXAMPLE, ("chosen", MESSAGES), ("rejected", MESSAGES)]),
    ("id", "problem", "response", WRONG_RESPONSE),
    _preference,
    _is_verified,
)
TRAINER_CONFIGS = (SFT, RL, PREFERENCE)
