"""Which papers of a list are taken, by what the list says became of them."""

from __future__ import annotations

from swimmer.errors import SourceError
from swimmer.papers import Paper

STATUSES = ("accepted", "rejected", "withdrawn", "all")
"""What a user can ask for."""


def checked_status(status: str) -> str:
    """Return a status, or raise SourceError when it is none of `STATUSES`."""
    if status not in STATUSES:
        raise SourceError(f"unknown status {status!r}", hint=f"choose one of {', '.join(STATUSES)}")
    return status


def outcome(paper: Paper) -> str:
    """Return `rejected`, `withdrawn` or `accepted`, the last also where nothing is said."""
    status = paper.status.casefold()
    if "withdraw" in status:
        return "withdrawn"
    return "rejected" if "reject" in status else "accepted"


def refused_status(paper: Paper, wanted: str) -> str:
    """Return why a paper is left out where `wanted` was asked for, or ""."""
    if wanted == "all":
        return ""
    found = outcome(paper)
    if wanted == found:
        return ""
    return f"{found} (--status {found} or all takes it)"
