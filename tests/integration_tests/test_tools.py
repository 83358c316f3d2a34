"""The standard integration tests of tools: the retriever as a tool, and each tool of the toolkit."""

from __future__ import annotations

import pytest

pytest.importorskip("langchain_tests", reason='needs pip install "swimmer[test]"')

from langchain_tests.integration_tests import ToolsIntegrationTests

from ..standard import PaperTool, RetrieverTool


class TestRetrieverTool(RetrieverTool, ToolsIntegrationTests):
    """The retriever as a tool."""


class TestFindSimilarPapers(PaperTool, ToolsIntegrationTests):
    name = "find_similar_papers"


class TestSearchPapers(PaperTool, ToolsIntegrationTests):
    name = "search_papers"


class TestGetPaper(PaperTool, ToolsIntegrationTests):
    name = "get_paper"


class TestBrowsePapers(PaperTool, ToolsIntegrationTests):
    name = "browse_papers"


class TestFindAuthors(PaperTool, ToolsIntegrationTests):
    name = "find_authors"


class TestPlanConference(PaperTool, ToolsIntegrationTests):
    name = "plan_conference"


class TestCheckReferences(PaperTool, ToolsIntegrationTests):
    name = "check_references"
