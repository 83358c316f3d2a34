"""What every source is: a name, a way to yield papers, and a report of what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from swimmer.papers import Paper

SHOWN_LINES = 5


@dataclass
class SkippedRecords:
    """How many records were left out for one reason, and the first places they stand."""

    count: int = 0
    places: list[str] = field(default_factory=list)


@dataclass
class SourceReport:
    """What a source read and what it left out, filled in while its papers are consumed.

    `cut_abstracts` are abstracts of which the list has only the beginning, `unordered` papers
    whose authors stand in the order of the alphabet instead of their own, `encoding` that of a
    list which is not UTF-8.
    """

    read: int = 0
    without_abstract: int = 0
    cut_abstracts: int = 0
    unordered: int = 0
    encoding: str = ""
    skipped: dict[str, SkippedRecords] = field(default_factory=dict)

    def skip(self, reason: str, place: str = "") -> None:
        """Count one record as left out for `reason`; `place` is its line or record number."""
        entry = self.skipped.setdefault(reason, SkippedRecords())
        entry.count += 1
        if place and len(entry.places) < SHOWN_LINES:
            entry.places.append(place)

    def count(self, paper: Paper) -> None:
        """Count what a paper lacks."""
        self.without_abstract += not paper.abstract
        self.cut_abstracts += bool(paper.extra.get("abstract_cut"))
        self.unordered += paper.extra.get("authors_order") == "unknown"

    @property
    def left_out(self) -> int:
        """The number of records left out, over all reasons."""
        return sum(entry.count for entry in self.skipped.values())


@runtime_checkable
class Source(Protocol):
    """Where papers come from.

    `name` is the name a store gets when the user gives none (`iclr2025`), `origin` the path or
    address in words for the manifest. `papers` may be called more than once; every call reads
    afresh, counts every record into `report.read` and every one it leaves out with
    `report.skip`, and raises SourceError when the source as a whole cannot be read.
    """

    name: str
    origin: str

    def papers(self, report: SourceReport) -> Iterator[Paper]:
        """Yield the papers of the source, each cleaned."""
        ...
