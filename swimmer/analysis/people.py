"""Who works nearest to a topic, a paper or a library: people by their nearest papers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from swimmer.errors import QueryError
from swimmer.papers import Paper, events_in_words, person_key
from swimmer.retrieval import ask_stores, checked_k
from swimmer.store import RESCORED, people_named

if TYPE_CHECKING:
    from swimmer.retrieval import Hit
    from swimmer.store import Filter, PaperStore

SHOWN_PAPERS = 3
"""Papers that are named for a person, at most."""

NEAR = 0.6
"""The share of the best score from which a paper counts for its authors."""


@dataclass(frozen=True)
class NearPerson:
    """A person who works on something: a name within one store.

    Two people of one name are one here, and one person of two stores is there twice.

    Attributes:
        name: as the store writes it.
        store: the name of the store.
        score: half the score of the nearest paper, a quarter of that of the next, and so on.
        near: the papers that are near, the nearest first.
        papers: how many papers of the store have the name.
        institution: that of most of the near papers; "" where the list does not say.
    """

    name: str
    store: str
    score: float
    near: tuple[Hit, ...]
    papers: int
    institution: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the person as JSON-able values, with the first of the papers and their events."""
        return {
            "name": self.name,
            "store": self.store,
            "score": round(self.score, 6),
            "institution": self.institution,
            "papers": self.papers,
            "near": len(self.near),
            "nearest": [
                {
                    "id": hit.paper.id,
                    "title": hit.paper.display_title,
                    "url": hit.paper.url,
                    "score": round(hit.score, 6),
                    "events": events_in_words(hit.paper),
                }
                for hit in self.near[:SHOWN_PAPERS]
            ],
        }


def people_near(
    stores: Sequence[PaperStore],
    query: str | Paper | None = None,
    k: int = 10,
    *,
    library: Sequence[str | Paper] = (),
    filter: Filter | None = None,
) -> list[NearPerson]:
    """Return the people of stores whose papers are nearest to a query or a library, nearest first.

    Documents are found first, and then who wrote them (Balog et al., "Formal Models for Expert
    Finding in Enterprise Corpora", SIGIR 2006, model 2), each further paper counting half.

    Args:
        stores: open stores.
        query: a topic, a title or a `Paper`; it is no paper of its authors here.
        k: people wanted.
        library: in place of a query, papers or titles, as `for_you` takes them.
        filter: which papers may count.

    Raises:
        QueryError: there are a query and a library, or neither; and as `ask` and `for_you` do.
        ModelError: as `ask` does.
    """
    k = checked_k(k)
    if (query is None) == (not library):
        raise QueryError(
            "people are near to a query or to a library",
            hint="give a topic or a title, or a library, and not both",
        )
    if not stores:
        raise QueryError("no store is given", hint="name one with --store NAME, or give --all")
    found: list[NearPerson] = []
    for store in stores:
        store.check_in_folder("search for people")
        found += _people(store, _near_papers(store, query, library, filter), k)
    return sorted(found, key=lambda one: -one.score)[:k]


def _near_papers(
    store: PaperStore,
    query: str | Paper | None,
    library: Sequence[str | Paper],
    filter: Filter | None,
) -> list[Hit]:
    if query is None:
        from swimmer.analysis.for_you import for_you

        recommended = for_you([store], library, RESCORED, filter=filter)
        return [one.hit for one in recommended.found if one.related]
    (answer,) = ask_stores([store], [query], RESCORED, filter=filter)
    if not answer.related:
        return []
    best = max((hit.score for hit in answer.hits), default=0.0)
    return [hit for hit in answer.hits if hit.score >= NEAR * best]


def _people(store: PaperStore, hits: Iterable[Hit], k: int) -> list[NearPerson]:
    wrote: dict[str, list[Hit]] = {}
    written: dict[str, Counter[str]] = {}
    for hit in hits:
        names = {key: name for name in hit.paper.authors if (key := person_key(name))}
        for key, name in names.items():
            wrote.setdefault(key, []).append(hit)
            written.setdefault(key, Counter())[name] += 1
    scores: dict[str, float] = {}
    for key, own in wrote.items():
        own.sort(key=lambda hit: -hit.score)
        scores[key] = sum(hit.score / 2**place for place, hit in enumerate(own, 1))
    # Of the authors of one paper alone, those of a small team come first.
    best = sorted(scores, key=lambda key: (-scores[key], len(wrote[key][0].paper.authors)))[:k]
    people = []
    for key in best:
        name = written[key].most_common(1)[0][0]
        known = people_named(store.database, name)
        count = len(wrote[key])
        if known and person_key(known[0].name) == key:
            name, count = known[0].name, max(count, known[0].papers)
        people.append(
            NearPerson(
                name,
                store.name,
                scores[key],
                tuple(wrote[key]),
                count,
                _institution(key, wrote[key]),
            )
        )
    return people


def _institution(key: str, hits: Iterable[Hit]) -> str:
    """Return the institution that most papers give for a person, "" where none does."""
    named: Counter[str] = Counter()
    for hit in hits:
        paper, places = hit.paper, hit.paper.extra.get("institutions")
        # Some lists name the institutions of a paper, each once: whose they are is not known.
        if not isinstance(places, list) or len(places) != len(paper.authors):
            continue
        for name, place in zip(paper.authors, places, strict=True):
            if isinstance(place, str) and place.strip() and person_key(name) == key:
                named[place.strip()] += 1
    return named.most_common(1)[0][0] if named else ""
