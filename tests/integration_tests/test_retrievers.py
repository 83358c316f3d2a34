"""The standard integration tests of retrievers: none skipped, none expected to fail."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langchain_tests", reason='needs pip install "swimmer[test]"')

from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests

from swimmer import load_retriever, open_store
from swimmer.langchain.retriever import PaperRetriever

from ..standard import KNOWN


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
