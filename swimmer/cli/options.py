"""The command options that fill `SearchOptions`, shared by the commands that search."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from swimmer.cli.completion import complete_stores
from swimmer.retrieval import MODES

_OPTIONS = (
    click.option(
        "--where",
        "-w",
        multiple=True,
        metavar="CONDITION",
        help="""Only papers that match: 'year>=2024 and area=~"reinforcement"'.""",
    ),
    click.option(
        "--like", multiple=True, metavar="TITLE", help="A positive example; may be repeated."
    ),
    click.option("--like-all", is_flag=True, help="Use all TITLEs as examples of one query."),
    click.option(
        "--unlike", multiple=True, metavar="TITLE", help="A negative example; may be repeated."
    ),
    click.option(
        "--abstract", metavar="TEXT|@FILE", help="The abstract of a TITLE that no store has."
    ),
    click.option(
        "--mode",
        type=click.Choice(MODES),
        default="dense",
        show_default=True,
        help="Search by vectors, by words, or both.",
    ),
    click.option(
        "--diversity",
        type=click.FloatRange(0, 1),
        default=0.0,
        metavar="0..1",
        help="How different the papers are from each other.",
    ),
    click.option(
        "--sort",
        default="",
        metavar="FIELD[:asc|:desc]",
        help="Order by year, title, citations, upvotes, rating, published or score.",
    ),
    click.option("--group", is_flag=True, help="Show versions of one paper as one."),
    click.option(
        "--rerank",
        is_flag=False,
        flag_value="",
        metavar="[MODEL]",
        help="Rerank the first 50 with a cross-encoder.",
    ),
    click.option(
        "--why/--no-why",
        default=None,
        help="Explain each hit (or hide explanations).",
    ),
    click.option(
        "--lexical/--no-lexical",
        default=True,
        help="Count the words that papers share, beside their vectors.",
    ),
)


_trust_option = click.option(
    "--trust-model",
    is_flag=True,
    help="Load the model that the store names; remembered. Only if you trust its maker.",
)


_STORES = (
    click.option(
        "--store",
        "-s",
        "stores",
        shell_complete=complete_stores,
        multiple=True,
        metavar="NAME",
        help="Store to search: a name or a path; may be repeated.",
    ),
    click.option("--all", "every", is_flag=True, help="Search all your stores as one."),
)


def stores_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--store` and `--all`: its arguments `stores` and `every`."""
    for option in reversed(_STORES):
        command = option(command)
    return command


def _set_backend(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    from swimmer.embeddings import BACKEND

    before = os.environ.get(BACKEND)
    os.environ[BACKEND] = value

    def restore() -> None:
        if before is None:
            del os.environ[BACKEND]
        else:
            os.environ[BACKEND] = before

    ctx.call_on_close(restore)


_backend_option = click.option(
    "--backend",
    type=click.Choice(["onnx", "torch"]),
    expose_value=False,
    callback=_set_backend,
    help="What computes a transformer model; by default torch where it is installed.",
)


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that may load a store's model `--trust-model` and `--backend`.

    The first is its argument `trust_model`; the second sets `$SWIMMER_BACKEND` while it runs.
    """
    return _trust_option(_backend_option(command))


def search_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of this module, whose values `read_search` takes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
