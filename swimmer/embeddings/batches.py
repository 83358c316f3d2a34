"""A transformer on a CPU: batches of texts of one length, a core to each.

The threads of one matrix product wait for each other at its end, hundreds of times a batch, and
for long where another program has one of the cores. Batches wait for nobody.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from swimmer.embeddings.model import Vectors

BATCH = 8
"""Texts in a batch at least: what it makes fits the caches of one core; 32 texts do not."""

TOKENS = 1024
"""Tokens that a batch of shorter texts may have together."""

COUNTED = 1024
"""Texts whose tokens are counted at once: each takes the room of the longest among them."""

WORKERS = 16
"""Batches at work at once, at most: their Python takes turns."""

_KNOWN = {"normalize_embeddings", "batch_size", "prompt", "prompt_name"}
_ALONE = threading.Lock()
_cut_for: list[int] = []  # of the process; at most one number


def usable_cores() -> int:
    """Return how many cores this process may use, at most `$OMP_NUM_THREADS` as in torch."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    wished = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(wished)) if re.fullmatch(r"[1-9]\d{0,4}", wished) else cores


def cut_cores() -> int:
    """Return for how many cores batches are cut in this process: those that torch uses, or all."""
    if _cut_for:
        return _cut_for[0]
    torch = sys.modules.get("torch")
    return usable_cores() if torch is None else int(torch.get_num_threads())


def cut_for(cores: int) -> None:
    """Cut batches in this process as for so many cores, whatever it has itself.

    In half precision a vector depends, in its third digit, on the batch of its text: a worker that
    takes part in the build of another machine makes the batches of that machine.
    """
    _cut_for[:] = [cores]


def encode(
    client: Any, lines: list[str], options: dict[str, Any], batch_size: int | None = None
) -> Vectors:
    """Return what `client.encode(lines, **options)` makes, float32 (n, dimension), sooner.

    Args:
        client: a SentenceTransformer.
        lines: texts without line breaks.
        options: what the user wants of `encode`; with any but the usual, or on another device
            than a CPU, `encode` is left to do it its own way.
        batch_size: texts in a batch; by default as many as suit the caches.
    """
    if client.device.type != "cpu" or not options.keys() <= _KNOWN or len(lines) < 2:
        return _plain(client, lines, options)

    def embed(rows: Any) -> Vectors:
        return _plain(client, [lines[i] for i in rows], options | {"batch_size": len(rows)})

    with threads_alone() as (threads, on_start):
        if not threads:
            return _plain(client, lines, options)
        return in_batches(token_counts(client, lines), embed, threads, batch_size, on_start)


@contextmanager
def threads_alone() -> Iterator[tuple[int, Callable[[int], None] | None]]:
    """Give a block all threads of torch, and what `in_batches` calls to share them out.

    0 and None where another thread has them.
    """
    import torch

    if not _ALONE.acquire(blocking=False):
        yield 0, None
        return
    threads = torch.get_num_threads()
    try:
        yield threads, lambda workers: torch.set_num_threads(threads // workers)
    finally:
        # A thread's number is its own, but also what threads yet to come begin with.
        torch.set_num_threads(threads)
        _ALONE.release()


def in_batches(
    lengths: Any,
    embed: Callable[[Any], Vectors],
    cores: int,
    batch_size: int | None = None,
    on_start: Callable[[int], None] | None = None,
) -> Vectors:
    """Return the vectors of texts, float32 (n, dimension), embedded in batches of like length.

    Args:
        lengths: the tokens of each text, an array.
        embed: takes the row numbers of a batch, and returns their vectors; called by several
            threads at once.
        cores: how many batches may be at work at once; never more than WORKERS.
        batch_size: texts in a batch; by default as many as suit the caches.
        on_start: called by each thread at its start with the number of threads, if there are more
            than one.
    """
    order = np.argsort(-lengths, kind="stable")
    batches = _batches(order, lengths, batch_size, min(*(_cut_for or [cores]), WORKERS))
    workers = min(cores, WORKERS, len(batches))
    if workers < 2:
        parts = list(map(embed, batches))
    else:
        start = None if on_start is None else partial(on_start, workers)
        pool = ThreadPoolExecutor(workers, initializer=start)
        try:
            parts = list(pool.map(embed, batches))
        finally:
            pool.shutdown(cancel_futures=True)
    vectors = np.empty((len(lengths), parts[0].shape[1]), np.float32)
    vectors[order] = np.concatenate(parts)
    return vectors


def _plain(client: Any, lines: list[str], options: dict[str, Any]) -> Vectors:
    vectors = client.encode(lines, show_progress_bar=False, convert_to_numpy=True, **options)
    return np.asarray(vectors, np.float32)


def tokenized(client: Any, lines: list[str]) -> dict[str, Any]:
    """Return what a SentenceTransformer reads of texts: ids of tokens and a mask, as tensors."""
    read = getattr(client, "preprocess", None) or client.tokenize
    features: dict[str, Any] = read(lines)
    return features


def token_counts(client: Any, lines: list[str]) -> Any:
    """Return the tokens of each text, an array; of a model that has no mask, its characters.

    Characters say it only to a tenth, and a batch pays for its longest. It also sets the tokenizer
    up, which the workers then only read.
    """
    counts = []
    for start in range(0, len(lines), COUNTED):
        part = lines[start : start + COUNTED]
        mask = tokenized(client, part).get("attention_mask")
        if mask is None or tuple(mask.shape[:1]) != (len(part),):
            return np.asarray([len(line) for line in lines])
        counts.append(np.asarray(mask.sum(dim=1)))
    return np.concatenate(counts)


def _batches(order: Any, lengths: Any, batch_size: int | None, workers: int) -> list[Any]:
    """Cut an order, longest first, into batches; a few texts so that every worker has some."""
    share = -(-len(order) // workers)
    batches, start = [], 0
    while start < len(order):
        size = batch_size or max(BATCH, TOKENS // max(int(lengths[order[start]]), 1))
        turns = -(-share // size)
        size = min(size, -(-share // turns))
        batches.append(order[start : start + size])
        start += size
    return batches
