"""The standard integration tests of embeddings."""

from __future__ import annotations

import pytest

pytest.importorskip("langchain_tests", reason='needs pip install "swimmer[test]"')

from langchain_core.embeddings import Embeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests

from swimmer import SwimmerEmbeddings


class TestSwimmerEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return SwimmerEmbeddings
