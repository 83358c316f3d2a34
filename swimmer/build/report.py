"""What a build did, for its caller to show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from swimmer.papers import Paper
from swimmer.sources import SourceReport

if TYPE_CHECKING:
    from swimmer.store import PaperStore


@dataclass
class BuildReport:
    """What a build did; counts of papers unless said otherwise.

    `source` tells what was read and left out. `merged` counts the second copies of a paper within
    the list, `merges` has the titles of the first 100, as (kept, copy); `kept_apart` counts papers
    that have the id of another one and were given one of their own. `embedded` were given to
    the model, `resumed` came from an interrupted build, `unknown` hold no word that the model
    knows. `titles` has, by `added`, `changed` and `removed`, up to 50 titles of an update; a first
    build names none.
    """

    source: SourceReport = field(default_factory=SourceReport)
    merged: int = 0
    kept_apart: int = 0
    merges: list[tuple[str, str]] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    embedded: int = 0
    resumed: int = 0
    unknown: int = 0
    papers: int = 0
    seconds: float = 0.0
    titles: dict[str, list[str]] = field(default_factory=dict)

    def note(self, what: str, paper: Paper) -> None:
        """Count a paper as added, changed, unchanged or removed, and keep the first titles."""
        setattr(self, what, getattr(self, what) + 1)
        kept = self.titles.setdefault(what, [])
        if len(kept) < 50 and what != "unchanged":
            kept.append(paper.display_title)


class BuildResult(NamedTuple):
    """What `run_build` returns: the store, open, and the report of what was done."""

    store: PaperStore
    report: BuildReport
