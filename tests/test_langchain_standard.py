"""LangChain's own standard suites, whole: none skipped, none expected to fail."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langchain_tests", reason='needs pip install "swimmer[test]"')

from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, create_retriever_tool
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import (
    EmbeddingsIntegrationTests,
    RetrieversIntegrationTests,
    ToolsIntegrationTests,
    VectorStoreIntegrationTests,
)
from langchain_tests.unit_tests import EmbeddingsUnitTests, ToolsUnitTests

from swimmer import PaperVectorStore, SwimmerEmbeddings, load_retriever, open_store
from swimmer.langchain.retriever import PaperRetriever

KNOWN = "Bi-Factorial Preference Optimization: Balancing Safety-Helpfulness in Language Models"


class TestPaperVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture()
    def vectorstore(self) -> VectorStore:
        return PaperVectorStore(self.get_embeddings())


class TestSavedPaperVectorStore(VectorStoreIntegrationTests):
    """The same over a store that lies on disk."""

    @pytest.fixture()
    def vectorstore(self, tmp_path: Any) -> VectorStore:
        PaperVectorStore(self.get_embeddings()).save_local(tmp_path / "empty")
        return PaperVectorStore.load_local(tmp_path / "empty", self.get_embeddings())


class TestPaperRetriever(RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> type[PaperRetriever]:
        return PaperRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"store": open_store("sample")}

    @property
    def retriever_query_example(self) -> str:
        return KNOWN


class TestVectorStoreRetriever(RetrieversIntegrationTests):
    """LangChain's generic retriever over our vector store, as `as_retriever` makes it."""

    @property
    def retriever_constructor(self) -> Any:
        def make(k: int = 4) -> BaseRetriever:
            return load_retriever("sample").vectorstore.as_retriever(search_kwargs={"k": k})

        return make

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {}

    @property
    def retriever_query_example(self) -> str:
        return "safety of language models"


class TestEmbeddingsUnit(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return SwimmerEmbeddings


class TestEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return SwimmerEmbeddings


def _tool() -> BaseTool:
    return create_retriever_tool(
        load_retriever("sample", k=3),
        "similar_papers",
        "Papers most like the title given.",
        response_format="content_and_artifact",
    )


class TestToolUnit(ToolsUnitTests):
    @property
    def tool_constructor(self) -> BaseTool:
        return _tool()

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"query": KNOWN}


class TestTool(ToolsIntegrationTests):
    @property
    def tool_constructor(self) -> BaseTool:
        return _tool()

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"query": KNOWN}
