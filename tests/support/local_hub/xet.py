"""What the local Hub keeps of xet uploads."""

import json
import struct
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from tests.support.local_hub.storage import HubError, Objects


class Term(NamedTuple):
    """A run of a xorb's chunks, in a file."""

    xorb: str
    size: int
    start: int
    end: int


class XetStore:
    """What xet uploads: xorbs, which are runs of compressed chunks, and shards, which say how files consist of them.

    The formats are those of the Xet protocol's specification, https://huggingface.co/docs/xet.
    """

    _ENTRY = 48  # bytes of every record in a shard
    _LAST = b"\xff" * 32

    def __init__(self, folder: Path, objects: Objects) -> None:
        self._xorbs = folder / "xorbs"
        self._files = folder / "files"
        self._objects = objects
        for place in (self._xorbs, self._files):
            place.mkdir(parents=True, exist_ok=True)

    def add_xorb(self, name: str, content: bytes) -> None:
        (self._xorbs / name).write_bytes(content)

    def xorb(self, name: str) -> bytes:
        return (self._xorbs / name).read_bytes()

    def add_shard(self, shard: bytes) -> None:
        """Take in every file of a shard: its content goes to the LFS objects, as the Hub serves it to all clients."""
        at = self._ENTRY
        while shard[at : at + 32] != self._LAST:
            name = self._name(shard[at : at + 32])
            flags, count = struct.unpack_from("<II", shard, at + 32)
            terms = [self._term(shard, at + self._ENTRY * (1 + i)) for i in range(count)]
            verification, metadata = flags >> 31, flags >> 30 & 1
            at += self._ENTRY * (1 + count + count * verification + metadata)
            sha256 = self._objects.add(b"".join(self._read(term) for term in terms))
            record = {"hash": name, "terms": [term._asdict() for term in terms]}
            for key in (sha256, name):
                (self._files / key).write_text(json.dumps(record))

    def hash_of(self, sha256: str) -> str | None:
        """Xet's own name for a file, where it came by xet."""
        file = self._files / sha256
        return str(json.loads(file.read_text())["hash"]) if file.is_file() else None

    def reconstruction(self, name: str, wanted: slice, address: str) -> dict[str, Any]:
        """The terms that hold the bytes `wanted` of a file, and where to fetch them."""
        terms = [Term(**term) for term in json.loads((self._files / name).read_text())["terms"]]
        start, stop = wanted.start or 0, wanted.stop or sum(term.size for term in terms)
        if start >= sum(term.size for term in terms):
            raise HubError(416, "past the end")
        needed: list[dict[str, Any]] = []
        fetch: dict[str, list[dict[str, Any]]] = {}
        before = skipped = 0
        for term in terms:
            if before + term.size <= start:
                skipped += term.size
            elif before < stop:
                chunks = {"start": term.start, "end": term.end}
                needed.append({"hash": term.xorb, "unpacked_length": term.size, "range": chunks})
                spans = [span for span, _ in self._chunks(term)]
                span = {"start": spans[0][0], "end": spans[-1][1] - 1}
                url = f"{address}/xorb-bytes/{term.xorb}"
                fetch.setdefault(term.xorb, []).append({"range": chunks, "url": url, "url_range": span})
            before += term.size
        return {"offset_into_first_range": start - skipped, "terms": needed, "fetch_info": fetch}

    def _term(self, shard: bytes, at: int) -> Term:
        _, size, start, end = struct.unpack_from("<IIII", shard, at + 32)
        return Term(self._name(shard[at : at + 32]), size, start, end)

    def _read(self, term: Term) -> bytes:
        return b"".join(data for _, data in self._chunks(term))

    def _chunks(self, term: Term) -> list[tuple[tuple[int, int], bytes]]:
        """Place and content of the chunks of a term."""
        if not (self._xorbs / term.xorb).is_file():
            raise HubError(400, f"the shard names xorb {term.xorb}, which was never uploaded")
        xorb, at = self.xorb(term.xorb), 0
        chunks: list[tuple[tuple[int, int], bytes]] = []
        while at < len(xorb) and len(chunks) < term.end and xorb[at] == 0:  # a footer begins with a letter
            packed, size = (int.from_bytes(xorb[at + i : at + i + 3], "little") for i in (1, 5))
            end = at + 8 + packed
            chunks.append(((at, end), self._unpack(xorb[at + 8 : end], xorb[at + 4], size)))
            at = end
        return chunks[term.start :]

    @staticmethod
    def _unpack(packed: bytes, scheme: int, size: int) -> bytes:
        """Scheme 0 is plain, 1 is LZ4, 2 is LZ4 over the bytes sorted by their place modulo 4."""
        data = packed if scheme == 0 else pa.Codec("lz4").decompress(packed, size).to_pybytes()
        if scheme < 2:
            return data
        plain, at = bytearray(size), 0
        for place in range(4):
            count = len(range(place, size, 4))
            plain[place::4] = data[at : at + count]
            at += count
        return bytes(plain)

    @staticmethod
    def _name(digest: bytes) -> str:
        """Hexadecimal digits of four little-endian numbers."""
        return "".join(f"{number:016x}" for number in struct.unpack("<4Q", digest))
