"""A store as HTML in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swimmer.papers import CELL, html_text

if TYPE_CHECKING:
    from swimmer.store.store import PaperStore


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
        f'<tr><th style="{CELL}">{name}</th><td style="{CELL}">{html_text(value)}</td></tr>'
        for name, value in facts
    )
    name = html_text(store.name)
    return f'<div class="swimmer"><b>{name}</b><table><tbody>{rows}</tbody></table></div>'
