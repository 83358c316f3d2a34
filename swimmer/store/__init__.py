"""A store: papers in SQLite, vectors in FAISS, and the manifest that names both."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
