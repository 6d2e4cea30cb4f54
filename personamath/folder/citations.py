"""BibTeX entries for a card: the paper, and the datasets and teachers that the data was really made with."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from personamath.folder.teachers import models
from personamath.folder.used_sources import personas_repo, used_problems

PAPER = """\
@article{luo2024personamath,
  title   = {PersonaMath: Boosting Mathematical Reasoning via Persona-Driven Data Augmentation},
  author  = {Luo, Jing and others},
  journal = {arXiv preprint arXiv:2410.01504},
  year    = {2024}
}"""
PROBLEMS = {
    "gsm8k": """\
@article{cobbe2021gsm8k,
  title   = {Training Verifiers to Solve Math Word Problems},
  author  = {Cobbe, Karl and others},
  journal = {arXiv preprint arXiv:2110.14168},
  year    = {2021}
}""",
    "math": """\
@article{hendrycks2021math,
  title   = {Measuring Mathematical Problem Solving With the MATH Dataset},
  author  = {Hendrycks, Dan and others},
  journal = {arXiv preprint arXiv:2103.03874},
  year    = {2021}
}""",
}
"""By the name of the published dataset."""
PERSONAS = {
    "proj-persona/personahub": """\
@article{ge2024personahub,
  title   = {Scaling Synthetic Data Creation with 1,000,000,000 Personas},
  author  = {Ge, Tao and others},
  journal = {arXiv preprint arXiv:2406.20094},
  year    = {2024}
}""",
}
"""By repository in lower case."""


def _report(key: str, title: str, author: str, arxiv: str) -> str:
    return f"""\
@article{{{key},
  title   = {{{title}}},
  author  = {{{author}}},
  journal = {{arXiv preprint arXiv:{arxiv}}},
  year    = {{20{arxiv[:2]}}}
}}"""


TEACHERS = {
    r"qwen-?2\.5(?!-(math|coder|vl))": _report(
        "qwen2024qwen25", "Qwen2.5 Technical Report", "{Qwen Team}", "2412.15115"
    ),
    r"qwen-?3(?!-(coder|vl|next)|\.)": _report("qwen2025qwen3", "Qwen3 Technical Report", "{Qwen Team}", "2505.09388"),
    r"(meta-)?llama-?3(\.1)?(?!\.)": _report(
        "grattafiori2024llama3", "The Llama 3 Herd of Models", "Grattafiori, Aaron and others", "2407.21783"
    ),
    r"deepseek-r1": _report(
        "deepseek2025r1",
        "DeepSeek-R1: Incentivizing Reasoning Capability in LLMs via Reinforcement Learning",
        "{DeepSeek-AI}",
        "2501.12948",
    ),
    r"deepseek-v3(?!\.)": _report("deepseek2024v3", "DeepSeek-V3 Technical Report", "{DeepSeek-AI}", "2412.19437"),
}
"""Reports of teachers' models, by a pattern for the beginning of the name in lower case, without its owner."""


def citations(provenance: Mapping[str, Any]) -> list[str]:
    """The entries for a dataset: the paper first, then its problems, its personas and its teachers, each once."""
    return list(dict.fromkeys([PAPER, *_used(provenance)]))


def _used(provenance: Mapping[str, Any]) -> Iterator[str]:
    for problems in used_problems(provenance):
        if problems.published:
            yield PROBLEMS[problems.published]
    personas = personas_repo(provenance["personas"]) or ""
    if personas.lower() in PERSONAS:
        yield PERSONAS[personas.lower()]
    for model in models(provenance["recipe"]):
        name = model.lower().rpartition("/")[2]
        yield from (entry for pattern, entry in TEACHERS.items() if re.match(pattern, name))
