"""The file in which the map of a store is kept: arrays and a few facts, no pickle."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swimmer.errors import StoreDamagedError
from swimmer.files import read_bounded, write_file
from swimmer.store.manifest import Manifest
from swimmer.store.names import bundled_sample
from swimmer.store.topics import Topic, topic_key
from swimmer.text import clean

# The topics are shown beside a known title, which is answered without numpy.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAP = "map.safetensors"

_FORMAT = "1"
TOPIC_NAME_LIMIT = 200
"""Characters of the name of a topic."""

_SIZE_LIMIT = 512 << 20
# The points of a layout have a standard deviation of 1; far larger ones overflow when summed.
_FARTHEST = 1e6
_ARRAYS = {"points", "labels", "digests"}


@dataclass(frozen=True)
class MapTopics:
    """The topics of a kept map, and the number of each paper's topic, by row."""

    topics: tuple[Topic, ...]
    labels: array[int]

    def starting(self, key: str) -> list[Topic]:
        """Return the topics of which a word begins as a folded text does."""
        return [one for one in self.topics if f" {key}" in f" {topic_key(one.name)}"]


def map_paths(folder: Path, manifest: Manifest) -> Iterator[Path]:
    """Yield the paths where the map of a store on disk may be kept, the better one first."""
    if folder.resolve() != bundled_sample().resolve():
        yield folder / MAP
    # The generation is random: no other map has this name.
    if manifest.generation.isalnum():
        from platformdirs import user_cache_path

        cache = user_cache_path("swimmer", appauthor=False) / "maps"
        yield cache / f"{manifest.generation}.safetensors"


@dataclass(frozen=True)
class KeptMap:
    """A map on disk.

    `points` is float32 (n, 2), `labels` the number of each paper's topic, int32 (n,), `digests`
    tell the vectors that were laid out, uint8 (n, 8), `topics` are (name, words), `changed`
    says how many papers have come or gone since the layout. `generation` and `index` (SHA-256)
    name the store's files that it belongs to. `renamed` are the topics that somebody named.
    """

    points: NDArray[np.float32]
    labels: NDArray[np.int32]
    digests: NDArray[np.uint8]
    topics: Sequence[tuple[str, Sequence[str]]]
    changed: int
    generation: str
    index: str
    renamed: frozenset[int] = frozenset()

    def belongs_to(self, manifest: Manifest) -> bool:
        """Whether it shows the very vectors that a manifest names."""
        return (self.generation, self.index, len(self.points)) == (
            manifest.generation,
            manifest.index.sha256,
            manifest.papers,
        )

    def write(self, path: Path) -> None:
        """Write the map whole or not at all; OSError when the disk refuses."""
        import numpy as np
        from safetensors.numpy import save

        facts = {
            "format": _FORMAT,
            "generation": self.generation,
            "index": self.index,
            "changed": str(self.changed),
            "topics": json.dumps([[name, list(words)] for name, words in self.topics]),
            "renamed": json.dumps(sorted(self.renamed)),
        }
        arrays: dict[str, NDArray[Any]] = {
            "points": np.ascontiguousarray(self.points),
            "labels": np.ascontiguousarray(self.labels),
            "digests": np.ascontiguousarray(self.digests),
        }
        contents = {name: one.tobytes() for name, one in arrays.items()}
        write_file(path, save(arrays, {**facts, "sha256": _sha256(contents, facts)}))

    @classmethod
    def read(cls, path: Path) -> KeptMap:
        """Read a map.

        Raises:
            FileNotFoundError: none is there.
            StoreDamagedError: it cannot be read, or is not what was written.
        """
        with _readable(path):
            return cls._checked(*_read(path))

    @classmethod
    def _checked(cls, arrays: Mapping[str, Any], facts: Mapping[str, str]) -> KeptMap:
        import numpy as np

        kinds = {"points": ("F32", "<f4"), "labels": ("I32", "<i4"), "digests": ("U8", "u1")}
        found: dict[str, NDArray[Any]] = {}
        for name, (kind, dtype) in kinds.items():
            if arrays[name]["dtype"] != kind:
                raise ValueError("its arrays are not those of a map")
            found[name] = np.frombuffer(arrays[name]["data"], dtype).reshape(arrays[name]["shape"])
        points, labels, digests = found["points"], found["labels"], found["digests"]
        topics = _named_topics(facts)
        count = len(points)
        # Maps of earlier releases have none.
        renamed = frozenset(json.loads(facts.get("renamed", "[]")))
        right = (
            (points.shape, labels.shape, digests.shape) == ((count, 2), (count,), (count, 8))
            and bool((np.abs(points) < _FARTHEST).all())
            and np.array_equal(np.unique(labels), np.arange(len(topics)))
            and renamed <= set(range(len(topics)))
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
            renamed,
        )


def read_topics(path: Path, manifest: Manifest) -> MapTopics | None:
    """Read the topics of a map without numpy; None for the map of another state of the store.

    Raises:
        FileNotFoundError, StoreDamagedError: as `KeptMap.read` does.
    """
    with _readable(path):
        arrays, facts = _read(path)
        if (facts["generation"], facts["index"]) != (manifest.generation, manifest.index.sha256):
            return None
        labels = array("i")
        labels.frombytes(arrays["labels"]["data"])
        if sys.byteorder == "big":
            labels.byteswap()
        names = [name for name, _ in _named_topics(facts)]
        if arrays["labels"]["dtype"] != "I32" or len(labels) != manifest.papers:
            raise ValueError("its arrays are not those of a map")
        counts = Counter(labels)
        if counts.keys() != set(range(len(names))):
            raise ValueError("its topics are not those of its papers")
        topics = tuple(Topic(name, counts[number]) for number, name in enumerate(names))
        return MapTopics(topics, labels)


def _named_topics(facts: Mapping[str, str]) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (clean(name, TOPIC_NAME_LIMIT), tuple(clean(word, TOPIC_NAME_LIMIT) for word in words))
        for name, words in json.loads(facts["topics"])
    ]


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn whatever a file that is no map makes go wrong into one error."""
    from safetensors import SafetensorError

    try:
        yield
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise StoreDamagedError(
            f"{path}: is not a map that swimmer made ({error})",
            hint="delete it; the next map makes it again",
        ) from None


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the arrays of a map (dtype, shape, data) and its facts, compared with its digest."""
    from safetensors import deserialize

    content = read_bounded(path, _SIZE_LIMIT)
    # This refuses a header that is too long, and parts that are not where it says.
    arrays: dict[str, Any] = dict(deserialize(content))  # type: ignore[no-untyped-call]
    length = int.from_bytes(content[:8], "little")
    facts: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    if set(arrays) != _ARRAYS:
        raise ValueError("its arrays are not those of a map")
    digest = facts.pop("sha256", "")
    if digest != _sha256({name: one["data"] for name, one in arrays.items()}, facts):
        raise ValueError("its digest is not that of its content")
    if facts["format"] != _FORMAT:
        raise ValueError("it is of another version")
    return arrays, facts


def _sha256(contents: Mapping[str, bytes | bytearray], facts: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(contents):
        digest.update(name.encode())
        digest.update(contents[name])
    return digest.hexdigest()
