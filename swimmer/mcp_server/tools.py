"""The tools: searches, libraries of papers, people, and the reading lists of the user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver.exceptions import UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import (
    CallToolResult,
    TextContent,
    ToolAnnotations,
)
from pydantic import BaseModel, ConfigDict, ValidationError

from swimmer.errors import SwimmerError
from swimmer.store import StorePool
from swimmer.toolkit import (
    DESCRIPTIONS,
    AnswerData,
    AuthorList,
    BrowsePapers,
    ChangedTopics,
    ChangedTopicsData,
    CheckData,
    CheckReferences,
    Conditions,
    FindAuthors,
    FindSimilarPapers,
    GetPaper,
    GetReadingList,
    InStores,
    KeepPaper,
    KeptPaper,
    NearPeopleData,
    PaperData,
    PapersForLibrary,
    PeopleNear,
    PlanConference,
    PlanData,
    ReadingListData,
    SearchPapers,
    StoreList,
    answer_data,
    as_text,
    ask_for_tool,
    authors_data,
    browse_for_tool,
    changed_topics_data,
    check_data,
    check_for_tool,
    check_reading_list,
    error_data,
    find_paper,
    find_people,
    keep_paper_data,
    near_people_data,
    near_people_for_tool,
    plan_data,
    plan_for_tool,
    reading_list_data,
    recommend_for_tool,
    recommendations_data,
    stores_data,
    whole_paper_data,
    wrong_call,
)

if TYPE_CHECKING:
    from swimmer.store import PaperStore

_READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_KEEPS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


class PaperTool(Tool):
    """A tool whose answer is one compact text, and whose refusals are one line."""

    @classmethod
    def made(
        cls,
        function: Callable[..., Any],
        arguments: type[BaseModel],
        output: Any,
        title: str,
        annotations: ToolAnnotations = _READS,
    ) -> PaperTool:
        """Return a tool of a function of the fields of a model; no other argument is taken."""
        model: Any = type(arguments.__name__, (arguments, ArgModelBase), {})
        name = function.__name__
        return cls(
            fn=function,
            name=name,
            title=title,
            description=DESCRIPTIONS[name],
            parameters=model.model_json_schema(by_alias=True),
            fn_metadata=FuncMetadata(arg_model=model, output_model=output),
            is_async=False,
            context_kwarg=None,
            annotations=annotations,
        )

    async def run(
        self, arguments: dict[str, Any], context: Any, convert_result: bool = False
    ) -> Any:
        """Run the tool with arguments; what is wrong comes back as a result that is an error.

        Its text is one line, and its structured content has `error` and `hint` apart.
        """
        try:
            self.fn_metadata.validate_arguments(arguments)
            found = await super().run(arguments, context, convert_result=False)
        except ValidationError as error:
            return _refusal(wrong_call(error, self.fn_metadata.arg_model))
        except UnexpectedToolError as error:
            # The SDK wraps whatever a tool raises that is no error of its own.
            if isinstance(error.__cause__, SwimmerError):
                return _refusal(error.__cause__)
            raise
        if not convert_result:
            return found
        text = TextContent(type="text", text=as_text(found))
        return CallToolResult(content=[text], structured_content=found)


def _refusal(error: SwimmerError) -> CallToolResult:
    text = TextContent(type="text", text=error.full_text)
    return CallToolResult(content=[text], structured_content=dict(error_data(error)), is_error=True)


class _NoArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


def search_tools(pool: StorePool) -> list[Tool]:
    """Return the tools that every client has: searches, one paper, the stores, authors."""

    def stores_of(given: dict[str, Any]) -> tuple[list[PaperStore], Conditions]:
        conditions = Conditions(**given)
        return stores_named(pool, conditions.store_names), conditions

    def find_similar_papers(title: str, k: int, **given: Any) -> AnswerData:
        stores, conditions = stores_of(given)
        answer = ask_for_tool(stores, title, k, lookup=True, filter=conditions.filter())
        return answer_data(answer)

    def search_papers(query: str, k: int, **given: Any) -> AnswerData:
        stores, conditions = stores_of(given)
        answer = ask_for_tool(stores, query, k, lookup="text", filter=conditions.filter())
        return answer_data(answer)

    def browse_papers(k: int, sort: str, **given: Any) -> AnswerData:
        stores, conditions = stores_of(given)
        return answer_data(browse_for_tool(stores, k, filter=conditions.filter(), sort=sort))

    def find_authors(name: str, k: int, **given: Any) -> AuthorList:
        stores = stores_named(pool, InStores(**given).store_names)
        return authors_data(find_people(stores, name), k)

    def get_paper(paper: str, store: str | None) -> PaperData:
        opened = pool.store(store)
        return whole_paper_data(find_paper(opened, paper), opened.name)

    def list_stores() -> StoreList:
        return stores_data(pool.stores())

    return [
        PaperTool.made(
            find_similar_papers, FindSimilarPapers, AnswerData, "Papers similar to a paper"
        ),
        PaperTool.made(search_papers, SearchPapers, AnswerData, "Papers on a topic"),
        PaperTool.made(get_paper, GetPaper, PaperData, "One paper"),
        PaperTool.made(list_stores, _NoArguments, StoreList, "The stores"),
        PaperTool.made(browse_papers, BrowsePapers, AnswerData, "Papers that meet conditions"),
        PaperTool.made(find_authors, FindAuthors, AuthorList, "Authors"),
    ]


def library_tools(pool: StorePool, allow_lists: bool) -> list[Tool]:
    """Return the tools that start from papers of the user, or compare stores."""

    def check_list(name: str | None) -> None:
        check_reading_list(name, allow_lists, "swimmer mcp --allow-lists")

    def papers_for_library(
        titles: list[str], reading_list: str | None, unlike: list[str], k: int, **given: Any
    ) -> AnswerData:
        check_list(reading_list)
        conditions = Conditions(**given)
        stores = stores_named(pool, conditions.store_names)
        found = recommend_for_tool(
            stores,
            titles,
            k,
            reading_list=reading_list,
            unlike=unlike,
            filter=conditions.filter(),
        )
        return recommendations_data(found)

    def people_near(
        query: str | None, titles: list[str], reading_list: str | None, k: int, **given: Any
    ) -> NearPeopleData:
        check_list(reading_list)
        conditions = Conditions(**given)
        stores = stores_named(pool, conditions.store_names)
        found = near_people_for_tool(
            stores, query, titles, k, reading_list=reading_list, filter=conditions.filter()
        )
        return near_people_data(found)

    def plan_conference(reading_list: str | None, **given: Any) -> PlanData:
        check_list(reading_list)
        asked = PlanConference(reading_list=reading_list, **given)
        return plan_data(plan_for_tool(pool.store(asked.store), asked))

    def check_references(
        bibliography: str | None, references: list[str], **given: Any
    ) -> CheckData:
        names = InStores(**given).store_names
        stores = stores_named(pool, names) if names else pool.all()
        checked, read = check_for_tool(stores, bibliography, references)
        return check_data(checked, read, stores)

    def changed_topics(stores: list[str], k: int) -> ChangedTopicsData:
        from swimmer.analysis import trends

        return changed_topics_data(trends(stores_named(pool, list(dict.fromkeys(stores))), k=k))

    return [
        PaperTool.made(
            papers_for_library, PapersForLibrary, AnswerData, "Papers for a library of papers"
        ),
        PaperTool.made(people_near, PeopleNear, NearPeopleData, "Who works on something"),
        PaperTool.made(plan_conference, PlanConference, PlanData, "A plan of a conference"),
        PaperTool.made(check_references, CheckReferences, CheckData, "References checked"),
        PaperTool.made(changed_topics, ChangedTopics, ChangedTopicsData, "Topics that changed"),
    ]


def list_tools(pool: StorePool) -> list[Tool]:
    """Return the tools that read and change the reading lists of the user."""

    def get_reading_list(list: str | None, status: str | None, tag: str | None) -> ReadingListData:
        return reading_list_data(list, status, tag)

    def keep_paper(paper: str, store: str | None, list: str | None, **given: Any) -> KeptPaper:
        opened = pool.store(store)
        return keep_paper_data(opened.name, find_paper(opened, paper), list, **given)

    return [
        PaperTool.made(
            get_reading_list, GetReadingList, ReadingListData, "The user's reading lists"
        ),
        PaperTool.made(keep_paper, KeepPaper, KeptPaper, "Keep a paper", _KEEPS),
    ]


def stores_named(pool: StorePool, names: Sequence[str]) -> list[PaperStore]:
    """Return the open stores of these names, the default one without any."""
    return [pool.store(name) for name in names] or [pool.store()]
