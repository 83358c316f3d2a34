"""Trends as a picture: the share of each topic in the first and in the last period."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.analysis.map.files import write_picture
from swimmer.analysis.map.picture import COLOURS, GROUND, INK, new_figure, picture, plain_text
from swimmer.analysis.topic_trends import Trend, Trends
from swimmer.errors import QueryError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg")

_GREW, _SHRANK = COLOURS[0], COLOURS[1]
_NAME = 60


def write_trends(found: Trends, path: str | Path) -> Path:
    """Write trends as a picture, .png or .svg by the ending; return its path.

    Raises:
        InputError: the ending is unknown, or the file cannot be written.
        QueryError: there are not two periods to compare.
        MissingExtraError: matplotlib is not installed.
    """
    return write_picture(path, ENDINGS, lambda format: picture(trends_figure(found), format))


def trends_figure(found: Trends) -> Figure:
    """Return trends as a matplotlib figure: one line a topic, from its first share to its last.

    Raises:
        QueryError: there are not two periods to compare.
        MissingExtraError: matplotlib is not installed.
    """
    if len(found.papers) < 2 or not found.topics:
        raise QueryError(
            "there is nothing to draw: no topic of two periods",
            hint="compare stores of two years, such as swimmer trends iclr2024 iclr2025",
        )
    first, *_, last = found.papers
    shown = sorted(found.topics, key=lambda one: one.change)
    figure = new_figure(9, 1.6 + 0.3 * len(shown), "trends as a picture")
    axes = figure.add_subplot()
    for place, trend in enumerate(shown):
        before, after = found.share(trend, first), found.share(trend, last)
        colour = _GREW if trend.change >= 0 else _SHRANK
        axes.plot([before, after], [place, place], color=colour, linewidth=2, zorder=2)
        axes.scatter(
            before, place, s=36, facecolors=GROUND, edgecolors=colour, linewidths=1.5, zorder=3
        )
        axes.scatter(after, place, s=36, color=colour, zorder=3)
        axes.annotate(
            f"{trend.change:+.1f}",
            (max(before, after), place),
            (7, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.set_yticks(range(len(shown)), [_named(trend) for trend in shown], fontsize=8.5)
    axes.margins(x=0.08)
    axes.set_xlim(left=0)
    axes.set_xlabel("share of the papers, in percent")
    axes.set_title(
        plain_text(
            f"{first} (open) and {last} (filled); the change in percentage points beside them"
        ),
        loc="left",
        fontsize=9,
        color=INK,
    )
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def _named(trend: Trend) -> str:
    name = trend.topic
    return plain_text(name if len(name) <= _NAME else f"{name[: _NAME - 1]}…")
