"""What a store says as a whole: drafts against it, trends, neighbours, the map."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
