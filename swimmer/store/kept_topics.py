"""The topics of the map that is kept of a store, for facets and completions."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from swimmer.errors import StoreError
from swimmer.store.map_file import MapTopics, map_paths, read_topics

if TYPE_CHECKING:
    from swimmer.store.store import PaperStore


def kept_topics(store: PaperStore) -> MapTopics | None:
    """Return the topics of the map that is kept of a store's state, None where there is none."""
    if not store.generation:
        return None
    assert store.folder is not None
    manifest = store.manifest
    for path in map_paths(store.folder, manifest):
        with contextlib.suppress(OSError, StoreError):
            found = path.stat()
            # It may be made while the store is open.
            stamp = f"topics of the map {found.st_mtime_ns} {found.st_size} {found.st_ino}"
            topics = store.database.kept(stamp, partial(read_topics, path, manifest))
            if topics is not None:
                return topics
    return None
