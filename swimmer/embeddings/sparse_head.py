"""The layer of bge-m3 that gives each token its weight, through torch (`sparse_linear.pt`).

As FlagEmbedding's `BGEM3FlagModel` applies it: beside the dense vectors, in one forward pass.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.embeddings.batches import in_batches, threads_alone, token_counts, tokenized
from swimmer.embeddings.model_files import download
from swimmer.embeddings.onnx_graph import AGAIN
from swimmer.embeddings.token_weights import (
    NO_TOKENS,
    ROLES,
    TokenWeights,
    Weighed,
    largest_weights,
    without_address,
)
from swimmer.errors import ModelError
from swimmer.files import read_bounded, target_of

if TYPE_CHECKING:
    from swimmer.embeddings.model import Vectors

SPARSE_FILE = "sparse_linear.pt"
"""The file of the layer, beside the other files of a model: Linear(hidden size, 1)."""

_LARGEST = 16 << 20
_TFIDF = "build the store with --lexical tfidf, or with a model that has the file, such as bge-m3"


def find_sparse_file(folder: Path, name: str, commit: str, *, anonymous: bool) -> Path:
    """Return the file of the layer; asks the hub for it where only it is missing in the cache.

    Args:
        folder: the folder of a model.
        name: its id on the hub.
        commit: its revision there, "" for a folder of the user's own.
        anonymous: do not send the user's token.

    Raises:
        ModelError: the model has no such file, or it has to be downloaded and cannot be.
    """
    path = folder / SPARSE_FILE
    if not path.is_file() and commit:
        found = download(name, commit, anonymous=anonymous, wanted=_only_the_layer)
        path = found / SPARSE_FILE
    if not path.is_file():
        raise ModelError(
            f"the model {name[:300]} gives no weights of tokens: it has no {SPARSE_FILE}",
            hint=_TFIDF,
        )
    return path


def _only_the_layer(names: list[str]) -> dict[str, Any]:
    # With no file to download, there is nothing to ask for again either.
    return {"allow_patterns": [SPARSE_FILE if SPARSE_FILE in names else "-"]}


def read_layer(path: Path) -> tuple[Any, Any]:
    """Return the weight, (hidden size,), and the bias of the layer, as float32 tensors.

    The file is read with `weights_only`: nothing in it is run.

    Raises:
        ModelError: it cannot be read, or is not such a layer.
    """
    import torch

    try:
        content = io.BytesIO(read_bounded(target_of(path), _LARGEST))
        state = torch.load(content, map_location="cpu", weights_only=True)
        weight, bias = state["weight"].detach().float(), state["bias"].detach().float()
        if weight.ndim != 2 or len(weight) != 1 or bias.shape != (1,):
            raise ValueError(
                f"its shapes are {tuple(weight.shape)} and {tuple(bias.shape)}, expected "
                "(1, hidden size) and (1,)"
            )
        if not (torch.isfinite(weight).all() and torch.isfinite(bias).all()):
            raise ValueError("it holds values that are not finite")
    except Exception as error:  # noqa: BLE001  torch.load raises what a damaged file makes it raise
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{path}: is not the layer of weights ({reason})", hint=AGAIN) from None
    return weight[0], bias[0]


class SparseHead:
    """The layer beside a SentenceTransformer: dense vectors and weights of tokens in one pass.

    Args:
        client: the SentenceTransformer.
        find: returns the path of the layer's file; called when weights are first wanted.
        batch_size: texts in a batch; what suits the caches of a CPU for None.
    """

    def __init__(
        self, client: Callable[[], Any], find: Callable[[], Path], batch_size: int | None
    ) -> None:
        self._client, self._find, self.batch_size = client, find, batch_size
        self._layer: tuple[Any, Any] | None = None

    def weigh(self, texts: list[str], prompt: str, *, query: bool) -> Weighed:
        """Return the vectors of texts and the weights of their tokens.

        Args:
            texts: the texts.
            prompt: what is put before each.
            query: whether they are queries; of a paper's text, its address does not count.

        Raises:
            ModelError: the model has no layer of weights, or cannot be used with one.
        """
        import torch

        client = self._client()
        if self._layer is None:
            _check_pipeline(client)
            self._layer = read_layer(self._find())
        weight, bias = (part.to(client.device) for part in self._layer)
        lines = [prompt + text.replace("\n", " ") for text in texts]
        counted = _counted(client, texts, prompt, query=query)
        left_out = _special_tokens(client.tokenizer)
        weights: list[TokenWeights] = [NO_TOKENS] * len(texts)

        def embed(rows: Any) -> Vectors:
            features = tokenized(client, [lines[i] for i in rows])
            features = {
                key: value.to(client.device) if hasattr(value, "to") else value
                for key, value in features.items()
            }
            with torch.inference_mode():
                made = client(features)
                hidden = made["token_embeddings"].shape[-1]
                if hidden != len(weight):
                    raise ModelError(
                        f"the layer of weights in {SPARSE_FILE} is for {len(weight)} numbers a "
                        f"token, the model has {hidden}",
                        hint=AGAIN,
                    )
                given = torch.relu(made["token_embeddings"].float() @ weight + bias)
                found = largest_weights(
                    features["input_ids"].cpu().numpy(),
                    (given * features["attention_mask"]).cpu().numpy(),
                    left_out,
                    [counted[i] for i in rows],
                )
                for i, one in zip(rows, found, strict=True):
                    weights[i] = one
                vectors: Vectors = made["sentence_embedding"].float().cpu().numpy()
            return vectors

        client.eval()
        if client.device.type != "cpu" or len(lines) == 1:
            lengths = np.asarray([len(line) for line in lines])
            return Weighed(in_batches(lengths, embed, 1, self.batch_size), weights)
        with threads_alone() as (threads, on_start):
            lengths = token_counts(client, lines)
            return Weighed(
                in_batches(lengths, embed, max(threads, 1), self.batch_size, on_start), weights
            )


def _check_pipeline(client: Any) -> None:
    """Raise ModelError where the vectors would not be those that `encode` makes."""
    if client.truncate_dim is not None or any(
        getattr(module, "include_prompt", True) is False for module in client
    ):
        raise ModelError(
            "the weights of tokens cannot be had together with cut vectors, or with prompts that "
            "are left out of the pooling",
            hint="build the store with --lexical tfidf",
        )


def _counted(client: Any, texts: list[str], prompt: str, *, query: bool) -> list[int]:
    """Return how many tokens of each text count, from the first."""
    counted = [1 << 30] * len(texts)
    cut = {} if query else {i: without_address(text) for i, text in enumerate(texts)}
    cut = {i: start for i, start in cut.items() if start != texts[i]}
    if cut:
        starts = [prompt + start.replace("\n", " ") for start in cut.values()]
        # Less the token that ends a text.
        lengths = token_counts(client, starts) - 1
        counted = list(counted)
        for i, length in zip(cut, lengths.tolist(), strict=True):
            counted[i] = length
    return counted


def _special_tokens(tokenizer: Any) -> list[int]:
    found = (getattr(tokenizer, f"{role}_id", None) for role in ROLES)
    return [one for one in found if isinstance(one, int)]
