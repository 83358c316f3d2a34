"""Names that somebody gave to topics: kept with the map, and found again on the next one."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from swimmer.errors import InputError, StoreError
from swimmer.store import TOPIC_NAME_LIMIT, KeptMap, Manifest, PaperStore, map_paths, writing
from swimmer.text import clean, folded, printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.analysis.map.topics import Topic

SAME = 0.5
"""The share of the papers of two topics together that they have in common, to be the same topic."""


def carried(
    earlier: KeptMap | None,
    old: NDArray[np.int64],
    labels: NDArray[np.int32],
    topics: Sequence[Topic],
) -> tuple[list[Topic], frozenset[int]]:
    """Give the names of renamed topics to the topics of a new layout that are the same.

    Args:
        earlier: the map before, None for the first one.
        old: the row in the earlier map of every paper, -1 for a new one.
        labels: the topic of every paper, numbers into `topics`.
        topics: the topics as they are named by themselves.

    Returns:
        The topics, and the numbers of those that have a name from the earlier map.
    """
    found, renamed = list(topics), set()
    for number in sorted(earlier.renamed) if earlier is not None else ():
        assert earlier is not None
        its_own = np.flatnonzero(earlier.labels == number)
        before = np.isin(old, its_own)
        common = np.bincount(labels[before], minlength=len(found))
        together = np.bincount(labels, minlength=len(found)) + len(its_own) - common
        best = int((common / together).argmax())
        if common[best] > SAME * together[best]:
            name = earlier.topics[number][0]
            others = {topic.name for place, topic in enumerate(found) if place != best}
            if name not in others:
                found[best] = replace(found[best], name=name)
                renamed.add(best)
    return found, frozenset(renamed)


def rename_topic(store: PaperStore, old: str, new: str) -> str:
    """Give a topic of the map that is kept of a store another name; return the name before.

    The name stays when the store is updated, as long as more than half of the papers of both
    topics are the same (their Jaccard index).

    Args:
        store: a store on disk.
        old: the name of a topic; case and accents do not count.
        new: its new name.

    Raises:
        InputError: no topic has the old name, or another one has the new name; it is blank or long.
        StoreError: no map of the store is kept, or it cannot be written.
    """
    name = " ".join(clean(new, TOPIC_NAME_LIMIT + 1).split())
    if not name or len(name) > TOPIC_NAME_LIMIT:
        raise InputError(
            f"the name of a topic is 1 to {TOPIC_NAME_LIMIT} characters, got {len(name)}"
        )
    if not store.generation:
        raise StoreError(
            f"the store {store.name} is not saved, so no name can be kept",
            hint="save it first: store.save(folder)",
        )
    assert store.folder is not None
    for path in map_paths(store.folder, store.manifest):
        # In the cache it belongs to one state of a store that is never written.
        own = path.parent == store.folder
        if path.is_file():
            with writing(store.folder) if own else contextlib.nullcontext():
                manifest = Manifest.read(store.folder)
                kept = KeptMap.read(path)
                if kept.belongs_to(manifest):
                    return _renamed(kept, path, old, name)
    raise StoreError(
        f"no map of the store {store.name} as it is now is kept",
        hint=f"make it first: swimmer map {printable(store.name)}",
    )


def _renamed(kept: KeptMap, path: Path, old: str, name: str) -> str:
    place = _place_of(kept, old)
    before = [one for one, _ in kept.topics]
    if any(folded(one) == folded(name) for one in before[:place] + before[place + 1 :]):
        raise InputError(
            f"another topic is already named {printable(name)!r}", hint="give a name of its own"
        )
    topics = list(kept.topics)
    topics[place] = name, topics[place][1]
    try:
        replace(kept, topics=topics, renamed=kept.renamed | {place}).write(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from None
    return before[place]


def _place_of(kept: KeptMap, name: str) -> int:
    named = [folded(one) for one, _ in kept.topics]
    if folded(name) in named:
        return named.index(folded(name))
    near = get_close_matches(folded(name), named, n=1)
    hint = f"did you mean {printable(kept.topics[named.index(near[0])][0])!r}? " if near else ""
    raise InputError(
        f"no topic is named {printable(name)[:80]!r}", hint=f"{hint}`swimmer topics` lists them"
    )
