"""What the licence or the terms of a teacher's model say about its completions, as far as the model's name tells.

The passages: Llama 2 and Llama 3, section 1.b.v; Llama 3.1 to 4, section 1.b.i; the Qwen licence of Qwen2.5-72B and
the Qwen Research licence of Qwen2.5-3B; the definition of model derivatives in the Gemma terms; the restrictions on use
in the API terms of OpenAI, Anthropic and Google. They may change, so a card names and links them and judges nothing.
"""

import re
from dataclasses import dataclass

from personamath.records import SIMULATED


@dataclass(frozen=True, slots=True)
class TeacherTerms:
    """The terms of one family of models."""

    pattern: str
    """A regular expression for the beginning of a model's name in lower case, without its owner."""
    name: str
    url: str
    says: str = ""
    """What they say about models that are trained on completions, as the end of a sentence; empty if nothing."""

    name_begins_with: str | None = None
    """What the name of a model that is trained on completions must begin with."""

    @property
    def markdown(self) -> str:
        """The terms with their link, for a table cell."""
        return f"[{self.name}]({self.url}){f': {self.says}' if self.says else ''}"


_APACHE = "Apache License 2.0"
_COMPETING = "must not be used to develop models that compete with the provider's"
_LLAMA_NAME = "a model that is trained on them and passed on must have a name that begins with “Llama”"
_LLAMA_ONLY = "must not be used to improve language models other than {} and its derivatives"

TERMS = (
    TeacherTerms(SIMULATED, _APACHE, "https://www.apache.org/licenses/LICENSE-2.0", "no model wrote them"),
    TeacherTerms(r"gpt-oss", _APACHE, "https://huggingface.co/openai/gpt-oss-120b"),
    TeacherTerms(r"chatgpt|gpt-\d|o\d(-|$)", "OpenAI's terms", "https://openai.com/policies", _COMPETING),
    TeacherTerms(
        r"claude", "Anthropic's commercial terms", "https://www.anthropic.com/legal/commercial-terms", _COMPETING
    ),
    TeacherTerms(r"gemini", "Gemini API terms", "https://ai.google.dev/gemini-api/terms", _COMPETING),
    TeacherTerms(
        r"gemma-?[123]",
        "Gemma Terms of Use",
        "https://ai.google.dev/gemma/terms",
        "they count a model that is trained on them as derived from Gemma, and apply to it too",
    ),
    TeacherTerms(
        r"llama-?2", "Llama 2 Community License", "https://ai.meta.com/llama/license", _LLAMA_ONLY.format("Llama 2")
    ),
    TeacherTerms(
        r"llama-?(3\.[1-9]|4)",
        "Llama Community License",
        "https://github.com/meta-llama/llama-models/tree/main/models",
        _LLAMA_NAME,
        name_begins_with="Llama",
    ),
    TeacherTerms(
        r"llama-?3",
        "Llama 3 Community License",
        "https://github.com/meta-llama/llama3/blob/main/LICENSE",
        _LLAMA_ONLY.format("Llama 3"),
    ),
    TeacherTerms(
        r"qwen-?2\.5\b.*[-:]3b",
        "Qwen Research License",
        "https://huggingface.co/Qwen/Qwen2.5-3B-Instruct/blob/main/LICENSE",
        "not for commercial use; a model that is trained on them and passed on must say “Built with Qwen” or “Improved "
        "using Qwen”",
    ),
    TeacherTerms(
        r"qwen-?2(\.5)?\b.*[-:]72b",
        "Qwen License",
        "https://huggingface.co/Qwen/Qwen2.5-72B-Instruct/blob/main/LICENSE",
        "a model that is trained on them and passed on must say “Built with Qwen” or “Improved using Qwen”",
    ),
    TeacherTerms(r"qwen-?2\.5\b.*[-:][\d.]+b", _APACHE, "https://huggingface.co/collections/Qwen/qwen25"),
    TeacherTerms(r"qwen-?3\b.*[-:][\d.]+b", _APACHE, "https://huggingface.co/collections/Qwen/qwen3"),
    TeacherTerms(r"deepseek-r1", "MIT License", "https://huggingface.co/deepseek-ai/DeepSeek-R1"),
    TeacherTerms(
        r"mistral-large|ministral|mistral-small-24",
        "the licence on the model's own card",
        "https://huggingface.co/mistralai",
        "some of these are under the Mistral Research License, which is not for commercial use",
    ),
    TeacherTerms(r"(open-)?mi[sx]tral-(7b|8x|nemo)", _APACHE, "https://huggingface.co/mistralai"),
)
"""The first that fits counts."""


def terms_of(model: str) -> TeacherTerms | None:
    """Return the terms of completions by the model's name, e.g. `meta-llama/Llama-3.1-8B-Instruct` or `qwen2.5:7b`."""
    name = model.lower().rpartition("/")[2].removeprefix("meta-")
    return next((terms for terms in TERMS if re.match(terms.pattern, name)), None)
