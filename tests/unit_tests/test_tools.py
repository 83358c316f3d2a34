"""The standard unit tests of tools: the retriever as a tool, and each tool of the toolkit."""

from __future__ import annotations

import pytest

pytest.importorskip("langchain_tests", reason='needs pip install "swimmer[test]"')

from langchain_tests.unit_tests import ToolsUnitTests

from ..standard import PaperTool, RetrieverTool


class TestRetrieverTool(RetrieverTool, ToolsUnitTests):
    """The retriever as a tool."""


class TestFindSimilarPapers(PaperTool, ToolsUnitTests):
    name = "find_similar_papers"


class TestSearchPapers(PaperTool, ToolsUnitTests):
    name = "search_papers"


class TestGetPaper(PaperTool, ToolsUnitTests):
    name = "get_paper"


class TestBrowsePapers(PaperTool, ToolsUnitTests):
    name = "browse_papers"


class TestFindAuthors(PaperTool, ToolsUnitTests):
    name = "find_authors"


class TestPlanConference(PaperTool, ToolsUnitTests):
    name = "plan_conference"


class TestCheckReferences(PaperTool, ToolsUnitTests):
    name = "check_references"
