"""A paper as a row of a collection on Milvus, a row as a paper, and the fields of a collection."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from swimmer.errors import InputError, StoreDamagedError
from swimmer.papers import Paper, name_words
from swimmer.store.lookup_tables import identifiers_of_paper, name_key, names_of_paper
from swimmer.store.milvus_filters import FOLDED, LISTS, NO_YEAR, TEXTS, folded_list, folded_text
from swimmer.store.milvus_layout import PART, Layout, part_of
from swimmer.store.stemming import stems
from swimmer.text import words_of

if TYPE_CHECKING:
    from swimmer.store.vector_formats import Vectors

FORMAT = 1
"""The number of this layout."""

_MOST = 65_535
_MOST_ELEMENTS = 4_096
_LONGEST_WORD = 60
_MOST_UNPACKED = 8 << 20
_LOOKED_UP = ("identifiers", "names", "people", "name_words")
READ = ["key", "record", "place"]
"""The fields that a paper is read from."""


def key_of(identifier: str) -> str:
    """Return the primary key of a paper: a digest of its id, 32 hexadecimal digits."""
    return hashlib.blake2b(identifier.encode(), digest_size=16).hexdigest()


def row_of(
    paper: Paper, place: int, vector: Vectors, own: Vectors | None, *, parted: bool = False
) -> dict[str, Any]:
    """Return a paper as a row.

    Args:
        paper: the paper.
        place: its row in the store that it comes from, the order of equal scores.
        vector: its vector, float32 (dimension,).
        own: the vector before smoothing, float32 (dimension,), None for one that is not kept.
        parted: whether the collection has partitions.

    Raises:
        InputError: it is too long for a row.
    """
    lists: dict[str, tuple[str, ...]] = {"authors": paper.authors, "keywords": paper.keywords}
    row: dict[str, Any] = {
        "key": key_of(paper.id),
        "place": place,
        "record": _record(paper),
        "own": "" if own is None else base64.b64encode(own.astype("<f2").tobytes()).decode(),
        "year": NO_YEAR if paper.year is None else paper.year,
        "title_key": key_of(paper.key),
        "words": stemmed(
            f"{paper.display_title}\n{paper.abstract}\n{' '.join(paper.keywords)}\n"
            f"{' '.join(paper.authors)}"
        ),
        **{name: getattr(paper, name) for name in TEXTS},
        **{FOLDED[name]: folded_text(getattr(paper, name)) for name in TEXTS},
        **{name: list(values) for name, values in lists.items()},
        **{FOLDED[name]: folded_list(values) for name, values in lists.items()},
        **_looked_up(paper),
    }
    for name, value in row.items():
        size = len(value.encode()) if isinstance(value, str) else 0
        if size > _MOST or (isinstance(value, list) and len(value) > _MOST_ELEMENTS):
            raise InputError(
                f"the paper {paper.title[:80]!r}: its {name} is too long for Milvus "
                f"({_MOST:,} bytes, {_MOST_ELEMENTS:,} elements)",
                hint="shorten it in the list, and build the store again",
            )
    content = json.dumps(row, sort_keys=True).encode() + vector.astype("<f4").tobytes()
    if parted:
        row[PART] = part_of(paper.venue, paper.year)
    row["digest"] = hashlib.blake2b(content, digest_size=16).hexdigest()
    row["vector"] = vector.tolist()
    return row


def paper_of(row: Mapping[str, Any], where: str) -> Paper:
    """Return the paper of a row, which may come from anyone.

    Raises:
        StoreDamagedError: it is none.
    """
    try:
        raw = json.loads(_unpacked(row["record"]))
        paper = Paper(**raw)
        if key_of(paper.id) != row["key"]:
            raise ValueError("it is not the paper of its key")
        return paper
    except (KeyError, TypeError, ValueError, zlib.error, RecursionError) as error:
        raise StoreDamagedError(
            f"{where}: a paper of it cannot be read ({error!s:.100})",
            hint="push the store again into a collection of another name",
        ) from None


def vector_of(row: Mapping[str, Any], dimension: int, where: str) -> Vectors:
    """Return the vector of a row, float32 (dimension,).

    Raises:
        StoreDamagedError: it is none of this dimension.
    """
    import numpy as np

    vector = np.asarray(row.get("vector"), np.float32)
    if vector.shape != (dimension,) or not np.isfinite(vector).all():
        raise StoreDamagedError(
            f"{where}: a vector of it is not of {dimension} finite numbers",
            hint="push the store again into a collection of another name",
        )
    return vector


def own_vector_of(row: Mapping[str, Any], dimension: int, where: str) -> Vectors:
    """Return the vector before smoothing, or the vector itself where none is kept."""
    import numpy as np

    packed = row.get("own")
    if not packed:
        return vector_of(row, dimension, where)
    try:
        own = np.frombuffer(base64.b64decode(packed, validate=True), "<f2").astype(np.float32)
    except (TypeError, ValueError):
        own = np.empty(0, np.float32)
    return vector_of({"vector": own}, dimension, where)


def stemmed(text: str) -> str:
    """Return the stems of a text's words, between spaces: Milvus' own stemmer is not everywhere."""
    words = [word[:_LONGEST_WORD] for word in words_of(text.casefold())]
    known = stems(words)
    return _cut(" ".join(known[word] for word in words))


def person_digests(words: Sequence[str]) -> list[str]:
    """Return under which values of `name_words` the long words of a name are looked up."""
    return [_short(word) for word in dict.fromkeys(words) if len(word) > 1]


def digest_of(*parts: str) -> str:
    """Return under which value something is looked up."""
    return _short("\n".join(parts))


def schema(dimension: int, layout: Layout, *, local: bool) -> tuple[Any, Any]:
    """Return the fields and the indexes of a collection.

    Args:
        dimension: the components of a vector.
        layout: its index and its partitions.
        local: whether it is one of milvus-lite, which needs no scalar indexes.
    """
    from pymilvus import DataType, Function, FunctionType, MilvusClient

    fields = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    fields.add_field("key", DataType.VARCHAR, is_primary=True, max_length=32)
    fields.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    if layout.partitions:
        fields.add_field(PART, DataType.VARCHAR, max_length=32, is_partition_key=True)
    fields.add_field("place", DataType.INT64)
    fields.add_field("year", DataType.INT64)
    for name in ("digest", "title_key"):
        fields.add_field(name, DataType.VARCHAR, max_length=32)
    for name in (*TEXTS, *FOLDED.values(), "record", "own"):
        fields.add_field(name, DataType.VARCHAR, max_length=_MOST)
    for name in (*LISTS, *_LOOKED_UP):
        fields.add_field(
            name,
            DataType.ARRAY,
            element_type=DataType.VARCHAR,
            max_capacity=_MOST_ELEMENTS,
            max_length=_MOST if name in LISTS else 32,
        )
    fields.add_field("words", DataType.VARCHAR, max_length=_MOST, enable_analyzer=True)
    fields.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
    fields.add_function(
        Function(
            name="bm25_of_words",
            function_type=FunctionType.BM25,
            input_field_names=["words"],
            output_field_names=["bm25"],
        )
    )
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("vector", index_type=layout.index, metric_type="IP", params=layout.options)
    indexes.add_index("bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    if not local:
        for name in ("title_key", "year", "venue", "status", *LISTS, *_LOOKED_UP):
            indexes.add_index(name, index_type="INVERTED")
    return fields, indexes


def _record(paper: Paper) -> str:
    named = {name: getattr(paper, name) for name in ("title", "abstract", "url", "id", *TEXTS)}
    named |= {"year": paper.year, "extra": dict(paper.extra)}
    named |= {name: list(getattr(paper, name)) for name in LISTS}
    text = json.dumps(named, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) <= _MOST:
        return text
    return "z:" + base64.b64encode(zlib.compress(text.encode())).decode()


def _unpacked(record: Any) -> str:
    if not isinstance(record, str):
        raise ValueError("its record is no text")
    if not record.startswith("z:"):
        return record
    reader = zlib.decompressobj()
    text = reader.decompress(base64.b64decode(record[2:], validate=True), _MOST_UNPACKED)
    if reader.unconsumed_tail:
        raise ValueError("its record is too long")
    return text.decode()


def _looked_up(paper: Paper) -> dict[str, list[str]]:
    words = [word for name in paper.authors for word in name_words(name)]
    return {
        "identifiers": [digest_of(kind, one) for kind, one in sorted(identifiers_of_paper(paper))],
        "names": [digest_of(str(place), key) for key, place in names_of_paper(paper)],
        "people": [digest_of(name_key(name)) for name in dict.fromkeys(paper.authors)],
        "name_words": person_digests(words)[:_MOST_ELEMENTS],
    }


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _cut(text: str) -> str:
    return text.encode()[: _MOST - 1].decode(errors="ignore")
