"""Export to and import from `langchain_community`'s FAISS.

Its folder holds `index.faiss` and `index.pkl`. A pickle can run any code when it is read by
Python; `saved_pickle` reads this one, and runs nothing.
"""

from __future__ import annotations

import importlib.util
import math
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.build import BuildReport, BuildResult, learnt_thresholds
from swimmer.embeddings import RECIPES, SAME_MODEL, Embeddings, Model, load_model
from swimmer.errors import InputError, MissingExtraError, ModelMismatchError, SourceError
from swimmer.files import open_plain, read_bounded, size_of
from swimmer.langchain.documents import document_paper, paper_document
from swimmer.langchain.saved_pickle import SavedDocstore, SavedDocument, read_pickle
from swimmer.papers import Paper
from swimmer.sources import SourceReport, slug
from swimmer.store import MANIFEST, PaperStore, target_folder

if TYPE_CHECKING:
    from langchain_community.vectorstores import FAISS
    from langchain_core.embeddings import Embeddings as LangChainEmbeddings

    from swimmer.store import Vectors

PICKLE_LIMIT = 2 << 30
"""Bytes of an `index.pkl` that are read at most."""

SAMPLE = 16
"""Documents that are embedded again to check that the model is the right one."""

_DEPTH = 64


def import_langchain_faiss(
    folder: str | Path,
    embeddings: str | Embeddings | Model,
    index_name: str = "index",
    *,
    pickle_limit: int = PICKLE_LIMIT,
) -> PaperStore:
    """Return a store in memory with the documents and vectors that LangChain's FAISS saved.

    Nothing is embedded again but a few documents, to see that `embeddings` is the model that made
    the vectors. Any other object than a docstore or a document in the pickle is refused.

    Args:
        folder: where `FAISS.save_local` wrote.
        embeddings: the model that the folder was built with.
        index_name: the name given to `save_local`.
        pickle_limit: bytes of `index.pkl` that are read at most.

    Raises:
        SourceError: a file is missing, damaged, hostile, or not a flat index.
        InputError: a document is blank, or its metadata are not JSON.
        ModelMismatchError: the vectors were made by another model.
    """
    folder = Path(folder)
    if not isinstance(index_name, str) or Path(index_name).name != index_name:
        raise SourceError(f"index_name is the plain name of a file, got {index_name!r:.60}")
    vectors = _read_vectors(folder / f"{index_name}.faiss")
    path = folder / f"{index_name}.pkl"
    documents = _read_documents(path, pickle_limit)
    if len(documents) != len(vectors):
        raise SourceError(
            f"{path}: names {len(documents)} documents, the index beside it holds {len(vectors)} "
            "vectors; the two files are not of one save"
        )
    papers = []
    for position, (identifier, content, metadata) in enumerate(documents):
        try:
            papers.append(document_paper(content, metadata, identifier))
        except InputError as error:
            raise InputError(f"{path}: document {position + 1}: {error}") from None
    if len({paper.id for paper in papers}) != len(papers):
        raise SourceError(f"{path}: two documents share one id")
    model = load_model(embeddings)
    contents = [content for _, content, _ in documents]
    model = model.with_text(_recipe(model, contents, papers, vectors, folder))
    store = PaperStore.create(model)
    store.add(papers, vectors)
    return store


def build_from_langchain(
    folder: str | Path,
    name: str | Path | None = None,
    *,
    model: str | Embeddings | Model | None,
    neighbours: bool | None = None,
    vectors: str | None = None,
) -> BuildResult:
    """Import a folder that LangChain's FAISS saved, and write it as a store; return it open.

    Args:
        folder: where `FAISS.save_local` wrote.
        name: the store's name (or the path of its folder); by default the folder's own name.
        model: the model that the folder was built with; the folder does not say it.
        neighbours: keep the nearest papers of each, as `run_build` has it; None for no, where some
            documents were not a paper's.
        vectors: how they are kept, as `run_build` has it.

    Raises:
        InputError: no model is named, there is a store of this name, or no such format.
        StoreError: the store cannot be written.
        SourceError, ModelMismatchError: as for `import_langchain_faiss`.
    """
    folder = Path(folder)
    started = time.monotonic()
    if model is None:
        raise InputError(
            f"{folder}: LangChain's FAISS does not save the name of the model that "
            "made the vectors",
            hint=("name the model: --model sentence-transformers/all-MiniLM-L6-v2, for example"),
        )
    target = target_folder(name if name is not None else slug(folder.resolve().name))
    if (target / MANIFEST).exists() or is_langchain_folder(target):
        raise InputError(
            f"{target}: holds an index already", hint=f"import {folder} with another --name"
        )
    store = import_langchain_faiss(folder, model)
    thresholds = learnt_thresholds(store)
    store.commit(
        target,
        source=str(folder),
        thresholds=thresholds,
        neighbours=neighbours,
        vectors=vectors,
    )
    written = PaperStore.open(target)
    read = SourceReport(read=len(written), without_abstract=sum(not p.abstract for p in written))
    report = BuildReport(
        source=read, added=len(written), papers=len(written), seconds=time.monotonic() - started
    )
    store.close()
    return BuildResult(written, report)


def to_langchain_faiss(store: PaperStore, embeddings: LangChainEmbeddings) -> FAISS:
    """Return a copy of a store as `langchain_community`'s FAISS, whose `save_local` then works.

    Raises:
        MissingExtraError: langchain-community is not installed.
    """
    if importlib.util.find_spec("langchain_community") is None:
        raise MissingExtraError("a copy as langchain_community's FAISS", "community")
    import faiss
    from langchain_community.docstore.in_memory import InMemoryDocstore
    from langchain_community.vectorstores import FAISS

    with store.reading():
        vectors = store.index.vectors()
        documents = {paper.id: paper_document(paper) for paper in store}
    # save_local does not keep the strategy and load_local takes Euclidean for granted; on unit
    # vectors both rank alike, so the copy is what it will be after a save, too.
    index = faiss.IndexFlatL2(store.identity.dimension)
    index.add(vectors)
    return FAISS(
        embedding_function=embeddings,
        index=index,
        docstore=InMemoryDocstore(dict(documents)),
        index_to_docstore_id=dict(enumerate(documents)),
        normalize_L2=True,
    )


# ---------------------------------------------------------------------- index.faiss


def _read_vectors(path: Path) -> Vectors:
    """Read a flat FAISS index, float32 (n, dimension), rows of unit length (or zero).

    Every number of the header is checked against the size of the file before it is believed.
    """
    header = struct.Struct("<4siqqqBi")
    try:
        size = size_of(path)
        with open_plain(path) as stream:
            start = stream.read(header.size + 8)
            if len(start) < header.size + 8:
                raise SourceError(f"{path}: has {size} bytes, too few for a FAISS index")
            kind, dimension, rows, _, _, _, _ = header.unpack(start[: header.size])
            (components,) = struct.unpack("<Q", start[header.size :])
            if kind not in (b"IxF2", b"IxFI"):
                raise SourceError(
                    f"{path}: is a FAISS index of the kind {kind}; only the flat indexes that "
                    "LangChain makes can be imported",
                    hint=(
                        "build a store from the documents: "
                        "PaperVectorStore.from_documents(documents, embeddings)"
                    ),
                )
            fits = dimension > 0 and rows >= 0 and components == rows * dimension
            if not fits or size != len(start) + 4 * components:
                raise SourceError(
                    f"{path}: its header speaks of {rows} vectors of {dimension} dimensions, its "
                    f"{size} bytes hold something else; the file is damaged"
                )
            vectors = np.fromfile(stream, "<f4", components).reshape(rows, dimension)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror or error})") from None
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise SourceError(f"{path}: holds vectors that are not finite numbers")
    unit: Vectors = np.zeros(vectors.shape, np.float32)
    np.divide(vectors, lengths, out=unit, where=lengths > 0)
    return unit


# ---------------------------------------------------------------------- index.pkl


def _read_documents(path: Path, limit: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (id, content, metadata) of the documents in a pickle, in the order of their rows."""
    try:
        size = size_of(path)
        if size > limit:
            raise SourceError(f"{path}: has {size} bytes; at most {limit} are read")
        data = read_bounded(path, limit)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror or error})") from None
    try:
        return _documents(read_pickle(data), len(data))
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from None
    except (
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        raise SourceError(
            f"{path}: is not what LangChain's FAISS saves ({type(error).__name__}: {error!s:.120})"
        ) from None


def _documents(loaded: Any, size: int) -> list[tuple[str, str, dict[str, Any]]]:
    docstore, rows = loaded[0], loaded[1]
    if not isinstance(docstore, SavedDocstore) or not isinstance(rows, dict):
        raise TypeError("expected a docstore and a mapping of rows to ids")
    state: Any = docstore.state
    kept = state["_dict"]
    if sorted(rows) != list(range(len(rows))):
        raise ValueError("the rows are not numbered 0, 1, 2 …")
    plain = _Plain(size)
    documents = []
    for row in range(len(rows)):
        record = kept[rows[row]]
        if not isinstance(record, SavedDocument):
            raise TypeError(f"row {row} is not a document")
        record_state: Any = record.state
        fields = record_state["__dict__"]
        content, metadata = fields["page_content"], fields["metadata"]
        if not isinstance(content, str) or not isinstance(metadata, dict):
            raise TypeError(f"row {row} is not a document")
        identifier, content, metadata = plain.copy([rows[row], content, metadata])
        documents.append((identifier, content, metadata))
    return documents


class _Plain:
    """Copies unpickled texts, numbers, lists and mappings, up to a limit of memory.

    A pickle may name one object a thousand times, and each copy of it anew: a few bytes could
    stand for more text than there is memory. Honest files share no more than a few short texts.
    """

    def __init__(self, size: int) -> None:
        self._left = 20 * size + (1 << 20)

    def copy(self, value: Any, depth: int = 0) -> Any:
        self._left -= len(value) + 1 if isinstance(value, (str, list, tuple, dict)) else 1
        if self._left < 0 or depth > _DEPTH:
            raise SourceError(
                "the pickle unfolds to far more than its size; this file may be an attack"
            )
        if value is None or isinstance(value, (str, bool, int)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, (list, tuple)):
            return [self.copy(item, depth + 1) for item in value]
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise InputError(f"a name in the metadata must be text, got {key!r:.60}")
            return {self.copy(k, depth): self.copy(v, depth + 1) for k, v in value.items()}
        raise InputError(
            f"the metadata must be JSON values, got a value of the type {type(value).__name__}"
        )


SURE = 0.9995
"""Median cosine above which no other text needs to be tried; a URL alone changes it more."""


def _recipe(
    model: Model, contents: list[str], papers: list[Paper], vectors: Vectors, folder: Path
) -> str:
    """Return which text of a paper the vectors were made from, by a sample of them.

    Where texts do not differ, as of short papers, the model's own recipe is taken.

    Raises:
        ModelMismatchError: the model makes other vectors of every text.
    """
    if not contents:
        return model.text
    if model.identity.dimension != vectors.shape[1]:
        raise ModelMismatchError(
            f"{folder}: holds vectors of {vectors.shape[1]} dimensions, the model "
            f"{model.name} makes {model.identity.dimension}",
            hint="give the model that the folder was built with",
        )
    rows = np.unique(np.linspace(0, len(contents) - 1, SAMPLE).astype(int))
    nearness = {}
    for recipe in dict.fromkeys(("page_content", model.text, *RECIPES)):
        if not model.follows(recipe):
            continue
        reader, text_of = model.with_text(recipe), RECIPES[recipe].text_of
        as_saved = recipe == "page_content"
        made = reader.embed_papers(
            [contents[row] if as_saved else text_of(papers[row]) for row in rows]
        )
        nearness[recipe] = float(np.median((made * vectors[rows]).sum(axis=1)))
        if nearness[recipe] > SURE:
            break
    best = max(nearness, key=lambda recipe: nearness[recipe])
    if nearness[best] < SAME_MODEL:
        raise ModelMismatchError(
            f"{folder}: its vectors are not those that the model {model.name} makes "
            f"(cosine {nearness[best]:.2f}, expected {SAME_MODEL} or more)",
            hint="give the model that it was built with",
        )
    return best


def is_langchain_folder(folder: Path, index_name: str = "index") -> bool:
    """Return whether a folder looks like one that LangChain's FAISS saved."""
    return all((folder / f"{index_name}.{end}").is_file() for end in ("faiss", "pkl"))


__all__ = [
    "build_from_langchain",
    "import_langchain_faiss",
    "is_langchain_folder",
    "to_langchain_faiss",
]
