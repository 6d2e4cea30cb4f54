"""What the problems and personas of a dataset really were, as its provenance.json records them.

A source may be called anything: only its place on the Hub, or the digest of its contents, makes it GSM8K or MATH.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from personamath.folder.markdown import code
from personamath.methods import paper_rows
from personamath.sources.personas import BUNDLED
from personamath.sources.problems import GSM8K_REPO, MATH_REPO, SOURCES

SOURCE_DATASETS = {"gsm8k": GSM8K_REPO, "math": MATH_REPO}
"""Repositories of the published datasets on the Hub."""
ORIGINAL = "original"
"""The Hub's word in `source_datasets` for data that comes from no other dataset on it."""
ALL = "all"
"""All sources together, in tables and in `paper_rows`."""
OWN_PROBLEMS = "problems written for the PersonaMath project"
_HUB = "https://huggingface.co/datasets"


@dataclass(frozen=True, slots=True)
class UsedProblems:
    """One source of seed problems."""

    name: str
    """The `source` of its rows."""
    shown: str
    """As the recipe names it, with a file's name only, e.g. `shop:mine.jsonl`."""
    published: str | None
    """`gsm8k` or `math` if it is the train split of that dataset, else None."""
    bundled: bool
    """Whether the package carries it."""
    hub: tuple[Mapping[str, Any], ...]
    """Its places on the Hub; empty for a file."""

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "UsedProblems":
        """Read an entry of `problems` in provenance.json."""
        shown = str(entry["source"])
        name = str(entry.get("name") or _head(shown))
        bundled, hub = "package" in entry, tuple(entry.get("hub", ()))
        return cls(name, shown, None if bundled else _published(entry, name, hub), bundled, hub)

    @property
    def file(self) -> str | None:
        """The name of the local file; None for other sources."""
        return None if self.bundled or self.hub or ":" not in self.shown else self.shown.split(":")[1]

    @property
    def why_unknown(self) -> str:
        """Why nothing is known about its licence."""
        if self.hub:
            return f"{self.hub[0]['repo']} on the Hub, see its card"
        return f"the file {self.file}" if self.file else "not recorded"

    @property
    def words(self) -> str:
        """What it is, for a sentence about problems that are neither published as GSM8K or MATH nor bundled."""
        if self.hub:
            return hub_link(self.hub[0])
        if self.file is None:
            return code(self.shown)
        file = f"the file {code(self.file)}"
        return file if self.name in SOURCES else f"{code(self.name)} ({file})"


def used_problems(provenance: Mapping[str, Any]) -> list[UsedProblems]:
    """The sources of the rows, in the order of the recipe; sources without rows are left out."""
    counted = provenance["funnel"]["rows"].values()
    used = map(UsedProblems.of, provenance["problems"])
    return [source for source in used if any(sources.get(source.name) for sources in counted)]


def published_names(provenance: Mapping[str, Any]) -> dict[str, str]:
    """By the `source` of rows, the dataset that they all come from: `gsm8k` or `math`."""
    found: dict[str, set[str | None]] = {}
    for source in used_problems(provenance):
        found.setdefault(source.name, set()).add(source.published)
    single = {name: next(iter(published)) for name, published in found.items() if len(published) == 1}
    return {name: published for name, published in single.items() if published}


def rows_of_paper(provenance: Mapping[str, Any], method: str) -> dict[str, tuple[str, ...]]:
    """The row counts that a method's paper reports, for those sources of this dataset that are the paper's."""
    published, papers = published_names(provenance), dict(paper_rows(method))
    together = papers.pop(ALL, None)
    compared = {source: rows for source, rows in papers.items() if published.get(source) == source}
    used = {source.name for source in used_problems(provenance)}
    return compared | ({ALL: together} if together and used == set(papers) == set(compared) else {})


def labels(provenance: Mapping[str, Any]) -> dict[str, str]:
    """The display name of each `source` of rows: `GSM8K` and `MATH` only for what they published."""
    published = published_names(provenance)
    names = {name: name for sources in provenance["funnel"]["rows"].values() for name in sources}
    return names | {
        name: SOURCES[dataset] if name == dataset else f"{name} ({SOURCES[dataset]})"
        for name, dataset in published.items()
    }


def misnamed(provenance: Mapping[str, Any]) -> list[str]:
    """Say, in a sentence for each, which rows have the source `gsm8k` or `math` although they are not from there."""
    sentences = []
    for source in used_problems(provenance):
        if source.name in SOURCES and not source.published:
            what = OWN_PROBLEMS if source.bundled else f"problems of {source.words}"
            dataset = SOURCES[source.name]
            are_not = f"none of them is from {dataset}" if source.bundled else f"they are not known to be {dataset}'s"
            sentences.append(f"In this dataset the source {code(source.name)} is only a name for {what}: {are_not}.")
    return sentences


def made_from(provenance: Mapping[str, Any]) -> str:
    """Describe the sources of the seed problems, e.g. `training problems of GSM8K and MATH`."""
    used = used_problems(provenance)
    datasets = sorted({source.published for source in used if source.published})
    others = list(dict.fromkeys(source.words for source in used if not source.published and not source.bundled))
    parts = [
        *([f"training problems of {_listed([SOURCES[name] for name in datasets])}"] if datasets else []),
        *([f"problems of {_listed(others)}"] if others else []),
        *([OWN_PROBLEMS] if any(source.bundled for source in used) else []),
    ]
    return " and ".join(parts) or "problems of sources that are not recorded"


def source_datasets(provenance: Mapping[str, Any]) -> list[str]:
    """The Hub's `source_datasets`: the datasets that problems and personas come from."""
    repos: list[str] = []
    for source in used_problems(provenance):
        if source.published:
            repos.append(SOURCE_DATASETS[source.published])
        elif not source.bundled:
            repos += [place["repo"] for place in source.hub] or [ORIGINAL]
    personas = personas_repo(provenance["personas"])
    return list(dict.fromkeys([*repos, *([personas] if personas else [])])) or [ORIGINAL]


def personas_repo(personas: Mapping[str, Any] | None) -> str | None:
    """The Hub dataset that personas come from; None for the bundled ones, for a file and without personas."""
    if personas is None or personas["local"] or personas["source"] == BUNDLED:
        return None
    return str(personas["hub"][0]["repo"]) if personas.get("hub") else _head(personas["source"])


def hub_link(place: Mapping[str, Any]) -> str:
    """Link a dataset on the Hub, at its commit if that is known."""
    commit = place.get("commit")
    return f"[{place['repo']}]({_HUB}/{place['repo']}{f'/tree/{commit}' if commit else ''})"


def origin(entry: Mapping[str, Any]) -> str:
    """Describe the origin of one source of problems, personas or test problems, for a table cell."""
    if entry.get("hub"):
        splits = entry["hub"]
        commits = sorted({split["commit"] or "not known" for split in splits})
        configs = [split["config"] for split in splits if split["config"]]
        config = f"{'configs' if len(configs) > 1 else 'config'} {', '.join(map(code, configs))}, " if configs else ""
        where = f"{hub_link(splits[0])}, {config}split {code(splits[0]['split'])}"
        return f"{where}, commit {', '.join(map(code, commits))}"
    if "sha256" in entry:
        what = str(entry.get("package", "file"))
        if published := entry.get("published_as"):
            what += f" with the contents of {SOURCES[published]}'s train split"
        return f"{what}, {entry['bytes']:,} bytes, SHA-256 `{entry['sha256']}`"
    return "not recorded"


def _published(entry: Mapping[str, Any], name: str, hub: tuple[Mapping[str, Any], ...]) -> str | None:
    if hub:
        repos = {repo.lower(): dataset for dataset, repo in SOURCE_DATASETS.items()}
        found = {repos.get(place["repo"].lower()) if place["split"] == "train" else None for place in hub}
        return found.pop() if len(found) == 1 else None
    if "published_as" in entry:
        return str(entry["published_as"]) if entry["published_as"] else None
    # Only a name, without a file or a commit: the train split on the Hub is what it means in a recipe.
    return name if name in SOURCES and "sha256" not in entry and ":" not in entry["source"] else None


def _head(source: str) -> str:
    return re.split("[:@]", source)[0]


def _listed(names: list[str]) -> str:
    """Join names as English does: `A`, `A and B`, `A, B and C`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
