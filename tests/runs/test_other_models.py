"""Whether the model that answered is the one that was asked, by their names."""

from collections import Counter

import pytest

from personamath.runs.funnel import Funnel
from personamath.runs.other_models import is_same_model, other_models

SAME = [
    ("gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
    ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
    ("GPT-4", "gpt-4-0613"),
    ("openai/gpt-4o", "gpt-4o-2024-08-06"),
    ("mistral-large-latest", "mistral-large-2411"),
    ("qwen2.5", "qwen2.5:latest"),
    ("qwen2.5:7b", "qwen2.5:7b"),
    ("deepseek-ai/DeepSeek-V3:together", "deepseek-ai/DeepSeek-V3"),
    ("openai/gpt-oss-120b:fireworks-ai", "accounts/fireworks/models/gpt-oss-120b"),
    ("gemini-2.5-flash", "models/gemini-2.5-flash-preview-05-20"),
    ("gemma-3-270m", "/models/gemma-3-270m-q4_k_m.gguf"),
    ("Llama-3.3-70B", "Llama-3.3-70B-FP8"),
    ("Qwen/Qwen2.5-0.5B-Instruct", "Qwen/Qwen2.5-0.5B-Instruct@main"),
    ("/models/mine", "/models/mine@main"),
]
OTHERS = [
    ("gpt-4o", "gpt-4o-mini-2024-07-18"),
    ("gpt-4", "gpt-4.1"),
    ("o3", "o3-mini"),
    ("qwen2.5:7b", "qwen2.5:72b"),
    ("gpt-4o-mini", "llama-3.1-8b-instant"),
    ("my-deployment", "gpt-4o-2024-08-06"),
    ("Qwen2.5-7B", "Qwen2.5-72B"),
    ("Qwen/Qwen2.5-0.5B-Instruct", "Qwen/Qwen2.5-1.5B-Instruct@main"),
]


@pytest.mark.parametrize(
    ("asked", "answered", "same"), [*((*pair, True) for pair in SAME), *((*pair, False) for pair in OTHERS)]
)
def test_a_date_or_an_owner_does_not_make_another_model(asked: str, answered: str, same: bool) -> None:
    assert is_same_model(asked, answered) is same
    assert is_same_model(answered, asked) is same


def test_other_models_are_named_in_one_line_with_their_counts() -> None:
    funnel = Funnel(
        answered_by=Counter(
            {
                ("gpt-4o", "gpt-4o-2024-08-06", ""): 900,
                ("gpt-4o", "llama-3", "Groq"): 40,
                ("gpt-4o", "llama-3", "Together"): 2,
                ("gpt-4o", "phi-4", ""): 7,
                ("gpt-4o", "", ""): 5,
            }
        )
    )
    assert other_models(funnel) == ["asked gpt-4o, but another model answered: llama-3 (42), phi-4 (7)"]
    assert other_models(Funnel(answered_by=Counter({("gpt-4o", "", ""): 5}))) == []
