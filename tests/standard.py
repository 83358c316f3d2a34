"""What the standard suites of LangChain are run with."""

from __future__ import annotations

from typing import Any

from langchain_core.tools import BaseTool, create_retriever_tool

from swimmer import load_retriever
from swimmer.langchain import PaperToolkit

KNOWN = "Bi-Factorial Preference Optimization: Balancing Safety-Helpfulness in Language Models"

TOOL_CALLS: dict[str, dict[str, Any]] = {
    "find_similar_papers": {"title": KNOWN},
    "search_papers": {"query": KNOWN},
    "get_paper": {"paper": KNOWN},
    "browse_papers": {"author": "wang"},
    "find_authors": {"name": "wang"},
    "papers_for_library": {"titles": [KNOWN]},
    "people_near": {"query": KNOWN},
    "plan_conference": {"titles": [KNOWN]},
    "check_references": {"references": [KNOWN]},
}
"""A call of each tool."""


def retriever_tool() -> BaseTool:
    """Return the retriever as a tool."""
    return create_retriever_tool(
        load_retriever("sample", k=3),
        "similar_papers",
        "Papers most like the title given.",
        response_format="content_and_artifact",
    )


def paper_tool(name: str) -> BaseTool:
    """Return a tool of the toolkit."""
    return {tool.name: tool for tool in PaperToolkit(store="sample").get_tools()}[name]


class RetrieverTool:
    """What the standard suites ask of the retriever as a tool."""

    @property
    def tool_constructor(self) -> BaseTool:
        return retriever_tool()

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"query": KNOWN}


class PaperTool:
    """What the standard suites ask of a tool of the toolkit, by its name."""

    name = ""

    @property
    def tool_constructor(self) -> BaseTool:
        return paper_tool(self.name)

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return TOOL_CALLS[self.name]
