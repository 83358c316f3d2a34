"""The names that other packages may use."""

from .citation_guard import (
    CitationGuard as CitationGuard,
)
from .community import (
    SAMPLE as SAMPLE,
    build_from_langchain as build_from_langchain,
    is_langchain_folder as is_langchain_folder,
)
from .embeddings import (
    SwimmerEmbeddings as SwimmerEmbeddings,
)
from .related_work import (
    related_work_chain as related_work_chain,
)
from .retriever import (
    PaperRetriever as PaperRetriever,
    load_retriever as load_retriever,
)
from .summaries import (
    SummaryReport as SummaryReport,
    load_chat_model as load_chat_model,
    summarize as summarize,
)
from .tools import (
    PaperToolkit as PaperToolkit,
    paper_tools as paper_tools,
)
from .vectorstore import (
    PaperVectorStore as PaperVectorStore,
)
