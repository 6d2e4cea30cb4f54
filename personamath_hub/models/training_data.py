"""What is known about the dataset that a model was trained on: its licence, size and provenance."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from personamath.errors import BadInput
from personamath.folder.layout import CARD, PROVENANCE, dataset_folder
from personamath.folder.licenses import UNKNOWN
from personamath.training.record import TrainingData
from personamath_hub.models.base_licenses import card_license, card_metadata
from personamath_hub.versions.revisions import read_files


@dataclass(frozen=True, slots=True)
class DataFacts:
    """A dataset's licence, its size and its provenance."""

    license: str = UNKNOWN
    rows: Mapping[str, int] = field(default_factory=dict)
    """Number of rows by config, from its card; empty where the card does not say."""
    provenance: Mapping[str, Any] | None = None
    """The content of its provenance.json; None if it has none because PersonaMath did not make it."""

    @classmethod
    def in_folder(cls, source: Path) -> "DataFacts":
        """Read a dataset folder, or the one in a run directory."""
        folder = dataset_folder(source)
        if not folder.is_dir():
            raise BadInput(f"{source}: no such folder")
        paths = [folder / name for name in (CARD, PROVENANCE)]
        return cls._read({path.name: path.read_bytes() for path in paths if path.is_file()}, str(folder))

    @classmethod
    def on_hub(cls, data: TrainingData, api: HfApi | None = None) -> "DataFacts":
        """Read the dataset that a training record names, at its commit; raises `PublishError`."""
        revision = data.commit or data.revision or "main"
        files = read_files(data.name, revision, (CARD, PROVENANCE), repo_type="dataset", api=api)
        return cls._read(files, f"{data.name}@{revision}")

    @classmethod
    def _read(cls, files: Mapping[str, bytes], where: str) -> "DataFacts":
        card = files.get(CARD, b"")
        try:
            provenance = json.loads(files[PROVENANCE]) if PROVENANCE in files else None
            infos = card_metadata(card).get("dataset_info", []) if provenance else []
            rows = {info["config_name"]: info["splits"][0]["num_examples"] for info in infos}
        except (ValueError, LookupError, TypeError) as error:
            raise BadInput(f"{where}: its card or its {PROVENANCE} cannot be read ({error!r})") from None
        return cls(card_license(card), rows, provenance)

    def check(self, data: TrainingData) -> None:
        """Raise `BadInput` if the training record contradicts the dataset."""
        if self.provenance and self.provenance["simulated"] != data.simulated:
            raise BadInput(
                f"{data.name}: its {PROVENANCE} and the training record disagree on whether it is simulated; give the "
                "dataset that was trained on"
            )
        if self.rows and data.config not in self.rows:
            raise BadInput(
                f"{data.name}: has no config {data.config}, which the training record names; give the dataset that was "
                "trained on"
            )
