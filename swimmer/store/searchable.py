"""What every store can be asked, in a folder or on a server: papers by id, never by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from swimmer.papers import Paper
from swimmer.store.filters import Filter

if TYPE_CHECKING:
    from swimmer.embeddings import Embeddings, Model, ModelIdentity
    from swimmer.store.store import PaperStore
    from swimmer.store.vector_formats import Vectors


class Found(NamedTuple):
    """A paper that a search found, and its score: a cosine, or BM25."""

    paper: Paper
    score: float


class SearchableStore(Protocol):
    """Papers with their vectors, looked up, filtered and ranked where they lie.

    `FolderSearch` has it over a store in a folder or in memory, `MilvusStore` over Milvus; one set
    of tests runs over both. Vectors are float32 and of unit length.
    """

    @property
    def name(self) -> str:
        """The name of the store."""

    @property
    def identity(self) -> ModelIdentity:
        """The model that the vectors were made with."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Paper]: ...

    def model(self, embeddings: str | Embeddings | Model | None = None) -> Model:
        """Return the model that embeds queries."""

    def fields(self) -> list[str]:
        """Return the fields that can be filtered."""

    def get(self, ids: Sequence[str]) -> list[Paper]:
        """Return the papers of ids, in that order; ids that are not there are left out."""

    def vectors_of(self, ids: Sequence[str]) -> Vectors:
        """Return the vectors of papers, (ids, dimension), zeros for an id that is not there."""

    def with_title(self, title: str) -> list[Paper]:
        """Return the papers whose title is this but for case, spacing, punctuation and LaTeX."""

    def with_identifier(self, text: str) -> list[Paper]:
        """Return the papers of an address, an arXiv id, a DOI or an OpenReview id."""

    def with_name(self, name: str) -> list[Paper]:
        """Return the papers whose titles give a short name, those first that begin with it."""

    def with_author(self, name: str) -> list[Paper]:
        """Return the papers of the people whom a name may mean, the newest first."""

    def matching(self, filter: Filter, limit: int) -> list[Paper]:
        """Return papers that a filter admits, the newest first."""

    def nearest_to(self, vector: Vectors, k: int, filter: Filter | None = None) -> list[Found]:
        """Return the k papers of the greatest cosine with a vector (dimension,), best first."""

    def with_words(self, text: str, k: int, filter: Filter | None = None) -> list[Found]:
        """Return the k papers that share words with a text, best first by BM25."""

    def add(self, papers: Sequence[Paper], vectors: Vectors | None = None) -> list[str]:
        """Add papers, or replace those of the same ids; return their ids."""

    def delete(self, ids: Sequence[str]) -> int:
        """Delete the papers of ids; return how many were there."""


class FolderSearch:
    """A store in a folder or in memory, asked as every `SearchableStore` is."""

    def __init__(self, store: PaperStore) -> None:
        self.store = store

    @property
    def name(self) -> str:
        """As `SearchableStore` has it."""
        return self.store.name

    @property
    def identity(self) -> ModelIdentity:
        """As `SearchableStore` has it."""
        return self.store.identity

    def __len__(self) -> int:
        return len(self.store)

    def __iter__(self) -> Iterator[Paper]:
        return iter(self.store)

    def model(self, embeddings: str | Embeddings | Model | None = None) -> Model:
        """As `SearchableStore` has it."""
        return self.store.model(embeddings)

    def fields(self) -> list[str]:
        """As `SearchableStore` has it."""
        return self.store.fields()

    def get(self, ids: Sequence[str]) -> list[Paper]:
        """As `SearchableStore` has it."""
        return self.store.get(ids)

    def vectors_of(self, ids: Sequence[str]) -> Vectors:
        """As `SearchableStore` has it."""
        import numpy as np

        with self.store.reading():
            rows = [self.store.database.row_of_id(one) for one in ids]
            found = np.zeros((len(rows), self.identity.dimension), np.float32)
            for place, row in enumerate(rows):
                if row is not None:
                    found[place] = self.store.vectors(np.array([row]))[0]
            return found

    def with_title(self, title: str) -> list[Paper]:
        """As `SearchableStore` has it."""
        from swimmer.text import title_key

        with self.store.reading():
            return self.store.papers(self.store.database.rows_of_key(title_key(title)))

    def with_identifier(self, text: str) -> list[Paper]:
        """As `SearchableStore` has it."""
        from swimmer.store.lookups import rows_of_identifier

        with self.store.reading():
            return self.store.papers(rows_of_identifier(self.store.database, text))

    def with_name(self, name: str) -> list[Paper]:
        """As `SearchableStore` has it."""
        from swimmer.store.lookups import rows_of_name

        with self.store.reading():
            return self.store.papers(rows_of_name(self.store.database, name))

    def with_author(self, name: str) -> list[Paper]:
        """As `SearchableStore` has it."""
        from swimmer.store.lookups import people_named, rows_of_people

        with self.store.reading():
            database = self.store.database
            return self.store.papers(rows_of_people(database, people_named(database, name)))

    def matching(self, filter: Filter, limit: int) -> list[Paper]:
        """As `SearchableStore` has it."""
        from swimmer.store.facets import admitted

        with self.store.reading():
            rows = admitted(self.store.database, filter).nonzero()[0].tolist()
            return newest_first(self.store.papers(rows))[:limit]

    def nearest_to(self, vector: Vectors, k: int, filter: Filter | None = None) -> list[Found]:
        """As `SearchableStore` has it."""
        from swimmer.store.facets import admitted

        with self.store.reading():
            allowed = None
            if filter is not None:
                allowed = admitted(self.store.database, filter).nonzero()[0]
            scores, rows = self.store.index.search(vector[None, :], k, allowed)
            papers = self.store.papers(rows[0].tolist())
            return list(map(Found, papers, scores[0].tolist()))

    def with_words(self, text: str, k: int, filter: Filter | None = None) -> list[Found]:
        """As `SearchableStore` has it."""
        from swimmer.store.facets import admitted
        from swimmer.store.keyword import keyword_search

        with self.store.reading():
            database = self.store.database
            allowed = None if filter is None else admitted(database, filter)
            found = keyword_search(database, text, k, allowed)
            papers = self.store.papers([row for row, _ in found])
            return list(map(Found, papers, [score for _, score in found]))

    def add(self, papers: Sequence[Paper], vectors: Vectors | None = None) -> list[str]:
        """As `SearchableStore` has it."""
        return self.store.add(papers, vectors)

    def delete(self, ids: Sequence[str]) -> int:
        """As `SearchableStore` has it."""
        return self.store.delete(ids)


def newest_first(papers: list[Paper]) -> list[Paper]:
    """Return papers by year, the newest first, those without a year last; the order else kept."""
    return sorted(papers, key=lambda paper: -(paper.year or 0))
