"""One build as it goes on: what is there is kept, what is new is embedded, all of it committed."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from swimmer.build.garbage import rare_collections
from swimmer.build.merging import brought_up_to_date, find_stored, with_distinct_id
from swimmer.build.report import BuildReport
from swimmer.build.staging import Texts, indexing, stage
from swimmer.build.vectors import embed_rows, embedder, in_order
from swimmer.embeddings import Embeddings, Model, check_same, load_model
from swimmer.errors import (
    ModelMismatchError,
    StoreDamagedError,
    StoreError,
    StoreNotFoundError,
)
from swimmer.files import NotPlainFileError, check_own
from swimmer.papers import FIRST_SEEN, Paper
from swimmer.progress import Progress
from swimmer.store import (
    FIRST_BUILT,
    SPARSE,
    TFIDF,
    WORK,
    PaperDatabase,
    PaperStore,
    Similarity,
    probes_of,
    same_weights,
    text_hash,
    time_now,
    writing,
)

if TYPE_CHECKING:
    from swimmer.build.ray_workers import RayWorkers
    from swimmer.store import Neighbours, Rows, Vectors


class Build:
    """A build into one folder; `run` makes the store, `updated` the papers of an update."""

    def __init__(
        self,
        folder: Path,
        model: str | Embeddings | Model | None,
        prune: bool,
        progress: Progress,
        report: BuildReport,
        trust_model: bool = False,
        *,
        plain: bool | None = None,
        neighbours: bool | None = None,
        form: str | None = None,
        lexical: str | None = None,
        on: str | None = None,
    ) -> None:
        self.neighbours, self.form, self.lexical = neighbours, form, lexical
        # Who names what is compared beside the vectors wants it compared.
        self.plain = False if lexical is not None else plain
        self.packed: dict[int, bytes] = {}
        self.probes = ""
        self.on = on
        self.workers: RayWorkers | None = None
        self.folder, self.work = folder, folder / WORK
        self.wanted, self.prune, self.trust_model = model, prune, trust_model
        self.progress, self.report = progress, report
        self.started = time.monotonic()
        self._failing = contextlib.ExitStack()

    def run(self, papers: Iterator[Paper], origin: str) -> PaperStore:
        """Make the store of papers that come from `origin`; errors as those of `run_build`."""
        with writing(self.folder), rare_collections():
            try:
                check_own(self.work, folder=True)
                self.work.mkdir(exist_ok=True)
                with self._failing:
                    store = self._run(papers, origin)
                    # Done: what a failure would have closed now belongs to the store.
                    self._failing.pop_all()
                shutil.rmtree(self.work, ignore_errors=True)
                return store
            except NotPlainFileError as error:
                raise StoreDamagedError(
                    f"{error.filename}: {error.strerror}",
                    hint="delete it and start the build again; a build would write through it",
                ) from None
            except OSError as error:
                raise StoreError(
                    f"{self.folder}: the build cannot be written ({error.strerror or error})",
                    hint="make room and start the build again; it resumes",
                ) from None

    def _run(self, papers: Iterator[Paper], listed: str) -> PaperStore:
        old = self._existing()
        self._connect()
        model = self._choose_model(old)
        self.probes = self._probes(old, model)
        similarity = self._similarity(old, model)
        near: Neighbours | None = None
        origin: Rows | None = None
        if old is None:
            words = similarity is not None and similarity.lexical and not self.probes
            database, vectors = self._built(papers, model, words)
        else:
            same_source = old.manifest.source == listed
            database, vectors, near, origin = self._renewed(old, papers, model, same_source)
        if self.probes:
            database.keep_token_weights(self.packed)
        store = PaperStore.of_parts(
            database,
            vectors,
            model,
            old,
            self.folder,
            named_by_user=old is None or self.wanted is not None,
            similarity=similarity,
            neighbours=near,
            origin=origin,
            form=self.form,
            probes=self.probes,
        )
        self.progress("writing", 0, None)
        store.commit(
            self.folder,
            source=listed,
            thresholds=self._thresholds(old, store),
            neighbours=self.neighbours,
            progress=self.progress,
        )
        self.report.papers = len(store)
        self.report.seconds = time.monotonic() - self.started
        if old is not None:
            old.close()
        return store

    def _similarity(self, old: PaperStore | None, model: Model) -> Similarity | None:
        """Return the weights of the new store; None for one that goes on without any."""
        of_model = Similarity.of(model.identity, SPARSE if self.probes else TFIDF)
        if self.plain is not None:
            return Similarity() if self.plain else of_model
        if old is None or (not old.has_similarity and self.wanted is not None):
            return of_model
        if not old.has_similarity:
            return None
        return of_model if old.similarity.lexical else old.similarity

    def _probes(self, old: PaperStore | None, model: Model) -> str:
        """Return what recognises the model's weights of tokens; "" where words are compared."""
        wanted = self.lexical
        if wanted is None and not self.plain and old is not None:
            wanted = old.lexical_kind
        return probes_of(model.probe_weights) if wanted == SPARSE else ""

    def _built(
        self, papers: Iterator[Paper], model: Model, words: bool
    ) -> tuple[PaperDatabase, Vectors]:
        """Return the papers of a store that was not there before, and their vectors."""
        database = self._scratch("papers.sqlite", words)
        with contextlib.closing(Texts(self.work)) as texts:
            stage(papers, database, model, self.report, self.progress, texts)
            database.set_meta(FIRST_BUILT, time_now())
            self.report.added = len(database)
            vectors = np.zeros((self.report.added, model.identity.dimension), np.float32)
            pending = in_order(database, np.arange(self.report.added), model)
            with indexing(database) as check:

                def texts_of(rows: list[int]) -> list[str]:
                    check()
                    return texts.of(rows)

                self._embed_rows(vectors, pending, texts_of, model)
        return database, vectors

    def _renewed(
        self, old: PaperStore, papers: Iterator[Paper], model: Model, same_source: bool
    ) -> tuple[PaperDatabase, Vectors, Neighbours | None, Rows]:
        """Return a store's papers brought up to date, their vectors, and what was known of them.

        That is, the neighbours by which the vectors were smoothed, and the row of each paper then.
        """
        database, old_rows = self.updated(old, papers, model, same_source)
        vectors = np.zeros((len(old_rows), model.identity.dimension), np.float32)
        kept = np.flatnonzero(old_rows >= 0)
        near: Neighbours | None = None
        if len(kept):
            own, near = old.own_vectors()
            vectors[kept] = own[old_rows[kept]]
        pending = in_order(database, np.flatnonzero(old_rows < 0), model)

        def texts_of(rows: list[int]) -> list[str]:
            return [model.text_of(paper) for paper in database.papers(rows)]

        self._embed_rows(vectors, pending, texts_of, model)
        return database, vectors, near, old_rows

    def _thresholds(self, old: PaperStore | None, store: PaperStore) -> dict[str, float]:
        from swimmer.build.calibration import learnt_thresholds

        # What was learnt stays true while most papers stay: a small update asks the model nothing.
        few = self.report.embedded < len(store) / 10
        if old is not None and old.thresholds and few and old.similarity == store.similarity:
            return dict(old.thresholds)
        return learnt_thresholds(store)

    def _existing(self) -> PaperStore | None:
        try:
            return self._failing.enter_context(
                PaperStore.open(self.folder, trust_model=self.trust_model)
            )
        except StoreNotFoundError:
            return None

    def _connect(self) -> None:
        if self.on is not None:
            from swimmer.build.ray_workers import RayWorkers

            # Before papers are read for hours: who cannot be reached is found out now.
            self.workers = RayWorkers(self.on, self.progress)
            self._failing.callback(self.workers.close)

    def _choose_model(self, old: PaperStore | None) -> Model:
        if self.wanted is None:
            return old.model() if old is not None else load_model("static")
        model = load_model(self.wanted)
        model.identity  # noqa: B018  a model that answers wrongly is found out before the reading
        return model

    # ------------------------------------------------------------------ papers

    def _scratch(self, name: str, words: bool = False) -> PaperDatabase:
        path = self.work / name
        path.unlink(missing_ok=True)
        database = PaperDatabase.create(path, words=words)
        self._failing.callback(database.close)
        return database

    def updated(
        self, old: PaperStore, papers: Iterator[Paper], model: Model, same_source: bool
    ) -> tuple[PaperDatabase, Rows]:
        """Apply the source to a copy of the store's papers; return it and each row's old row."""
        try:
            check_same(old.identity, model.identity, f"the store {old.name}")
            # Weights of tokens come with the vectors, of one pass.
            weighed = not self.probes or same_weights(old.lexical_probes, model.probe_weights)
            reusable = weighed and old.identity.text == model.text
        except ModelMismatchError:
            reusable = False
        incoming = self._scratch("incoming.sqlite")
        stage(papers, incoming, model, self.report, self.progress)
        path = self.work / "papers.sqlite"
        path.unlink(missing_ok=True)
        database = old.database.copy(path)
        self._failing.callback(database.close)
        arrived = time_now()
        if not database.meta(FIRST_BUILT):
            database.set_meta(FIRST_BUILT, old.manifest.created)
        total = len(database)
        origin = list(range(total)) if reusable else [-1] * total
        seen = bytearray(total)
        with database.transaction():
            for paper in incoming.all_papers():
                row = find_stored(database, paper, seen, same_source=same_source)
                if row is None:
                    added = self._with_own_id(paper, database).marked(**{FIRST_SEEN: arrived})
                    self.report.note("added", added)
                    database.put(total, added, text_hash(model.text_of(added)), new=True)
                    origin.append(-1)
                    seen.append(1)
                    total += 1
                    continue
                seen[row] = 1
                kept = database.papers([row])[0]
                now = brought_up_to_date(kept, paper, same_source=same_source)
                if database.row_of_id(now.id) not in (None, row):
                    now = replace(now, id=kept.id)
                digest = text_hash(model.text_of(now))
                self.report.note("unchanged" if now == kept else "changed", now)
                same_text = digest == old.database.text_hash_of(row)
                if now != kept or not same_text:
                    database.put(row, now, digest)
                if not same_text:
                    origin[row] = -1
            if not reusable:
                # All vectors are made anew, those of papers that the list does not name as well.
                unnamed = [row for row, here in enumerate(seen) if not here]
                for row, paper in zip(unnamed, database.papers(unnamed), strict=True):
                    database.put(row, paper, text_hash(model.text_of(paper)))
        incoming.close()
        if self.prune:
            self._remove_unseen(database, seen, origin)
        return database, np.asarray(origin, np.int64)

    def _remove_unseen(self, database: PaperDatabase, seen: bytearray, origin: list[int]) -> None:
        gone = [row for row, here in enumerate(seen) if not here]
        for paper in database.papers(gone):
            self.report.note("removed", paper)
        with database.transaction():
            for new, moved in database.remove(gone).items():
                origin[new] = origin[moved]
        del origin[len(database) :]

    def _with_own_id(self, paper: Paper, database: PaperDatabase) -> Paper:
        if database.row_of_id(paper.id) is None:
            return paper
        self.report.kept_apart += 1
        return with_distinct_id(paper)

    def _embed_rows(
        self,
        vectors: Vectors,
        pending: Rows,
        texts_of: Callable[[list[int]], list[str]],
        model: Model,
    ) -> None:
        weighing = bool(self.probes)
        embed = embedder(model, self.report, weighing)
        if self.workers is not None:
            by_store = self.wanted is None
            embed = partial(self.workers.embed, model, weighing=weighing, named_by_store=by_store)
        self.packed = embed_rows(
            self.work / "vectors.sqlite",
            vectors,
            pending,
            texts_of,
            model,
            embed,
            self.report,
            self.progress,
            weighing=weighing,
        )
        if self.workers is not None:
            # What follows is work of this machine: the cluster is free for others.
            self.workers.close()
