"""What came new to stores for a library, since a time, without what was shown before."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import numpy as np

from swimmer.analysis.for_you import Recommendation, for_you
from swimmer.errors import QueryError
from swimmer.papers import Paper
from swimmer.store import arrivals

if TYPE_CHECKING:
    from swimmer.store import Filter, PaperStore, Rows

_SPARE = 10
"""Papers more than are wanted: of those with a title that was shown, the store knows one row."""


@dataclass(frozen=True)
class StoreNews:
    """What came to one store: how many new papers, and until when all have been looked at."""

    name: str
    papers: int
    until: datetime


@dataclass(frozen=True)
class DigestEntry:
    """One new paper: why it is here, and when it came to its store."""

    found: Recommendation
    store: str
    arrived: datetime


@dataclass(frozen=True)
class Digest:
    """What came new to stores for a library.

    Attributes:
        library: the name of the library.
        entries: the new papers that are near to it, best first.
        stores: what came to each store.
        since: from when on papers count as new, None for all that there are.
        made: when the digest was made.
        problems: what failed, in sentences for the reader.
    """

    library: str
    entries: tuple[DigestEntry, ...]
    stores: tuple[StoreNews, ...]
    since: datetime | None
    made: datetime
    problems: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The heading: for which library, and the day."""
        return f"New papers for {self.library}, {self.made:%Y-%m-%d}"

    @property
    def summary(self) -> str:
        """How many papers are new and near, or why there is none."""
        new = sum(one.papers for one in self.stores)
        names = ", ".join(one.name for one in self.stores)
        if self.entries:
            shown = len(self.entries)
            return (
                f"{shown:,} paper{'' if shown == 1 else 's'} for you, of {new:,} that "
                f"{'is' if new == 1 else 'are'} new in {names}"
            )
        if new:
            return (
                f"Nothing near: {new:,} paper{'' if new == 1 else 's'} came to {names}, "
                "and none is near to your papers"
            )
        when = f" since {self.since:%Y-%m-%d %H:%M} UTC" if self.since else ""
        return f"Nothing new: no paper came to {names}{when} that was not in a digest before"


def make_digest(
    stores: Sequence[PaperStore],
    library: Sequence[str | Paper],
    *,
    name: str = "your library",
    since: datetime | None = None,
    seen: Mapping[str, datetime] | None = None,
    shown: AbstractSet[str] = frozenset(),
    k: int = 20,
    unlike: Sequence[str | Paper] = (),
    filter: Filter | None = None,
    half_life: float | None = None,
    problems: Sequence[str] = (),
) -> Digest:
    """Return what came new to stores, ranked by a library as `for_you` does, each with its reason.

    Only papers that are near to the library are in it.

    Args:
        stores: open stores.
        library: papers, or their titles.
        name: what the library is called in the digest.
        since: papers that came later are new, with a time zone; None for all.
        seen: for a store's name, until when its papers were looked at by an earlier digest.
        shown: title keys of papers that an earlier digest has shown.
        k: papers at most.
        unlike: negative examples.
        filter: which papers may be in it.
        half_life: as for `for_you`.
        problems: what failed before, in sentences for the reader.

    Raises:
        QueryError: as `for_you` does, or `since` has no time zone.
        ModelError: as `for_you` does.
    """
    if since is not None and since.tzinfo is None:
        raise QueryError(
            "since needs a time zone", hint="give it one, such as datetime.timezone.utc"
        )
    with contextlib.ExitStack() as reading:
        for store in stores:
            store.check_in_folder("dates at which papers came")
            reading.enter_context(store.reading())
        news, rows, times = [], [], []
        for store in stores:
            start = max((t for t in (since, (seen or {}).get(store.name)) if t), default=None)
            came, new, until = _new_rows(store, start, shown)
            news.append(StoreNews(store.name, len(new), until))
            rows.append(new)
            times.append(came)
        found: Sequence[Recommendation] = ()
        if any(len(new) for new in rows):
            found = for_you(
                stores,
                library,
                k + _SPARE,
                unlike=unlike,
                filter=filter,
                half_life=half_life,
                among=rows,
            ).found
        entries = [
            _entry(one, stores, times)
            for one in found
            if one.related and one.hit.paper.key not in shown
        ]
    made = datetime.now(timezone.utc).replace(microsecond=0)
    return Digest(name, tuple(entries[:k]), tuple(news), since, made, tuple(problems))


def _new_rows(
    store: PaperStore, start: datetime | None, shown: AbstractSet[str]
) -> tuple[dict[str, datetime], Rows, datetime]:
    """Return when papers came, by id; the rows that came after a time; and the last time of all."""
    built, later = arrivals(store)
    until = max([built, *later.values()])
    first = np.ones(len(store), bool)
    first[list(later)] = False
    new = first if start is None or built > start else np.zeros(len(store), bool)
    for row, when in later.items():
        new[row] = start is None or when > start
    if shown and new.any():
        new[list(store.database.rows_of_keys(sorted(shown)).values())] = False
    ids = store.database.ids()
    came = {ids[row]: when for row, when in later.items()}
    came[""] = built
    return came, np.flatnonzero(new), until


def _entry(
    one: Recommendation,
    stores: Sequence[PaperStore],
    times: Sequence[Mapping[str, datetime]],
) -> DigestEntry:
    names = [store.name for store in stores]
    name = str(one.hit.paper.extra.get("store", "")) if len(stores) > 1 else names[0]
    came = times[names.index(name)]
    return DigestEntry(one, name, came.get(one.hit.paper.id, came[""]))
