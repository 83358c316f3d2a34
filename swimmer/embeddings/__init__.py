"""Embedding models: the static model inside, Hugging Face models, any LangChain `Embeddings`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
