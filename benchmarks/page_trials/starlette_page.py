"""The trial page with Starlette, Jinja2 and htmx: `python starlette_page.py STORE PORT`.

htmx is one file; its path is taken from $HTMX, else swimmer's own copy is used.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvicorn
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse
from starlette.routing import Route

import swimmer
from swimmer.retrieval.completion import complete_titles

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>swimmer</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 45rem; margin: auto; padding: 0 1rem }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem }
li { margin: 1rem 0 } button { font: inherit }
</style>
<script src="/htmx.js"></script>
<main><h1>swimmer</h1>
<form action="/" hx-get="/results" hx-target="#results">
<label for="q">Title of a paper</label>
<input id="q" name="q" list="titles" autocomplete="off" value="{{ q }}"
  hx-get="/complete" hx-trigger="input changed delay:30ms" hx-target="#titles">
<datalist id="titles"></datalist>
</form>
<div id="results" aria-live="polite"></div></main></html>"""

RESULTS = """<ol>{% for hit in hits %}<li><b>{{ hit.paper.display_title }}</b>
<span>{{ "%.3f" % hit.score }}</span>
<details><summary>Abstract</summary>{{ hit.paper.abstract }}</details>
<button hx-get="/results" hx-vals='{{ {"q": hit.paper.title} | tojson }}' hx-target="#results">
More like this</button></li>{% endfor %}</ol>"""

OPTIONS = "{% for title in titles %}<option>{{ title }}</option>{% endfor %}"

html = Environment(autoescape=True)
page, results, options = (html.from_string(text) for text in (PAGE, RESULTS, OPTIONS))
own = Path(swimmer.__file__).parent / "web" / "static" / "vendor" / "htmx.min.js"
store = swimmer.open_store(sys.argv[1])


def index(request: Request) -> HTMLResponse:
    return HTMLResponse(page.render(q=""))


def complete(request: Request) -> HTMLResponse:
    titles = complete_titles(store, request.query_params["q"], 10)
    return HTMLResponse(options.render(titles=titles))


def search(request: Request) -> HTMLResponse:
    return HTMLResponse(results.render(hits=swimmer.search(store, request.query_params["q"], 10)))


def htmx(request: Request) -> FileResponse:
    return FileResponse(os.environ.get("HTMX", own))


routes = {"/": index, "/complete": complete, "/results": search, "/htmx.js": htmx}
app = Starlette(routes=[Route(path, endpoint) for path, endpoint in routes.items()])
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
