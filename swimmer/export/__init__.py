"""Answers and papers written in the formats that other programs read.

Answers: JSON lines, CSV, Markdown. Papers: BibTeX, RIS, the Markdown reading list. `WRITERS`
holds all of them as functions of answers.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
