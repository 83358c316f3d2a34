"""What the user keeps: reading lists, with notes, tags and how far the reading is."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
