"""swimmer: the papers of a conference that are most like one you know.

The engine: `open_store`, `build_store`, `search`, `ask` over `Paper` and `PaperStore`. The
LangChain front end: `load_retriever`. Names are loaded on first use; `import swimmer` imports
neither numpy nor faiss nor langchain.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
