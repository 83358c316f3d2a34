"""What is put before the texts that a transformer reads, and how much of them it reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

TOKEN_LIMIT = 512
"""Tokens of a text that are read; a title with 500 characters of abstract needs about 200."""

_QUERY = ("query",)
_DOCUMENT = ("document", "passage", "corpus")
_E5 = re.compile(r"(^|[/_-])(multilingual-)?e5-(small|base|large)(-v2)?$")


def own_prompts(
    prompts: Mapping[str, str | None], default: str | None, model_id: str
) -> tuple[str, str]:
    """Return the prompts of a query and of a document that a model brings.

    Where its files name none but its card demands one (the family e5), that one.

    Args:
        prompts: those of its configuration, by name.
        default: the name of the one that it uses for everything, if any.
        model_id: its id on the hub, or its folder.
    """
    of_e5 = _E5.search(model_id.rstrip("/").lower()) is not None

    def prompt(names: tuple[str, ...], otherwise: str) -> str:
        for name in (*names, default or ""):
            if found := prompts.get(name):
                return found
        return otherwise if of_e5 else ""

    return prompt(_QUERY, "query: "), prompt(_DOCUMENT, "passage: ")
