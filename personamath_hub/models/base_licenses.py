"""The licences of base models: what each requires of a model made from one, and the files that meet it.

Taken from the agreements themselves: Llama 2 (July 18, 2023), sections 1.b.i, iii, iv and v; Llama 3.1 (July 23, 2024),
sections 1.b.i, iii and iv; Apache 2.0, section 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from huggingface_hub import HfApi

from personamath.errors import BadInput
from personamath.files import card_yaml
from personamath.folder.layout import CARD
from personamath.folder.licenses import UNKNOWN
from personamath.training.record import BaseModel
from personamath_hub.versions.revisions import read_files

AGREEMENTS = ("LICENSE", "LICENSE.txt", "LICENSE.md")
"""Names under which a repository has the text of its licence."""
NOTICE = "NOTICE"
LICENSE_FILES = (*AGREEMENTS, "USE_POLICY.md", NOTICE)
"""Files that are published with the weights, as the base model's repository has them."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What one licence requires of anyone who publishes a model made from one under it."""

    name: str
    url: str
    agreement: bool = True
    """Whether its text must be included."""
    notice: str | None = None
    """The text that a file named NOTICE must have; None if none is required."""
    display: str | None = None
    """Text that must be displayed prominently."""
    name_begins_with: str | None = None
    """What the model's name must begin with."""
    conditions: tuple[str, ...] = ()
    """Other conditions that a user must know, as sentences."""


_LARGE_USERS = (
    "Whoever had more than 700 million monthly active users when the base model was released needs a licence from Meta."
)

TERMS: Mapping[str, Terms] = {
    "llama2": Terms(
        name="Llama 2 Community License",
        url="https://ai.meta.com/llama/license",
        notice=(
            "Llama 2 is licensed under the LLAMA 2 Community License, "
            "Copyright (c) Meta Platforms, Inc. All Rights Reserved."
        ),
        conditions=(
            "Use must comply with Meta's [acceptable use policy](https://ai.meta.com/llama/use-policy).",
            "Neither the model nor its output may be used to improve another large language model, "
            "Llama 2 and its derivatives apart.",
            _LARGE_USERS,
        ),
    ),
    "llama3.1": Terms(
        name="Llama 3.1 Community License",
        url="https://github.com/meta-llama/llama-models/blob/main/models/llama3_1/LICENSE",
        notice=(
            "Llama 3.1 is licensed under the Llama 3.1 Community License, "
            "Copyright © Meta Platforms, Inc. All Rights Reserved."
        ),
        display="Built with Llama",
        name_begins_with="Llama",
        conditions=(
            "Use must comply with Meta's [acceptable use policy](https://llama.meta.com/llama3_1/use-policy).",
            "The name of any model that is made with this one, or with its output, must begin with “Llama”.",
            _LARGE_USERS,
        ),
    ),
    "apache-2.0": Terms(name="Apache License 2.0", url="https://www.apache.org/licenses/LICENSE-2.0"),
}
"""By the Hub's identifier."""

# The paper's base models, by their names on the Hub: their licences are known without a request.
LICENSES = {
    "meta-llama/Llama-2-7b-hf": "llama2",
    "meta-llama/Llama-2-13b-hf": "llama2",
    "meta-llama/Llama-3.1-8B": "llama3.1",
    "meta-llama/Meta-Llama-3.1-8B": "llama3.1",
    "Qwen/Qwen2.5-7B": "apache-2.0",
}


@dataclass(frozen=True, slots=True)
class BaseLicense:
    """A base model's licence and its files."""

    identifier: str
    """The Hub's identifier, e.g. `llama3.1`; `unknown` where none is stated."""
    files: Mapping[str, bytes]
    """Contents by name in its repository."""

    @classmethod
    def named(cls, base: BaseModel) -> "BaseLicense":
        """Return what is known without asking the Hub."""
        return cls(UNKNOWN if base.local else LICENSES.get(base.name, UNKNOWN), {})

    @classmethod
    def on_hub(cls, base: BaseModel, api: HfApi | None = None) -> "BaseLicense":
        """Read the licence and its files from the base model's repository, at its commit; raises `PublishError`."""
        if base.local:
            return cls.named(base)
        names = (CARD, *LICENSE_FILES)
        files = read_files(base.name, base.commit or "main", names, repo_type="model", api=api)
        stated = card_license(files.pop(CARD, b""))
        return cls(LICENSES.get(base.name, stated), files)

    @property
    def terms(self) -> Terms | None:
        """What the licence requires, where that is known."""
        return TERMS.get(self.identifier)

    def check_name(self, repo_id: str) -> None:
        """Raise `BadInput` if the licence does not allow this name for the model."""
        wanted = self.terms and self.terms.name_begins_with
        owner, _, name = repo_id.rpartition("/")
        if self.terms and wanted and not name.startswith(wanted):
            raise BadInput(
                f"--repo-id {repo_id}: the {self.terms.name} requires the model's name to begin with {wanted}, "
                f"e.g. {owner}/{wanted}-{name}"
            )


def card_metadata(card: bytes) -> Mapping[str, Any]:
    """Return the YAML of a card; empty where there is none, or none that can be parsed."""
    try:
        metadata = card_yaml(card.decode())
    except (LookupError, ValueError, yaml.YAMLError):
        return {}
    return metadata if isinstance(metadata, dict) else {}


def card_license(card: bytes) -> str:
    """Return the licence that the YAML of a card states, `unknown` where it states none."""
    license = card_metadata(card).get("license")
    return license.lower() if isinstance(license, str) else UNKNOWN
