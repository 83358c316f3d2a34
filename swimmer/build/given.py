"""What a build is given: papers of a source or of Python, and the name of their store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from swimmer.errors import InputError
from swimmer.papers import Paper
from swimmer.sources import Source, SourceReport


def papers_given(
    source: Source | Iterable[Paper], report: SourceReport
) -> tuple[str, Iterator[Paper]]:
    """Return where papers come from, and the papers; what is given in Python is checked."""
    if isinstance(source, Source):
        return source.origin, source.papers(report)
    return "papers given in Python", _checked(source, report)


def _checked(papers: Iterable[Paper], report: SourceReport) -> Iterator[Paper]:
    for paper in papers:
        if not isinstance(paper, Paper):
            raise InputError(f"build_store takes Paper objects, got {paper!r:.80}")
        report.read += 1
        report.without_abstract += not paper.abstract
        yield paper


def why_none(report: SourceReport) -> str:
    """Return in brackets why a source gave no paper, "" where nothing was left out."""
    reasons = [f"{entry.count} left out: {reason}" for reason, entry in report.skipped.items()]
    return f" ({'; '.join(reasons[:3])})" if reasons else ""


def default_name(source: object, first: list[Paper]) -> str:
    """Return the name of a store: of its source, else of the venue and year of its papers."""
    from swimmer.sources import FileSource, slug

    if isinstance(source, Source) and not isinstance(source, FileSource):
        return source.name
    places = {(paper.venue, paper.year) for paper in first}
    venue, year = next(iter(places))
    if len(places) == 1 and venue and year:
        return slug(f"{venue}{year}")
    return source.name if isinstance(source, Source) else "papers"
