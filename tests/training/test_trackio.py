"""`report_to: trackio`: the curve of a run in trackio's local database, and the Space's address in the record."""

import os
import sqlite3
from pathlib import Path

import pytest

from personamath.training.record import FILE_NAME, TrainingRecord
from tests.conftest import REPO
from tests.support import programs
from tests.support.folders import rows, write

STEPS = 2


@pytest.mark.slow
def test_a_run_logs_its_curve_into_the_local_database(tmp_path: Path) -> None:
    pytest.importorskip("trackio")
    data = write(tmp_path / "dataset", rows({"stage1_inference": 40}))
    flags = {
        **{"dataset_name": data, "output_dir": tmp_path / "model", "max_steps": STEPS, "save_strategy": "no"},
        **{"logging_steps": 1, "report_to": "trackio", "project": "sums", "run_name": "first"},
    }
    arguments = [text for name, value in flags.items() for text in (f"--{name}", str(value))]
    recipe = [str(REPO / "recipes/sft.py"), "--config", str(REPO / "recipes/sft-tiny.yaml")]
    environment = os.environ | {"TRACKIO_DIR": str(tmp_path / "trackio")}
    done = programs.run(*recipe, *arguments, environment=environment, kind="training")
    assert done.returncode == 0, done.stderr[-3000:]
    (database,) = (tmp_path / "trackio").glob("sums*.db")
    with sqlite3.connect(database) as connection:
        logged = [text for (text,) in connection.execute("SELECT metrics FROM metrics ORDER BY step")]
    assert sum("train/loss" in str(text) for text in logged) >= STEPS
    tags = TrainingRecord.read(tmp_path / "model").tags
    assert {"trl", "sft"} <= {*tags} and not [tag for tag in tags if tag.startswith("trackio:")]  # no Space
    assert (tmp_path / "model" / FILE_NAME).is_file()


def test_the_spaces_address_is_a_tag_that_the_record_takes_from_the_model() -> None:
    """What transformers' callback does to the model of a run with `trackio_space_id`, without a Space."""
    from types import SimpleNamespace

    from transformers.integrations.integration_utils import TrackioCallback

    callback = TrackioCallback.__new__(TrackioCallback)
    callback._space_id, callback._static_space_id = "me/curves", None
    model = SimpleNamespace(model_tags=["trl", "sft"])
    callback._point_model_card_at_space(model)
    assert model.model_tags[:3] == ["trl", "sft", "trackio"]
    assert model.model_tags[3].startswith("trackio:https://huggingface.co/spaces/me/curves")
