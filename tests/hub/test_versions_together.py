"""Two publishers at once, and readers beside them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from personamath_hub.versions.revisions import PublishError
from tests.support.local_hub import LocalHub
from tests.support.versions import CARD, FIRST, SECOND, Write, content, is_sound, publish, titles

# The client's own LFS upload does not speak its HTTP library's newest dialect; models may bring parquet files.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:It seems that you are about to commit a data file:UserWarning"),
]


def test_another_version_published_meanwhile_stays_whole(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    other = write(SECOND)
    publish(write(FIRST), repo, "v1.0.0", api)
    third = {"README.md": CARD, "only.parquet": b"PAR1 only"}
    hub.before("POST", "/commit/", lambda _: publish(other, repo, "v1.1.0", api))
    publish(write(third), repo, "v1.2.0", api)
    assert content(hub, repo, "v1.1.0") == SECOND
    assert content(hub, repo, "v1.2.0") == content(hub, repo, "main") == third
    assert titles(hub, repo) == ["v1.2.0: math", "v1.1.0: math", "v1.0.0: math", "initial commit"]


@pytest.mark.parametrize("path", ["/commit/", "/tag/"])
def test_the_same_version_published_meanwhile(hub: LocalHub, api: HfApi, repo: str, write: Write, path: str) -> None:
    same, other = write(FIRST), write(SECOND)
    hub.before("POST", path, lambda _: publish(same, repo, "v1.0.0", api))
    published = publish(same, repo, "v1.0.0", api)
    assert hub.repository(repo).refs("tags") == {"v1.0.0": published.commit} and len(titles(hub, repo)) == 2

    hub.before("POST", path, lambda _: publish(other, repo, "v1.1.0", api))
    with pytest.raises(PublishError, match=r"v1.1.0 is not published: the Hub already has this version"):
        publish(write(FIRST | {"more.txt": b"more"}), repo, "v1.1.0", api)
    assert content(hub, repo, "v1.1.0") == SECOND and is_sound(hub, repo)


def test_a_lost_commit_is_found_under_somebody_elses(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    """The response is lost, and another version is on main when we look again."""
    folder, other = write(FIRST), write(SECOND)
    hub.lose("POST", "/commit/", after=lambda _: publish(other, repo, "v1.1.0", api))
    publish(folder, repo, "v1.0.0", api)
    assert titles(hub, repo) == ["v1.1.0: math", "v1.0.0: math", "initial commit"]
    assert (content(hub, repo, "v1.0.0"), content(hub, repo, "v1.1.0")) == (FIRST, SECOND)


def test_many_publishers_at_once_give_whole_versions(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    folders = {f"v1.{n}.0": write({"README.md": CARD, f"{n}.parquet": b"PAR1 %d" % n}) for n in range(4)}
    with ThreadPoolExecutor(4) as pool:
        published = list(pool.map(lambda version: publish(folders[version], repo, version, api), folders))
    for n, version in enumerate(folders):
        assert content(hub, repo, version) == {"README.md": CARD, f"{n}.parquet": b"PAR1 %d" % n}
    assert {version.commit for version in published} == set(hub.repository(repo).refs("tags").values())
    assert len(titles(hub, repo)) == 5 and is_sound(hub, repo)


def test_a_reader_never_sees_a_mixture(hub: LocalHub, api: HfApi, repo: str, write: Write, tmp_path: Path) -> None:
    known = [FIRST, SECOND, FIRST | {"more.parquet": b"PAR1 more"}, {"README.md": CARD}]
    publish(write(known[0]), repo, "v1.0.0", api)
    pinned, done, seen = hub.repository(repo).resolve("v1.0.0"), threading.Event(), list[int]()

    def read() -> None:
        while not done.is_set():
            folder = Path(api.snapshot_download(repo, repo_type="dataset", cache_dir=tmp_path / "cache"))
            files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
            files.pop(".gitattributes")
            seen.append(known.index({name: path.read_bytes() for name, path in files.items()}))
            assert api.repo_info(repo, repo_type="dataset", revision="v1.0.0").sha == pinned

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for n, files in enumerate(known[1:], start=1):
            publish(write(files), repo, f"v1.{n}.0", api)
        done.set()
        for reader in readers:
            reader.result()
    assert len(set(seen)) > 1
