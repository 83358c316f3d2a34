"""Where papers come from: one adapter for each publisher or file format.

`http` fetches, `formats` reads the formats, `publishers` holds one module for each publisher, and
`registry` finds the source for what a user typed.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
