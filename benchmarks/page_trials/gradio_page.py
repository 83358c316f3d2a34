"""The trial page with Gradio: `python gradio_page.py STORE PORT`."""

from __future__ import annotations

import sys

import gradio as gr

import swimmer
from swimmer.retrieval.completion import complete_titles

store = swimmer.open_store(sys.argv[1])


def complete(event: gr.KeyUpData) -> gr.Dropdown:
    return gr.Dropdown(choices=complete_titles(store, event.input_value, 10))


with gr.Blocks(title="swimmer", analytics_enabled=False) as page:
    gr.Markdown("# swimmer")
    box = gr.Dropdown(
        [], value=None, label="Title of a paper", allow_custom_value=True, interactive=True
    )
    box.key_up(complete, None, box, show_progress="hidden", queue=False)

    @gr.render(inputs=box)
    def results(title: str | None) -> None:
        for hit in swimmer.search(store, title, 10) if title else []:
            with gr.Group():
                gr.Textbox(hit.paper.display_title, label=f"{hit.score:.3f}", lines=2)
                with gr.Accordion("Abstract", open=False):
                    gr.Textbox(hit.paper.abstract, show_label=False, lines=6)
                more = gr.Button("More like this")
                more.click(lambda title=hit.paper.title: title, None, box)


page.launch(server_name="127.0.0.1", server_port=int(sys.argv[2]), quiet=True)
