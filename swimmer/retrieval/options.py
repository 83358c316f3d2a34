"""Search options: how a query is searched, the same for every front end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from swimmer.errors import QueryError
from swimmer.papers import Paper
from swimmer.retrieval.sorting import read_sort

if TYPE_CHECKING:
    from swimmer.embeddings import Embeddings, Model
    from swimmer.store import Filter

MODE_LABELS = {"dense": "by meaning", "keyword": "by words", "hybrid": "by meaning and words"}
"""The search modes, and how a page names them."""

MODES = tuple(MODE_LABELS)

RerankFunction = Callable[[str, "list[Paper]"], Sequence[float]]
"""The text of a query and n papers to n rerank scores; a higher score is a better match."""

LOOKUPS = ("title", "author", "text")
"""The readings of a query that can be forced."""

_FLAGS = ("include_self", "group", "explain", "lexical")


class SearchArguments(TypedDict, total=False):
    """The fields of `SearchOptions` as keyword arguments of `ask`, `search` and `load_retriever`.

    A test holds the two lists equal.
    """

    filter: Filter | None
    include_self: bool
    lookup: bool | str
    embeddings: str | Embeddings | Model | None
    like: Sequence[str | Paper]
    unlike: Sequence[str | Paper]
    mode: str
    diversity: float
    group: bool
    sort: str
    rerank: bool | str | Path | RerankFunction | None
    explain: bool
    lexical: bool


@dataclass(frozen=True)
class SearchOptions:
    """How queries are searched; checked when it is made.

    Attributes:
        filter: conditions as `store.compile_filter` takes them, applied before the search.
        include_self: whether the paper that a query names may be among its own hits.
        lookup: True takes a query as what it is: a title, an address, a short name, an author,
            a part of a title, or a text. `title` or `author` force that reading; `text`
            searches a query as words even when it is a title of the store; False does so by the
            vectors alone.
        embeddings: the model for text; None for the store's own.
        like: positive examples, titles or papers, added to each query.
        unlike: negative examples.
        mode: `dense` (vectors), `keyword` (BM25 over title, abstract, keywords and authors; a
            phrase in double quotes must occur; no model is loaded) or `hybrid` (both, fused).
        diversity: from 0 (relevance only) to 1 (difference only): how much each hit differs from
            those before it.
        group: whether versions of one work become one hit, the others its `copies`.
        sort: in the order of which field the hits stand, such as `year`, `title` or
            `citations:asc` (`sorting.SORTS`); "" for that of the search.
        rerank: reranks the first 50 hits: True or the name of a cross-encoder, an object with
            LangChain's `BaseCrossEncoder.score`, or a function of the query's text and a list of
            papers to their scores.
        explain: whether each hit has its `reasons`.
        lexical: whether the words that papers share count beside their vectors, by the store's
            weights; False ranks by the cosine of the vectors alone.

    Raises:
        QueryError: a value is not one of those above.
    """

    filter: Filter | None = None
    include_self: bool = False
    lookup: bool | str = True
    embeddings: str | Embeddings | Model | None = None
    like: Sequence[str | Paper] = ()
    unlike: Sequence[str | Paper] = ()
    mode: str = "dense"
    diversity: float = 0.0
    group: bool = False
    sort: str = ""
    rerank: bool | str | Path | RerankFunction | None = None
    explain: bool = False
    lexical: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "like", _examples("like", self.like))
        object.__setattr__(self, "unlike", _examples("unlike", self.unlike))
        for name in _FLAGS:
            if not isinstance(getattr(self, name), bool):
                raise QueryError(f"{name} is True or False, got {getattr(self, name)!r:.40}")
        if not isinstance(self.lookup, bool) and self.lookup not in LOOKUPS:
            raise QueryError(
                f"lookup is {self.lookup!r:.40}",
                hint=f"choose one of True, False, {', '.join(LOOKUPS)}",
            )
        if self.mode not in MODES:
            raise QueryError(
                f"unknown mode {self.mode!r:.40}", hint=f"choose one of {', '.join(MODES)}"
            )
        number = isinstance(self.diversity, (int, float)) and not isinstance(self.diversity, bool)
        if not number or not 0 <= self.diversity <= 1:
            raise QueryError(f"diversity is a number from 0 to 1, got {self.diversity!r:.40}")
        if self.unlike and self.mode == "keyword":
            raise QueryError(
                "negative examples (unlike) cannot be used in keyword mode",
                hint="use the mode dense or hybrid",
            )
        if not isinstance(self.sort, str):
            raise QueryError(f"sort is the name of a field, got {self.sort!r:.40}")
        if self.sort:
            read_sort(self.sort)
        _check_rerank(self.rerank)

    @classmethod
    def of(cls, options: SearchOptions | None, arguments: Mapping[str, Any]) -> SearchOptions:
        """Return `options`, by default those of a plain search, with some fields replaced."""
        if options is None:
            return cls(**arguments)
        return replace(options, **arguments) if arguments else options

    @property
    def reranks(self) -> bool:
        """Whether hits are reranked."""
        return self.rerank is not None and self.rerank is not False

    @property
    def keeps_ranking(self) -> bool:
        """Whether the first of the ranking are the hits: no grouping, diversity or reranking."""
        return not self.diversity and not self.group and not self.reranks


OPTION_NAMES = tuple(field.name for field in fields(SearchOptions))
"""The names of the search options, in order."""


def _examples(name: str, examples: Sequence[str | Paper]) -> tuple[str | Paper, ...]:
    if isinstance(examples, (str, Paper)) or not isinstance(examples, Iterable):
        raise QueryError(f"{name} takes a list of titles or papers, got {examples!r:.60}")
    return tuple(examples)


def _check_rerank(value: object) -> None:
    known = value is None or isinstance(value, (bool, str, Path)) or callable(value)
    if not known and not callable(getattr(value, "score", None)):
        raise QueryError(
            f"rerank is True, the name of a cross-encoder, or a function; got {value!r:.60}"
        )
