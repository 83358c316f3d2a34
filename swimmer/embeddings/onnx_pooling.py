"""How the outputs of an ONNX file become one vector for each text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.embeddings.model_files import check_modules
from swimmer.embeddings.onnx_files import read_modules, read_setting
from swimmer.errors import ModelError

if TYPE_CHECKING:
    from swimmer.embeddings.model import Vectors

TOKEN_OUTPUTS = ("last_hidden_state", "token_embeddings")
"""Names of an output with a vector for each token: (texts, tokens, dimension)."""

TEXT_OUTPUTS = ("sentence_embedding", "dense_vecs", "text_embeds", "embeddings")
"""Names of an output with a vector for each text: (texts, dimension)."""

WEIGHT_OUTPUTS = ("sparse_vecs", "sparse_weights", "sparse_embeddings", "token_weights", "sparse")
"""Names of an output with a weight for each token: (texts, tokens) or (texts, tokens, 1)."""

MODES = ("cls", "mean")
"""The kinds of pooling: the vector of the first token, or the mean of all."""

_KNOWN = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True)
class Pooling:
    """The pooling that a model's files name: `mode`, one of MODES.

    Where they name none that can be followed, `problem` says why. `prompt_counts` is False where
    the tokens of a prompt are left out.
    """

    mode: str = ""
    problem: str = ""
    prompt_counts: bool = True


@dataclass(frozen=True)
class Output:
    """The output of a file that is read, and the pooling that it still needs, "" for none."""

    name: str
    mode: str = ""


def read_pooling(folder: Path, name: str) -> Pooling:
    """Return how a model's own files pool the vectors of tokens.

    Raises:
        ModelError: they cannot be read, or lead outside the model's folder.
    """
    if not (folder / "modules.json").is_file():
        return Pooling(problem="it has no modules.json, so that its pooling is unknown")
    check_modules(folder, name)
    modules = {str(entry["type"]).split(".")[-1]: entry for entry in read_modules(folder)}
    other = [kind for kind in modules if kind not in _KNOWN]
    if other:
        return Pooling(problem=f"its module {other[0][:60]} is applied outside the ONNX file")
    if "Pooling" not in modules:
        return Pooling(problem="its modules.json names no pooling")
    config = read_setting(folder / str(modules["Pooling"]["path"]), "config.json")
    mode = _mode(config)
    if mode not in MODES:
        return Pooling(problem=f"its pooling is {mode[:60]!r}, not one of {', '.join(MODES)}")
    return Pooling(mode, prompt_counts=config.get("include_prompt") is not False)


def _mode(config: dict[str, Any]) -> str:
    """The kind of pooling, from a configuration of either form."""
    named = config.get("pooling_mode")
    if named is not None:
        return str(named)
    start, names = "pooling_mode_", {"cls_token": "cls", "mean_tokens": "mean"}
    chosen = [key.removeprefix(start) for key, on in config.items() if on is True]
    kinds = [names.get(kind, kind) for kind in chosen if f"{start}{kind}" in config]
    return " and ".join(kinds)


def choose_output(
    outputs: Sequence[tuple[str, Sequence[Any]]], pooling: Pooling, where: str
) -> Output:
    """Return which output to read: by its name, else by its shape where it is the only one.

    Args:
        outputs: names and shapes, as ONNX Runtime tells them.
        pooling: what the model's files say.
        where: the ONNX file, in words.

    Raises:
        ModelError: none of them can be read.
    """
    ranks = {name: len(shape) for name, shape in outputs}
    tokens = [name for name in TOKEN_OUTPUTS if ranks.get(name) == 3]
    texts = [name for name in TEXT_OUTPUTS if ranks.get(name) == 2]
    if len(ranks) == 1:
        (only,) = ranks
        tokens = tokens or [only] * (ranks[only] == 3)
        texts = texts or [only] * (ranks[only] == 2)
    if tokens and pooling.mode:
        return Output(tokens[0], pooling.mode)
    if texts:
        return Output(texts[0])
    hint = 'use --backend torch (pip install "swimmer[huggingface]"), or another ONNX file'
    if tokens:
        raise ModelError(f"{where}: {pooling.problem}", hint=hint)
    there = ", ".join(f"{name[:60]} {list(shape)}" for name, shape in outputs[:6])
    raise ModelError(
        f"{where}: has no output {', '.join((*TOKEN_OUTPUTS, *TEXT_OUTPUTS))} with vectors of "
        f"tokens or texts; it has {there or 'none'}",
        hint=hint,
    )


def choose_weights(outputs: Sequence[tuple[str, Sequence[Any]]], where: str) -> str:
    """Return the name of the output that weighs tokens.

    Args:
        outputs: names and shapes, as ONNX Runtime tells them.
        where: the ONNX file, in words.

    Raises:
        ModelError: there is none.
    """
    shapes = {name: list(shape) for name, shape in outputs}
    for name in WEIGHT_OUTPUTS:
        shape = shapes.get(name, [])
        if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, None)):
            return name
    there = ", ".join(name[:60] for name, _ in outputs[:6])
    raise ModelError(
        f"{where}: gives no weights of tokens; it has no output {', '.join(WEIGHT_OUTPUTS)}, only "
        f"{there or 'none'}",
        hint="build the store with --backend torch (it reads sparse_linear.pt), with an ONNX file "
        "that has the output, or with --lexical tfidf",
    )


def token_weights_of(values: Any, mask: Any, where: str) -> Vectors:
    """Return the weight at each position, float32 (texts, tokens), 0 where a row is filled up.

    Raises:
        ModelError: the output has another shape: none with a weight for each position.
    """
    given = np.asarray(values, np.float32)
    if given.ndim == 3 and given.shape[2] == 1:
        given = given[:, :, 0]
    if given.shape != mask.shape:
        raise ModelError(
            f"{where}: its weights of tokens have the shape {np.shape(values)}, expected "
            f"{mask.shape}, one for each position",
            hint="use --backend torch, or build the store with --lexical tfidf",
        )
    weights: Vectors = np.maximum(given, 0) * mask
    return weights


def pool(values: Any, mask: Any, mode: str) -> Vectors:
    """Return the vectors of texts, float32 (texts, dimension).

    Args:
        values: of tokens (texts, tokens, dimension), or, with mode "", of texts.
        mask: 1 for a token, 0 for what fills a row up, (texts, tokens).
        mode: one of MODES, or "".
    """
    if mode == "cls":
        values = values[:, 0]
    elif mode == "mean":
        weights = mask.astype(np.float32)
        sums = np.einsum("ntd,nt->nd", values.astype(np.float32, copy=False), weights)
        values = sums / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    return np.ascontiguousarray(values, np.float32)
