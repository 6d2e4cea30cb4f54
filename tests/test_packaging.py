"""What the wheel holds, and the scripts that run without an installation."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from huggingface_hub.cli._uv_script_header import parse_uv_script_header

from tests.conftest import REPO

PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
SCRIPTS = sorted((REPO / "recipes").glob("*.py"))


def header(script: Path) -> dict[str, object]:
    block = re.search(r"(?m)^# /// script$\n((?:^#(?: .*)?$\n)+)^# ///$", script.read_text(encoding="utf-8"))
    assert block
    return tomllib.loads(re.sub(r"(?m)^# ?", "", block[1]))


def test_the_top_level_holds_the_two_packages_only() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    top = {wheel["sources"].get(name, name).partition("/")[0] for name in wheel["only-include"]}
    assert top == {"personamath", "personamath_hub"}
    assert not any((REPO / name / "__init__.py").exists() for name in wheel["sources"])
    assert not any((REPO / inside).exists() for inside in wheel["sources"].values())  # it would win over the folder


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_says_what_it_needs(script: Path) -> None:
    said, project = header(script), PROJECT["project"]
    # One process needs no DeepSpeed, which is built from source.
    train = [one for one in project["optional-dependencies"]["train"] if not one.startswith("deepspeed")]
    assert said["requires-python"] == project["requires-python"]
    assert said["dependencies"] == ["personamath", *(train if script.stem != "augment" else [])]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_hf_jobs_reads_the_table_of_a_script(script: Path) -> None:
    table = parse_uv_script_header(script.read_text(encoding="utf-8"))
    assert table and table.flavor and table.timeout and "HF_TOKEN" in table.secrets


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("uv"), reason="uv is not installed")
def test_scripts_run_with_uv_in_a_bare_folder(tmp_path: Path) -> None:
    """From the wheel; stubs stand for the dependencies, which this environment lends, so that none is downloaded."""
    house, bare = tmp_path / "house", tmp_path / "bare"
    bare.mkdir()
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", str(house), str(REPO)], check=True)
    extras = PROJECT["project"]["optional-dependencies"]
    for requirement in {*PROJECT["project"]["dependencies"], *extras["train"]}:
        write_stub(house, re.split(r"[>=<\[]", requirement)[0])
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = os.environ | {"PYTHONPATH": packages, "HOME": str(tmp_path), "UV_CACHE_DIR": str(tmp_path / "cache")}
    uv = ["uv", "run", "--offline", "--no-index", "--find-links", str(house), "--python", sys.executable]
    for name, line in {"sft": "--effective_batch_size", "grpo": "--pass_rate_samples", "augment": "--teacher"}.items():
        script = shutil.copy(REPO / "recipes" / f"{name}.py", bare)
        done = subprocess.run(
            [*uv, script, "--help"], cwd=bare, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 and line in done.stdout, done.stderr
        done = subprocess.run(
            [*uv, script, "--config", f"{name}-none"], cwd=bare, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 1 and f"no recipe '{name}-none'" in done.stdout + done.stderr


def write_stub(house: Path, name: str) -> None:
    """Write a wheel of nothing with the name and version of a package of this environment."""
    plain, number = re.sub(r"[-.]+", "_", name), version(name)
    info = f"{plain}-{number}.dist-info"
    with zipfile.ZipFile(house / f"{plain}-{number}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
