"""The public names of swimmer."""

from .analysis.map.maps import (
    paper_map as paper_map,
)
from .build.builder import (
    build_store as build_store,
    run_build as run_build,
)
from .build.report import (
    BuildReport as BuildReport,
    BuildResult as BuildResult,
)
from .embeddings.loading import (
    load_model as load_model,
)
from .errors import (
    SwimmerError as SwimmerError,
)
from .langchain.embeddings import (
    SwimmerEmbeddings as SwimmerEmbeddings,
)
from .langchain.related_work import (
    related_work_chain as related_work_chain,
)
from .langchain.retriever import (
    PaperRetriever as PaperRetriever,
    load_retriever as load_retriever,
)
from .langchain.tools import (
    paper_tools as paper_tools,
)
from .langchain.vectorstore import (
    PaperVectorStore as PaperVectorStore,
)
from .papers.paper import (
    Paper as Paper,
)
from .retrieval.hits import (
    Answer as Answer,
    Hit as Hit,
)
from .retrieval.query import (
    ask as ask,
    search as search,
)
from .sources.registry import (
    open_source as open_source,
)
from .store.names import (
    list_stores as list_stores,
)
from .store.opening import (
    open_store as open_store,
)
from .store.store import (
    PaperStore as PaperStore,
)

__all__: list[str]
__version__: str
