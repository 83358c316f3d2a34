"""How a paper becomes the text that a model embeds."""

from __future__ import annotations

from collections.abc import Callable

from swimmer.papers import Paper

TITLE_SHARE = 0.25
"""Share of a text that a title may have and still be said again; in a short text it says enough."""


def title_twice(text: str) -> str:
    """Return a paper's text with its first line, the title, said twice, unless the text is short.

    A static model cannot see which words are the title's; a transformer gives them more weight.
    """
    title, newline, _ = text.partition("\n")
    return f"{title}\n{text}" if newline and len(title) <= TITLE_SHARE * len(text) else text


RECIPES: dict[str, Callable[[Paper], str]] = {
    "page_content": lambda paper: paper.page_content,
    "title_abstract": lambda paper: paper.embedding_text,
    "title_title_abstract": lambda paper: title_twice(paper.embedding_text),
}
"""How a paper becomes the text that is embedded; the name stands in the manifest."""
