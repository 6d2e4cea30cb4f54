"""The terms of a teacher's completions, by the name of its model."""

from typing import Any

import pytest

from personamath.folder.citations import citations
from personamath.folder.teacher_terms import terms_of

# model, name of its terms, a part of what they say
TERMS = [
    ("gpt-4o-mini-2024-07-18", "OpenAI's terms", "compete"),
    ("openai/o3-mini", "OpenAI's terms", "compete"),
    ("openai/gpt-oss-20b", "Apache License 2.0", ""),
    ("anthropic/claude-sonnet-4", "Anthropic's commercial terms", "compete"),
    ("gemini-2.5-flash", "Gemini API terms", "compete"),
    ("google/gemma-2-9b-it", "Gemma Terms of Use", "derived from Gemma"),
    ("gemma3:12b", "Gemma Terms of Use", "derived from Gemma"),
    ("meta-llama/Llama-2-70b-chat-hf", "Llama 2 Community License", "other than Llama 2"),
    ("meta-llama/Meta-Llama-3-8B-Instruct", "Llama 3 Community License", "other than Llama 3"),
    ("meta-llama/Llama-3.1-8B-Instruct:together", "Llama Community License", "begins with “Llama”"),
    ("llama3.3:70b", "Llama Community License", "begins with “Llama”"),
    ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "Llama Community License", "begins with “Llama”"),
    ("Qwen/Qwen2.5-72B-Instruct", "Qwen License", "Built with Qwen"),
    ("qwen2.5:72b", "Qwen License", "Built with Qwen"),
    ("Qwen/Qwen2.5-3B-Instruct", "Qwen Research License", "not for commercial use"),
    ("Qwen/Qwen2.5-32B-Instruct", "Apache License 2.0", ""),
    ("qwen2.5:7b", "Apache License 2.0", ""),
    ("Qwen/Qwen2.5-0.5B-Instruct", "Apache License 2.0", ""),
    ("Qwen/Qwen3-8B", "Apache License 2.0", ""),
    ("deepseek-ai/DeepSeek-R1", "MIT License", ""),
    ("mistralai/Mistral-7B-Instruct-v0.3", "Apache License 2.0", ""),
    ("mistralai/Mistral-Large-Instruct-2411", "the licence on the model's own card", "not for commercial use"),
    ("simulated-teacher", "Apache License 2.0", "no model wrote them"),
]


@pytest.mark.parametrize(("model", "name", "says"), TERMS)
def test_a_models_name_leads_to_its_terms(model: str, name: str, says: str) -> None:
    terms = terms_of(model)
    assert terms and terms.name == name and says in terms.markdown and terms.url.startswith("https://")
    assert bool(terms.says) == bool(says)


@pytest.mark.parametrize("model", ["teacher-1", "qwen-max", "qwen2.5", "deepseek-chat", "my-gpt-4o", "gemma4:e4b", ""])
def test_nothing_is_claimed_of_other_models(model: str) -> None:
    assert terms_of(model) is None


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("Qwen/Qwen2.5-72B-Instruct", "qwen2024qwen25"),
        ("Qwen/Qwen3-8B", "qwen2025qwen3"),
        ("meta-llama/Llama-3.1-8B-Instruct", "grattafiori2024llama3"),
        ("deepseek-ai/DeepSeek-R1", "deepseek2025r1"),
        ("meta-llama/Llama-3.3-70B-Instruct", None),
        ("Qwen/Qwen2.5-Math-7B-Instruct", None),
        ("gpt-4o-mini-2024-07-18", None),
    ],
)
def test_a_teacher_with_a_report_is_cited(model: str, key: str | None) -> None:
    facts: dict[str, Any] = {"problems": [], "personas": None, "recipe": {"teacher": model}, "funnel": {"rows": {}}}
    _, *teachers = citations(facts)
    assert [entry.partition("{")[2].partition(",")[0] for entry in teachers] == ([key] if key else [])
