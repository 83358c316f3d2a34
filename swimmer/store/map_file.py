"""The file in which the map of a store is kept: arrays and a few facts, no pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.errors import StoreDamagedError
from swimmer.files import size_of, write_file
from swimmer.store.manifest import Manifest
from swimmer.text import clean

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAP = "map.safetensors"

_FORMAT = "1"
_NAME_LIMIT = 200
_SIZE_LIMIT = 512 << 20
# The points of a layout have a standard deviation of 1; far larger ones overflow when summed.
_FARTHEST = 1e6
_ARRAYS = {"points", "labels", "digests"}


@dataclass(frozen=True)
class KeptMap:
    """A map on disk.

    `points` is float32 (n, 2), `labels` the number of each paper's topic, int32 (n,), `digests`
    tell the vectors that were laid out, uint8 (n, 8), `topics` are (name, words), `changed`
    says how many papers have come or gone since the layout. `generation` and `index` (SHA-256)
    name the store's files that it belongs to.
    """

    points: NDArray[np.float32]
    labels: NDArray[np.int32]
    digests: NDArray[np.uint8]
    topics: Sequence[tuple[str, Sequence[str]]]
    changed: int
    generation: str
    index: str

    def belongs_to(self, manifest: Manifest) -> bool:
        """Whether it shows the very vectors that a manifest names."""
        return (self.generation, self.index, len(self.points)) == (
            manifest.generation,
            manifest.index.sha256,
            manifest.papers,
        )

    def write(self, path: Path) -> None:
        """Write the map whole or not at all; OSError when the disk refuses."""
        from safetensors.numpy import save

        facts = {
            "format": _FORMAT,
            "generation": self.generation,
            "index": self.index,
            "changed": str(self.changed),
            "topics": json.dumps([[name, list(words)] for name, words in self.topics]),
        }
        arrays: dict[str, NDArray[Any]] = {
            "points": np.ascontiguousarray(self.points),
            "labels": np.ascontiguousarray(self.labels),
            "digests": np.ascontiguousarray(self.digests),
        }
        write_file(path, save(arrays, {**facts, "sha256": _sha256(arrays, facts)}))

    @classmethod
    def read(cls, path: Path) -> KeptMap:
        """Read a map.

        Raises:
            FileNotFoundError: none is there.
            StoreDamagedError: it cannot be read, or is not what was written.
        """
        from safetensors import SafetensorError, safe_open

        try:
            if size_of(path) > _SIZE_LIMIT:
                raise ValueError(f"it has more than {_SIZE_LIMIT >> 20} MiB")
            with safe_open(path, framework="numpy") as file:
                facts: dict[str, str] = dict(file.metadata() or {})
                if set(file.keys()) != _ARRAYS:
                    raise ValueError("its arrays are not those of a map")
                arrays = {name: file.get_tensor(name) for name in _ARRAYS}
            if facts.pop("sha256", "") != _sha256(arrays, facts):
                raise ValueError("its digest is not that of its content")
            return cls._checked(arrays, facts)
        except FileNotFoundError:
            raise
        # numpy has no attribute for the narrower kinds of numbers that the format knows.
        except (
            SafetensorError,
            OSError,
            LookupError,
            TypeError,
            ValueError,
            RecursionError,
            AttributeError,
        ) as error:
            raise StoreDamagedError(
                f"{path}: is not a map that swimmer made ({error})",
                hint="delete it; the next map makes it again",
            ) from None

    @classmethod
    def _checked(cls, arrays: Mapping[str, Any], facts: Mapping[str, str]) -> KeptMap:
        points, labels, digests = arrays["points"], arrays["labels"], arrays["digests"]
        topics = [
            (clean(name, _NAME_LIMIT), tuple(clean(word, _NAME_LIMIT) for word in words))
            for name, words in json.loads(facts["topics"])
        ]
        count = len(points)
        right = (
            facts["format"] == _FORMAT
            and (points.dtype, points.shape) == (np.float32, (count, 2))
            and (labels.dtype, labels.shape) == (np.int32, (count,))
            and (digests.dtype, digests.shape) == (np.uint8, (count, 8))
            and bool((np.abs(points) < _FARTHEST).all())
            and np.array_equal(np.unique(labels), np.arange(len(topics)))
        )
        if not right:
            raise ValueError("its arrays are not those of a map")
        return cls(
            points,
            labels,
            digests,
            topics,
            int(facts["changed"]),
            facts["generation"],
            facts["index"],
        )


def _sha256(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()
