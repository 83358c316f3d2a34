"""By what the points of a map are coloured: a field of the papers, or their score to a query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.store import PaperStore, Rows

    Codes = NDArray[np.uint8]

FIELDS = ("year", "venue", "status")
"""The fields of a paper that its point may be coloured by."""

STEPS = 10
"""Colours of a scale: of years and of scores."""

_KINDS = 6
_LABEL = 60
_MIDDLE = 50


@dataclass(frozen=True)
class Colouring:
    """A number for each point, uint8 (n,), and what the numbers mean: labels with their papers.

    `scale` says whether the numbers have an order, from pale to strong. The last `rest` labels are
    those of the papers without a value, or with another one.
    """

    codes: Codes
    labels: list[tuple[str, int]]
    scale: bool
    rest: int = 0

    def only(self, rows: Rows) -> Colouring:
        """Return the colours of some rows; the labels are those of all."""
        return replace(self, codes=self.codes[rows])

    def payload(self) -> dict[str, Any]:
        """Return the colouring as the page's script reads it."""
        kinds = len(self.labels) - self.rest
        legend = [
            {"label": label, "papers": papers, "rest": number >= kinds}
            for number, (label, papers) in enumerate(self.labels)
        ]
        return {"codes": self.codes.tolist(), "legend": legend, "scale": self.scale}


def by_field(stores: Sequence[PaperStore], field: str) -> Colouring:
    """Return the colours of the papers of stores by the year, the venue or the status.

    Of years the latest have a colour of their own, of other values the most frequent.
    """
    values = np.full(sum(map(len, stores)), None, object)
    start = 0
    for store in stores:
        for row, value in store.database.values(field):
            values[start + row] = value
        start += len(store)
    counts = Counter(value for value in values.tolist() if value not in ("", None))
    chosen = _first(counts, field)
    codes = {value: number for number, value in enumerate(chosen)}
    labels = [(printable(str(value))[:_LABEL], counts[value]) for value in chosen]
    others = [value for value in counts if value not in codes]
    rest = 0
    if others and field == "year":
        # What is earlier than the years with a colour is the first step of their scale.
        codes = {value: number + 1 for value, number in codes.items()} | dict.fromkeys(others, 0)
        labels.insert(0, ("earlier", sum(counts[value] for value in others)))
    elif others:
        codes |= dict.fromkeys(others, len(labels))
        labels.append(("other", sum(counts[value] for value in others)))
        rest += 1
    if without := len(values) - counts.total():
        labels.append(("not known", without))
        rest += 1
    found = [codes.get(value, len(labels) - 1) for value in values.tolist()]
    return Colouring(np.array(found, np.uint8), labels, field == "year", rest)


def _first(counts: Counter[Any], field: str) -> list[Any]:
    if field == "year":
        return sorted(sorted(year for year in counts if isinstance(year, int))[-STEPS:])
    return sorted(counts, key=lambda value: (-counts[value], str(value)))[:_KINDS]


def by_scores(scores: NDArray[np.float32]) -> Colouring:
    """Return the colours of papers by their score to a query: the upper half of them in steps."""
    low = float(np.percentile(scores, _MIDDLE))
    high = max(float(scores.max()), low + 1e-6)
    steps = np.clip((scores - low) / (high - low) * STEPS, 0, STEPS - 1).astype(np.uint8)
    edges = np.linspace(low, high, STEPS + 1)
    counts = np.bincount(steps, minlength=STEPS)
    labels = [(f"from {edges[n]:.2f}" if n else "lower", int(counts[n])) for n in range(STEPS)]
    return Colouring(steps, labels, scale=True)


def by_membership(inside: NDArray[np.bool_], labels: tuple[str, str]) -> Colouring:
    """Return two colours: of the papers outside and of those inside, with a label for each."""
    counts = [int((~inside).sum()), int(inside.sum())]
    return Colouring(inside.astype(np.uint8), list(zip(labels, counts, strict=True)), scale=False)


def telling_fields(stores: Sequence[PaperStore]) -> list[str]:
    """Return the fields in which the papers of stores differ: another colours nothing."""
    return [
        field
        for field in FIELDS
        if len({value for store in stores for value in store.database.value_counts(field)}) > 1
    ]
