"""swimmer: the papers of a conference that are most like one you know.

The engine: `open_store`, `build_store`, `search`, `ask` over `Paper` and `PaperStore`. The
LangChain face: `load_retriever`. Names are loaded on first use; `import swimmer` imports neither
numpy nor faiss nor langchain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Answer": "query",
    "BuildReport": "report",
    "Hit": "query",
    "Paper": "paper",
    "PaperRetriever": "retriever",
    "PaperStore": "store",
    "PaperVectorStore": "vectorstore",
    "SwimmerEmbeddings": "vectorstore",
    "SwimmerError": "errors",
    "ask": "query",
    "build_store": "build",
    "list_stores": "locate",
    "load_model": "embedding",
    "load_retriever": "retriever",
    "open_source": "sources",
    "open_store": "store",
    "paper_map": "atlas",
    "paper_tools": "tools",
    "related_work_chain": "related_work",
    "search": "query",
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
    from swimmer.atlas import paper_map
    from swimmer.build import build_store
    from swimmer.embedding import load_model
    from swimmer.errors import SwimmerError
    from swimmer.locate import list_stores
    from swimmer.paper import Paper
    from swimmer.query import Answer, Hit, ask, search
    from swimmer.related_work import related_work_chain
    from swimmer.report import BuildReport
    from swimmer.retriever import PaperRetriever, load_retriever
    from swimmer.sources import open_source
    from swimmer.store import PaperStore, open_store
    from swimmer.tools import paper_tools
    from swimmer.vectorstore import PaperVectorStore, SwimmerEmbeddings


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
