"""A paper, its identifiers, and whether two papers are the same work."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
