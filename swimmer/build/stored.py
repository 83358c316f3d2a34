"""A store as a source: its own papers, to be embedded again by another model or recipe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from swimmer.papers import Paper
from swimmer.sources import SourceReport
from swimmer.store import MANIFEST, PaperStore


class StoredPapers:
    """The papers of a store's folder, in their order; a `Source`.

    `origin` is what the store itself was built from, so that `swimmer update` goes on from there.

    Raises:
        StoreError: the folder holds no store, or a damaged one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with PaperStore.open(folder) as store:
            self.name = store.name
            self.origin = store.manifest.source or str(folder)

    def papers(self, report: SourceReport) -> Iterator[Paper]:
        """Yield the papers."""
        with PaperStore.open(self.folder) as store:
            for paper in store:
                report.read += 1
                report.without_abstract += not paper.abstract
                yield paper


def stored_papers(what: str | Path) -> StoredPapers | None:
    """Return the store that lies at a path as a source, None where none does."""
    # Not by Path.is_file, which raises for a name that is too long to be a file's.
    here = os.path.isfile(os.path.join(what, MANIFEST))  # noqa: PTH113, PTH118
    return StoredPapers(Path(what)) if here else None
