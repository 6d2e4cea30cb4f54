"""What is known of the dataset that a model was trained on: its licence, and what its rows were made from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from personamath.errors import BadInput
from personamath.training.record import TrainingData
from personamath_hub.base_models import card_license
from personamath_hub.layout import CARD, CONFIGS, PROVENANCE, dataset_folder
from personamath_hub.licenses import UNKNOWN
from personamath_hub.versions import read_files


@dataclass(frozen=True, slots=True)
class DataFacts:
    """A dataset's licence and provenance."""

    license: str = UNKNOWN
    provenance: Mapping[str, Any] | None = None
    """The content of its provenance.json; None where it has none, as a dataset that PersonaMath did not make."""

    @classmethod
    def in_folder(cls, source: Path) -> "DataFacts":
        """Of a dataset folder, or of a run's."""
        folder = dataset_folder(source)
        if not folder.is_dir():
            raise BadInput(f"{source}: no such folder")
        paths = [folder / name for name in (CARD, PROVENANCE)]
        return cls._read({path.name: path.read_bytes() for path in paths if path.is_file()}, str(folder))

    @classmethod
    def on_hub(cls, data: TrainingData, api: HfApi | None = None) -> "DataFacts":
        """Of the dataset that a training record names, at its commit; raises `PublishError`."""
        revision = data.commit or data.revision or "main"
        files = read_files(data.name, revision, (CARD, PROVENANCE), repo_type="dataset", api=api)
        return cls._read(files, f"{data.name}@{revision}")

    @classmethod
    def _read(cls, files: Mapping[str, bytes], where: str) -> "DataFacts":
        try:
            provenance = json.loads(files[PROVENANCE]) if PROVENANCE in files else None
        except ValueError as error:
            raise BadInput(f"{where}: its {PROVENANCE} cannot be read ({error})") from None
        return cls(card_license(files.get(CARD, b"")), provenance)

    def check(self, data: TrainingData) -> None:
        """Raise `BadInput` where a model trained on this cannot have the record that it has."""
        if self.provenance is None:
            return
        if self.provenance["simulated"] != data.simulated:
            raise BadInput(f"{data.name}: whether it is simulated is told otherwise by the training record")
        if not self.rows(data.config):
            raise BadInput(f"{data.name}: has no rows of config {data.config}, which the training record names")

    def rows(self, config: str) -> int:
        """How many rows a config has by the provenance."""
        assert self.provenance
        counted = self.provenance["funnel"]["rows"]
        return sum(sum(counted.get(step, {}).values()) for step in CONFIGS.get(config, ()))
