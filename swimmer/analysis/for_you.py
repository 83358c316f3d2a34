"""The papers of stores that are nearest to one's own library, by each of its interests."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.analysis.candidates import (
    SHOWN,
    Candidate,
    date_of,
    each_once,
    scored_candidates,
    weights_by_age,
)
from swimmer.analysis.interests import Apart, apart_for, find_interests, in_turns
from swimmer.analysis.known_papers import is_same_paper, papers_meant
from swimmer.analysis.library_vectors import EmbeddedLibrary, embedded_libraries
from swimmer.errors import QueryError
from swimmer.papers import Paper
from swimmer.retrieval import (
    Answer,
    Hit,
    checked_k,
    combined,
    nearest,
    one_model_of,
    without_copies,
)
from swimmer.store import RESCORED, admitted, why_empty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.store import Filter, PaperStore, Rows, Vectors

NEWER = 0.1
"""What a very old paper of a store loses of its score, where newer ones weigh more."""

_RRF = 60
_SPARE = 10
_DRAWN = 1_000


@dataclass(frozen=True)
class Interest:
    """A group of papers of a library that are near to one another.

    Attributes:
        papers: its papers, the most central first.
        share: its share of the recommendations, from 0 to 1.
        related: whether the stores hold a paper near to it.
    """

    papers: tuple[Paper, ...]
    share: float
    related: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the interest as JSON-able values, its first papers by title."""
        return {
            "papers": len(self.papers),
            "share": round(self.share, 4),
            "related": self.related,
            "titles": [paper.display_title for paper in self.papers[:SHOWN]],
        }


@dataclass(frozen=True)
class Recommendation:
    """A paper of a store that is near to a library.

    Attributes:
        hit: the paper, its score and its rank.
        interest: the place of its interest in `Recommendations.interests`.
        near: the papers of the library that it is nearest to, the nearest first.
        related: False where nothing of the library is really near, and it fills a place only.
    """

    hit: Hit
    interest: int
    near: tuple[Paper, ...]
    related: bool = True

    @property
    def reason(self) -> str:
        """Why it is here, in words: which papers of the library it is near to."""
        titles = [shorten(paper.display_title, 120, placeholder="…") for paper in self.near[:2]]
        return f"near to your {'; '.join(titles)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the recommendation as JSON-able values: the hit's, and why it is here."""
        why = {
            "interest": self.interest + 1,
            "near": [{"id": one.id, "title": one.display_title} for one in self.near],
            "related": self.related,
        }
        found = self.hit.to_dict()
        return {**{k: found[k] for k in found if k not in why}, **why}


@dataclass(frozen=True)
class Recommendations:
    """What stores hold for a library.

    Attributes:
        found: the recommendations, best first.
        interests: those of the library, the largest first.
        store: the names of the stores.
        model: the names of their models.
        library: papers of the library.
        known: how many of them a store has; they are no recommendations.
        unread: how many hold no word that the model knows; they count for nothing.
        warnings: sentences for the user.
    """

    found: tuple[Recommendation, ...]
    interests: tuple[Interest, ...]
    store: str
    model: str
    library: int
    known: int
    unread: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def related(self) -> bool:
        """Whether any paper is near to the library."""
        return any(one.related for one in self.found)

    def answer(self, query: str) -> Answer:
        """Return the recommendations as the answer to a query of that name, for the exports."""
        return Answer(
            query,
            self.store,
            self.model,
            None,
            False,
            [one.hit for one in self.found],
            list(self.warnings),
            self.related,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values."""
        return {
            "store": self.store,
            "model": self.model,
            "library": self.library,
            "known": self.known,
            "unread": self.unread,
            "interests": [one.to_dict() for one in self.interests],
            "related": self.related,
            "hits": [one.to_dict() for one in self.found],
            "warnings": list(self.warnings),
        }


def for_you(
    stores: Sequence[PaperStore],
    library: Sequence[str | Paper],
    k: int = 50,
    *,
    unlike: Sequence[str | Paper] = (),
    filter: Filter | None = None,
    half_life: float | None = None,
    among: Sequence[Rows | None] | None = None,
) -> Recommendations:
    """Return the papers of stores that are nearest to a library, by each of its interests.

    The library is parted into interests, as many as are found. Each paper is ranked by the nearest
    one: half by the interest's mean vector, half by its five nearest papers, and by words as a
    search does. Each interest gets its share of the places. Papers of the library itself are left
    out, and so is what is nearer to a negative example than to any paper of the library.

    Args:
        stores: open stores.
        library: papers, or their titles.
        k: papers wanted.
        unlike: negative examples, papers or titles.
        filter: which papers may be found.
        half_life: years; a paper of the library that is so much older counts half, and one of a
            store loses up to a tenth of its score. None for all ages alike.
        among: for each store the rows that may be found, ascending; None for all.

    Raises:
        QueryError: the library is empty, none of it can be read, k or half_life is not above 0,
            or the filter is wrong.
        ModelError: a paper has to be embedded and a store's model cannot be loaded.
    """
    k = checked_k(k)
    _check(library, unlike, half_life)
    if not stores:
        raise QueryError("no store is given", hint="name one with --store NAME, or give --all")
    with contextlib.ExitStack() as reading:
        for store in stores:
            store.check_in_folder("ranking by a library")
            reading.enter_context(store.reading())
        own, unwanted = papers_meant(stores, library), papers_meant(stores, unlike)
        made, negative = embedded_libraries(stores, own), embedded_libraries(stores, unwanted)
        return _Search(stores, made, negative, k, filter, half_life, among).result()


def _check(library: object, unlike: object, half_life: float | None) -> None:
    for name, given in (("library", library), ("unlike", unlike)):
        if isinstance(given, (str, Paper)) or not isinstance(given, Sequence):
            raise QueryError(f"{name} is a list of papers or titles, got {given!r:.60}")
    if not library:
        raise QueryError("the library is empty", hint="give it at least one paper")
    if half_life is not None and not half_life > 0:
        raise QueryError(f"half_life is a number of years above 0, got {half_life!r:.40}")


class _Search:
    """One search: the library as every store sees it, its interests, and what is found."""

    def __init__(
        self,
        stores: Sequence[PaperStore],
        library: Sequence[EmbeddedLibrary],
        negative: Sequence[EmbeddedLibrary],
        k: int,
        filter: Filter | None,
        half_life: float | None,
        among: Sequence[Rows | None] | None,
    ) -> None:
        self.among = among or [None] * len(stores)
        self.stores, self.library, self.negative = stores, library, negative
        self.k, self.filter, self.half_life = k, filter, half_life
        self.papers = library[0].papers
        self.warnings: list[str] = []
        self.one_model = one_model_of(stores)
        read = np.logical_and.reduce([one.vectors.any(axis=1) for one in library])
        self.unread = int((~read).sum())
        if self.unread == len(self.papers):
            raise QueryError(
                "no paper of the library can be read by the model of the stores",
                hint="give papers with titles in a language that it reads",
            )
        self.weights = self._weights()
        self.labels = np.full(len(self.papers), -1, np.int64)
        self.labels[read] = find_interests(library[0].vectors[read], self._apart(read))
        self.count = int(self.labels.max()) + 1
        shares = np.bincount(self.labels[read], self.weights[read], self.count)
        self.shares: list[float] = (shares / shares.sum()).tolist()

    def _weights(self) -> Vectors:
        if self.half_life is None:
            return np.ones(len(self.papers), np.float32)
        return weights_by_age(self.papers, self.half_life)

    def _apart(self, read: NDArray[np.bool_]) -> Apart:
        store = self.stores[0]
        drawn = np.linspace(0, len(store) - 1, min(len(store), _DRAWN)).astype(np.int64)
        return apart_for(self.library[0].vectors[read], store.index.vectors(drawn))

    def result(self) -> Recommendations:
        found: list[list[Candidate]] = [[] for _ in range(self.count)]
        for place in range(len(self.stores)):
            for candidates, more in zip(found, self._of_store(place), strict=True):
                candidates += more
        lists = [sorted(some, key=lambda one: -one.worth) for some in each_once(found)]
        near = [[one for one in some if one.related] for some in lists]
        far = [[one for one in some if not one.related] for some in lists]
        chosen = self._chosen(near, self.k)
        if len(chosen) < self.k:
            chosen += self._chosen(far, self.k - len(chosen))
        if not self.one_model and len(self.stores) > 1:
            self.warnings.append(
                "these stores were built with different models: papers are merged by rank"
            )
        known = np.logical_or.reduce([one.known for one in self.library])
        return Recommendations(
            tuple(
                replace(one, hit=replace(one.hit, rank=rank)) for rank, one in enumerate(chosen, 1)
            ),
            tuple(self._interest(number, bool(near[number])) for number in range(self.count)),
            ", ".join(store.name for store in self.stores),
            ", ".join(dict.fromkeys(store.identity.name for store in self.stores)),
            len(self.papers),
            int(known.sum()),
            self.unread,
            tuple(dict.fromkeys(self.warnings)),
        )

    def _interest(self, number: int, related: bool) -> Interest:
        places = np.flatnonzero(self.labels == number)
        vectors = self.library[0].vectors[places]
        order = np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")
        papers = tuple(self.papers[place] for place in places[order].tolist())
        return Interest(papers, self.shares[number], related)

    # ------------------------------------------------------------------ one store

    def _of_store(self, place: int) -> list[list[Candidate]]:
        """Return the candidates of one store for each interest, best first."""
        store, own, negative = self.stores[place], self.library[place], self.negative[place]
        bad = negative.vectors[negative.vectors.any(axis=1)]
        means = self._means(own.vectors, bad)
        excluded = own.rows_known | negative.rows_known
        allowed = self._allowed(store, excluded, self.among[place])
        if allowed is not None and not len(allowed):
            return [[] for _ in means]
        depth = max(RESCORED, 2 * self.k)
        left_out = [excluded if allowed is None else ()] * len(means)
        rankings = nearest(store, means, depth, allowed, left_out)
        rows = sorted({row for ranking in rankings for row, _ in ranking})
        packed = store.database.packed_words(rows) if store.lexical is not None else {}
        dated = self._dated(store, rows)
        threshold = store.thresholds.get("related_cosine", store.thresholds.get("related", -1.0))
        found = []
        for number, ranking in enumerate(rankings):
            places = np.flatnonzero(self.labels == number)
            scored = scored_candidates(store, own, negative, places, bad, ranking, packed)
            newest = [dated.get(row, 0.0) for row in scored.rows]
            scores = scored.scores - np.float32(NEWER) * np.asarray(newest, np.float32)
            order = np.argsort(-scores, kind="stable").tolist()
            found.append(
                [
                    Candidate(
                        place,
                        scored.rows[one],
                        float(scores[one]),
                        float(scored.cosines[one]),
                        float(scores[one]) if self.one_model else 1.0 / (_RRF + rank),
                        tuple(places[scored.near[one]].tolist()),
                        bool(scored.nearest[one] >= threshold),
                    )
                    for rank, one in enumerate(order, 1)
                ]
            )
        return found

    def _means(self, own: Vectors, bad: Vectors) -> Vectors:
        """Return the unit mean vector of each interest, away from the negative examples near it."""
        means = []
        for number in range(self.count):
            places = np.flatnonzero(self.labels == number)
            mean = np.average(own[places], axis=0, weights=self.weights[places])
            means.append(combined(mean[None].astype(np.float32), bad[:0]))
        if not len(bad):
            return np.stack(means)
        owner = (bad @ np.stack(means).T).argmax(axis=1)
        return np.stack(
            [combined(mean[None], bad[owner == number]) for number, mean in enumerate(means)]
        )

    def _allowed(
        self, store: PaperStore, excluded: frozenset[int], among: Rows | None
    ) -> Rows | None:
        """Return the rows that may be found; None for all but those that are excluded."""
        if self.filter is None and among is None and len(excluded) <= _DRAWN:
            return None
        mask = np.ones(len(store), bool)
        if self.filter is not None:
            mask = admitted(store.database, self.filter).copy()
            if not mask.any():
                self.warnings.append(why_empty(store.database, self.filter))
        if among is not None:
            outside = np.ones(len(store), bool)
            outside[among] = False
            mask[outside] = False
        mask[list(excluded)] = False
        return np.flatnonzero(mask)

    def _dated(self, store: PaperStore, rows: list[int]) -> dict[int, float]:
        """Return what each row loses for its age, from 0 to 1."""
        if self.half_life is None or not rows:
            return {}
        papers = store.papers(rows)
        if all(date_of(paper) is None for paper in papers):
            self.warnings.append(
                f"no paper of {store.name} has a date, so newer ones do not weigh more there"
            )
            return {}
        weights = weights_by_age(papers, self.half_life).tolist()
        return {row: 1.0 - weight for row, weight in zip(rows, weights, strict=True)}

    # ------------------------------------------------------------------ the choice

    def _chosen(self, lists: list[list[Candidate]], places: int) -> list[Recommendation]:
        """Return the first of several rankings, each in its turn, without copies of one work."""
        want = [int(1.5 * share * places) + _SPARE for share in self.shares]
        while True:
            pools = [some[:n] for some, n in zip(lists, want, strict=True)]
            found = self._recommended(pools, places)
            short = [
                n < len(some) and 2 * n <= len(some) + n
                for some, n in zip(lists, want, strict=True)
            ]
            if len(found) >= places or not any(short):
                return found
            want = [4 * n for n in want]

    def _recommended(self, pools: list[list[Candidate]], places: int) -> list[Recommendation]:
        made = self._made(pools)
        order = in_turns(self.shares, [len(some) for some in made], sum(map(len, made)))
        turns = [iter(some) for some in made]
        listed = [next(turns[number]) for number in order[: 2 * places + _SPARE]]
        by_paper = {id(one.hit.paper): one for one in listed}
        # In the order of the turns, which give each interest its places; not in that of scores.
        entries = [(one.hit, -float(place)) for place, one in enumerate(listed)]
        hits = without_copies(entries, by_score=True)[:places]
        return [replace(by_paper[id(hit.paper)], hit=hit) for hit in hits]

    def _made(self, pools: list[list[Candidate]]) -> list[list[Recommendation]]:
        """Return candidates as recommendations, without papers of the library itself."""
        wanted = [
            sorted({one.row for some in pools for one in some if one.store == place})
            for place in range(len(self.stores))
        ]
        papers = {
            (place, row): paper
            for place, (store, rows) in enumerate(zip(self.stores, wanted, strict=True))
            for row, paper in zip(rows, store.papers(rows), strict=True)
        }
        made: list[list[Recommendation]] = []
        for number, pool in enumerate(pools):
            made.append([])
            for one in pool:
                paper = papers[one.store, one.row]
                near = tuple(self.papers[place] for place in one.near)
                if is_same_paper(near[0], paper):
                    continue
                if len(self.stores) > 1:
                    extra = {**paper.extra, "store": self.stores[one.store].name}
                    paper = replace(paper, extra=extra)
                hit = Hit(paper, one.score, 0, cosine=one.cosine)
                made[-1].append(Recommendation(hit, number, near, one.related))
        return made
