"""Papers as bags of token ids, and views of them.

A view is the title, the abstract, a half of it, the document (title and abstract) or the paper, as
swimmer gives it to the model where the abstract is long: the title, the title again, the abstract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.data import ABSTRACT_CHARS, TrainingPaper
from training.vocabulary import is_word, tokens_of

Ints = NDArray[np.int64]
View = Literal["title", "abstract", "first half", "second half", "document", "paper"]


@dataclass(frozen=True)
class Bags:
    """Token ids of all texts end to end, and where each text starts (one more than texts)."""

    ids: NDArray[np.int32]
    starts: Ints


def bag_texts(tokenizer: Tokenizer, texts: Sequence[str]) -> Bags:
    """Tokenize texts, keeping the tokens that may carry meaning."""
    meant = np.array([is_word(token) for token in tokens_of(tokenizer)])
    rows: list[NDArray[np.int32]] = []
    for first in range(0, len(texts), 4096):
        batch = list(texts[first : first + 4096])
        for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            row = np.array(encoding.ids, dtype=np.int32)
            rows.append(row[meant[row]])
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return Bags(np.concatenate(rows), starts)


class PaperBags:
    """The tokenized papers of a training list, from which batches of views are cut."""

    def __init__(self, tokenizer: Tokenizer, papers: Sequence[TrainingPaper]) -> None:
        self.titles = bag_texts(tokenizer, [paper.title for paper in papers])
        self.abstracts = bag_texts(tokenizer, [paper.abstract[:ABSTRACT_CHARS] for paper in papers])

    def token_counts(self, tokens: int) -> Ints:
        """How often each of ``tokens`` token ids occurs in titles and abstracts."""
        return np.bincount(self.titles.ids, minlength=tokens) + np.bincount(
            self.abstracts.ids, minlength=tokens
        )

    def view(self, papers: Ints, view: View) -> tuple[Ints, Ints]:
        """Token ids of one view of ``papers`` end to end, and where each paper's begin."""
        title = (self.titles.ids, self.titles.starts[papers], self.titles.starts[papers + 1])
        first, last = self.abstracts.starts[papers], self.abstracts.starts[papers + 1]
        middle = (first + last) // 2
        ids = self.abstracts.ids
        if view == "title":
            return _join([title])
        if view == "abstract":
            return _join([(ids, first, last)])
        if view == "first half":
            return _join([(ids, first, middle)])
        if view == "second half":
            return _join([(ids, middle, last)])
        titles = [title, title] if view == "paper" else [title]
        return _join([*titles, (ids, first, last)])


def thinned(view: tuple[Ints, Ints], keep: float, random: np.random.Generator) -> tuple[Ints, Ints]:
    """A view of which each token is kept with probability ``keep``."""
    ids, starts = view
    kept = random.random(len(ids), np.float32) < keep
    before = np.concatenate([[0], np.cumsum(kept)])
    return ids[kept], before[starts]


def _join(spans: Sequence[tuple[NDArray[np.int32], Ints, Ints]]) -> tuple[Ints, Ints]:
    """Cut the spans (source, starts, stops) of every row and lay them end to end, row by row."""
    lengths = np.stack([stops - starts for _, starts, stops in spans], axis=1)
    places = (np.cumsum(lengths) - lengths.ravel()).reshape(lengths.shape)
    joined = np.empty(int(lengths.sum()), np.int64)
    for column, (source, starts, _) in enumerate(spans):
        length = lengths[:, column]
        within = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
        joined[np.repeat(places[:, column], length) + within] = source[
            np.repeat(starts, length) + within
        ]
    return joined, places[:, 0]
