"""The files that a model is loaded from, and their checksums, by which a training record knows the model again."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from personamath.files import file_sha256

LOADED = (
    *("*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin", "config.json"),
    *("tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt"),
)
"""The weights, the architecture and the tokenizer, but not what people may mend by hand, such as a chat template."""
ADAPTER = "adapter"
"""The folder of a LoRA run's adapter, inside the folder of the merged model."""
# SHA-256 reads about 1 to 2 GB a second in a thread: as many threads keep up with one fast disk.
HASHING_THREADS = 4


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that a model is loaded from, by its path in the folder."""
    places = [place for place in (folder, folder / ADAPTER) if place.is_dir()]
    paths = sorted({path for place in places for pattern in LOADED for path in place.glob(pattern) if path.is_file()})
    names = (path.relative_to(folder).as_posix() for path in paths)
    with ThreadPoolExecutor(HASHING_THREADS) as threads:
        return dict(zip(names, threads.map(file_sha256, paths), strict=True))


def identity(folder: Path) -> str:
    """Return one digest of all files that a model is loaded from, so of its weights, not of its name."""
    return hashlib.sha256(repr(sorted(checksums(folder).items())).encode()).hexdigest()


def damage(folder: Path, saved: Mapping[str, str]) -> str | None:
    """Return what is wrong with the first file whose bytes are not the saved ones; None if all that are there are.

    A published model lacks its adapter, and a published adapter lies at the top of its folder, so of `saved` only the
    last parts of paths count. Records of earlier versions have no checksums; then nothing is known to be wrong.
    """
    known: dict[str, set[str]] = {}
    for name, digest in saved.items():
        known.setdefault(Path(name).name, set()).add(digest)
    for name, digest in checksums(folder).items() if saved else ():
        if digest not in known.get(Path(name).name, {digest}):
            return f"{folder / name} is not what the training saved"
    return None
