"""LangChain tools over stores: find what is similar, search, browse, get one paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from langchain_core.documents import Document
from langchain_core.tools import BaseTool, BaseToolkit, StructuredTool, ToolException
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swimmer.analysis import SHOWN_PAPERS
from swimmer.errors import QueryError, SwimmerError
from swimmer.langchain.documents import hit_document, paper_document
from swimmer.retrieval import Answer, Hit
from swimmer.store import PaperStore, StorePool
from swimmer.toolkit import (
    DESCRIPTIONS,
    AnswerData,
    BrowsePapers,
    CheckReferences,
    Conditions,
    FindAuthors,
    FindSimilarPapers,
    GetPaper,
    InStores,
    PapersForLibrary,
    PeopleNear,
    PlanConference,
    SearchPapers,
    answer_data,
    as_text,
    ask_for_tool,
    authors_data,
    browse_for_tool,
    check_data,
    check_for_tool,
    check_reading_list,
    find_paper,
    find_people,
    near_people_data,
    near_people_for_tool,
    plan_data,
    plan_for_tool,
    planned_papers,
    recommend_for_tool,
    recommendations_data,
    whole_paper_data,
    wrong_call,
)

ToolOutput = tuple[str, list[Document]]
Given = PaperStore | str | Path | None


class PaperToolkit(BaseToolkit):
    """All tools of one or several stores, as a LangChain toolkit: those of `paper_tools` and more.

    browse_papers lists the papers that meet conditions, in the order of a field; find_authors
    finds authors by a name or the beginning of one; papers_for_library finds the papers nearest to
    several, by each of their interests; people_near finds who works on something;
    plan_conference plans which posters and talks to see; check_references checks a bibliography.
    `store` is what `paper_tools` takes. With `allow_lists`, papers_for_library, people_near and
    plan_conference may name one of the user's reading lists.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    store: Any = Field(default=None, exclude=True)
    allow_lists: bool = False

    def get_tools(self) -> list[BaseTool]:
        """Return the tools: the three of `paper_tools` and the six named above."""
        shelf = _Stores(self.store)
        return [
            *_search_tools(shelf),
            *_list_tools(shelf),
            *_library_tools(shelf, self.allow_lists),
            *_writing_tools(shelf, self.allow_lists),
        ]


def paper_tools(store: Given | Sequence[PaperStore | str | Path] = None) -> list[BaseTool]:
    """Return the LangChain tools of stores: find_similar_papers, search_papers, get_paper.

    Each answers with bounded JSON text for the model and, as the message's artifact, with the
    LangChain documents of the papers (`response_format="content_and_artifact"`); a call that is
    refused has an empty list there. Wrong or unknown arguments and queries that cannot be answered
    come back as tool errors that the model can read. The tools work in synchronous and
    asynchronous agents alike. `PaperToolkit` has more of them.

    Args:
        store: an open store, a name or a path, or a list of them to be searched as one; a store by
            name is opened when a tool is first called, and again once it was rebuilt. By default
            that of `swimmer default`, else the newest, else the bundled sample.
    """
    return _search_tools(_Stores(store))


def _search_tools(shelf: _Stores) -> list[BaseTool]:
    def find_similar_papers(title: str, k: int = 5, **given: Any) -> ToolOutput:
        return _found(shelf, title, k, True, Conditions(**given))

    def search_papers(query: str, k: int = 5, **given: Any) -> ToolOutput:
        return _found(shelf, query, k, "text", Conditions(**given))

    def get_paper(paper: str, store: str | None = None) -> ToolOutput:
        refused: SwimmerError | None = None
        for one in shelf.named([store] if store else []):
            try:
                found = find_paper(one, paper)
            except QueryError as error:
                refused = refused or error
            else:
                return as_text(whole_paper_data(found, one.name)), [paper_document(found)]
        assert refused is not None
        raise refused

    return [
        _tool(find_similar_papers, FindSimilarPapers),
        _tool(search_papers, SearchPapers),
        _tool(get_paper, GetPaper),
    ]


def _list_tools(shelf: _Stores) -> list[BaseTool]:
    def browse_papers(k: int = 20, sort: str = "year", **given: Any) -> ToolOutput:
        conditions = Conditions(**given)
        stores = shelf.named(conditions.store_names)
        return _output(browse_for_tool(stores, k, filter=conditions.filter(), sort=sort))

    def find_authors(name: str, k: int = 10, **given: Any) -> ToolOutput:
        stores = shelf.named(InStores(**given).store_names)
        return as_text(authors_data(find_people(stores, name), k)), []

    return [_tool(browse_papers, BrowsePapers), _tool(find_authors, FindAuthors)]


def _library_tools(shelf: _Stores, allow_lists: bool) -> list[BaseTool]:
    """Return the tools that start from several papers of the user."""

    def stores_of(given: dict[str, Any], reading_list: str | None) -> tuple[list[PaperStore], Any]:
        check_reading_list(reading_list, allow_lists, "PaperToolkit(allow_lists=True)")
        conditions = Conditions(**given)
        return shelf.named(conditions.store_names), conditions.filter()

    def papers_for_library(
        titles: Sequence[str] = (),
        reading_list: str | None = None,
        unlike: Sequence[str] = (),
        k: int = 20,
        **given: Any,
    ) -> ToolOutput:
        stores, filter = stores_of(given, reading_list)
        found = recommend_for_tool(
            stores, titles, k, reading_list=reading_list, unlike=unlike, filter=filter
        )
        return _shown(recommendations_data(found), [one.hit for one in found.found])

    def people_near(
        query: str | None = None,
        titles: Sequence[str] = (),
        reading_list: str | None = None,
        k: int = 10,
        **given: Any,
    ) -> ToolOutput:
        stores, filter = stores_of(given, reading_list)
        found = near_people_for_tool(
            stores, query, titles, k, reading_list=reading_list, filter=filter
        )
        data = near_people_data(found)
        near = [hit for one in found[: len(data["people"])] for hit in one.near[:SHOWN_PAPERS]]
        # People who wrote a paper together are near by the same one.
        once = {(hit.paper.extra.get("store"), hit.paper.id): hit for hit in near}
        return as_text(data), [hit_document(hit) for hit in once.values()]

    return [_tool(papers_for_library, PapersForLibrary), _tool(people_near, PeopleNear)]


def _writing_tools(shelf: _Stores, allow_lists: bool) -> list[BaseTool]:
    """Return the tools of somebody who travels and writes: a plan, and references checked."""

    def plan_conference(
        store: str | None = None, reading_list: str | None = None, **given: Any
    ) -> ToolOutput:
        check_reading_list(reading_list, allow_lists, "PaperToolkit(allow_lists=True)")
        asked = PlanConference(reading_list=reading_list, **given)
        stores = shelf.named([store] if store else [])
        if len(stores) > 1:
            raise QueryError(
                "a plan is made of one store",
                hint=f"give store: one of {', '.join(one.name for one in stores)}",
            )
        plan = plan_for_tool(stores[0], asked)
        data = plan_data(plan)
        return as_text(data), [paper_document(paper) for paper in planned_papers(plan, data)]

    def check_references(
        bibliography: str | None = None, references: Sequence[str] = (), **given: Any
    ) -> ToolOutput:
        names = InStores(**given).store_names
        stores = shelf.named(names) if names else shelf.all()
        checked, read = check_for_tool(stores, bibliography, references)
        data = check_data(checked, read, stores)
        found = [one.paper for one in checked if one.paper is not None]
        return as_text(data), [paper_document(paper) for paper in found]

    return [_tool(plan_conference, PlanConference), _tool(check_references, CheckReferences)]


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

    def all(self) -> list[PaperStore]:
        """Return the stores given, all that there are where none is."""
        (first, *_) = self._pools
        return first.all() if self._given == [None] else self.named([])  # type: ignore[union-attr]

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
    return _output(ask_for_tool(stores, query, k, lookup=lookup, filter=conditions.filter()))


def _output(answer: Answer) -> ToolOutput:
    return _shown(answer_data(answer), answer.hits)


def _shown(data: AnswerData, hits: Sequence[Hit]) -> ToolOutput:
    """Return an answer as text, and the documents of the hits that it has room for."""
    return as_text(data), [hit_document(hit) for hit in hits[: len(data["papers"])]]


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
        fields = schema.model_fields
        names = [name for name, field in fields.items() if field.is_required()]
        names += [name for name in ("query", "titles", "bibliography", "where") if name in fields]
        return {names[0]: [tool_input] if names[0] == "titles" else tool_input}


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

    def refused(error: ValidationError | Any) -> str:
        if isinstance(error, ValidationError):
            return wrong_call(error, arguments).full_text
        return str(error)

    return _PaperTool.from_function(
        answering,
        name=function.__name__,
        description=DESCRIPTIONS[function.__name__],
        args_schema=arguments,
        response_format="content_and_artifact",
        handle_tool_error=True,
        handle_validation_error=refused,
    )
