"""The manifest of a store on Milvus: a property of its collection, which may come from anyone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from swimmer.embeddings import ModelIdentity
from swimmer.errors import UPGRADE, StoreDamagedError, StoreError
from swimmer.store.manifest_fields import checked_remote
from swimmer.store.milvus_records import FORMAT

PROPERTY = "swimmer.manifest"
"""The property of a collection that holds it, as JSON."""


@dataclass(frozen=True)
class MilvusManifest:
    """What a collection on Milvus holds.

    `complete` is False until the first push has ended. `index` is the kind of the index of its
    vectors, `recall` the share of the ten nearest that it found of a sample when it was pushed,
    `partitions` in how many parts the papers lie by venue and year, 0 for one.
    The other fields are those of `Manifest`.
    """

    model: ModelIdentity
    generation: str
    created: str
    source: str
    index: str
    recall: float
    thresholds: dict[str, float]
    similarity: dict[str, float]
    first_built: str = ""
    partitions: int = 0
    complete: bool = False
    format: int = FORMAT

    def to_properties(self) -> dict[str, str]:
        """Return the manifest as properties of a collection."""
        return {PROPERTY: json.dumps(asdict(self), ensure_ascii=False)}

    @classmethod
    def read(cls, properties: dict[str, str], where: str) -> MilvusManifest:
        """Read the manifest of a collection.

        Raises:
            StoreError: swimmer has not made the collection, or a later version has.
            StoreDamagedError: a field of it is wrong.
        """
        if PROPERTY not in properties:
            raise StoreError(
                f"{where}: the collection was not made by swimmer",
                hint="give another name: it is left as it is",
            )
        try:
            raw: Any = json.loads(properties[PROPERTY])
            later = isinstance(raw, dict) and raw.get("format", FORMAT) != FORMAT
            if later:
                raise StoreError(f"{where}: was pushed by another version of swimmer", hint=UPGRADE)
            fields = checked_remote(raw)
        except (ValueError, RecursionError) as error:
            raise StoreDamagedError(
                f"{where}: its manifest cannot be read ({error!s:.200})",
                hint="push the store again into a collection of another name",
            ) from None
        return cls(model=ModelIdentity(**fields.pop("model")), **fields)
