"""LangChain tools over stores: find what is similar, search, get one paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from langchain_core.documents import Document
from langchain_core.tools import BaseTool, BaseToolkit, StructuredTool, ToolException
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swimmer.errors import QueryError, SwimmerError
from swimmer.langchain.documents import hit_document, paper_document
from swimmer.store import PaperStore, StorePool
from swimmer.toolkit import (
    DESCRIPTIONS,
    Conditions,
    FindSimilarPapers,
    GetPaper,
    SearchPapers,
    answer_data,
    as_text,
    ask_for_tool,
    faults_of,
    find_paper,
    paper_data,
)

ToolOutput = tuple[str, list[Document]]
Given = PaperStore | str | Path | None


class PaperToolkit(BaseToolkit):
    """The tools of one or several stores, as a LangChain toolkit; see `paper_tools`."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    store: Any = Field(default=None, exclude=True)

    def get_tools(self) -> list[BaseTool]:
        """Return find_similar_papers, search_papers and get_paper."""
        return paper_tools(self.store)


def paper_tools(store: Given | Sequence[PaperStore | str | Path] = None) -> list[BaseTool]:
    """Return the LangChain tools of stores: find_similar_papers, search_papers, get_paper.

    Each answers with bounded JSON text for the model and, as the message's artifact, with the
    LangChain documents of the papers (`response_format="content_and_artifact"`); a call that is
    refused has an empty list there. Wrong or unknown arguments and queries that cannot be answered
    come back as tool errors that the model can read. The tools work in synchronous and
    asynchronous agents alike.

    Args:
        store: an open store, a name or a path, or a list of them to be searched as one; a store by
            name is opened when a tool is first called, and again once it was rebuilt. By default
            the only or newest store, else the bundled sample.
    """
    shelf = _Stores(store)

    def find_similar_papers(title: str, k: int = 5, **conditions: Any) -> ToolOutput:
        return _found(shelf, title, k, True, Conditions(**conditions))

    def search_papers(query: str, k: int = 5, **conditions: Any) -> ToolOutput:
        return _found(shelf, query, k, "text", Conditions(**conditions))

    def get_paper(paper: str, store: str | None = None) -> ToolOutput:
        refused: SwimmerError | None = None
        for one in shelf.named([store] if store else []):
            try:
                found = find_paper(one, paper)
            except QueryError as error:
                refused = refused or error
            else:
                return as_text(paper_data(found, store=one.name)), [paper_document(found)]
        assert refused is not None
        raise refused

    return [
        _tool(find_similar_papers, FindSimilarPapers),
        _tool(search_papers, SearchPapers),
        _tool(get_paper, GetPaper),
    ]


class _Stores:
    """The stores of some tools: those given, or any by name where none is."""

    def __init__(self, given: Given | Sequence[PaperStore | str | Path]) -> None:
        several = isinstance(given, Sequence) and not isinstance(given, str)
        self._given: list[Any] = list(given) if several else [given]  # type: ignore[arg-type]
        if not self._given:
            raise QueryError("no store is given", hint="name one with --store NAME, or give --all")
        self._pools = [
            one if isinstance(one, PaperStore) else StorePool(default=one) for one in self._given
        ]

    def named(self, names: Sequence[str]) -> list[PaperStore]:
        """Return the stores of names, those given without any."""
        stores = [one if isinstance(one, PaperStore) else one.store() for one in self._pools]
        if not names:
            return stores
        by_name = {store.name: store for store in stores}
        if self._given != [None]:
            if unknown := [name for name in names if name not in by_name]:
                raise QueryError(
                    f"there is no store {unknown[0][:100]!r} here",
                    hint=f"choose one of {', '.join(by_name)}",
                )
            return [by_name[name] for name in names]
        (pool,) = self._pools
        assert isinstance(pool, StorePool)
        return [pool.store(name) for name in names]


def _found(
    shelf: _Stores, query: str, k: int, lookup: bool | str, conditions: Conditions
) -> ToolOutput:
    stores = shelf.named(conditions.store_names)
    answer = ask_for_tool(stores, query, k, lookup=lookup, filter=conditions.filter())
    data = answer_data(answer)
    shown = answer.hits[: len(data["papers"])]
    return as_text(data), [hit_document(hit) for hit in shown]


class _PaperTool(StructuredTool):
    """A tool whose message has a list of documents as its artifact, an empty one when refused."""

    def run(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the tool; a text alone is its first argument."""
        return _with_artifact(super().run(self._as_arguments(tool_input), *args, **kwargs))

    async def arun(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the tool; a text alone is its first argument."""
        return _with_artifact(await super().arun(self._as_arguments(tool_input), *args, **kwargs))

    def _as_arguments(self, tool_input: Any) -> Any:
        if not isinstance(tool_input, str):
            return tool_input
        schema = self.args_schema
        assert isinstance(schema, type) and issubclass(schema, BaseModel)
        required = [name for name, field in schema.model_fields.items() if field.is_required()]
        return {required[0]: tool_input}


def _with_artifact(result: Any) -> Any:
    if getattr(result, "artifact", 0) is None:
        result.artifact = []
    return result


def _tool(function: Callable[..., ToolOutput], arguments: type[BaseModel]) -> BaseTool:
    def answering(**given: Any) -> ToolOutput:
        try:
            return function(**given)
        except SwimmerError as error:
            raise ToolException(error.full_text) from None

    return _PaperTool.from_function(
        answering,
        name=function.__name__,
        description=DESCRIPTIONS[function.__name__],
        args_schema=arguments,
        response_format="content_and_artifact",
        handle_tool_error=True,
        handle_validation_error=_what_is_wrong,
    )


def _what_is_wrong(error: ValidationError | Any) -> str:
    return faults_of(error) if isinstance(error, ValidationError) else str(error)
