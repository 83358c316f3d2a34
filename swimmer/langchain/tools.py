"""LangChain tools over a store: find what is similar, search, get one paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from langchain_core.documents import Document
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, ValidationError

from swimmer.errors import SwimmerError
from swimmer.langchain.documents import hit_document, paper_document
from swimmer.store import PaperStore, StorePool
from swimmer.toolkit import (
    DESCRIPTIONS,
    FindSimilarPapers,
    GetPaper,
    SearchPapers,
    answer_data,
    as_text,
    ask_store,
    find_paper,
    paper_data,
)

ToolOutput = tuple[str, list[Document]]


def paper_tools(store: PaperStore | str | Path | None = None) -> list[BaseTool]:
    """Return the LangChain tools of a store: find_similar_papers, search_papers, get_paper.

    Each answers with bounded JSON text for the model and, as the message's artifact, with the
    LangChain documents of the papers (`response_format="content_and_artifact"`). Wrong arguments
    and questions that cannot be answered come back as tool errors that the model can read. The
    tools work in synchronous and asynchronous agents alike.

    Args:
        store: an open store, a name or a path; a store by name is opened when a tool is first
            called, and again once it was rebuilt. By default the only or newest store, else the
            bundled sample.
    """
    pool = StorePool(default=None if isinstance(store, PaperStore) else store)

    def opened() -> PaperStore:
        return store if isinstance(store, PaperStore) else pool.store()

    def find_similar_papers(
        title: str, k: int = 5, year_from: int | None = None, year_to: int | None = None
    ) -> ToolOutput:
        return _found(opened(), title, k, True, year_from, year_to)

    def search_papers(
        query: str, k: int = 5, year_from: int | None = None, year_to: int | None = None
    ) -> ToolOutput:
        return _found(opened(), query, k, "text", year_from, year_to)

    def get_paper(paper: str) -> ToolOutput:
        found = find_paper(opened(), paper)
        return as_text(paper_data(found)), [paper_document(found)]

    return [
        _tool(find_similar_papers, FindSimilarPapers),
        _tool(search_papers, SearchPapers),
        _tool(get_paper, GetPaper),
    ]


def _found(
    store: PaperStore,
    query: str,
    k: int,
    lookup: bool | str,
    year_from: int | None,
    year_to: int | None,
) -> ToolOutput:
    answer = ask_store(store, query, k, lookup=lookup, year_from=year_from, year_to=year_to)
    return as_text(answer_data(answer)), [hit_document(hit) for hit in answer.hits]


def _tool(function: Callable[..., ToolOutput], arguments: type[BaseModel]) -> BaseTool:
    def answering(**given: Any) -> ToolOutput:
        try:
            return function(**given)
        except SwimmerError as error:
            raise ToolException(str(error)) from None

    return StructuredTool.from_function(
        answering,
        name=function.__name__,
        description=DESCRIPTIONS[function.__name__],
        args_schema=arguments,
        response_format="content_and_artifact",
        handle_tool_error=True,
        handle_validation_error=_what_is_wrong,
    )


def _what_is_wrong(error: ValidationError | Any) -> str:
    """Return in one line what is wrong with the arguments of a call."""
    if not isinstance(error, ValidationError):
        return str(error)
    faults = [
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}, got "
        f"{str(fault['input'])[:80]!r}"
        for fault in error.errors()
    ]
    return "wrong arguments: " + "; ".join(faults)
