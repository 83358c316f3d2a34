"""The tools for agents: checked arguments in, plain data of bounded size out.

`langchain/tools.py` and `mcp_server/` are front ends of this package.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
