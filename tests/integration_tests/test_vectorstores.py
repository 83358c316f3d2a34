"""The standard integration tests of vector stores: none skipped, none expected to fail."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langchain_tests", reason='needs pip install "swimmer[test]"')

from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import VectorStoreIntegrationTests

from swimmer import PaperVectorStore


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
