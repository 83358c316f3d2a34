"""A map as one HTML file that works without a network: zoom, hover, a click opens the paper."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swimmer.analysis.map.colouring import by_field, telling_fields
from swimmer.analysis.map.drawing import (
    Marked,
    drawn_rows,
    marks_payload,
    paper_columns,
    points_payload,
)
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.analysis.map.maps import PaperMap
    from swimmer.store import PaperStore

SCRIPTS = ("map_points.js", "map_labels.js", "map_data.js", "map.js")
"""The scripts of the map among the page's static files, in their order."""

_WEB = Path(__file__).parent.parent.parent / "web"

_COLOURS = """
:root { --ground: #f6f7f9; --raised: #fff; --ink: #171c26; --quiet: #566072; --line: #dde1e8;
  --accent: #2a4fd0; --accent-ink: #fff; --tint: #e9eefd; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ground: #0f131a; --raised: #171c25; --ink: #e7ebf2;
  --quiet: #a2adbd; --line: #2d3542; --accent: #93b0ff; --accent-ink: #0c1430; --tint: #202c4d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
"""


def map_page(store: PaperStore, drawn: PaperMap, found: Marked | None = None) -> str:
    """Return the page of a map; `found` marks an answer on it.

    The page loads nothing from elsewhere; its content security policy allows only its script.
    """
    rows = drawn_rows(drawn, found)
    data = points_payload(drawn, rows) | paper_columns(store.papers(rows.tolist()))
    fields = telling_fields([store])
    data["colours"] = {field: by_field([store], field).only(rows).payload() for field in fields}
    hits = [] if found is None else store.papers(list(found.rows))
    marks = marks_payload(drawn, found, hits, rows)
    program = "\n".join((_WEB / "static" / name).read_text(encoding="utf-8") for name in SCRIPTS)
    style = _COLOURS + (_WEB / "static" / "map.css").read_text(encoding="utf-8")
    view = (_WEB / "templates" / "map_view.html").read_text(encoding="utf-8").rstrip()
    policy = (
        f"default-src 'none'; script-src {_digest(program)}; "
        f"style-src {_digest(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    )
    name = escape(printable(store.name))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{name}: map</title>
<style>{style}</style>
</head>
<body>
<main class="map">
{view}
<div class="map-side" tabindex="0" role="region" aria-label="Hits and topics">
<h1>{name}</h1>
<p class="map-about">{_about(data, found)}</p>
<label class="map-field">Colour by
<select class="map-colour" autocomplete="off">
<option value="topic">topic</option>
{"".join(f'<option value="{field}">{field}</option>' for field in fields)}
</select></label>
<ul class="map-legend" aria-label="Colours"></ul>
<label class="map-field">Find in titles
<input class="map-find" type="search" autocomplete="off"></label>
<p class="map-count" role="status"></p>
<div class="map-tools" role="group" aria-label="Select papers">
<button type="button" data-action="draw" aria-pressed="false">Draw around papers</button>
<button type="button" data-action="view">Select in view</button>
</div>
<p class="map-said" role="status"></p>
<section class="map-chosen" aria-label="Selected papers" hidden>
<ol></ol>
<div class="map-tools">
<button type="button" data-action="more">Show more</button>
<button type="button" data-action="clear">Clear</button>
</div>
</section>
{_hits(marks)}
{_topics(data)}
</div>
</main>
<script type="application/json" id="map-points">{json_text(data)}</script>
<script type="application/json" id="map-marks">{json_text(marks)}</script>
<script>{program}</script>
</body>
</html>
"""


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def json_text(data: dict[str, Any]) -> str:
    """Return data as JSON that cannot end the HTML element around it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _about(data: dict[str, Any], found: Marked | None) -> str:
    papers = f"{data['papers']:,} papers"
    if len(data["x"]) < data["papers"]:
        papers += f", {len(data['x']):,} of them drawn"
    query = "" if found is None else f" · similar to <b>{escape(found.label)}</b>"
    return papers + query


def _hits(marks: dict[str, Any]) -> str:
    """Return the hits as a list."""
    items = []
    columns = zip(marks["point"], marks["title"], marks["url"], strict=True)
    for number, (point, title, url) in enumerate(columns, 1):
        text, address = escape(title), escape(url, quote=True)
        linked = f'<a href="{address}" target="_blank" rel="noopener noreferrer">{text}</a>'
        items.append(
            f'<li data-point="{point}"><span>{number}</span> '
            f"<bdi>{linked if url else text}</bdi></li>"
        )
    return f'<h2>Nearest papers</h2>\n<ol class="map-hits">{"".join(items)}</ol>' if items else ""


def _topics(data: dict[str, Any]) -> str:
    items = [
        f'<li><button type="button" data-topic="{number}"><bdi>{escape(topic["name"])}</bdi>'
        f"</button> <span>{topic['papers']:,}</span></li>"
        for number, topic in enumerate(data["topics"])
    ]
    return f'<h2>Topics</h2>\n<ul class="map-topics">{"".join(items)}</ul>'
