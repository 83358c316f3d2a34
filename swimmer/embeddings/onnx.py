"""Transformers through ONNX Runtime: the same vectors without torch.

ONNX files are those that model repositories publish; how a model reads text stands in the same
configuration files that sentence-transformers reads.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.embeddings.batches import COUNTED, in_batches, usable_cores
from swimmer.embeddings.identity import split_variant
from swimmer.embeddings.model import Model
from swimmer.embeddings.model_files import NAMED, Named, is_hub_id, own_folder, unknown_model
from swimmer.embeddings.onnx_files import find_onnx, read_limit, read_setting
from swimmer.embeddings.onnx_graph import AGAIN
from swimmer.embeddings.onnx_pooling import (
    Output,
    choose_output,
    choose_weights,
    pool,
    read_pooling,
    token_weights_of,
)
from swimmer.embeddings.onnx_session import Sessions, one_line, runtime_errors
from swimmer.embeddings.prompts import TOKEN_LIMIT, own_prompts
from swimmer.embeddings.token_weights import (
    NO_TOKENS,
    ROLES,
    Weighed,
    largest_weights,
    without_address,
)
from swimmer.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from swimmer.embeddings.model import Vectors

FEW = 8
"""Texts that are embedded together on all cores; more are cut into batches, a core to each."""

GPU_BATCH = 64
"""Texts in a batch on a GPU."""

LONGEST_TOKEN = 64
"""Characters of a text that are read for each token it may have."""

_INPUTS = ("input_ids", "attention_mask", "token_type_ids", "position_ids")


def load_onnx(
    name: str,
    *,
    device: str | None = None,
    revision: str = "",
    batch_size: int | None = None,
    max_tokens: int = TOKEN_LIMIT,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    named_by_store: bool = False,
) -> Model:
    """Return a model that ONNX Runtime computes: from its folder, the local cache, else the hub.

    Args:
        name: `bge-m3`, a Hugging Face id or the folder of a model, each also with the variant of
            its ONNX file: `bge-m3:fp16`, `bge-m3:int8`.
        device: `cpu` or `cuda`; the faster one there is by default.
        revision: branch, tag or commit on the hub; the newest by default.
        batch_size: texts in a batch; what suits the caches on a CPU, 64 on a GPU.
        max_tokens: where texts are cut, if the model does not cut them earlier.
        query_prompt: put before every query; the model's own by default.
        document_prompt: put before every document; the model's own by default.
        named_by_store: the name comes from a manifest, not from the user: no folder is looked for
            under a relative path, and the hub is asked without the user's token.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        ModelError: there is no such model or ONNX file, the hub cannot be reached, or the files
            cannot be used; the message says why, and what to do.
    """
    base, variant = split_variant(name)
    named = NAMED.get(base, Named(base))
    if not is_hub_id(named.id) and own_folder(named.id, named_by_store) is None:
        raise unknown_model(base)
    if importlib.util.find_spec("onnxruntime") is None:
        raise MissingExtraError(f"the model {name} with the back end onnx", "onnx")
    for value, what, least in ((max_tokens, "max_tokens", 8), (batch_size, "batch_size", 1)):
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and (not whole or value < least):
            raise ModelError(f"{what} is a whole number from {least}, got {value!r:.40}")
    files = find_onnx(named.id, revision, named_by_store, variant)
    config = read_setting(files.folder, "config_sentence_transformers.json")
    prompts = config.get("prompts")
    own = own_prompts(
        prompts if isinstance(prompts, dict) else {}, config.get("default_prompt_name"), named.id
    )
    embeddings = OnnxEmbeddings(
        files.folder,
        files.model,
        named.id,
        device=device,
        limit=min(max_tokens, read_limit(files.folder)),
        batch_size=batch_size,
        query_prompt=own[0] if query_prompt is None else query_prompt,
        document_prompt=own[1] if document_prompt is None else document_prompt,
    )
    suffix = f":{variant}" if variant not in ("", "fp32") else ""
    shown = base if files.commit or base in NAMED else str(files.folder)
    return Model(
        embeddings,
        shown + suffix,
        revision=files.commit,
        text=named.text,
        query_prompt=embeddings.query_prompt,
        document_prompt=embeddings.document_prompt,
        embed_array=embeddings.embed,
        embed_queries=partial(embeddings.embed, query=True),
        weigh=embeddings.weigh,
    )


class OnnxEmbeddings:
    """A transformer in an ONNX file, with LangChain's `Embeddings` methods.

    Args:
        folder: the model's folder, with `tokenizer.json` and its other settings.
        path: the ONNX file.
        name: the model's name, for messages.
        device: `cpu`, `cuda`, None for the faster one there is.
        limit: tokens of a text that are read.
        batch_size: texts in a batch.
        query_prompt: put before every query.
        document_prompt: put before every document.
    """

    def __init__(
        self,
        folder: Path,
        path: Path,
        name: str,
        *,
        device: str | None,
        limit: int,
        batch_size: int | None,
        query_prompt: str,
        document_prompt: str,
    ) -> None:
        self.name, self.limit, self.batch_size = name, limit, batch_size
        self.query_prompt, self.document_prompt = query_prompt, document_prompt
        self._pooling = read_pooling(folder, name)
        if (query_prompt or document_prompt) and not self._pooling.prompt_counts:
            raise ModelError(
                f"the model {name} leaves its prompts out of its pooling, which the back end onnx "
                "cannot do",
                hint='use --backend torch (pip install "swimmer[huggingface]")',
            )
        config = read_setting(folder, "config.json")
        fill = config.get("pad_token_id")
        self._fill = fill if isinstance(fill, int) else 0
        self._lower = read_setting(folder, "sentence_bert_config.json").get("do_lower_case") is True
        self._tokenizer = _read_tokenizer(folder, name, limit)
        self._special = [self._fill, *_special_tokens(folder, self._tokenizer)]
        self._path = path
        self._sessions = Sessions(path, device, usable_cores())
        self._plan: tuple[list[tuple[str, Any]], Output] | None = None

    def __repr__(self) -> str:
        return f"OnnxEmbeddings({self.name!r}, {self._path.name!r})"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return a vector of unit length for each text."""
        return _units(self.embed(texts)).tolist() if texts else []

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a query, of unit length."""
        found: list[float] = _units(self.embed([text], query=True))[0].tolist()
        return found

    def embed(self, texts: list[str], *, query: bool = False) -> Vectors:
        """Return the vectors of texts, float32 (n, dimension), of any length.

        Raises:
            ModelError: ONNX Runtime fails, or the file has no output or an input that is not
                known.
        """
        tokens = self._tokens(texts, query)
        session = self._session(len(texts))
        inputs, output = self._planned(session)

        def embed(rows: Any) -> Vectors:
            batch = _Batch([tokens[i] for i in rows], self._fill)
            (found,) = self._run(session, batch, inputs, [output.name])
            return pool(found, batch.mask, output.mode)

        return self._in_batches(tokens, embed)

    def weigh(self, texts: list[str], query: bool = False) -> Weighed:
        """Return the vectors of texts, and the weights of their tokens, of one pass.

        Raises:
            ModelError: the file has no output with weights, or as for `embed`.
        """
        tokens = self._tokens(texts, query)
        session = self._session(len(texts))
        inputs, output = self._planned(session)
        outputs = [(entry.name, entry.shape or []) for entry in session.get_outputs()]
        names = [output.name, choose_weights(outputs, str(self._path))]
        counted = [len(ids) for ids, _ in tokens]
        if not query:
            starts = [without_address(text) for text in texts]
            cut = [i for i, text in enumerate(texts) if starts[i] != text]
            for i, (ids, _) in zip(cut, self._tokens([starts[i] for i in cut], query), strict=True):
                # Less the token that ends a text.
                counted[i] = len(ids) - 1
        weights = [NO_TOKENS] * len(texts)

        def embed(rows: Any) -> Vectors:
            batch = _Batch([tokens[i] for i in rows], self._fill)
            found, given = self._run(session, batch, inputs, names)
            given = token_weights_of(given, batch.mask, str(self._path))
            largest = largest_weights(batch.ids, given, self._special, [counted[i] for i in rows])
            for i, one in zip(rows, largest, strict=True):
                weights[i] = one
            return pool(found, batch.mask, output.mode)

        return Weighed(self._in_batches(tokens, embed), weights)

    def _session(self, texts: int) -> Any:
        return self._sessions.few() if texts <= FEW else self._sessions.many()

    def _in_batches(
        self, tokens: list[tuple[Any, Any]], embed: Callable[[Any], Vectors]
    ) -> Vectors:
        if len(tokens) <= FEW:
            return embed(range(len(tokens)))
        on_gpu = self._sessions.on_gpu
        lengths = np.asarray([len(ids) for ids, _ in tokens])
        size = self.batch_size or (GPU_BATCH if on_gpu else None)
        return in_batches(lengths, embed, 1 if on_gpu else self._sessions.cores, size)

    def _tokens(self, texts: list[str], query: bool) -> list[tuple[Any, Any]]:
        """The ids of each text's tokens, and which of two texts each belongs to, int32."""
        prompt = self.query_prompt if query else self.document_prompt
        texts = [prompt + text.replace("\n", " ") for text in texts]
        if self._lower:
            texts = [text.lower() for text in texts]
        most = self.limit * LONGEST_TOKEN
        found = []
        for start in range(0, len(texts), COUNTED):
            part = [text[:most] for text in texts[start : start + COUNTED]]
            for read in self._tokenizer.encode_batch_fast(part):
                found.append((np.array(read.ids, np.int32), np.array(read.type_ids, np.int32)))
        return found

    def _planned(self, session: Any) -> tuple[list[tuple[str, Any]], Output]:
        """The inputs that a file wants, with their types, and the output that is read."""
        if self._plan is None:
            wanted = [(entry.name, entry.type) for entry in session.get_inputs()]
            unknown = [name for name, _ in wanted if name not in _INPUTS]
            if unknown or "input_ids" not in dict(wanted):
                raise ModelError(
                    f"{self._path}: wants the input {(unknown or ['input_ids?'])[0][:60]}, which "
                    f"is none of {', '.join(_INPUTS)}",
                    hint='use --backend torch (pip install "swimmer[huggingface]")',
                )
            inputs = [(n, np.int32 if kind == "tensor(int32)" else np.int64) for n, kind in wanted]
            outputs = [(entry.name, entry.shape or []) for entry in session.get_outputs()]
            self._plan = inputs, choose_output(outputs, self._pooling, str(self._path))
        return self._plan

    def _run(self, session: Any, batch: _Batch, inputs: list[Any], names: list[str]) -> list[Any]:
        feed = {name: batch.values(name).astype(kind, copy=False) for name, kind in inputs}
        try:
            found: list[Any] = session.run(names, feed)
        except runtime_errors() as error:
            raise ModelError(
                f"{self._path}: ONNX Runtime failed on texts of {batch.ids.shape[1]} tokens "
                f"({one_line(error)})",
                hint="give a smaller max_tokens or batch_size, or use --backend torch",
            ) from None
        return found


class _Batch:
    """Texts of tokens as arrays of one width, (texts, tokens) each."""

    ids: Any
    mask: Any

    def __init__(self, tokens: list[tuple[Any, Any]], fill: int) -> None:
        columns = np.arange(max(len(ids) for ids, _ in tokens))
        self.mask = columns < np.array([[len(ids)] for ids, _ in tokens])
        shape = self.mask.shape
        self.ids, self._types = np.full(shape, fill, np.int64), np.zeros(shape, np.int64)
        self.ids[self.mask] = np.concatenate([ids for ids, _ in tokens])
        self._types[self.mask] = np.concatenate([kinds for _, kinds in tokens])
        self._places = np.broadcast_to(columns, shape)

    def values(self, name: str) -> Any:
        """Return what an input of the model is given, by its name, one of _INPUTS."""
        return {
            "input_ids": self.ids,
            "attention_mask": self.mask,
            "token_type_ids": self._types,
            "position_ids": self._places,
        }[name]


def _special_tokens(folder: Path, tokenizer: Any) -> list[int]:
    """Return the tokens that stand for no text, by the names that a tokenizer's files give them."""
    named: dict[str, Any] = {}
    for file in ("special_tokens_map.json", "tokenizer_config.json"):
        named.update(read_setting(folder, file))
    found = []
    for role in ROLES:
        token = named.get(role)
        content = token.get("content") if isinstance(token, dict) else token
        if isinstance(content, str) and (number := tokenizer.token_to_id(content)) is not None:
            found.append(number)
    return found


def _read_tokenizer(folder: Path, name: str, limit: int) -> Any:
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    if not path.is_file():
        there = sorted(
            file.name
            for pattern in ("*.model", "vocab.*", "merges.txt")
            for file in folder.glob(pattern)
        )
        raise ModelError(
            f"the model {name[:300]} has no tokenizer.json in {folder}; of tokenizers it has "
            f"{', '.join(there) or 'none'}, which the back end onnx cannot read",
            hint="save one with transformers: AutoTokenizer.from_pretrained(MODEL).save_pretrained"
            "(FOLDER), or use --backend torch",
        )
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # noqa: BLE001  tokenizers raises nothing narrower
        raise ModelError(
            f"{path}: is not a tokenizer that can be read ({one_line(error)})",
            hint=f"{AGAIN}, or upgrade with: pip install -U tokenizers",
        ) from None
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)
    return tokenizer


def _units(vectors: Vectors) -> Vectors:
    units: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    return units
