"""References checked against stores: which stand there as they are given, and what differs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from swimmer.analysis.known_papers import PREFIXED, rows_of_identifiers
from swimmer.papers import AUTHORS_ORDER, Paper, identifiers, is_person, name_words
from swimmer.retrieval import CLOSE_TITLE, exact_titles
from swimmer.store import near_titles

if TYPE_CHECKING:
    from swimmer.store import PaperStore

VERDICTS = {
    "differs": "Found, but something differs",
    "published": "Preprints that have been published",
    "found": "Found as they stand",
    "unknown": "Not in these stores",
}
"""What may be said of a reference, and what it means."""

_PREPRINT = re.compile(
    r"\b(?:arxiv|corr|biorxiv|medrxiv|chemrxiv|psyarxiv|ssrn|preprints?|hugging face daily)\b",
    re.IGNORECASE,
)
_LIKE = 75.0
"""Similarity of two titles, of 100, from which one may be the other with an error."""

_SIMILAR = 3
_WORDED = 10
_NUMBER = re.compile(r"\d+|\b[ivx]+\b")
_TITLE_TELLS = 4
"""Words of a title from which it names one paper, when the year is the same too."""


@dataclass(frozen=True)
class Difference:
    """A field in which a reference is not as the store has it."""

    field: str
    given: str
    known: str


@dataclass(frozen=True)
class CheckedReference:
    """A reference, and what the stores say of it.

    Attributes:
        reference: as it was given; its `id` is the citation key.
        verdict: a key of VERDICTS.
        paper: the paper that it is taken as, None where no store has it.
        store: the name of that paper's store.
        differences: the fields that differ; of a preprint, those of the paper itself.
    """

    reference: Paper
    verdict: str
    paper: Paper | None = None
    store: str = ""
    differences: tuple[Difference, ...] = ()

    @property
    def entry(self) -> str:
        """The BibTeX entry to cite instead of a preprint, under its key; "" where there is none."""
        if self.verdict != "published" or self.paper is None:
            return ""
        return _entry(self.reference, self.paper)

    def to_dict(self) -> dict[str, Any]:
        """Return what was found as JSON-able values."""
        return {
            "key": self.reference.id,
            "title": self.reference.display_title,
            "verdict": self.verdict,
            "store": self.store,
            "paper": None if self.paper is None else self.paper.to_dict(),
            "differences": [vars(one).copy() for one in self.differences],
            "entry": self.entry,
        }


def check_references(
    stores: Sequence[PaperStore], references: Iterable[Paper]
) -> list[CheckedReference]:
    """Return what stores say of references, in their order.

    A reference is a paper of a store where an identifier is equal, or the title is equal or nearly
    so and authors or year agree: another paper may have the same title. What no store has is
    unknown, never wrong.

    Args:
        stores: open stores.
        references: such as a bibliography's; an author list with `authors_cut` may be longer.
    """
    listed = list(references)
    found: list[list[CheckedReference]] = [[] for _ in listed]
    for store in stores:
        if store.remote:
            for place, reference in enumerate(listed):
                for paper in _remote_papers(store, reference):
                    if (one := _compared(reference, paper, store.name)) is not None:
                        found[place].append(one)
            continue
        with store.reading():
            exact = exact_titles(store, [reference.title for reference in listed])
            for place, (reference, title) in enumerate(zip(listed, exact, strict=True)):
                for row in _rows(store, reference, title):
                    (paper,) = store.papers([row])
                    if (one := _compared(reference, paper, store.name)) is not None:
                        found[place].append(one)
    return [
        min(several, key=_unlikeness, default=CheckedReference(reference, "unknown"))
        for reference, several in zip(listed, found, strict=True)
    ]


def _unlikeness(one: CheckedReference) -> tuple[int, bool]:
    # Of two that fit alike, a published paper is the better one to cite.
    return len(one.differences), one.verdict != "published"


def _rows(store: PaperStore, reference: Paper, title: int | None) -> list[int]:
    rows = [*([] if title is None else [title]), *rows_of_identifiers(store, reference)]
    return list(dict.fromkeys(rows)) or _similar(store, reference)


def _remote_papers(store: PaperStore, reference: Paper) -> list[Paper]:
    """Return the papers of a store on a server that a reference may be."""
    from rapidfuzz.fuzz import ratio

    from swimmer.store import MilvusStore

    assert isinstance(store, MilvusStore)
    named = [f"{kind}:{one}" if kind in PREFIXED else one for kind, one in identifiers(reference)]
    papers = [*store.with_title(reference.title)]
    papers += [paper for text in sorted(named) for paper in store.with_identifier(text)]
    if not papers:
        # The server has no list of titles to compare with, but it finds their words.
        worded = [one.paper for one in store.with_words(reference.title, _WORDED)]
        papers = [one for one in worded if ratio(reference.key, one.key) >= _LIKE]
    return list({paper.id: paper for paper in papers}.values())


def _similar(store: PaperStore, reference: Paper) -> list[int]:
    """Return the rows of the titles that are most like a reference's, at most _SIMILAR."""
    from rapidfuzz.fuzz import ratio

    key = reference.key
    scored = [
        (score, -row)
        for row, other in near_titles(store.database, reference.title)
        if (score := ratio(key, other, score_cutoff=_LIKE)) > 0
    ]
    return [-row for _, row in sorted(scored, reverse=True)[:_SIMILAR]]


def _compared(reference: Paper, paper: Paper, store: str) -> CheckedReference | None:
    """Return what differs between a reference and a paper; None where it is another paper."""
    named = bool(identifiers(reference) & identifiers(paper))
    people = _author_difference(reference, paper)
    title = (
        None
        if reference.key == paper.key
        else Difference("title", reference.display_title, paper.display_title)
    )
    year = (
        Difference("year", str(reference.year), str(paper.year))
        if None not in (reference.year, paper.year) and reference.year != paper.year
        else None
    )
    if not named and not _is_same(reference, paper):
        return None
    differences = [one for one in (title, people) if one is not None]
    if is_preprint(reference) and not is_preprint(paper) and paper.venue:
        return CheckedReference(reference, "published", paper, store, tuple(differences))
    if year is not None and not is_preprint(paper):
        # A preprint has one year at arXiv and often another where it is cited.
        differences.append(year)
    verdict = "differs" if differences else "found"
    return CheckedReference(reference, verdict, paper, store, tuple(differences))


def _is_same(reference: Paper, paper: Paper) -> bool:
    """Whether a paper with a similar title, and no identifier in common, is the one meant."""
    shared = _shared_authors(reference, paper)
    same_title = reference.key == paper.key
    same_year = None not in (reference.year, paper.year) and reference.year == paper.year
    telling = len(reference.display_title.split()) >= _TITLE_TELLS
    if not same_title and not (telling and _numbers(reference) == _numbers(paper)):
        return False
    if shared is None:
        # Without authors on one side, the title and the year are all there is.
        return same_title or (same_year and _ratio(reference, paper) >= CLOSE_TITLE)
    if same_title:
        return shared > 0 or (telling and same_year)
    # The same people write several papers of similar titles: all but a few must be the same.
    return 2 * shared > min(len(reference.authors), len(paper.authors))


def _numbers(paper: Paper) -> list[str]:
    """Return the numbers of a title: part II is not part III."""
    return _NUMBER.findall(paper.display_title.casefold())


def _ratio(reference: Paper, paper: Paper) -> float:
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_similarity(reference.key, paper.key))


def is_preprint(paper: Paper) -> bool:
    """Return whether a reference says that it is a preprint, or names arXiv and no venue."""
    if paper.venue:
        return bool(_PREPRINT.search(paper.venue))
    return bool(paper.extra.get("arxiv")) or "arxiv.org/" in paper.url


def _shared_authors(reference: Paper, paper: Paper) -> int | None:
    """Return how many authors of a reference are a paper's; None where one has no authors."""
    if not reference.authors or not paper.authors:
        return None
    return len(reference.authors) - len(_unmatched(reference.authors, paper.authors)[0])


def _author_difference(reference: Paper, paper: Paper) -> Difference | None:
    if not reference.authors or not paper.authors:
        return None
    wrong, missing = _unmatched(reference.authors, paper.authors)
    cut = bool(reference.extra.get("authors_cut"))
    if not wrong and not (missing and not cut):
        if not paper.authors_ordered or not reference.authors_ordered:
            return None
        length = len(reference.authors)
        fits = map(_is_one, reference.authors, paper.authors[:length])
        if all(fits):
            return None
    return Difference("authors", _listed(reference.authors), _listed(paper.authors))


def _unmatched(given: Sequence[str], known: Sequence[str]) -> tuple[list[str], list[str]]:
    left = list(known)
    wrong = []
    for name in given:
        fit = next((other for other in left if _is_one(name, other)), None)
        if fit is None:
            wrong.append(name)
        else:
            left.remove(fit)
    return wrong, left


def _is_one(name: str, other: str) -> bool:
    """Whether two spellings may be one person's: initials, middle names and accents aside."""
    words, others = name_words(name), name_words(other)
    if sorted(words) == sorted(others):
        return True
    return is_person(words, others) or is_person(others, words)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _entry(reference: Paper, paper: Paper) -> str:
    """Return the entry of a published paper under the key of the reference to its preprint."""
    from swimmer.export import to_bibtex

    # As short as an entry that somebody has typed.
    cited = replace(paper, abstract="", keywords=())
    if reference.authors and not paper.authors_ordered:
        extra = {name: value for name, value in paper.extra.items() if name != AUTHORS_ORDER}
        extra["authors_cut"] = bool(reference.extra.get("authors_cut"))
        cited = replace(cited, authors=reference.authors, extra=extra)
    key = reference.id
    return re.sub(r"\A(@\w+\{)[^,]*,", lambda found: f"{found[1]}{key},", to_bibtex([cited]))
