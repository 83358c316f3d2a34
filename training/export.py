"""Write a trained table as a folder that swimmer, model2vec and sentence-transformers all read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from swimmer.embeddings.static import CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE, file_digest


def to_int8(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rows as int8 (tokens, dimension) and the float32 weight of each that restores it.

    Each row has its own scale, so that a frequent token with a short vector keeps its direction.
    """
    weights = np.abs(table).max(axis=1) / 127
    rows = np.rint(table / np.where(weights > 0, weights, 1)[:, None])
    return rows.astype(np.int8), weights.astype(np.float32)


def export(table: NDArray[np.float32], tokenizer: Tokenizer, folder: Path, card: str) -> None:
    """Write ``table`` (tokens, dimension), the tokenizer and the model card into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, weights = to_int8(table)
    save_file({"embeddings": rows, "weights": weights}, folder / WEIGHTS_FILE)
    tokenizer.save(str(folder / TOKENIZER_FILE), pretty=False)
    config = {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "hidden_dim": int(table.shape[1]),
        "normalize": True,
        "max_length": None,
        "embedding_dtype": "int8",
        "ascii_words": True,
        "blake2b": {name: file_digest(folder / name) for name in (WEIGHTS_FILE, TOKENIZER_FILE)},
    }
    _write_json(folder / CONFIG_FILE, config)
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate([(".", "StaticEmbedding"), ("1_Normalize", "Normalize")])
    ]
    _write_json(folder / "modules.json", modules)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
