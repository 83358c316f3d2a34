"""Vectors of the teacher, computed once and kept: shards on disk that a later run goes on from."""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.data import held_out_keys, read_papers

SHARD = 4096


def shuffled_order(count: int, seed: int) -> np.ndarray:
    """A fixed random order of ``count`` papers, so that any number of shards is a fair sample."""
    return np.random.default_rng(seed).permutation(count)


def _shard_path(texts: Sequence[str], first: int, folder: Path) -> Path:
    return folder / f"{first // SHARD:05d}-{digest(texts[first : first + SHARD])}.npy"


def digest(texts: Sequence[str]) -> str:
    """Twelve hexadecimal digits that name a list of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def teach(
    texts: Sequence[str],
    model_path: str,
    folder: Path,
    *,
    threads: int,
    bfloat16: bool = False,
    seconds: float = float("inf"),
) -> int:
    """Embed ``texts`` shard by shard into ``folder`` until done or out of time.

    Shards are float16 arrays (4096, dimension) of unit vectors named by their texts' digest, and
    those already there are kept. ``bfloat16`` is twice as fast where the processor has it (cosine
    with float32 at least 0.998). Returns the number of shards present.
    """
    paths = [_shard_path(texts, first, folder) for first in range(0, len(texts), SHARD)]
    if all(path.exists() for path in paths):
        return len(paths)

    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(model_path, device="cpu")
    if bfloat16:
        model = model.to(torch.bfloat16)
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    done = 0
    for place, path in enumerate(paths):
        if not path.exists():
            shard = texts[place * SHARD : (place + 1) * SHARD]
            if time.monotonic() - start > seconds:
                break
            began = time.monotonic()
            vectors = model.encode(
                list(shard), batch_size=16, show_progress_bar=False, convert_to_tensor=True
            )
            rows = torch.nn.functional.normalize(vectors.float(), dim=1).cpu().numpy()
            part = path.with_suffix(".part")
            with part.open("wb") as out:
                np.save(out, rows.astype(np.float16), allow_pickle=False)
            part.replace(path)
            rate = len(shard) / (time.monotonic() - began)
            print(f"{path.name}: {rate:.0f} texts/s", flush=True)
        done += 1
    return done


def taught(texts: Sequence[str], folder: Path) -> np.ndarray:
    """Vectors of the longest prefix of ``texts`` whose shards are in ``folder``.

    Float16 array (n, dimension), n a whole number of shards or all texts.
    """
    parts: list[np.ndarray] = []
    for first in range(0, len(texts), SHARD):
        path = _shard_path(texts, first, folder)
        if not path.exists():
            break
        parts.append(np.load(path, allow_pickle=False))
    return np.concatenate(parts) if parts else np.zeros((0, 0), np.float16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("papers", type=Path)
    parser.add_argument("folder", type=Path, help="where the shards go")
    parser.add_argument("--teacher", required=True, help="folder of the teacher model")
    parser.add_argument("--hold-out", type=Path, nargs="*", default=[])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bfloat16", action="store_true", help="twice as fast on some processors")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=13)
    options = parser.parse_args()
    papers = read_papers(options.papers, held_out_keys(options.hold_out))
    order = shuffled_order(len(papers), options.seed)
    chosen = [papers[i] for i in order]
    texts = [paper.text for paper in chosen]
    shards = teach(
        texts,
        options.teacher,
        options.folder / ("document-bfloat16" if options.bfloat16 else "document"),
        threads=options.threads,
        bfloat16=options.bfloat16,
        seconds=options.seconds,
    )
    print(f"{shards} shards of {len(texts)} documents in {options.folder}")


if __name__ == "__main__":
    main()
