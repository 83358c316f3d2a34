"""Which library draws the map's page: the size of the file, and when a browser has drawn it.

    pip install -c constraints.txt ".[map]" playwright plotly bokeh
    python -m benchmarks.map_page STORE [--rounds 5]

The same points, titles and topic names as one offline HTML file: by `swimmer map`,
by Plotly (scattergl, its whole plotly.js inside) and by Bokeh (webgl). `drawn` is the median time
from the start of the visit until two frames after the library says that it is done; `asks` are the
requests that the file makes. A page is opened in a fresh Chromium without a GPU.
"""

from __future__ import annotations

import argparse
import html
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.chromium import ARGUMENTS, chromium


def by_swimmer(store: Any, drawn: Any, path: Path) -> str:
    """Write swimmer's page; return the script that says when it is drawn."""
    from swimmer.analysis.map.page import map_page

    path.write_text(map_page(store, drawn), encoding="utf-8")
    return "document.querySelector('.map').dataset.ready === 'yes'"


def by_plotly(store: Any, drawn: Any, path: Path) -> str:
    """Write Plotly's page."""
    import plotly.graph_objects as go

    titles = [html.escape(paper.display_title) for paper in store]
    figure = go.Figure(
        go.Scattergl(
            x=drawn.points[:, 0],
            y=drawn.points[:, 1],
            text=titles,
            hoverinfo="text",
            mode="markers",
            marker={"color": drawn.labels, "size": 5},
        )
    )
    for topic in drawn.topics:
        figure.add_annotation(x=topic.x, y=topic.y, text=html.escape(topic.name), showarrow=False)
    done = "document.querySelector('.plotly-graph-div').on('plotly_afterplot', () => window.d = 1);"
    figure.write_html(path, include_plotlyjs=True, post_script=done + "window.d = 1;")
    return "window.d === 1"


def by_bokeh(store: Any, drawn: Any, path: Path) -> str:
    """Write Bokeh's page."""
    from bokeh.embed import file_html
    from bokeh.models import ColumnDataSource, LabelSet
    from bokeh.palettes import Category10_7
    from bokeh.plotting import figure
    from bokeh.resources import INLINE

    plot = figure(
        tools="pan,wheel_zoom,hover,reset",
        tooltips="@title",
        output_backend="webgl",
        sizing_mode="stretch_both",
    )
    data = {
        "x": drawn.points[:, 0],
        "y": drawn.points[:, 1],
        "title": [paper.display_title for paper in store],
        "colour": [Category10_7[label % 7] for label in drawn.labels],
    }
    plot.scatter("x", "y", color="colour", size=5, source=ColumnDataSource(data))
    names = {name: [getattr(t, name) for t in drawn.topics] for name in ("x", "y", "name")}
    plot.add_layout(LabelSet(x="x", y="y", text="name", source=ColumnDataSource(names)))
    path.write_text(file_html(plot, INLINE), encoding="utf-8")
    return "window.Bokeh !== undefined && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle"


def visited(path: Path, drawn: str) -> tuple[float, int]:
    """Return the seconds until a page is drawn, and how many requests it makes."""
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(
            viewport={"width": 1200, "height": 900},
            # The policy of swimmer's page would refuse the question whether it is drawn, too.
            bypass_csp=True,
        )
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri(), wait_until="commit")
        page.wait_for_function(drawn, polling="raf", timeout=60_000)
        now = "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r("
        seconds = page.evaluate(now + "performance.now()))))") / 1000
        browser.close()
    return seconds, sum(not url.startswith(("file:", "data:", "blob:")) for url in asked)


def main() -> None:
    """Measure the libraries in turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    from swimmer import open_store, paper_map

    with open_store(arguments.store) as store, tempfile.TemporaryDirectory() as work:
        drawn = paper_map(store)
        pages = {}
        for write in (by_swimmer, by_plotly, by_bokeh):
            path = Path(work) / f"{write.__name__}.html"
            pages[path] = write(store, drawn, path)
        print(f"{len(store):,} papers, load {os.getloadavg()[0]:.1f}\n")
        rounds = [
            {path: visited(path, done) for path, done in pages.items()}
            for _ in range(arguments.rounds)
        ]
        print("| page | size | drawn | asks |\n|---|---|---|---|")
        for path in pages:
            seconds = statistics.median(one[path][0] for one in rounds)
            asks = max(one[path][1] for one in rounds)
            size = path.stat().st_size / 1e6
            print(f"| {path.stem} | {size:.1f} MB | {seconds:.2f} s | {asks} |")


if __name__ == "__main__":
    main()
