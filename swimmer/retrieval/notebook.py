"""How answers, hits and stores look in a notebook: HTML without scripts, all text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from swimmer.text.cleaning import printable

if TYPE_CHECKING:
    from swimmer.papers.paper import Paper
    from swimmer.retrieval.query import Answer, Hit
    from swimmer.store.store import PaperStore

_ABSTRACT = 3_000
_AUTHORS = 6
# Colours come from the notebook, so that light and dark themes both stay readable.
_QUIET = "opacity:0.75;font-size:0.9em"
_NUMBER = "text-align:right;vertical-align:top;white-space:nowrap"
_CELL = "text-align:left;vertical-align:top"


def answer_html(answer: Answer) -> str:
    """Return an answer as an HTML table: rank, score, title, authors, abstract folded."""
    if answer.matched is not None:
        how = "similar to" if answer.exact else "taken as"
        asked = f"{how} <b>{_text(answer.matched.display_title)}</b>"
    else:
        asked = f"text: <b>{_text(answer.query[:300])}</b>"
    warnings = "".join(f'<div role="note">⚠ {_text(warning)}</div>' for warning in answer.warnings)
    where = f"{_text(answer.store)}, model {_text(answer.model)}"
    return (
        f'<div class="swimmer"><div>{asked} <span style="{_QUIET}">({where})</span></div>'
        f"{warnings}{hits_html(answer.hits)}</div>"
    )


def hits_html(hits: Sequence[Hit]) -> str:
    """Return hits as an HTML table."""
    if not hits:
        return "<div>no paper to show</div>"
    rows = "".join(
        f'<tr><td style="{_NUMBER}">{hit.rank}</td><td style="{_NUMBER}">{hit.score:.3f}</td>'
        f'<td style="{_CELL}">{paper_html(hit.paper)}{_where(hit)}{_why(hit)}</td></tr>'
        for hit in hits
    )
    head = (
        f'<tr><th style="{_NUMBER}">#</th><th style="{_NUMBER}">score</th>'
        f'<th style="{_CELL}">paper</th></tr>'
    )
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _where(hit: Hit) -> str:
    """The store of a hit that was found over several, and the places of its copies."""
    store = hit.paper.extra.get("store")
    copies = [str(copy.extra.get("store") or copy.venue or copy.url) for copy in hit.copies]
    parts = [f"in {store}"] if isinstance(store, str) and store else []
    if copies:
        parts.append("also at " + ", ".join(dict.fromkeys(copies)))
    return f'<div style="{_QUIET}">{_text(" · ".join(parts))}</div>' if parts else ""


def _why(hit: Hit) -> str:
    if hit.reasons is None or not hit.reasons.terms:
        return ""
    where = f" (both on the {hit.reasons.facet})" if hit.reasons.facet else ""
    return f'<div style="{_QUIET}">shares {_text(", ".join(hit.reasons.terms) + where)}</div>'


def paper_html(paper: Paper) -> str:
    """Return one paper as HTML: linked title, authors, venue, abstract folded."""
    title = _text(paper.display_title)
    if paper.url.startswith(("https://", "http://")):
        title = f'<a href="{_text(paper.url)}" rel="noopener noreferrer">{title}</a>'
    authors = ", ".join(paper.authors[:_AUTHORS])
    if len(paper.authors) > _AUTHORS:
        authors += f" and {len(paper.authors) - _AUTHORS} more"
    place = " ".join(str(part) for part in (paper.venue, paper.year) if part)
    about = " · ".join(_text(part) for part in (authors, place) if part)
    lines = [f"<b>{title}</b>"]
    if about:
        lines.append(f'<div style="{_QUIET}">{about}</div>')
    if paper.abstract:
        abstract = paper.abstract[:_ABSTRACT] + ("…" if len(paper.abstract) > _ABSTRACT else "")
        lines.append(f"<details><summary>abstract</summary>{_text(abstract)}</details>")
    return "".join(lines)


def store_html(store: PaperStore) -> str:
    """Return a store as an HTML table: papers, model, source, day, folder."""
    facts = [("papers", f"{len(store):,}"), ("model", store.identity.name)]
    if store.folder is not None:
        manifest = store.manifest
        facts += [
            ("built", manifest.created[:10]),
            ("from", manifest.source or "unknown"),
            ("folder", str(store.folder)),
        ]
    rows = "".join(
        f'<tr><th style="{_CELL}">{name}</th><td style="{_CELL}">{_text(value)}</td></tr>'
        for name, value in facts
    )
    return (
        f'<div class="swimmer"><b>{_text(store.name)}</b><table><tbody>{rows}</tbody></table></div>'
    )


def _text(text: str) -> str:
    return escape(printable(text), quote=True)
