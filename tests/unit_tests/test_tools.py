"""The standard unit tests of tools: the retriever as a tool, and each tool of the toolkit."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langchain_tests", reason='needs pip install "swimmer[test]"')

from langchain_core.tools import BaseTool
from langchain_tests.unit_tests import ToolsUnitTests

from ..standard import KNOWN, TOOL_CALLS, paper_tool, retriever_tool


class TestRetrieverTool(ToolsUnitTests):
    @property
    def tool_constructor(self) -> BaseTool:
        return retriever_tool()

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"query": KNOWN}


class PaperTool(ToolsUnitTests):
    name = ""

    @property
    def tool_constructor(self) -> BaseTool:
        return paper_tool(self.name)

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return TOOL_CALLS[self.name]


class TestFindSimilarPapers(PaperTool):
    name = "find_similar_papers"


class TestSearchPapers(PaperTool):
    name = "search_papers"


class TestGetPaper(PaperTool):
    name = "get_paper"


class TestBrowsePapers(PaperTool):
    name = "browse_papers"


class TestFindAuthors(PaperTool):
    name = "find_authors"
