"""A store: papers and their vectors in one folder, opened lazily, replaced atomically."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swimmer.errors import (
    REBUILD,
    InputError,
    ModelMismatchError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
)
from swimmer.papers import Paper
from swimmer.store.data_files import DataFiles, open_data_files, read_manifest
from swimmer.store.database import PaperDatabase
from swimmer.store.folder import same_folder, sweep, writing
from swimmer.store.manifest import Manifest, Stamp, manifest_stamp
from swimmer.store.similarity import SPARSE, TFIDF, Similarity
from swimmer.store.vector_formats import FLOAT32, checked_format

# A known title is answered without numpy, FAISS and a model: they are imported where vectors are.
if TYPE_CHECKING:
    from logging import Logger

    from swimmer.embeddings import Embeddings, Model, ModelIdentity
    from swimmer.progress import Progress
    from swimmer.store.index import Rows, VectorIndex, Vectors
    from swimmer.store.lexical import LexicalIndex
    from swimmer.store.smoothing import Neighbours
    from swimmer.store.working_copy import WorkingCopy


class PaperStore:
    """The papers of a venue with their vectors, in a folder or in memory.

    `open` reads the manifest only; papers and vectors are opened together by the first query, so a
    million papers open as fast as a hundred. What another process commits is seen by the next
    query, unless the store was opened with `refresh=False`; a query that is running goes on with
    the files that it began with. `add` and `delete` change a copy in memory, seen by searches at
    once and by others after `commit`. Any number of threads may search one store while one of
    them changes it. A store in a folder can be pickled and copied: the copy is opened from there.
    """

    remote = False
    """Whether the papers are on a server, which is asked through `SearchableStore`."""

    def __init__(
        self, manifest: Manifest | None, folder: Path | None, identity: ModelIdentity
    ) -> None:
        self._manifest = manifest
        self.folder = folder
        self._named: tuple[Path, str] | None = None
        self._identity = identity
        # What is open: the files on disk, or the copy that is being changed.
        self._files: DataFiles | None = None
        self._copy: WorkingCopy | None = None
        self._similarity = _kept_similarity(manifest)
        self._lexical_probes = _kept_probes(manifest)
        self._model: Model | None = None
        self._given: object = None
        self._model_of = identity
        self._trust_model = False
        self._refresh = False
        self._stamp: Stamp | None = None
        self._pinned = _Pinned()
        self._named_by_user = False
        self._lock = threading.RLock()
        self._readers = 0
        self._no_readers = threading.Condition(self._lock)

    @classmethod
    def open(
        cls, folder: Path | str, *, trust_model: bool = False, refresh: bool = True
    ) -> PaperStore:
        """Open the store in `folder`; arguments and errors as those of `open_store`."""
        folder = Path(folder)
        # The stamp first: a manifest that is replaced meanwhile is then read again.
        stamp = manifest_stamp(folder)
        manifest = read_manifest(folder)
        store = cls(manifest, folder, manifest.model)
        store._trust_model, store._refresh, store._stamp = trust_model, refresh, stamp
        if not refresh:
            # The files of this state may be gone by the time of the first query.
            store._open_files()
        return store

    @classmethod
    def create(cls, model: str | Embeddings | Model, scratch: Path | None = None) -> PaperStore:
        """Return an empty store for the vectors of `model`, in memory until `commit`.

        Args:
            model: what `load_model` takes.
            scratch: a file that holds the papers meanwhile, when they are too many for memory.
        """
        import numpy as np

        from swimmer.embeddings import load_model
        from swimmer.store.working_copy import WorkingCopy

        loaded = load_model(model)
        store = cls(None, None, loaded.identity)
        store._model, store._named_by_user = loaded, True
        none = np.empty((0, loaded.identity.dimension), np.float32)
        store._copy = WorkingCopy(PaperDatabase.create(scratch), none, FLOAT32)
        return store

    @classmethod
    def of_parts(
        cls,
        database: PaperDatabase,
        vectors: Vectors,
        model: Model | ModelIdentity,
        replaces: PaperStore | None,
        folder: Path,
        *,
        named_by_user: bool,
        similarity: Similarity | None = None,
        neighbours: Neighbours | None = None,
        origin: Rows | None = None,
        form: str | None = None,
        probes: str = "",
    ) -> PaperStore:
        """Return a store of papers and vectors made elsewhere, to be committed to `folder`.

        Args:
            database: the papers.
            vectors: theirs, before smoothing, float32 (papers, dimension).
            model: what made the vectors; its identity alone where it need not be loaded.
            replaces: the store that stands in the folder.
            folder: where the store will be.
            named_by_user: whether the user has chosen the model, not the store that is replaced.
            similarity: the weights of the new store, None for one that has none to begin with.
            neighbours: those of the store that is replaced, where it smooths its vectors.
            origin: the row that each paper had in that store, with the same vector; -1 where it
                had another one or none.
            form: how the vectors are kept; None for what the store has that is replaced.
            probes: what recognises the model's weights of tokens (`lexical.probes_of`), which the
                database then holds; "" where words are compared.
        """
        from swimmer.embeddings import Model
        from swimmer.store.working_copy import WorkingCopy

        manifest = replaces._manifest if replaces is not None else None  # noqa: SLF001  same class
        loaded = model if isinstance(model, Model) else None
        identity = model.identity if isinstance(model, Model) else model
        store = cls(manifest, folder, identity)
        store._model, store._named_by_user = loaded, named_by_user
        store._similarity = similarity
        store._copy = WorkingCopy(
            database, vectors, store.vector_format, store.similarity.smoothing
        )
        if replaces is not None and origin is not None:
            store._copy.follows(replaces.index, origin, neighbours)
        store._copy.set_format(form)
        store._lexical_probes = probes
        if database.has_token_weights and not probes:
            database.run("DROP TABLE token_weights")
        if store.similarity.lexical and not probes:
            database.count_words()
        return store

    @property
    def place(self) -> str:
        """Where the store is: its folder, or its address on a server."""
        return str(self.folder or "")

    def check_in_folder(self, what: str) -> None:
        """Check that the store is one that has papers by row.

        Args:
            what: what needs that, for the message: `a map`.

        Raises:
            RemoteStoreError: the store is on a server.
        """

    def __enter__(self) -> PaperStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        with self._lock:
            if self.folder is None or self._writable:
                raise StoreError(
                    f"the store {self.name} is in memory, or was changed and not saved, so it "
                    "cannot be pickled or copied",
                    hint="save it to a folder first",
                )
            return _reopened, (self.folder.resolve(), self._trust_model, self._refresh)

    def __len__(self) -> int:
        if self._pinned.files is not None:
            # The state that a running query reads.
            return self._pinned.files.manifest.papers
        with self._lock:
            self._follow()
            return len(self.database) if self._writable else self.manifest.papers

    def __repr__(self) -> str:
        return f"PaperStore({self.name!r}, papers={len(self)}, model={self.identity.name!r})"

    def _repr_html_(self) -> str:
        from swimmer.store.notebook import store_html

        return store_html(self)

    @property
    def name(self) -> str:
        """The store's name: that of its folder."""
        if self.folder is None:
            return "memory"
        if self._named is None or self._named[0] != self.folder:
            self._named = self.folder, self.folder.resolve().name
        return self._named[1]

    @property
    def manifest(self) -> Manifest:
        """What the folder holds; StoreError for a store that was never committed."""
        if self._pinned.files is not None:
            return self._pinned.files.manifest
        if self._manifest is None:
            raise StoreError("this store is in memory only", hint="commit it to a folder first")
        return self._manifest

    @property
    def thresholds(self) -> Mapping[str, float]:
        """What was learnt of the store's scores when it was built, by name."""
        if self._pinned.files is not None:
            return self._pinned.files.manifest.thresholds
        return self._manifest.thresholds if self._manifest is not None else {}

    @property
    def identity(self) -> ModelIdentity:
        """The model that the vectors were made with."""
        if self._pinned.files is not None:
            return self._pinned.files.manifest.model
        return self._identity

    @property
    def generation(self) -> str:
        """The random name of the state on disk; "" for a store in memory, or changed since."""
        with self._lock:
            return "" if self._writable or self._manifest is None else self._manifest.generation

    @property
    def vector_format(self) -> str:
        """How the vectors are kept: `float32`, `float16` or `int8`."""
        if self._pinned.files is not None:
            return self._pinned.files.manifest.vectors
        if self._copy is not None:
            return self._copy.form
        return self._manifest.vectors if self._manifest is not None else FLOAT32

    @property
    def _writable(self) -> bool:
        return self._copy is not None

    @property
    def database(self) -> PaperDatabase:
        """The papers, opened when first asked for."""
        if self._pinned.files is not None:
            return self._pinned.files.database
        with self._lock:
            if self._copy is not None:
                return self._copy.database
            return self._open_files().database

    @property
    def index(self) -> VectorIndex:
        """The vectors, mapped from disk when first asked for."""
        if self._pinned.files is not None:
            return self._pinned.files.index
        with self._lock:
            if self._copy is not None:
                return self._copy.index
            return self._open_files().index

    def _open_files(self) -> DataFiles:
        if self._files is None:
            manifest = self.manifest
            assert self.folder is not None
            self._take(open_data_files(self.folder, manifest, follow=self._refresh))
            assert self._files is not None
        return self._files

    def _take(self, files: DataFiles) -> None:
        # What was open is not closed: a thread may be reading from it. It closes itself when the
        # last reader drops it.
        self._manifest, self._identity = files.manifest, files.manifest.model
        self._files = files
        self._similarity = _kept_similarity(files.manifest)
        self._lexical_probes = _kept_probes(files.manifest)

    def _follow(self) -> None:
        """Take the newest state from disk if the manifest was replaced since the last look."""
        if not self._refresh or self._writable or self.folder is None:
            return
        stamp = manifest_stamp(self.folder)
        if stamp is None or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            manifest = Manifest.read(self.folder)
            if self._manifest is None or manifest.generation != self._manifest.generation:
                self._take(open_data_files(self.folder, manifest))
                _log().info("the store %s was replaced; it is read again", self.name)
        except (StoreError, OSError) as error:
            if self._files is None:
                raise
            _log().warning("the store %s is searched as it was opened: %s", self.name, error)

    @property
    def similarity(self) -> Similarity:
        """The weights by which this store compares; all 0 in one that has none."""
        return self._similarity or Similarity()

    @property
    def has_similarity(self) -> bool:
        """Whether weights were chosen for this store, and be it 0: not so in an older one."""
        return self._similarity is not None

    def own_vectors(self) -> tuple[Vectors, Neighbours | None]:
        """Return the vectors before smoothing, float32 (n, dimension), and their neighbours.

        The vectors as they are kept (`VectorIndex.decoded`), and None, in a store that does not
        smooth them.
        """
        with self.reading():
            if self._copy is not None:
                own, near = self._copy.own_vectors()
                return own.copy(), near
            kept = None
            if self.similarity.smoothing:
                from swimmer.store.own_vectors import read_own_vectors

                kept = read_own_vectors(self.database, len(self), self.identity.dimension)
            return kept or (self.index.decoded(), None)

    @property
    def lexical_kind(self) -> str:
        """What papers are compared by beside their vectors, one of LEXICAL; "" for nothing."""
        if not self.similarity.lexical:
            return ""
        return SPARSE if self._lexical_probes else TFIDF

    @property
    def lexical_probes(self) -> str:
        """What recognises the model's weights of tokens; "" where they are not compared."""
        return self._lexical_probes

    @property
    def lexical(self) -> LexicalIndex | None:
        """What compares papers by their words or tokens; None in a store that does not."""
        has_any = self.database.counts_words or self.database.has_token_weights
        if not self.similarity.lexical or not has_any:
            return None
        return self.database.kept("lexical", self._lexical)

    def _lexical(self) -> LexicalIndex | None:
        if self.database.has_token_weights != bool(self._lexical_probes):
            raise StoreDamagedError(
                f"{self.database.path or self.name}: its words or tokens are not those that its "
                "manifest names",
                hint=REBUILD,
            )
        try:
            return self.database.lexical_index()
        except ValueError as error:
            raise StoreDamagedError(
                f"{self.database.path or self.name}: its counts of words cannot be read ({error})",
                hint=REBUILD,
            ) from None

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Keep to one state for the length of a block, so that rows and vectors stay in step.

        Changes wait for its end. What another process commits is seen by the next block.
        """
        if self._pinned.files is not None:
            yield
            return
        with self._lock:
            self._follow()
            if self._writable:
                yield
                return
            files = self._open_files()
            self._readers += 1
        self._pinned.files = files
        try:
            yield
        finally:
            self._pinned.files = None
            with self._lock:
                self._readers -= 1
                self._no_readers.notify_all()

    def _await_readers(self) -> None:
        # They came while nothing could change, and hold no lock; no new ones of that kind come.
        while self._readers:
            self._no_readers.wait()

    # ------------------------------------------------------------------ the model

    def model(self, embeddings: str | Embeddings | Model | None = None) -> Model:
        """Return the model that embeds queries: the store's own, or `embeddings` once checked.

        Raises:
            ModelMismatchError: it is not the model that the store was built with.
            UntrustedModelError: only the store names it; `open_store` has `trust_model`.
            ModelError: the store's own model cannot be loaded.
        """
        from swimmer.embeddings import check_same, load_model, load_own

        identity = self.identity
        with self._lock:
            if self._model_of is not identity and self._model_of != identity:
                # The store was built again with another model since it was loaded.
                self._model = self._given = None
            self._model_of = identity
            if embeddings is not None and (self._model is None or embeddings is not self._given):
                model = load_model(embeddings)
                if self._model is None or self._model.embeddings is not model.embeddings:
                    self._check_weights(model)
                    check_same(identity, model.identity, f"the store {self.name}")
                    self._model = model.with_text(identity.text)
                self._given = embeddings
            elif self._model is None:
                model = load_own(
                    identity,
                    f"the store {self.name}",
                    trust=self._trust_model,
                    weighing=bool(self._lexical_probes),
                )
                self._check_weights(model)
                self._model = model
            return self._model

    def _check_weights(self, model: Model) -> None:
        """Raise ModelMismatchError where a model weighs tokens, but not as the store's papers.

        One that weighs none can still be asked with: by its vectors alone.
        """
        if not self._lexical_probes or not model.gives_weights:
            return
        from swimmer.store.lexical import same_weights

        if not same_weights(self._lexical_probes, model.probe_weights):
            raise ModelMismatchError(
                f"the model {model.name} gives other weights of tokens than those which the store "
                f"{self.name} was built with",
                hint="rebuild the store with this one: swimmer build ITS_FOLDER --lexical sparse",
            )

    @property
    def loaded_model(self) -> Model | None:
        """The model that embeds queries, if it was loaded or given already."""
        with self._lock:
            return self._model if self._model_of == self.identity else None

    # ------------------------------------------------------------------ reading

    def papers(self, rows: Sequence[int]) -> list[Paper]:
        """Return the papers of row numbers, in that order."""
        with self.reading():
            return self.database.papers(rows)

    def get(self, ids: Sequence[str]) -> list[Paper]:
        """Return the papers of ids, in that order; ids that are not there are left out."""
        with self.reading():
            rows = [self.database.row_of_id(identifier) for identifier in ids]
            return self.papers([row for row in rows if row is not None])

    def __iter__(self) -> Iterator[Paper]:
        with self.reading():
            database = self.database
        return database.all_papers()

    def vectors(self, rows: Rows | None = None) -> Vectors:
        """Return the vectors of rows (all without an argument), float32 (n, dimension)."""
        with self.reading():
            return self.index.vectors(rows)

    def fields(self) -> list[str]:
        """Return the names of the fields that papers of this store have."""
        with self.reading():
            return self.database.fields()

    # ------------------------------------------------------------------ changing

    def add(
        self,
        papers: Sequence[Paper],
        vectors: Vectors | None = None,
        *,
        replace: bool = True,
        batch_size: int | None = None,
    ) -> list[str]:
        """Add papers; return their ids.

        Args:
            papers: what to add; of two with one id the later counts.
            vectors: float32 (n, dimension), unit length; embedded by the store's model when None.
            replace: whether a paper whose id is there already takes the place of the old one.
            batch_size: papers that are given to the model at once; all by default.

        Raises:
            InputError: an id is there already and `replace` is False, or the vectors do not fit;
                nothing is added then.
        """
        import numpy as np

        model = self.model()
        texts = [model.text_of(paper) for paper in papers]
        size = batch_size or max(1, len(texts))
        parts = [texts[start : start + size] for start in range(0, len(texts), size)]
        tokens: list[bytes] = []
        if self._lexical_probes:
            from swimmer.store.lexical import pack_tokens

            weighed = [model.weigh_papers(part) for part in parts]
            tokens = [one for part in weighed for one in pack_tokens(part.weights)]
            made = [part.vectors for part in weighed]
        elif vectors is None:
            made = [model.embed_papers(part) for part in parts]
        if vectors is None:
            vectors = np.concatenate([np.empty((0, self.identity.dimension), np.float32), *made])
        vectors = np.asarray(vectors, np.float32)
        if vectors.shape != (len(papers), self.identity.dimension):
            raise InputError(
                f"{len(papers)} papers need vectors of shape ({len(papers)}, "
                f"{self.identity.dimension}), got {vectors.shape}"
            )
        if not np.isfinite(vectors).all():
            raise InputError(
                "a vector holds values that are not finite; nothing was added",
                hint="look at the model or the numbers that made it",
            )
        with self._lock:
            self._changed().put(papers, texts, vectors, tokens, replace=replace)
        return [paper.id for paper in papers]

    def delete(self, ids: Sequence[str]) -> int:
        """Delete the papers of ids; return how many were there."""
        with self._lock:
            rows = {self.database.row_of_id(identifier) for identifier in ids} - {None}
            if rows:
                self.delete_rows([row for row in rows if row is not None])
            return len(rows)

    def delete_rows(self, rows: Sequence[int]) -> None:
        """Delete papers by row number; the last rows take the numbers that become free."""
        with self._lock:
            self._changed().remove(rows)

    def _changed(self) -> WorkingCopy:
        """Return the copy that is changed, once no thread reads from what is there."""
        from swimmer.store.working_copy import WorkingCopy

        self._follow()
        old = None
        if self._copy is None:
            import numpy as np

            own, near = self.own_vectors()
            old, index = self.database, self.index
            smoothing = self.similarity.smoothing
            self._copy = WorkingCopy(old.copy(), own, self.vector_format, smoothing)
            self._copy.follows(index, np.arange(len(own)), near)
            self._files = None
        # Until the last of them ends, the copies hold what the readers began with.
        self._await_readers()
        if old is not None:
            old.close()
        return self._copy

    # ------------------------------------------------------------------ on disk

    def commit(
        self,
        folder: Path | str | None = None,
        *,
        source: str | None = None,
        thresholds: dict[str, float] | None = None,
        neighbours: bool | None = None,
        vectors: str | None = None,
        progress: Progress | None = None,
    ) -> Manifest:
        """Write the store to `folder` (its own by default); it becomes visible all at once.

        New data files are written and flushed first, then the manifest is replaced, then old
        files are removed: whenever the process dies, the folder holds the old store or the new.

        Args:
            folder: where to.
            source: what the papers are from; by default what the store says.
            thresholds: what was learnt of its scores; by default what the store has.
            neighbours: whether the nearest papers of each paper are kept
                (`swimmer.store.nearest`); None for what the store has, in a new one for those of
                at most EXACT_LIMIT papers.
            vectors: how many bits of each component are kept: `float32`, `float16` or `int8`
                (`swimmer.store.vector_formats`); None for what the store has, float32 at first.
            progress: called as neighbours are found.

        Raises:
            InputError: there is no such format.
            StoreBusyError: another process is writing there, or has written since this store was
                opened.
            StoreError: the folder cannot be written, or the disk is full; the old store is whole.
        """
        target = Path(folder) if folder is not None else self.folder
        if target is None:
            raise StoreError(
                "a store in memory needs a folder to be committed to",
                hint="give commit or save_local a folder",
            )
        with self._lock, writing(target):
            own = self.folder is not None and same_folder(target, self.folder)
            if own and self._manifest is not None:
                on_disk = Manifest.read(target)
                if on_disk.generation != self._manifest.generation:
                    raise StoreBusyError(
                        f"{target}: another process has changed the store since it was opened",
                        hint="open it again and repeat the change",
                    )
                unchanged = vectors is None or checked_format(vectors) == self._manifest.vectors
                if not self._writable and unchanged and thresholds is None and neighbours is None:
                    return self._manifest
            if vectors is not None and checked_format(vectors) != self.vector_format:
                self._changed().set_format(vectors)
            try:
                return self._write(target, source, thresholds, neighbours, progress)
            except OSError as error:
                sweep(target)
                raise StoreError(
                    f"{target}: cannot be written ({error.strerror or error})",
                    hint="make room, or check the rights of the folder; what it held is kept",
                ) from None

    def _write(
        self,
        target: Path,
        source: str | None,
        thresholds: dict[str, float] | None,
        neighbours: bool | None,
        progress: Progress | None,
    ) -> Manifest:
        from swimmer.embeddings import remember_model
        from swimmer.store.saving import StoreContents, save_contents

        self._await_readers()
        previous, copy = self._manifest, self._copy
        if source is None:
            source = previous.source if previous else ""
        if thresholds is None:
            thresholds = dict(previous.thresholds) if previous else {}
        contents = StoreContents(
            database=self.database,
            vectors=copy.searched_vectors() if copy is not None else self.index.decoded(),
            like=copy.before if copy is not None else self.index,
            form=self.vector_format,
            model=self.identity,
            similarity=self._similarity,
            token_probes=self._lexical_probes,
            thresholds=thresholds,
            source=source,
        )
        manifest = save_contents(target, contents, copy, neighbours=neighbours, progress=progress)
        if self._named_by_user:
            remember_model(self.identity.name, self.identity.revision)
        # From here on the store is the one on disk: what was held in memory is let go.
        self._manifest, self.folder, self._stamp = manifest, target, manifest_stamp(target)
        old, self._files, self._copy = contents.database, None, None
        old.close()
        return manifest

    def verify(self, *, load_model: bool = True) -> list[str]:
        """Return everything that is wrong with the store on disk; an empty list when it is whole.

        Checks sizes and SHA-256 of the data files, the database's integrity, the number of papers
        and vectors, unit length, that the store's model is the one it was built with (a model
        that was given as an object in Python cannot be asked), a sample of the nearest papers that
        are kept, and its map where it has one.

        Args:
            load_model: also load the model, and compare it with the one it was built with.
        """
        from swimmer.embeddings import GIVEN
        from swimmer.store.verification import problems_of

        with self._lock:
            self._follow()
        given = self.identity.name.startswith(GIVEN) and self._model is None
        return problems_of(self, load_model=load_model and not given)

    def close(self) -> None:
        """Close the files; a store that was changed and not committed loses the change."""
        with self._lock:
            for opened in (self._files, self._copy):
                if opened is not None:
                    opened.close()
            self._files = self._copy = None


class _Pinned(threading.local):
    """The state that a thread is reading from, None when it is not inside `reading`."""

    files: DataFiles | None = None


def _log() -> Logger:
    # A command that answers a known title loads no module that it does not use.
    import logging

    return logging.getLogger(__name__)


def _reopened(folder: Path, trust_model: bool, refresh: bool) -> PaperStore:
    return PaperStore.open(folder, trust_model=trust_model, refresh=refresh)


def _kept_probes(manifest: Manifest | None) -> str:
    """Return what recognises the model's weights of tokens; "" where a store compares none."""
    return manifest.lexical.get("probes", "") if manifest is not None else ""


def _kept_similarity(manifest: Manifest | None) -> Similarity | None:
    """Return the weights that a manifest names; None in one of an older version."""
    if manifest is None or not manifest.similarity:
        return None
    return Similarity.read(manifest.similarity)
