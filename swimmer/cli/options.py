"""The command options that fill `SearchOptions`, shared by the commands that search."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swimmer.cli.completion import complete_stores
from swimmer.errors import CHECK_FILE, QueryError
from swimmer.retrieval import MODES, SearchOptions

if TYPE_CHECKING:
    from swimmer.papers import Paper
    from swimmer.store import Filter, PaperStore

_SCHEMES = ("arxiv:", "openreview:")
_FILE_LIMIT = 1 << 20
_READ = (".bib", ".pdf", ".tex", ".md", ".markdown")

_OPTIONS = (
    click.option(
        "--where",
        "-w",
        multiple=True,
        metavar="CONDITION",
        help="""Only papers that match: 'year>=2024 and area=~"reinforcement"'.""",
    ),
    click.option(
        "--like", multiple=True, metavar="TITLE", help="A positive example; may be repeated."
    ),
    click.option("--like-all", is_flag=True, help="Use all TITLEs as examples of one query."),
    click.option(
        "--unlike", multiple=True, metavar="TITLE", help="A negative example; may be repeated."
    ),
    click.option(
        "--abstract", metavar="TEXT|@FILE", help="The abstract of a TITLE that no store has."
    ),
    click.option(
        "--mode",
        type=click.Choice(MODES),
        default="dense",
        show_default=True,
        help="Search by vectors, by words, or both.",
    ),
    click.option(
        "--diversity",
        type=click.FloatRange(0, 1),
        default=0.0,
        metavar="0..1",
        help="How different the papers are from each other.",
    ),
    click.option(
        "--sort",
        default="",
        metavar="FIELD[:asc|:desc]",
        help="Order by year, title, citations, upvotes, rating, published or score.",
    ),
    click.option("--group", is_flag=True, help="Show versions of one paper as one."),
    click.option(
        "--rerank",
        is_flag=False,
        flag_value="",
        metavar="[MODEL]",
        help="Rerank the first 50 with a cross-encoder.",
    ),
    click.option(
        "--why/--no-why",
        default=None,
        help="Explain each hit (or hide explanations).",
    ),
    click.option(
        "--lexical/--no-lexical",
        default=True,
        help="Count the words that papers share, beside their vectors.",
    ),
)


_trust_option = click.option(
    "--trust-model",
    is_flag=True,
    help="Load the model that the store names; remembered. Only if you trust its maker.",
)


_STORES = (
    click.option(
        "--store",
        "-s",
        "stores",
        shell_complete=complete_stores,
        multiple=True,
        metavar="NAME",
        help="Store to search: a name or a path; may be repeated.",
    ),
    click.option("--all", "every", is_flag=True, help="Search all your stores as one."),
)


def stores_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--store` and `--all`: its arguments `stores` and `every`."""
    for option in reversed(_STORES):
        command = option(command)
    return command


def _set_backend(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    from swimmer.embeddings import BACKEND

    before = os.environ.get(BACKEND)
    os.environ[BACKEND] = value

    def restore() -> None:
        if before is None:
            del os.environ[BACKEND]
        else:
            os.environ[BACKEND] = before

    ctx.call_on_close(restore)


_backend_option = click.option(
    "--backend",
    type=click.Choice(["onnx", "torch"]),
    expose_value=False,
    callback=_set_backend,
    help="What computes a transformer model; by default torch where it is installed.",
)


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that may load a store's model `--trust-model` and `--backend`.

    The first is its argument `trust_model`; the second sets `$SWIMMER_BACKEND` while it runs.
    """
    return _trust_option(_backend_option(command))


def search_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of this module, whose values `read_search` takes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_search(
    titles: Sequence[str],
    *,
    include_self: bool = False,
    lookup: bool | str = True,
    explain: bool = False,
    stores: Sequence[PaperStore] = (),
    lexical: bool = True,
    where: Sequence[str],
    like: Sequence[str],
    like_all: bool,
    unlike: Sequence[str],
    abstract: str | None,
    mode: str,
    diversity: float,
    group: bool,
    sort: str,
    rerank: str | None,
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
