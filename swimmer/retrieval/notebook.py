"""Answers and hits as HTML in a notebook: no scripts, all text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from swimmer.papers import CELL, NUMBER, QUIET, html_text, paper_html

if TYPE_CHECKING:
    from swimmer.retrieval.hits import Answer, Hit


def answer_html(answer: Answer) -> str:
    """Return an answer as an HTML table: rank, score, title, authors, abstract folded."""
    lead, what = answer.heading
    asked = f"{html_text(lead)} <b>{html_text(what[:700])}</b>"
    warnings = "".join(
        f'<div role="note">⚠ {html_text(warning)}</div>' for warning in answer.warnings
    )
    where = f"{html_text(answer.store)}, model {html_text(answer.model)}"
    return (
        f'<div class="swimmer"><div>{asked} <span style="{QUIET}">({where})</span></div>'
        f"{warnings}{hits_html(answer.hits)}</div>"
    )


def hits_html(hits: Sequence[Hit]) -> str:
    """Return hits as an HTML table."""
    if not hits:
        return "<div>No papers found.</div>"
    rows = "".join(
        f'<tr><td style="{NUMBER}">{hit.rank}</td><td style="{NUMBER}">{hit.score:.3f}</td>'
        f'<td style="{CELL}">{paper_html(hit.paper)}{_where(hit)}{_why(hit)}</td></tr>'
        for hit in hits
    )
    head = (
        f'<tr><th style="{NUMBER}">#</th><th style="{NUMBER}">score</th>'
        f'<th style="{CELL}">paper</th></tr>'
    )
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _where(hit: Hit) -> str:
    """Return the store of a hit, and where its copies are."""
    store = hit.paper.extra.get("store")
    copies = [str(copy.extra.get("store") or copy.venue or copy.url) for copy in hit.copies]
    parts = [f"in {store}"] if isinstance(store, str) and store else []
    if copies:
        parts.append("also at " + ", ".join(dict.fromkeys(copies)))
    return f'<div style="{QUIET}">{html_text(" · ".join(parts))}</div>' if parts else ""


def _why(hit: Hit) -> str:
    if hit.reasons is None or not hit.reasons.terms:
        return ""
    where = f" (both on the {hit.reasons.facet})" if hit.reasons.facet else ""
    return f'<div style="{QUIET}">shares {html_text(", ".join(hit.reasons.terms) + where)}</div>'
