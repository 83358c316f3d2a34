"""A paper as HTML in a notebook: no scripts, all text escaped."""

from __future__ import annotations

from html import escape

from swimmer.papers.citation import citation_line
from swimmer.papers.paper import Paper
from swimmer.text import printable

_ABSTRACT = 3_000
_AUTHORS = 6
# Colours come from the notebook, so that light and dark themes both stay readable.
QUIET = "opacity:0.75;font-size:0.9em"
NUMBER = "text-align:right;vertical-align:top;white-space:nowrap"
CELL = "text-align:left;vertical-align:top"


def paper_html(paper: Paper) -> str:
    """Return one paper as HTML: linked title, authors, venue, abstract folded."""
    title = html_text(paper.display_title)
    if paper.url.startswith(("https://", "http://")):
        title = f'<a href="{html_text(paper.url)}" rel="noopener noreferrer">{title}</a>'
    about = html_text(citation_line(paper, _AUTHORS))
    lines = [f"<b>{title}</b>"]
    if about:
        lines.append(f'<div style="{QUIET}">{about}</div>')
    if paper.abstract:
        abstract = paper.display_abstract[:_ABSTRACT]
        abstract += "…" if len(paper.abstract) > _ABSTRACT else ""
        lines.append(f"<details><summary>abstract</summary>{html_text(abstract)}</details>")
    return "".join(lines)


def html_text(text: str) -> str:
    """Return text that HTML shows as it is, without characters that a reader cannot see."""
    return escape(printable(text), quote=True)
