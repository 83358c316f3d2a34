"""The manifest of a store: the one small file whose replacement is the commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from swimmer.embeddings import ModelIdentity
from swimmer.errors import ANEW, StoreDamagedError, StoreNotFoundError
from swimmer.files import digest_of, plain_name, read_plain, write_file

MANIFEST = "manifest.json"
SCHEMA = 1
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
    random name that stands in the database, `created` an ISO 8601 time in UTC.
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
    schema: int = SCHEMA

    def write(self, folder: Path) -> None:
        """Replace the manifest of `folder` in one step that survives a power cut."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"
        write_file(folder / MANIFEST, text.encode())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of `folder`.

        Raises:
            StoreNotFoundError: the folder holds no manifest, so it is no (finished) store.
            StoreDamagedError: the manifest cannot be read, or a later version wrote it.
        """
        path = folder / MANIFEST
        try:
            raw = json.loads(read_plain(folder, MANIFEST, _SIZE_LIMIT).decode("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise StoreNotFoundError(
                f"{folder}: is not a store (no {MANIFEST}); build one with: "
                f"swimmer build SOURCE --name NAME"
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StoreDamagedError(f"{path}: cannot be read ({reason})") from None
        schema = raw.get("schema") if isinstance(raw, dict) else None
        if isinstance(schema, int) and schema > SCHEMA:
            raise StoreDamagedError(
                f"{path}: was written by a later swimmer (schema {schema}, this one reads up to "
                f"{SCHEMA}); upgrade with: pip install -U swimmer"
            )
        try:
            return cls._from_json(raw)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreDamagedError(
                f"{path}: is not a manifest of swimmer ({type(error).__name__}: {error}); {ANEW}"
            ) from None

    @classmethod
    def _from_json(cls, raw: Any) -> Manifest:
        model = dict(raw["model"])
        model["languages"] = tuple(model.get("languages", ()))
        database, index = DataFile(**raw["database"]), DataFile(**raw["index"])
        for file in (database, index):
            # A name with a separator would reach outside the store's folder.
            if not isinstance(file.name, str) or not plain_name(file.name):
                raise ValueError(f"data file {file.name!r} is not a plain name")
        rest = {k: v for k, v in raw.items() if k not in ("model", "database", "index")}
        manifest = cls(model=ModelIdentity(**model), database=database, index=index, **rest)
        if not isinstance(manifest.papers, int) or manifest.papers < 0:
            raise ValueError(f"papers is {manifest.papers!r}")
        if not isinstance(manifest.model.dimension, int) or manifest.model.dimension < 1:
            raise ValueError(f"dimension is {manifest.model.dimension!r}")
        if not isinstance(manifest.model.text, str):
            raise ValueError(f"text is {manifest.model.text!r:.80}")
        return manifest
