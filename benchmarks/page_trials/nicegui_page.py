"""The trial page with NiceGUI: `python nicegui_page.py STORE PORT`."""

from __future__ import annotations

import sys
from typing import Any

from nicegui import ui

import swimmer
from swimmer.retrieval.completion import complete_titles

store = swimmer.open_store(sys.argv[1])


@ui.page("/")
def index() -> None:
    def complete(event: Any) -> None:
        typed = str(event.args)
        box.set_options([typed, *complete_titles(store, typed, 10)] if typed else [])

    def show(title: str) -> None:
        results.clear()
        with results:
            for hit in swimmer.search(store, title, 10):
                with ui.card().classes("w-full"):
                    ui.label(hit.paper.display_title).classes("font-bold")
                    ui.label(f"{hit.score:.3f}")
                    with ui.expansion("Abstract").classes("w-full"):
                        ui.label(hit.paper.abstract)
                    ui.button("More like this", on_click=lambda hit=hit: show(hit.paper.title))

    with ui.column().classes("w-full max-w-3xl mx-auto"):
        ui.label("swimmer").classes("text-2xl").props("role=heading aria-level=1")
        box = ui.select([], label="Title of a paper", with_input=True).classes("w-full")
        box.on("input-value", complete)
        box.on_value_change(lambda event: event.value and show(event.value))
        results = ui.column().classes("w-full")


ui.run(
    host="127.0.0.1", port=int(sys.argv[2]), title="swimmer", show=False, reload=False, dark=None
)
