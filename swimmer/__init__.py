"""swimmer: the papers of a conference that are most like one you know.

The engine: `open_store`, `build_store`, `search`, `ask` over `Paper` and `PaperStore`. The
LangChain face: `load_retriever`. Names are loaded on first use; `import swimmer` imports neither
numpy nor faiss nor langchain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Answer": "retrieval.query",
    "BuildReport": "build.report",
    "Hit": "retrieval.query",
    "Paper": "papers.paper",
    "PaperRetriever": "langchain.retriever",
    "PaperStore": "store.store",
    "PaperVectorStore": "langchain.vectorstore",
    "SwimmerEmbeddings": "langchain.vectorstore",
    "SwimmerError": "errors",
    "ask": "retrieval.query",
    "build_store": "build.builder",
    "list_stores": "store.names",
    "load_model": "embeddings.loading",
    "load_retriever": "langchain.retriever",
    "open_source": "sources",
    "open_store": "store.store",
    "paper_map": "analysis.map",
    "paper_tools": "langchain.tools",
    "related_work_chain": "langchain.related_work",
    "search": "retrieval.query",
}

__all__ = [
    "Answer",
    "BuildReport",
    "Hit",
    "Paper",
    "PaperRetriever",
    "PaperStore",
    "PaperVectorStore",
    "SwimmerEmbeddings",
    "SwimmerError",
    "ask",
    "build_store",
    "list_stores",
    "load_model",
    "load_retriever",
    "open_source",
    "open_store",
    "paper_map",
    "paper_tools",
    "related_work_chain",
    "search",
]

if TYPE_CHECKING:
    from swimmer.analysis.map import paper_map
    from swimmer.build.builder import build_store
    from swimmer.build.report import BuildReport
    from swimmer.embeddings.loading import load_model
    from swimmer.errors import SwimmerError
    from swimmer.langchain.related_work import related_work_chain
    from swimmer.langchain.retriever import PaperRetriever, load_retriever
    from swimmer.langchain.tools import paper_tools
    from swimmer.langchain.vectorstore import PaperVectorStore, SwimmerEmbeddings
    from swimmer.papers.paper import Paper
    from swimmer.retrieval.query import Answer, Hit, ask, search
    from swimmer.sources import open_source
    from swimmer.store.names import list_stores
    from swimmer.store.store import PaperStore, open_store


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'swimmer' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"swimmer.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
