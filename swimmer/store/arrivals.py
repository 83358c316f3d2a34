"""When the papers of a store came into it: with the first build, or with a later update."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from swimmer.papers import FIRST_SEEN

if TYPE_CHECKING:
    from swimmer.store.store import PaperStore

FIRST_BUILT = "first_built"
"""The name under which a database keeps the time of its first build, ISO 8601 in UTC."""


def time_now() -> str:
    """Return the time of now, in UTC, as ISO 8601; two updates of one second are two times."""
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


def read_time(text: object) -> datetime | None:
    """Return a time of ISO 8601 with a zone; None for anything else."""
    try:
        found = datetime.fromisoformat(str(text)[:40])
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def arrivals(store: PaperStore) -> tuple[datetime, dict[int, datetime]]:
    """Return when a store was first built, and when each row came that an update has added.

    No time is later than that of the store's last change, whatever its list says. Of a store that
    an older version has built, the last change before its first update counts as its first build.
    """
    last = read_time(store.manifest.created) or datetime.now(timezone.utc)
    built = read_time(store.database.meta(FIRST_BUILT)) or last
    # A manifest has its time to the second.
    last += timedelta(seconds=1)
    rows: dict[int, datetime] = {}
    if FIRST_SEEN in store.database.other_fields:
        for row, text in store.database.values(FIRST_SEEN):
            when = read_time(text)
            if when is not None:
                rows[row] = min(max(when, built), last)
    return min(built, last), rows
