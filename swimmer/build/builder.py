"""Papers to store: read, merge copies, embed what is new or changed, commit."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.build.given import default_name, papers_given, why_none
from swimmer.build.one_build import Build
from swimmer.build.report import BuildReport, BuildResult
from swimmer.build.stored import stored_papers
from swimmer.embeddings import Embeddings, Model
from swimmer.errors import (
    InputError,
    SourceError,
)
from swimmer.papers import Paper
from swimmer.progress import Progress
from swimmer.sources import Source, open_source
from swimmer.store import (
    LEXICAL,
    PaperStore,
    checked_format,
    target_folder,
)

if TYPE_CHECKING:
    pass


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
    build = Build(
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
        build = Build(store.folder, None, prune, progress or _silent, report)
        build.work = Path(work)
        same_source = store.manifest.source == source.origin
        database, _ = build.updated(
            store, itertools.chain([first], papers), store.model(), same_source
        )
        report.papers = len(database)
        database.close()
    report.seconds = time.monotonic() - build.started
    return report
