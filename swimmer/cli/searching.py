"""What `swimmer search` does with the values of its arguments; click is not needed for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.errors import CHECK_FILE, QueryError
from swimmer.retrieval import Answer, SearchOptions, ask
from swimmer.store import PaperStore, open_store

if TYPE_CHECKING:
    from swimmer.papers import Paper
    from swimmer.store import Filter

_SCHEMES = ("arxiv:", "openreview:")
_FILE_LIMIT = 1 << 20
_READ = (".bib", ".pdf", ".tex", ".md", ".markdown")


@contextlib.contextmanager
def opened_stores(
    stores: tuple[str, ...], every: bool, trust_model: bool
) -> Iterator[Sequence[PaperStore]]:
    """Open the stores of a command: those named, all, or the default one."""
    if len(stores) < 2 and not every:
        with open_store(stores[0] if stores else None, trust_model=trust_model) as store:
            yield [store]
        return
    from swimmer.retrieval import open_stores

    with open_stores(stores, every, trust_model=trust_model) as several:
        yield several


def answers_of(
    stores: Sequence[PaperStore], queries: list[str | Paper], k: int, options: SearchOptions
) -> list[Answer]:
    """Return the answers of one store, or of several as one."""
    if not queries and not options.like and options.filter is not None:
        from swimmer.retrieval import browse

        return [browse(store, k, options) for store in stores]
    if len(stores) == 1:
        return ask(stores[0], queries, k, options)
    from swimmer.retrieval import ask_stores

    return ask_stores(stores, queries, k, options)


def read_search(
    titles: Sequence[str],
    *,
    include_self: bool = False,
    lookup: bool | str = True,
    explain: bool = False,
    stores: Sequence[PaperStore] = (),
    lexical: bool = True,
    where: Sequence[str] = (),
    like: Sequence[str] = (),
    like_all: bool = False,
    unlike: Sequence[str] = (),
    abstract: str | None = None,
    mode: str = "dense",
    diversity: float = 0.0,
    group: bool = False,
    sort: str = "",
    rerank: str | None = None,
) -> tuple[list[str | Paper], SearchOptions]:
    """Return the queries and the search options that the values of a command stand for.

    An address is fetched only where none of `stores` has its paper.

    Raises:
        QueryError: a condition cannot be read, a file is not there, or options contradict one
            another.
        SourceError: a paper that has to be fetched cannot be.
    """

    def read(names: Sequence[str]) -> list[str | Paper]:
        # A text that is forced to be one is never a file or an address.
        return list(names) if lookup == "text" else _read(names, stores)

    queries: list[str | Paper] = list(titles)
    if abstract is not None:
        queries = [_with_abstract(titles, abstract)]
    else:
        queries = read(titles)
        # A .bib file is one set of examples for one query.
        like_all = like_all or any(title.lower().endswith(".bib") for title in titles)
    examples = read(like)
    if like_all and len(queries) > 1:
        examples = [*queries[1:], *examples]
        queries = queries[:1]
    return queries, SearchOptions(
        filter=read_filter(where),
        include_self=include_self,
        lookup=lookup,
        like=examples,
        unlike=read(unlike),
        mode=mode,
        diversity=diversity,
        group=group,
        sort=sort,
        rerank=None if rerank is None else rerank or True,
        explain=explain,
        lexical=lexical,
    )


def read_filter(where: Sequence[str]) -> Filter | None:
    """Return the conditions of `--where` as one filter, None for none.

    Raises:
        QueryError: a condition cannot be read.
    """
    if not where:
        return None
    from swimmer.retrieval import parse_where

    parts = [parse_where(text) for text in where]
    return parts[0] if len(parts) == 1 else {"$and": parts}


def _with_abstract(titles: Sequence[str], abstract: str) -> Paper:
    from swimmer.papers import Paper

    if len(titles) != 1:
        raise QueryError(
            f"--abstract needs exactly one TITLE, got {len(titles)}",
            hint="give the one title that the abstract belongs to, in quotes",
        )
    if abstract.startswith("@"):
        abstract = _read_text(Path(abstract[1:]))
    if not abstract.strip():
        raise QueryError(
            "the abstract is blank", hint="give its text, or @ and a file that holds it"
        )
    return Paper(titles[0], abstract)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_FILE_LIMIT).decode("utf-8", errors="replace")
    except OSError as error:
        raise QueryError(
            f"{path}: cannot be read ({error.strerror or error})",
            hint=CHECK_FILE,
        ) from None


def _read(names: Sequence[str], stores: Sequence[PaperStore]) -> list[str | Paper]:
    read: list[str | Paper] = []
    for name in names:
        source = name if _names_file(name) else _source_of(name, stores)
        if source:
            from swimmer.analysis import papers_named

            read += papers_named(source)
        else:
            read.append(name)
    return read


def _names_file(text: str) -> bool:
    """Whether a query is the name of a draft or a bibliography, which must be there then.

    Raises:
        QueryError: there is no such file.
    """
    suffix = Path(text[-10:]).suffix.lower()
    if suffix not in _READ or len(text) >= 1_000 or _names_source(text):
        return False
    path = Path(text).expanduser()
    if path.is_file():
        return True
    if len(text.split()) > 1:
        return False
    raise QueryError(
        f"{text[:200]}: no such file",
        hint="give the path of a draft or a .bib, or search these words with --as text",
    )


def _names_source(text: str) -> bool:
    from swimmer.papers import is_address

    return is_address(text) or text.lower().startswith(_SCHEMES)


def _source_of(text: str, stores: Sequence[PaperStore]) -> str:
    """Return the source of a paper that a query names and no store has, "" where there is none.

    The address of a paper that cannot be fetched stays a query: the answer says that the store
    lacks it.
    """
    if not _names_source(text) or _is_known(text, stores):
        return ""
    if text.lower().startswith(_SCHEMES):
        return text
    from swimmer.errors import SourceError
    from swimmer.papers import arxiv_id, openreview_id

    if number := arxiv_id(text):
        return f"arxiv:{number}"
    if number := openreview_id(text):
        return f"openreview:forum?id={number}"
    if not text.lower().startswith(("https://", "http://")):
        return ""
    from swimmer.sources import adapters

    # The page of a paper at another publisher leads to its whole conference there.
    try:
        alone = any(adapters()[scheme].from_url(text) for scheme in ("list", "s2"))
    except SourceError:
        return ""
    return text if alone else ""


def _is_known(text: str, stores: Sequence[PaperStore]) -> bool:
    from swimmer.store import rows_of_identifier

    return any(rows_of_identifier(store.database, text) for store in stores)
