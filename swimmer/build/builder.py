"""Papers to store: read, merge copies, embed what is new or changed, commit."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from swimmer.build.garbage import rare_collections
from swimmer.build.given import default_name, papers_given, why_none
from swimmer.build.merging import brought_up_to_date, find_stored, with_distinct_id
from swimmer.build.report import BuildReport, BuildResult
from swimmer.build.staging import Texts, indexing, stage
from swimmer.build.stored import stored_papers
from swimmer.build.vectors import embed_rows, embedder, in_order
from swimmer.embeddings import Embeddings, Model, check_same, load_model
from swimmer.errors import (
    InputError,
    ModelMismatchError,
    SourceError,
    StoreDamagedError,
    StoreError,
    StoreNotFoundError,
)
from swimmer.files import NotPlainFileError, check_own
from swimmer.papers import FIRST_SEEN, Paper
from swimmer.progress import Progress
from swimmer.sources import Source, open_source
from swimmer.store import (
    FIRST_BUILT,
    LEXICAL,
    SPARSE,
    TFIDF,
    WORK,
    PaperDatabase,
    PaperStore,
    Similarity,
    checked_format,
    probes_of,
    same_weights,
    target_folder,
    text_hash,
    time_now,
    writing,
)

if TYPE_CHECKING:
    from swimmer.build.ray_workers import RayWorkers
    from swimmer.store import Neighbours, Rows, Vectors


def build_store(
    source: str | Path | Source | Iterable[Paper],
    name: str | Path | None = None,
    *,
    model: str | Embeddings | Model | None = None,
    prune: bool = False,
    plain: bool | None = None,
    neighbours: bool | None = None,
    vectors: str | None = None,
    lexical: str | None = None,
    on: str | None = None,
    progress: Progress | None = None,
    trust_model: bool = False,
) -> PaperStore:
    """Build a store from papers, or update an existing one; return it open.

    The same as `run_build`, without its report: arguments and errors are described there.
    """
    return run_build(
        source,
        name,
        model=model,
        prune=prune,
        plain=plain,
        neighbours=neighbours,
        vectors=vectors,
        lexical=lexical,
        on=on,
        progress=progress,
        trust_model=trust_model,
    ).store


def run_build(
    source: str | Path | Source | Iterable[Paper],
    name: str | Path | None = None,
    *,
    model: str | Embeddings | Model | None = None,
    prune: bool = False,
    plain: bool | None = None,
    neighbours: bool | None = None,
    vectors: str | None = None,
    lexical: str | None = None,
    on: str | None = None,
    progress: Progress | None = None,
    trust_model: bool = False,
) -> BuildResult:
    """Build a store from papers, or update an existing one; return it open, with a report.

    Papers are matched by id or URL where titles, or authors and abstracts, agree, else by title
    key; only new or changed text is embedded. An interrupted build resumes when it is called again.

    Args:
        source: a path or name that `open_source` takes, the folder of a store (whose papers are
            embedded again), a source, or papers.
        name: the store's name (or the path of its folder); by default venue and year in lower
            case where all papers share them, else the source's name.
        model: what `load_model` takes; the store's own model, else `static`, by default.
        prune: remove papers of the store that the source does not hold.
        plain: True to compare papers by the cosine of the model's vectors alone; False to smooth
            the vectors and to count the words that papers share too (`swimmer.store.Similarity`);
            None for what the store has, and for False in a new one.
        neighbours: keep the nearest papers of each paper, so that a known title is answered
            without a search; None for what the store has, in a new one for True up to 50,000
            papers. They are found exactly up to so many, above that by an approximate index.
        vectors: how many bits of each component of a vector are kept: `float32`, `float16` or
            `int8`; None for what the store has, and for float32 in a new one.
        lexical: what papers are compared by beside their vectors: `tfidf` (the words that they
            share) or `sparse` (the tokens, by the weights that the model itself gives them, as
            bge-m3 does); None for what the store has, and for tfidf in a new one.
        on: a Ray cluster that embeds: ray://HOST:PORT, or `local` for one that is started on this
            machine; None to embed in this process. The model is one that has a name.
        progress: called as the build goes on.
        trust_model: load the model that an existing store names, as `open_store` has it.

    Raises:
        InputError: there is no such format of vectors, or no such `lexical`, or it is given
            together with `plain`; `on` is no address, or the model with it no name.
        MissingExtraError: Ray is not installed.
        ClusterError: the cluster cannot be reached, has another version of swimmer, or all its
            workers are lost; what was embedded is kept.
        SourceError: the source cannot be read, or holds no paper.
        ModelError: the model cannot be loaded or answers wrongly, or gives no weights of tokens;
            what was embedded is kept.
        StoreError: the folder cannot be written, or another build is at work there.
    """
    report = BuildReport()
    if vectors is not None:
        checked_format(vectors)
    _check_lexical(lexical, plain)
    if on is not None:
        _check_cluster(on, model)
    if isinstance(source, (str, Path)):
        source = stored_papers(source) or open_source(source)
    origin, papers = papers_given(source, report.source)
    first = list(itertools.islice(papers, 200))
    if not first:
        raise SourceError(f"{origin}: holds no paper{why_none(report.source)}")
    folder = target_folder(name if name is not None else default_name(source, first))
    build = _Build(
        folder,
        model,
        prune,
        progress or _silent,
        report,
        trust_model,
        plain=plain,
        neighbours=neighbours,
        form=vectors,
        lexical=lexical,
        on=on,
    )
    return BuildResult(build.run(itertools.chain(first, papers), origin), report)


def _check_lexical(lexical: str | None, plain: bool | None) -> None:
    if lexical is None:
        return
    if lexical not in LEXICAL:
        raise InputError(
            f"lexical is {lexical!r:.40}, not one of {', '.join(LEXICAL)}",
            hint="tfidf compares words, sparse the tokens that the model itself weighs",
        )
    if plain:
        raise InputError(
            f"a plain store compares vectors alone, and {lexical} compares words or tokens too",
            hint="leave one of the two out",
        )


def _check_cluster(on: str, model: str | Embeddings | Model | None) -> None:
    from swimmer.build.ray_cluster import checked_address

    checked_address(on)
    if model is not None and not isinstance(model, (str, Path)):
        raise InputError(
            f"a build on Ray takes the name of a model, got {model!r:.80}",
            hint="give its Hugging Face id or the path of its folder: every worker loads it itself",
        )


def _silent(stage: str, done: int, total: int | None) -> None:
    return None


def plan_update(
    source: Source, store: PaperStore, *, prune: bool = True, progress: Progress | None = None
) -> BuildReport:
    """Return what `build_store` would do to a store, by counts and titles; nothing is changed.

    Raises:
        SourceError: the source cannot be read, or holds no paper.
    """
    import tempfile

    report = BuildReport()
    assert store.folder is not None
    papers = source.papers(report.source)
    first = next(papers, None)
    if first is None:
        raise SourceError(f"{source.origin}: holds no paper{why_none(report.source)}")
    with tempfile.TemporaryDirectory(prefix="swimmer-") as work:
        build = _Build(store.folder, None, prune, progress or _silent, report)
        build.work = Path(work)
        same_source = store.manifest.source == source.origin
        database, _ = build.updated(
            store, itertools.chain([first], papers), store.model(), same_source
        )
        report.papers = len(database)
        database.close()
    report.seconds = time.monotonic() - build.started
    return report


class _Build:
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
