"""The standard unit tests of embeddings."""

from __future__ import annotations

import pytest

pytest.importorskip("langchain_tests", reason='needs pip install "swimmer[test]"')

from langchain_core.embeddings import Embeddings
from langchain_tests.unit_tests import EmbeddingsUnitTests

from swimmer import SwimmerEmbeddings


class TestSwimmerEmbeddings(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return SwimmerEmbeddings
