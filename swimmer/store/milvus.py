"""A store on Milvus: the papers and vectors of a collection, searched by the server.

It is asked through `SearchableStore`. What needs rows, full texts or all vectors at hand is not
there, and says so: see `docs/scale.md`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NoReturn

from swimmer.errors import InputError, QueryError, RemoteStoreError, StoreError, SwimmerError
from swimmer.papers import LONGEST_NAME, Paper, identifiers_in, is_person, name_words
from swimmer.store.milvus_address import MilvusAddress
from swimmer.store.milvus_connection import BATCH, MOST_FOUND, MilvusConnection
from swimmer.store.milvus_filters import FIELDS, among, beginning, expression_of
from swimmer.store.milvus_layout import parts_admitted, search_options
from swimmer.store.milvus_manifest import MilvusManifest
from swimmer.store.milvus_records import (
    READ,
    digest_of,
    key_of,
    paper_of,
    person_digests,
    row_of,
    stemmed,
    vector_of,
)
from swimmer.store.searchable import Found, newest_first
from swimmer.store.store import PaperStore
from swimmer.text import title_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from swimmer.store.database import PaperDatabase
    from swimmer.store.filters import Filter
    from swimmer.store.index import Rows, VectorIndex
    from swimmer.store.manifest import Manifest
    from swimmer.store.vector_formats import Vectors

_NAMED = 50
_NAMESAKES = 2_000
_SPARE = 10
_LENGTH = 0.01


class MilvusStore(PaperStore):
    """A collection of Milvus as a store; opened by `open_store("milvus://host:19530/NAME")`.

    Scores are cosine similarities of the vectors that were pushed. `add` embeds papers and writes
    them at once; `delete` deletes them.
    """

    remote = True

    def __init__(self, connection: MilvusConnection, held: MilvusManifest) -> None:
        super().__init__(None, None, held.model)
        self._connection, self._held = connection, held

    @classmethod
    def connect(cls, address: str | MilvusAddress, *, trust_model: bool = False) -> MilvusStore:
        """Open the store at an address of `MilvusAddress`.

        Raises:
            StoreNotFoundError: there is no such collection.
            StoreError: the address is none, the server does not answer or refuses, swimmer has
                not made the collection, or its push has not ended.
            MissingExtraError: pymilvus is not installed.
        """
        read = MilvusAddress.read(address) if isinstance(address, str) else address
        connection = MilvusConnection(read)
        try:
            where = connection.address.shown
            held = MilvusManifest.read(connection.properties(), where)
            if not held.complete:
                raise StoreError(
                    f"{where}: its push has not ended",
                    hint="give the same swimmer push again; it goes on where it ended",
                )
            connection.call("load_collection")
        except BaseException:
            connection.close()
            raise
        store = cls(connection, held)
        store._trust_model = trust_model
        return store

    # ------------------------------------------------------------------ what it is

    def __repr__(self) -> str:
        return f"MilvusStore({self.address!r}, model={self.identity.name!r})"

    def _repr_html_(self) -> str:
        return f"<code>{escape(repr(self))}</code>"

    def __len__(self) -> int:
        (counted,) = self._connection.call("query", filter="", output_fields=["count(*)"])
        return int(counted["count(*)"])

    @property
    def name(self) -> str:
        """The name of the collection."""
        return self._connection.name

    @property
    def address(self) -> str:
        """The address of the store, without its token."""
        return self._connection.address.shown

    @property
    def place(self) -> str:
        """As `PaperStore` has it."""
        return self.address

    @property
    def held(self) -> MilvusManifest:
        """What the collection says of itself."""
        return self._held

    @property
    def thresholds(self) -> Mapping[str, float]:
        """What was learnt of the store's scores before it was pushed, by name."""
        return self._held.thresholds

    @property
    def generation(self) -> str:
        """The random name of what was pushed last."""
        return self._held.generation

    def fields(self) -> list[str]:
        """Return the fields that can be filtered."""
        return list(FIELDS)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Do nothing: each call to a server sees what is there at that time."""
        yield

    # ------------------------------------------------------------------ looking up

    def get(self, ids: Sequence[str]) -> list[Paper]:
        """Return the papers of ids, in that order; ids that are not there are left out."""
        found = {row["key"]: row for row in self._rows_of(ids, READ)}
        keys = [key_of(one) for one in ids]
        return [paper_of(found[key], self.address) for key in keys if key in found]

    def vectors_of(self, ids: Sequence[str]) -> Vectors:
        """Return the vectors of papers, float32 (ids, dimension), zeros for one not there."""
        import numpy as np

        dimension = self.identity.dimension
        out = np.zeros((len(ids), dimension), np.float32)
        found = {row["key"]: row for row in self._rows_of(ids, ["key", "vector"])}
        for place, one in enumerate(ids):
            if (row := found.get(key_of(one))) is not None:
                out[place] = vector_of(row, dimension, self.address)
        return out

    def _rows_of(self, ids: Sequence[str], output: list[str]) -> Iterator[dict[str, Any]]:
        keys = list(dict.fromkeys(map(key_of, ids)))
        for start in range(0, len(keys), BATCH):
            yield from self._asked(among("key", keys[start : start + BATCH]), BATCH, output)

    def rows(self, output: list[str]) -> Iterator[list[dict[str, Any]]]:
        """Yield fields of all papers as the server has them, in batches and in any order."""
        return self._connection.rows(output)

    def _asked(self, expression: str, limit: int, output: list[str]) -> list[dict[str, Any]]:
        found = self._connection.call("query", filter=expression, limit=limit, output_fields=output)
        return [dict(one) for one in found]

    def _papers(self, expression: str, limit: int) -> list[Paper]:
        rows = self._asked(expression, limit, READ)
        return [paper_of(row, self.address) for row in sorted(rows, key=_place)]

    def __iter__(self) -> Iterator[Paper]:
        for batch in self._connection.rows(READ):
            yield from (paper_of(row, self.address) for row in batch)

    def starting(self, typed: str, limit: int) -> list[Paper]:
        """Return papers whose titles begin with what was typed, case aside."""
        text = typed.strip()[:LONGEST_NAME]
        return self._papers(beginning("title", text), limit) if len(text) > 1 else []

    def with_title(self, title: str) -> list[Paper]:
        """Return the papers whose title is this but for case, spacing, punctuation and LaTeX."""
        key = title_key(title)
        return self._papers(f'title_key == "{key_of(key)}"', _NAMED) if key else []

    def with_identifier(self, text: str) -> list[Paper]:
        """Return the papers of an address, an arXiv id, a DOI or an OpenReview id."""
        for kind, value in identifiers_in(text):
            found = self._papers(_contains("identifiers", digest_of(kind, value)), _NAMED)
            if found:
                return found
        return []

    def with_name(self, name: str) -> list[Paper]:
        """Return the papers whose titles give a short name, those first that begin with it."""
        key = title_key(name[:LONGEST_NAME])
        if not key or len(name) > LONGEST_NAME:
            return []
        return self._papers(_contains("names", digest_of("0", key)), _NAMED) or self._papers(
            _contains("names", digest_of("1", key)), _NAMED
        )

    def with_author(self, name: str) -> list[Paper]:
        """Return the papers of the people whom a name may mean, the newest first.

        Those of the name as it stands, else those whom it fits, in any order and with initials.
        """
        words = name_words(name) if len(name) <= LONGEST_NAME else []
        if not words:
            return []
        exact = self._papers(_contains("people", digest_of(" ".join(words))), _NAMESAKES)
        long = person_digests(words)
        if exact or not long:
            return newest_first(exact)
        either = [f'array_contains(name_words, "{one}")' for one in long]
        found: list[Paper] = []
        for must in dict.fromkeys((" and ".join(either), " or ".join(either))):
            found = found or [
                paper
                for paper in self._papers(must, _NAMESAKES)
                if any(is_person(words, name_words(one)) for one in paper.authors)
            ]
        whole = [
            paper
            for paper in found
            if any(sorted(name_words(one)) == sorted(words) for one in paper.authors)
        ]
        return newest_first(whole or found)

    def matching(self, filter: Filter, limit: int) -> list[Paper]:
        """Return papers that a filter admits, the newest first, of at most MOST_FOUND."""
        return newest_first(self._papers(self._said(filter), MOST_FOUND))[:limit]

    def _said(self, filter: Filter | None) -> str:
        """Return a filter as an expression, which names the partitions where it can."""
        if filter is None:
            return ""
        said = expression_of(filter)
        parts = parts_admitted(filter) if self._held.partitions else ""
        return f"{parts} and ({said})" if parts else said

    # ------------------------------------------------------------------ searching

    def nearest_to(self, vector: Vectors, k: int, filter: Filter | None = None) -> list[Found]:
        """Return the k papers of the greatest cosine with a vector (dimension,), best first.

        Raises:
            QueryError: the filter is wrong, or cannot be said to Milvus; k is above MOST_FOUND.
        """
        found = self._search(
            "vector",
            vector.tolist(),
            k + _SPARE,
            filter,
            search_options(self._held.index, k + _SPARE),
            [*READ, "vector"],
        )
        rows = [one["entity"] for one in found]
        # The server's score may be one of rounded vectors, and its sign is another in milvus-lite.
        scored = [(float(vector_of(row, len(vector), self.address) @ vector), row) for row in rows]
        scored.sort(key=lambda pair: (-pair[0], _place(pair[1])))
        return [
            Found(paper_of(row, self.address), min(1.0, max(-1.0, score)))
            for score, row in scored[:k]
        ]

    def with_words(self, text: str, k: int, filter: Filter | None = None) -> list[Found]:
        """Return the k papers that share words with a text, best first by Milvus' BM25."""
        if not (words := stemmed(text)):
            return []
        found = self._search("bm25", words, k, filter, {"metric_type": "BM25"}, READ)
        scored = [(abs(float(one["distance"])), one["entity"]) for one in found]
        return [Found(paper_of(row, self.address), score) for score, row in scored if score > 0]

    def _search(
        self,
        field: str,
        query: object,
        k: int,
        filter: Filter | None,
        options: dict[str, Any],
        output: list[str],
    ) -> list[dict[str, Any]]:
        if k > MOST_FOUND:
            raise QueryError(
                f"a store on Milvus finds at most {MOST_FOUND - _SPARE:,} papers, not {k:,}",
                hint="ask for fewer",
            )
        (found,) = self._connection.call(
            "search",
            data=[query],
            anns_field=field,
            limit=k,
            filter=self._said(filter),
            output_fields=output,
            search_params=options,
        )
        return [dict(one) for one in found]

    # ------------------------------------------------------------------ changing

    def add(
        self,
        papers: Sequence[Paper],
        vectors: Vectors | None = None,
        *,
        replace: bool = True,
        batch_size: int | None = None,
    ) -> list[str]:
        """Add papers, or replace those of the same ids; arguments as `PaperStore.add` has them.

        Each batch of BATCH is written at once; after an error the same call writes the rest.
        """
        import numpy as np

        if vectors is None:
            model = self.model()
            vectors = model.embed_papers([model.text_of(paper) for paper in papers])
        vectors = np.asarray(vectors, np.float32)
        if vectors.shape != (len(papers), self.identity.dimension):
            raise InputError(
                f"{len(papers)} papers need vectors of shape ({len(papers)}, "
                f"{self.identity.dimension}), got {vectors.shape}"
            )
        if not np.isfinite(vectors).all():
            raise InputError("a vector holds values that are not finite; nothing was added")
        if not replace and (there := self.get([paper.id for paper in papers])):
            raise InputError(f"the id {there[0].id!r} is in the store already; nothing was added")
        first = len(self)
        rows = {
            paper.id: row_of(paper, first + place, vector, None, parted=bool(self._held.partitions))
            for place, (paper, vector) in enumerate(zip(papers, vectors, strict=True))
        }
        listed = list(rows.values())
        for start in range(0, len(listed), BATCH):
            batch = listed[start : start + BATCH]
            moved = [row["key"] for row in batch] if self._held.partitions else []
            self._connection.write(batch, moved)
        return [paper.id for paper in papers]

    def delete(self, ids: Sequence[str]) -> int:
        """Delete the papers of ids; return how many were there."""
        keys = [row["key"] for row in self._rows_of(ids, ["key"])]
        for start in range(0, len(keys), BATCH):
            self._connection.call("delete", ids=keys[start : start + BATCH])
        return len(keys)

    # ------------------------------------------------------------------ what it cannot do

    def check_in_folder(self, what: str) -> None:
        """As `PaperStore` has it."""
        self._refuse(what)

    def _refuse(self, what: str) -> NoReturn:
        raise RemoteStoreError(
            f"{self.address}: a store on Milvus has no {what}",
            hint=f"bring it to a folder first: swimmer pull {self.address}",
        )

    @property
    def manifest(self) -> Manifest:
        """Not there."""
        self._refuse("manifest of files")

    @property
    def database(self) -> PaperDatabase:
        """Not there."""
        self._refuse("papers by row, on which this works")

    @property
    def index(self) -> VectorIndex:
        """Not there."""
        self._refuse("vectors by row, on which this works")

    def papers(self, rows: Sequence[int]) -> list[Paper]:
        """Not there: papers have no rows."""
        self._refuse("papers by row, on which this works")

    def vectors(self, rows: Rows | None = None) -> Vectors:
        """Not there: vectors have no rows; `vectors_of` has them by id."""
        self._refuse("vectors by row, on which this works")

    def own_vectors(self) -> NoReturn:
        """Not there."""
        self._refuse("vectors by row, on which this works")

    def delete_rows(self, rows: Sequence[int]) -> None:
        """Not there: papers have no rows; `delete` takes ids."""
        self._refuse("papers by row, on which this works")

    def commit(self, *arguments: Any, **options: Any) -> NoReturn:
        """Not there: what is added is written at once."""
        self._refuse("folder to be committed to")

    @property
    def folder(self) -> Path | None:
        """Not there: what needs a folder says so."""
        self._refuse("folder, in which this works")

    @folder.setter
    def folder(self, folder: Path | None) -> None:
        assert folder is None

    def verify(self, *, load_model: bool = True) -> list[str]:
        """Return what is wrong with the store: papers and vectors that cannot be read, the model.

        Args:
            load_model: also load the model, and compare it with the one of the vectors.
        """
        import numpy as np

        problems: list[str] = []
        dimension = self.identity.dimension
        try:
            for batch in self.rows([*READ, "vector"]):
                for row in batch:
                    paper = paper_of(row, self.address)
                    length = float(np.linalg.norm(vector_of(row, dimension, self.address)))
                    if length and abs(length - 1) > _LENGTH:
                        problems.append(f"{self.address}: the vector of {paper.id} has no length 1")
            if load_model:
                self.model()
        except SwimmerError as error:
            problems.append(error.full_text)
        return problems[:_SPARE]


def _place(row: Mapping[str, Any]) -> int:
    place = row.get("place")
    return place if isinstance(place, int) else 0


def _contains(field: str, digest: str) -> str:
    return f'array_contains({field}, "{digest}")'
