"""How a paper becomes the text that a model embeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from swimmer.papers import Paper

TITLE_SHARE = 0.25
"""Share of a text that a title may have and still be said again; in a short text it says enough."""


def title_twice(text: str) -> str:
    """Return a paper's text with its first line, the title, said twice, unless the text is short.

    A static model cannot see which words are the title's; a transformer gives them more weight.
    """
    title, newline, _ = text.partition("\n")
    return f"{title}\n{text}" if newline and len(title) <= TITLE_SHARE * len(text) else text


class Recipe(NamedTuple):
    """How a paper becomes text, and whether the model reads its first line apart from the rest."""

    text_of: Callable[[Paper], str]
    apart: bool = False


RECIPES: dict[str, Recipe] = {
    "page_content": Recipe(lambda paper: paper.page_content),
    "title_abstract": Recipe(lambda paper: paper.embedding_text),
    "title_title_abstract": Recipe(lambda paper: title_twice(paper.embedding_text)),
    "title_abstract_apart": Recipe(lambda paper: paper.whole_text, apart=True),
}
"""How a paper becomes what is embedded, by the name that stands in the manifest."""
