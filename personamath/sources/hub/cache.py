"""The copies of datasets that `datasets` keeps on this machine: a folder for each config and commit."""

import glob
import re
from pathlib import Path
from typing import Any

from personamath.sources.hub.split import HubSplit

COMMIT = re.compile("[0-9a-f]{40}")


def cached_commit(rows: Any) -> str | None:
    """Return the Hub commit of a loaded `datasets.Dataset`; its cache folder is named after the commit."""
    folders = {Path(file["filename"]).parent.name for file in rows.cache_files}
    name = folders.pop() if len(folders) == 1 else ""
    return name if COMMIT.fullmatch(name) else None


def cached_commits(split: HubSplit) -> list[str]:
    """The commits of which the config of a split is in the cache, the one that was read last first."""
    return list(dict.fromkeys(folder.name for folder in _folders(split)))


def open_cached(split: HubSplit, *, offline: bool) -> Any:
    """Return the rows of a split at its commit as `datasets.Dataset`, from the cache; None if they are not there.

    Only the Hub knows if a dataset without a named config needs one, so `offline` takes the only one in the cache.
    """
    from datasets.packaged_modules.cache.cache import Cache

    folders = [folder for folder in _folders(split) if folder.name == split.commit]
    if len(folders) != 1:
        return None
    config, version, commit = folders[0].parts[-3:]
    if not split.config and config != "default" and not offline:
        return None
    name = split.repo.rpartition("/")[2]
    copy = Cache(dataset_name=name, repo_id=split.repo, config_name=config, version=version, hash=commit)
    return copy.as_dataset(split=split.split)


def _folders(split: HubSplit) -> list[Path]:
    import datasets
    from datasets.naming import camelcase_to_snakecase

    owner, _, name = split.repo.rpartition("/")
    root = Path(datasets.config.HF_DATASETS_CACHE).expanduser() / f"{owner}___{camelcase_to_snakecase(name)}"
    config = glob.escape(split.config) if split.config else "*"
    folders = [folder for folder in root.glob(f"{config}/*/*") if COMMIT.fullmatch(folder.name) and folder.is_dir()]
    return sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True)
