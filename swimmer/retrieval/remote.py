"""Queries of a store on a server: looked up and ranked there, by what every store can be asked.

A query is a title, an address, a short name, an author or a text, as in a folder; a title must be
written in full, and misspelt words are not corrected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from swimmer.errors import QueryError
from swimmer.papers import Paper, is_address, is_person, name_words
from swimmer.retrieval.fusion import fused
from swimmer.retrieval.hits import Answer, Hit, Reading
from swimmer.retrieval.inputs import EmbeddedPaper, EmbeddedText, checked_query
from swimmer.retrieval.sorting import sorted_papers
from swimmer.retrieval.surroundings import name_within
from swimmer.store import Found
from swimmer.text import clean, foreign_language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swimmer.retrieval.options import SearchOptions
    from swimmer.store import PaperStore, Person, SearchableStore, Vectors

_DEPTH = 100
_UNABLE = {
    "like": "positive examples (like)",
    "unlike": "negative examples (unlike)",
    "diversity": "diversity",
    "group": "grouping of versions",
    "rerank": "reranking",
}


def titles_starting(store: PaperStore, typed: str, limit: int) -> list[str]:
    """Return titles of a store on a server that begin with what was typed."""
    from swimmer.store import MilvusStore

    assert isinstance(store, MilvusStore)
    titles = [paper.display_title for paper in store.starting(clean(typed), limit)]
    return list(dict.fromkeys(titles))


def papers_named(store: PaperStore, text: str) -> list[Paper]:
    """Return the papers of a store on a server that an id, an address or a title names."""
    from swimmer.store import MilvusStore

    assert isinstance(store, MilvusStore)
    return store.get([text]) or store.with_title(text) or store.with_identifier(text)


def reads_as_title(store: PaperStore, text: str) -> bool:
    """Whether a text is a title of a store on a server."""
    from swimmer.store import MilvusStore

    assert isinstance(store, MilvusStore)
    return bool(store.with_title(text))


def known_title(store: PaperStore, text: str) -> EmbeddedPaper | None:
    """Return the paper of a store on a server that a title names, with its vector."""
    from swimmer.store import MilvusStore

    assert isinstance(store, MilvusStore)
    for paper in store.with_title(text):
        return EmbeddedPaper(paper, store.vectors_of([paper.id])[0])
    return None


def people_of_remote(store: PaperStore, name: str) -> list[Person]:
    """Return the authors of a store on a server whom a name may mean, and their papers."""
    from swimmer.store import MilvusStore, Person

    assert isinstance(store, MilvusStore)
    words = name_words(name)
    counts: Counter[str] = Counter()
    for paper in store.with_author(name):
        own = [one for one in dict.fromkeys(paper.authors) if is_person(words, name_words(one))]
        counts.update(own or [one for one in paper.authors if name_words(one) == words])
    return [Person(-1, one, papers) for one, papers in counts.most_common()]


def ask_remote(
    store: SearchableStore,
    queries: Sequence[str | Paper | EmbeddedPaper | EmbeddedText],
    k: int,
    options: SearchOptions,
    thresholds: Mapping[str, float],
) -> list[Answer]:
    """Return one answer for each query, as `ask` does; hits have no reasons and no percentiles.

    Scores are cosines, in keyword mode those of the server's BM25.

    Args:
        store: what is asked.
        queries: as `ask` takes them.
        k: hits wanted.
        options: the search options, of which some can only be used in a folder.
        thresholds: what the store learnt of its scores.

    Raises:
        QueryError: as `ask` does, and for options that a store on a server cannot do.
    """
    for name, what in _UNABLE.items():
        if getattr(options, name):
            raise QueryError(
                f"{what} cannot be used with the store {store.name}, which is on a server",
                hint="leave it out, or bring the store to a folder with swimmer pull",
            )
    return [_answer(store, one, k, options, thresholds) for one in queries]


def browse_remote(store: SearchableStore, k: int, options: SearchOptions) -> Answer:
    """Return the papers that a filter admits, in the order of a field, by default the newest."""
    assert options.filter is not None
    papers = store.matching(options.filter, k if not options.sort else _DEPTH * k)
    if options.sort:
        papers = [papers[place] for place in sorted_papers(papers, options.sort)][:k]
    answer = _listed(store, "", papers, Reading("filter", "", len(papers)))
    return replace(answer, warnings=[] if papers else ["no papers in this store match the filter"])


def _answer(
    store: SearchableStore,
    given: str | Paper | EmbeddedPaper | EmbeddedText,
    k: int,
    options: SearchOptions,
    thresholds: Mapping[str, float],
) -> Answer:
    outside, text = None, ""
    if isinstance(given, (EmbeddedPaper, Paper)):
        outside = given.paper if isinstance(given, EmbeddedPaper) else given
        text = outside.title
    else:
        text = checked_query(given.text if isinstance(given, EmbeddedText) else given)
    reading, papers = Reading("text", text), list[Paper]()
    if options.lookup not in (False, "text"):
        reading, papers = _read(store, text, options.lookup, titles_only=outside is not None)
    if reading.kind == "author" or (reading.kind == "address" and not papers):
        return _named(store, text, papers, reading, k, options)
    matched = papers[0] if papers else None
    excluded = set() if matched is None or options.include_self else {matched.id}
    vector, warnings = None, list[str]()
    if options.mode != "keyword":
        vector, warnings = _vector(store, given, text, matched, options)
    hits = _ranked(store, text, vector, k + len(excluded), options)
    hits = [one for one in hits if one.paper.id not in excluded][:k]
    best = max((one.score for one in hits), default=-1.0)
    near = bool(hits) and (
        options.mode == "keyword" or best >= thresholds.get("related_cosine", -1.0)
    )
    if not hits and options.filter is not None:
        warnings.append("no papers in this store match the filter")
    answer = Answer(
        query=text,
        store=store.name,
        model=store.identity.name,
        matched=matched,
        exact=matched is not None and reading.kind in ("title", "address"),
        hits=hits,
        warnings=warnings,
        related=matched is not None or near,
        reading=None if outside is not None else reading,
    )
    return _sorted(answer, options.sort)


def _vector(
    store: SearchableStore,
    given: str | Paper | EmbeddedPaper | EmbeddedText,
    text: str,
    matched: Paper | None,
    options: SearchOptions,
) -> tuple[Vectors, list[str]]:
    """Return the vector of a query, and what to warn of."""
    if matched is not None:
        return store.vectors_of([matched.id])[0], []
    if isinstance(given, (EmbeddedPaper, EmbeddedText)):
        return given.vector, []
    model = store.model(options.embeddings)
    if isinstance(given, Paper):
        return model.embed_papers([model.text_of(given)])[0], []
    warnings = []
    if "en" in model.languages and (language := foreign_language(text)):
        warnings.append(
            f"this query looks like {language}; the model {model.name} of this store reads "
            "English, so the answer may be noise"
        )
    return model.embed_query(text), warnings


def _read(
    store: SearchableStore, text: str, lookup: bool | str, *, titles_only: bool
) -> tuple[Reading, list[Paper]]:
    """Return what a text is taken as, and the papers that it names."""
    if lookup == "author":
        if not (papers := store.with_author(text)):
            raise QueryError(
                f"no paper of the store {store.name} has an author {text[:100]!r}",
                hint="give the full name, or search the words with lookup='text'",
            )
        return Reading("author", text, len(papers)), papers
    if papers := store.with_title(text):
        return Reading("title", text, 1), papers
    if titles_only:
        return Reading("text", text), []
    if lookup != "title" and ((papers := store.with_identifier(text)) or is_address(text)):
        return Reading("address", text, len(papers)), papers
    if len(papers := store.with_name(text)) == 1:
        return Reading("name", text, 1), papers
    if lookup == "title":
        raise QueryError(
            f"no paper of the store {store.name} has the title {text[:200]!r}",
            hint="leave the reading open, or search the words with lookup='text'",
        )
    # One word alone is more often a word than somebody's name.
    is_name = len(name_words(text)) > 1 and not any(char.isdigit() for char in text)
    if is_name and (papers := store.with_author(text)):
        return Reading("author", text, len(papers)), papers
    core = name_within(text)
    if core and (within := _read(store, core, lookup, titles_only=False))[1]:
        return within
    return Reading("text", text), []


def _named(
    store: SearchableStore,
    text: str,
    papers: list[Paper],
    reading: Reading,
    k: int,
    options: SearchOptions,
) -> Answer:
    """Return the answer to a query that names papers, or an address that none has."""
    warnings = []
    if not papers:
        warnings.append(f"no paper of the store {store.name} has the address {text[:200]}")
    if options.filter is not None and papers:
        own = {"$and": [options.filter, {"id": [paper.id for paper in papers]}]}
        admitted = {paper.id for paper in store.matching(own, len(papers))}
        papers = [paper for paper in papers if paper.id in admitted]
    if options.sort:
        papers = [papers[place] for place in sorted_papers(papers, options.sort)]
    return replace(_listed(store, text, papers[:k], reading), warnings=warnings)


def _listed(store: SearchableStore, text: str, papers: list[Paper], reading: Reading) -> Answer:
    return Answer(
        query=text,
        store=store.name,
        model=store.identity.name,
        matched=None,
        exact=False,
        hits=[Hit(paper, 1.0, place) for place, paper in enumerate(papers, 1)],
        related=bool(papers),
        reading=reading,
        listed=True,
    )


def _ranked(
    store: SearchableStore, text: str, vector: Vectors | None, k: int, options: SearchOptions
) -> list[Hit]:
    """Return the hits of a query by the mode of the options, best first."""
    if options.mode == "keyword":
        found = store.with_words(text, k, options.filter)
        return [Hit(one.paper, one.score, place) for place, one in enumerate(found, 1)]
    assert vector is not None
    near = store.nearest_to(
        vector, k if options.mode == "dense" else max(k, _DEPTH), options.filter
    )
    if options.mode == "hybrid":
        near = _fused(store, near, store.with_words(text, max(k, _DEPTH), options.filter), vector)
    return [
        Hit(one.paper, one.score, place, cosine=one.score) for place, one in enumerate(near[:k], 1)
    ]


def _fused(
    store: SearchableStore, near: list[Found], worded: list[Found], vector: Vectors
) -> list[Found]:
    """Return two rankings as one by reciprocal rank, with the cosine of each paper."""
    papers = {one.paper.id: one.paper for one in [*near, *worded]}
    numbers = {identifier: number for number, identifier in enumerate(papers)}
    order = fused(
        [[numbers[one.paper.id] for one in ranking] for ranking in (near, worded)], [1.0, 1.0]
    )
    cosines = {one.paper.id: one.score for one in near}
    lacking = [one.paper.id for one in worded if one.paper.id not in cosines]
    scores = store.vectors_of(lacking) @ vector
    cosines |= dict(zip(lacking, scores.tolist(), strict=True))
    listed = list(papers.values())
    return [Found(listed[number], cosines[listed[number].id]) for number, _ in order]


def _sorted(answer: Answer, sort: str) -> Answer:
    hits = answer.hits
    if sort:
        hits = [hits[place] for place in sorted_papers([hit.paper for hit in hits], sort)]
    return replace(answer, hits=[replace(hit, rank=rank) for rank, hit in enumerate(hits, 1)])
