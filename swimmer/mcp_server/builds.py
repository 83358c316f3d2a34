"""The tool that builds a store, and reports its progress."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import anyio.from_thread
import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import (
    ToolAnnotations,
)
from pydantic import Field
from typing_extensions import TypedDict

from swimmer.errors import SwimmerError

if TYPE_CHECKING:
    from swimmer import BuildReport

PROGRESS_SECONDS = 0.25

WRITES = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True
)

Source = Annotated[
    str,
    Field(
        description="The source of the papers: a name such as iclr2025, an address, or the path "
        "of a paper list on the server's machine.",
        min_length=1,
        max_length=2_000,
    ),
]
NewName = Annotated[
    str,
    Field(
        description="The name of the store to build or update.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
    ),
]


class BuiltStore(TypedDict):
    """The result of a build, in numbers of papers."""

    store: str
    papers: int
    added: int
    changed: int
    unchanged: int
    left_out: int


def build_tool(seconds: float) -> Callable[..., Awaitable[BuiltStore]]:
    """Return the tool that builds a store, with a report of progress every so many seconds."""

    async def build_store(source: Source, name: NewName, ctx: Context) -> BuiltStore:
        """Build a store in a worker thread, and report the progress to the client."""

        def run() -> BuiltStore:
            with _tool_errors():
                report = _build(source, name, ctx, seconds)
            return {
                "store": name,
                "papers": report.papers,
                "added": report.added,
                "changed": report.changed,
                "unchanged": report.unchanged,
                "left_out": report.source.left_out,
            }

        return await anyio.to_thread.run_sync(run)

    return build_store


def _build(source: str, name: str, ctx: Context, seconds: float) -> BuildReport:
    from swimmer.build import run_build

    said = 0.0
    steps = 0

    def progress(stage: str, done: int, total: int | None) -> None:
        nonlocal said, steps
        # A client that disconnected or cancelled stops the build here; what was embedded is
        # kept, and the same call resumes from there.
        anyio.from_thread.check_cancelled()
        if time.monotonic() - said < seconds:
            return
        said = time.monotonic()
        steps += 1
        of = f" of {total:,}" if total else ""
        # The protocol needs a number that only grows; each stage of a build starts at 0.
        anyio.from_thread.run(ctx.report_progress, steps, None, f"{stage}: {done:,}{of} papers")

    store, report = run_build(source, name, progress=progress)
    store.close()
    return report


@contextlib.contextmanager
def _tool_errors() -> Iterator[None]:
    """Turn an error of swimmer into a tool error that the client's model can read."""
    try:
        yield
    except SwimmerError as error:
        raise ToolError(error.full_text) from None
