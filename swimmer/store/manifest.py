"""The manifest of a store: the one small file whose replacement is the commit."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from swimmer.embeddings import ModelIdentity
from swimmer.errors import REBUILD, UPGRADE, StoreDamagedError, StoreError, StoreNotFoundError
from swimmer.files import digest_of, read_plain, write_file
from swimmer.store.manifest_fields import checked_fields, shortened
from swimmer.store.vector_formats import FLOAT32

MANIFEST = "manifest.json"
SCHEMA = 4
"""The latest schema that is read. Since 2 the manifest carries a digest of itself, since 3 vectors
may be kept in 16 or 8 bits, since 4 the weights of tokens in place of words. A store is written in
the earliest schema that has what it holds, for earlier releases to read it."""

Stamp = tuple[int, int, int]
"""The time, size and inode of a manifest file."""

_SIZE_LIMIT = 16 << 20


@dataclass(frozen=True)
class DataFile:
    """A data file of a store: its name, size in bytes and SHA-256."""

    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> DataFile:
        """Describe the file at `path`, reading it once; raises as `swimmer.files.digest_of`."""
        return cls(path.name, *digest_of(path))


@dataclass(frozen=True)
class Manifest:
    """What a store holds; read and written as `manifest.json`.

    `papers` is the number of papers, `probes` short digests of a few vectors by row (an index
    that belongs to another store is recognised without reading it whole), `generation` the same
    random name that stands in the database, `created` an ISO 8601 time in UTC. `similarity` holds
    the weights of `store.similarity`; none in a store that compares by its vectors alone.
    `lexical` is empty where words are compared, else it says which weights of tokens are: `sparse`
    under `weights`, and under `probes` what the model gave for its probes.
    `vectors` is how these are kept, one of `vector_formats.FORMATS`; `recall` is what the index
    finds of the ten nearest by float32 vectors, measured on a sample.
    """

    papers: int
    model: ModelIdentity
    database: DataFile
    index: DataFile
    generation: str
    created: str
    source: str = ""
    probes: Mapping[str, str] = field(default_factory=dict)
    exact: bool = True
    recall: float = 1.0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    similarity: Mapping[str, float] = field(default_factory=dict)
    vectors: str = FLOAT32
    lexical: Mapping[str, str] = field(default_factory=dict)
    schema: int = 2

    @property
    def schema_needed(self) -> int:
        """The earliest schema that has what this manifest says."""
        return SCHEMA if self.lexical else 2 if self.vectors == FLOAT32 else 3

    def write(self, folder: Path) -> None:
        """Replace the manifest of `folder` in one step that survives a power cut.

        Raises:
            StoreError: a field holds what no manifest may hold, so that it could not be read.
            OSError: the disk refuses.
        """
        held = asdict(self)
        held["schema"] = self.schema_needed
        # Earlier releases refuse a field that they do not know.
        if self.vectors == FLOAT32:
            del held["vectors"]
        if not self.lexical:
            del held["lexical"]
        content = sealed(held)
        try:
            checked_fields({k: v for k, v in json.loads(content).items() if k != "digest"})
        except ValueError as error:
            raise StoreError(f"{folder / MANIFEST}: cannot be written: {error}") from None
        write_file(folder / MANIFEST, content)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of `folder`.

        Raises:
            StoreNotFoundError: the folder holds no manifest, so it is no (finished) store.
            StoreDamagedError: the manifest cannot be read, its digest or a field of it is wrong,
                or a later version wrote it.
        """
        path = folder / MANIFEST
        try:
            content = read_plain(folder, MANIFEST, _SIZE_LIMIT)
            raw = json.loads(content.decode("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise StoreNotFoundError(
                f"{folder}: is not a store (no {MANIFEST})",
                hint="build a store with: swimmer build SOURCE --name NAME",
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StoreDamagedError(
                f"{path}: cannot be read ({reason!s:.200})", hint=REBUILD
            ) from None
        schema = raw.get("schema") if isinstance(raw, dict) else None
        if isinstance(schema, int) and schema > SCHEMA:
            raise StoreDamagedError(
                f"{path}: was written by a later swimmer (schema {shortened(schema)}, this one "
                f"reads up to {SCHEMA})",
                hint=UPGRADE,
            )
        try:
            if isinstance(raw, dict) and ("digest" in raw or schema != 1):
                _check_digest(content)
                del raw["digest"]
            fields = checked_fields(raw)
        except (KeyError, ValueError) as error:
            raise StoreDamagedError(f"{path}: {error.args[0]}", hint=REBUILD) from None
        return cls(
            model=ModelIdentity(**fields.pop("model")),
            database=DataFile(**fields.pop("database")),
            index=DataFile(**fields.pop("index")),
            **fields,
        )


def manifest_stamp(folder: Path) -> Stamp | None:
    """Return what tells one manifest of a folder from its replacement, None where there is none."""
    try:
        found = os.stat(f"{folder}/{MANIFEST}")  # noqa: PTH116 (half the time, in every query)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


# The last line but one, so that the digest can stand for every other byte of the file.
_DIGEST = re.compile(rb'  "digest": "([0-9a-f]{64})"\n}\n\Z')
_BLANK = b"0" * 64


def sealed(fields: Mapping[str, Any]) -> bytes:
    """Return the content of a manifest file: its fields, and the digest of all other bytes."""
    text = json.dumps({**fields, "digest": _BLANK.decode()}, indent=2, ensure_ascii=False) + "\n"
    content = text.encode()
    found = _DIGEST.search(content)
    assert found is not None
    return content[: found.start(1)] + _digest(content).encode() + content[found.end(1) :]


def _check_digest(content: bytes) -> None:
    found = _DIGEST.search(content)
    if found is None:
        raise ValueError("does not end in its digest: it is not as swimmer has written it")
    blank = content[: found.start(1)] + _BLANK + content[found.end(1) :]
    if _digest(blank) != found[1].decode():
        raise ValueError(
            "its digest is not that of its content: it has changed since it was written"
        )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
