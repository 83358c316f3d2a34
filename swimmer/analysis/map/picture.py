"""A map as a picture: PNG or SVG, with topic names that do not overlap."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.analysis.map.drawing import Marked, coloured
from swimmer.errors import MissingExtraError
from swimmer.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from swimmer.analysis.map.maps import PaperMap

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b8578f", "#c98a00", "#3f9fd6", "#6f7782")
INK, GROUND = "#1c2128", "#ffffff"
_ACCENT = "#0b62bd"
_NUMBERED = 30
_TITLE = 90


def map_figure(drawn: PaperMap, found: Marked | None = None, *, title: str = "") -> Figure:
    """Return the map as a matplotlib figure; `found` marks an answer on it.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = new_figure(10, 8.5, "a map as a picture")
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_aspect("equal", adjustable="datalim")
    colours = np.array(COLOURS)[coloured(drawn.topics)]
    size = float(np.clip(30_000 / len(drawn), 1.2, 60))
    axes.scatter(
        drawn.points[:, 0],
        drawn.points[:, 1],
        s=size,
        c=colours[drawn.labels],
        linewidths=0,
        alpha=0.8 if found is None else 0.3,
        rasterized=len(drawn) > 20_000,
    )
    if found is not None:
        label = found.label if len(found.label) <= _TITLE else found.label[: _TITLE - 1] + "…"
        title = f"{title}\nsimilar to {label}"
    if title:
        axes.set_title(plain_text(title), loc="left", color=INK)
    marks = [] if found is None else _marked(axes, drawn, found, size)
    _named(figure, axes, drawn, marks)
    return figure


def new_figure(width: float, height: float, what: str) -> Figure:
    """Return an empty figure that needs no screen, of a width and height in inches.

    Raises:
        MissingExtraError: matplotlib is not installed; `what` is said to need it.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError(what, "map") from None
    figure = Figure(figsize=(width, height), dpi=150, facecolor=GROUND, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def picture(figure: Figure, format: str) -> bytes:
    """Return a figure as `png` or `svg`; the same bytes for the same map."""
    import matplotlib

    out = io.BytesIO()
    # Without a date and with fixed names inside, the same map gives the same picture.
    facts: dict[str, Any] = {"Date": None} if format == "svg" else {"Software": None}
    with matplotlib.rc_context({"svg.hashsalt": "swimmer"}):
        figure.savefig(out, format=format, metadata=facts)
    return out.getvalue()


def _marked(axes: Axes, drawn: PaperMap, found: Marked, size: float) -> list[Text]:
    """Mark the hits and the query; return the texts that nothing may cover."""
    rows = list(found.rows)
    numbered = len(rows) <= _NUMBERED
    axes.scatter(
        drawn.points[rows, 0],
        drawn.points[rows, 1],
        c=_ACCENT,
        edgecolors=GROUND,
        s=max(1.4 * size, 60) if numbered else 25,
        linewidths=0.8,
        zorder=6,
    )
    for rank, row in reversed(list(enumerate(rows, 1)) if numbered else []):
        axes.text(
            float(drawn.points[row, 0]),
            float(drawn.points[row, 1]),
            str(rank),
            color=GROUND,
            fontsize=5,
            fontweight="bold",
            ha="center",
            va="center",
            zorder=7,
        )
    axes.scatter(
        found.x, found.y, s=420, facecolors="none", edgecolors=INK, linewidths=1.8, zorder=5
    )
    mark = axes.annotate(
        "your query",
        (found.x, found.y),
        (0, 13),
        textcoords="offset points",
        fontsize=9,
        fontweight="bold",
        color=INK,
        ha="center",
        va="bottom",
        zorder=9,
        **_halo(),
    )
    mark.set_in_layout(False)
    return [mark]


def _named(figure: Figure, axes: Axes, drawn: PaperMap, taken: Sequence[Text]) -> None:
    """Write the names of the topics, the largest first, without overlap."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    figure.draw_without_rendering()
    boxes = [text.get_window_extent(renderer).padded(2) for text in taken]
    for topic in drawn.topics:
        text = axes.text(
            topic.x,
            topic.y,
            plain_text(_in_two(topic.name)),
            fontsize=8,
            fontweight="bold",
            color=INK,
            ha="center",
            va="center",
            zorder=8,
            linespacing=1.05,
            **_halo(),
        )
        text.set_in_layout(False)
        for offset in (0, 14, -14, 26, -26):
            text.set_position(_shifted(axes, topic.x, topic.y, offset))
            box = text.get_window_extent(renderer).padded(2)
            if not any(box.overlaps(other) for other in boxes):
                boxes.append(box)
                break
        else:
            text.remove()


def _shifted(axes: Axes, x: float, y: float, pixels: float) -> tuple[float, float]:
    across, up = axes.transData.transform((x, y))
    moved = axes.transData.inverted().transform((across, up + pixels))
    return float(moved[0]), float(moved[1])


def _halo() -> dict[str, Any]:
    from matplotlib.patheffects import withStroke

    return {"path_effects": [withStroke(linewidth=2.5, foreground=GROUND)]}


def _in_two(name: str) -> str:
    """Return a long name in two lines, broken nearest to its middle."""
    breaks = [i for i, char in enumerate(name) if char == " "]
    if len(name) < 17 or not breaks:
        return name
    middle = min(breaks, key=lambda i: abs(i - len(name) / 2))
    return f"{name[:middle]}\n{name[middle + 1 :]}"


def plain_text(text: str) -> str:
    """Return a text that a figure shows as it is."""
    # matplotlib reads what stands between dollars as mathematics, and fails on what is none.
    return "\n".join(printable(line) for line in text.split("\n")).replace("$", r"\$")
