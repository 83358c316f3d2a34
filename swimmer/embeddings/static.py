"""The embedded model: one vector per token, summed and normalised, through numpy and tokenizers.

The folder it reads is also a folder of ``model2vec`` and of ``sentence-transformers``, and their
vectors are equal to these. Nothing heavy is imported before the first model is made.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
from array import array
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from swimmer.embeddings.word_pieces import WordPieces
from swimmer.errors import ModelError, UnreadableQueryError

if TYPE_CHECKING:
    from threading import Event

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ids = NDArray[np.int64]

MAX_CHARACTERS = 20_000
PACKAGED_MODEL = Path(__file__).parent.parent / "models" / "static"
_REINSTALL = "install swimmer again, or give a folder with a whole static model"
CONFIG_FILE, WEIGHTS_FILE, TOKENIZER_FILE = "config.json", "model.safetensors", "tokenizer.json"

TITLE_SHARE = 0.35
"""What the title counts for in the vector of a paper; the abstract counts for the rest."""

REPETITION = 0.5
"""How much less a token of the abstract counts, the nearer it is to the paper as a whole."""

_BLOCK = 1024
_CACHED_WORDS = 200_000
# In ASCII the tokenizer splits at everything but letters and digits, and punctuation has no
# weight: a table does both, and lower case, at a tenth of its cost. Controls vanish, as they do
# there.
_SPACED = bytes(ord(chr(c).lower()) if c < 128 and chr(c).isalnum() else 32 for c in range(256))
_CONTROLS = bytes(c for c in (*range(32), 127) if chr(c) not in "\t\n\r")
_SPACES = re.compile("[ \\t\\n\\r]+")


class StaticEmbeddings:
    """Static embeddings with LangChain's ``Embeddings`` methods, without torch.

    ``folder`` holds ``model.safetensors``, ``tokenizer.json`` and ``config.json``; None means the
    model that swimmer ships. ``dimension`` is the length of a vector, ``revision`` twelve
    hexadecimal digits of the content of weights and tokenizer. Raises ``ModelError`` that names
    the file when one is missing, truncated or not the one that the configuration describes.
    """

    paper_text = "title_abstract_apart"
    """How a paper becomes text for this kind of model, a key of `RECIPES`."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = PACKAGED_MODEL if folder is None else Path(folder)
        from concurrent.futures import ThreadPoolExecutor
        from threading import Event

        config = _read_config(self.folder)
        self._description = _read(self.folder / TOKENIZER_FILE)
        read = _verified(self.folder / TOKENIZER_FILE, self._description, config)
        # The digest of the weights takes a core of its own; but it has to begin first, since no
        # other thread does while JSON is parsed.
        begun = Event()
        with ThreadPoolExecutor(1) as thread:
            weights = thread.submit(_weights_digest, self.folder / WEIGHTS_FILE, config, begun)
            begun.wait()
            try:
                self._rows, self._weights = _read_weights(self.folder / WEIGHTS_FILE)
                self._silent = frozenset((self._weights == 0).nonzero()[0].tolist())
                self._word_pieces = _word_pieces(
                    self.folder / TOKENIZER_FILE,
                    self._description,
                    self._silent,
                    # What swimmer ships has been looked through before.
                    known=folder is None,
                )
            finally:
                # Whatever else is wrong with damaged weights, that they are damaged is said.
                self.revision = _revision(weights.result(), read)
        self.dimension = int(self._rows.shape[1])
        tokens = len(self._word_pieces) or self._tokenizer.get_vocab_size()
        if tokens != len(self._rows):
            raise ModelError(
                f"{self.folder / WEIGHTS_FILE} has {len(self._rows)} rows, but {TOKENIZER_FILE} "
                f"beside it has {tokens} tokens",
                hint=_REINSTALL,
            )
        self._ascii_words = bool(config.get("ascii_words"))
        self._table: dict[bytes | str, bytes] = {}

    @functools.cached_property
    def _tokenizer(self) -> Any:
        # For what is no plain word; most queries need none.
        from tokenizers import Tokenizer

        try:
            return Tokenizer.from_buffer(self._description)
        except Exception as error:  # noqa: BLE001 (the package raises nothing narrower)
            raise ModelError(
                f"{self.folder / TOKENIZER_FILE} is not a tokenizer: {error!s:.200}",
                hint=_REINSTALL,
            ) from None

    def __repr__(self) -> str:
        return f"StaticEmbeddings({str(self.folder)!r}, revision={self.revision!r})"

    def embed(
        self, texts: Sequence[str], *, on_unknown: Literal["raise", "zero"] = "raise"
    ) -> Floats:
        """Embed texts, of each the first 20,000 characters.

        Returns float32 (n, dimension) with rows of unit length. A text without one known token
        raises ``UnreadableQueryError``, or gives a row of zeros with ``on_unknown="zero"``.
        """
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for first in range(0, len(texts), _BLOCK):
            block = texts[first : first + _BLOCK]
            ids = self._token_ids(block)
            if on_unknown == "raise" and not all(ids):
                raise _nothing_known(block[ids.index(b"")])
            for vector, row in zip(vectors[first:], ids, strict=False):
                tokens = np.frombuffer(row, np.int32)
                np.dot(self._weights[tokens], self._rows[tokens].astype(np.float32), out=vector)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
        return vectors

    def embed_papers(self, texts: Sequence[str]) -> Floats:
        """Embed papers: the first line of each text is the title, the rest the abstract.

        The two are embedded apart, as unit vectors T and A, and their sum is the paper's vector
        v = unit(TITLE_SHARE T + (1 - TITLE_SHARE) A). A is then made once more with each token
        weighted by exp(-REPETITION cos(token, v)): what all of an abstract says again and again
        stands for less, what it says besides for more. A text of one line is embedded as `embed`
        does it. Returns float32 (n, dimension) with rows of unit length, or of zeros for a text
        without one known token.
        """
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), np.float32)
        space = _Space(self._rows)
        for first in range(0, len(texts), _BLOCK):
            block = texts[first : first + _BLOCK]
            if not any("\n" in text for text in block):
                vectors[first : first + len(block)] = self.embed(block, on_unknown="zero")
                continue
            parts = [text[:MAX_CHARACTERS].partition("\n") for text in block]
            titles = self._token_ids([title for title, _, _ in parts])
            abstracts = self._token_ids([abstract for _, _, abstract in parts])
            for vector, title, abstract in zip(vectors[first:], titles, abstracts, strict=False):
                if title:
                    tokens = np.frombuffer(title, np.int32)
                    head = _unit(self._weights.take(tokens) @ space.filled(tokens))
                    np.multiply(head, TITLE_SHARE / (1 - TITLE_SHARE), out=vector)
                if abstract:
                    self._add_abstract(vector, np.frombuffer(abstract, np.int32), space)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
        return vectors

    def _add_abstract(self, vector: Floats, tokens: NDArray[np.int32], space: _Space) -> None:
        """Add the unit vector of an abstract to that of its title, its tokens weighted by both."""
        import numpy as np

        rows, weights = space.filled(tokens), self._weights.take(tokens)
        whole = vector + _unit(weights @ rows)
        scale = np.float32(-REPETITION / max(math.sqrt(whole @ whole), 1e-30))
        weights *= np.exp((rows @ whole) * self._inverse_lengths.take(tokens) * scale)
        vector += _unit(weights @ rows)

    @functools.cached_property
    def _inverse_lengths(self) -> Floats:
        """One over the length of each token's row, float32 (tokens,)."""
        import numpy as np

        lengths = np.empty(len(self._rows), np.float32)
        # In blocks: as float32, all rows together are four times the model.
        for start in range(0, len(lengths), 4096):
            block = self._rows[start : start + 4096].astype(np.float32)
            lengths[start : start + 4096] = np.sqrt(np.einsum("ij,ij->i", block, block))
        inverse: Floats = 1 / np.maximum(lengths, np.float32(1e-30))
        return inverse

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed documents: a list of floats each; raises ``UnreadableQueryError``."""
        return cast("list[list[float]]", self.embed(texts).tolist())

    def embed_query(self, text: str) -> list[float]:
        """Embed one query as a list of ``dimension`` floats; raises ``UnreadableQueryError``."""
        return cast("list[float]", self.embed([text])[0].tolist())

    @property
    def rows(self) -> NDArray[Any]:
        """The vector of each token, int8 or float (tokens, dimension), before its weight."""
        return cast("NDArray[Any]", self._rows)

    @property
    def weights(self) -> Floats:
        """The weight of each token, float32 (tokens,); tokens of weight 0 say nothing."""
        return self._weights

    @property
    def vocabulary(self) -> list[str]:
        """The text of each token, by its number; a piece inside a word begins with `##`."""
        return self._word_pieces.texts()

    @property
    def longest_word(self) -> int:
        """The characters of the longest word that is split into pieces; a longer one is unknown."""
        return self._word_pieces.longest_word

    def token_ids(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """Return the numbers of the tokens of each text that say something, in order."""
        import numpy as np

        return [np.frombuffer(row, np.int32) for row in self._token_ids(texts)]

    def known_tokens(self, text: str) -> int:
        """Count the tokens of ``text`` that the model has a vector for."""
        return len(self._token_ids([text])[0]) // array("i").itemsize

    def _token_ids(self, texts: Sequence[str]) -> list[bytes]:
        """Ids of the known tokens of each text, as the bytes of int32: joined at C's speed."""
        if not self._ascii_words:
            return self._encode([_without_surrogates(text[:MAX_CHARACTERS]) for text in texts])
        rows = [_words(text[:MAX_CHARACTERS]) for text in texts]
        if len(self._table) > _CACHED_WORDS:
            self._table = {}
        table = self._table
        new = list(set(chain.from_iterable(rows)) - table.keys())
        known = self._word_pieces.of(word for word in new if isinstance(word, bytes))
        table.update(known)
        new = [word for word in new if word not in known]
        if new:
            table.update(zip(new, self._encode([_text(word) for word in new]), strict=True))
        return [b"".join(map(table.__getitem__, words)) for words in rows]

    def _encode(self, texts: list[str]) -> list[bytes]:
        """Ids of the known tokens of each text, by the tokenizer itself."""
        silent = self._silent
        return [
            array("i", [token for token in encoding.ids if token not in silent]).tobytes()
            for encoding in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        ]


class _Space:
    """Memory for the rows of a text's tokens: making it anew costs three times the copy."""

    def __init__(self, rows: NDArray[Any]) -> None:
        self._rows = rows
        self._make(512)

    def _make(self, tokens: int) -> None:
        import numpy as np

        shape = (tokens, self._rows.shape[1])
        self._raw, self._floats = np.empty(shape, self._rows.dtype), np.empty(shape, np.float32)

    def filled(self, tokens: NDArray[np.int32]) -> Floats:
        """Return the rows of tokens, float32 (tokens, dimension), until the next call."""
        count = len(tokens)
        if count > len(self._raw):
            self._make(count)
        raw, floats = self._raw[:count], self._floats[:count]
        self._rows.take(tokens, 0, raw, "clip")
        floats[...] = raw
        return floats


def _unit(vector: Floats) -> Floats:
    """Return a vector at unit length; zeros stay zeros."""
    vector /= max(math.sqrt(vector @ vector), 1e-30)
    return vector


def file_digest(path: Path) -> str:
    """BLAKE2b of a file in hexadecimal; raises ``ModelError`` that names it if unreadable."""
    return _digest(_read(path))


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=32).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path} of the static model cannot be read: {error}", hint=_REINSTALL
        ) from error


def _parsed(path: Path, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{path} of the static model cannot be read: {error}", hint=_REINSTALL
        ) from error


def _word_pieces(path: Path, content: bytes, silent: frozenset[int], *, known: bool) -> WordPieces:
    if known:
        return WordPieces.of_file(content, silent)
    description = _parsed(path, content)
    try:
        return WordPieces(description, silent)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError(f"{path} is not a tokenizer: {error!s:.200}", hint=_REINSTALL) from None


def _read_config(folder: Path) -> dict[str, Any]:
    """The model's configuration; raises ``ModelError`` if it is not one of a static model."""
    path = folder / CONFIG_FILE
    config = _parsed(path, _read(path))
    if not isinstance(config, dict) or not isinstance(config.get("blake2b"), dict):
        raise ModelError(
            f"{path} does not describe a static model of swimmer (no blake2b)", hint=_REINSTALL
        )
    return config


def _verified(path: Path, content: bytes, config: dict[str, Any]) -> str:
    """Compare a file with its digest in the configuration; return the digest."""
    met, expected = _digest(content), config["blake2b"].get(path.name)
    if met != expected:
        raise ModelError(
            f"{path} is damaged: its BLAKE2b is {met}, but {CONFIG_FILE} beside it says {expected}",
            hint=_REINSTALL,
        )
    return met


def _weights_digest(path: Path, config: dict[str, Any], begun: Event) -> str:
    """Return the verified digest of the weights; `begun` is set once they have been read."""
    try:
        content = _read(path)
    finally:
        begun.set()
    return _verified(path, content, config)


def _revision(*digests: str) -> str:
    """Return the short joint digest of the files of a model."""
    joint = hashlib.sha256()
    for digest in digests:
        joint.update(digest.encode())
    return joint.hexdigest()[:12]


def _read_weights(path: Path) -> tuple[Any, Floats]:
    """Token rows (tokens, dimension), int8 or float, and the weight of each token, float32."""
    import numpy as np
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as tensors:
            rows, weights = tensors.get_tensor("embeddings"), tensors.get_tensor("weights")
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path} does not hold a static model: {error}", hint=_REINSTALL
        ) from error
    if rows.ndim != 2 or weights.shape != rows.shape[:1] or not np.isfinite(weights).all():
        raise ModelError(
            f"{path} does not hold a static model: {rows.shape}, {weights.shape}", hint=_REINSTALL
        )
    return rows, weights.astype(np.float32)


def _words(text: str) -> list[bytes | str]:
    """Split a text where the tokenizer does: ASCII words as bytes, other runs as they stand.

    Runs between spaces do not change each other's tokens, so each is looked up by itself.
    """
    if text.isascii():
        return [*text.encode().translate(_SPACED, _CONTROLS).split()]
    runs = _SPACES.split(text)
    words = " ".join([run for run in runs if run.isascii()]).encode()
    other = [run for run in runs if not run.isascii()]
    return [*words.translate(_SPACED, _CONTROLS).split(), *other]


def _text(word: bytes | str) -> str:
    """A word or run of ``_words`` as the tokenizer takes it."""
    return word.decode() if isinstance(word, bytes) else _without_surrogates(word)


def _without_surrogates(text: str) -> str:
    """``text`` with surrogate pairs joined and lone surrogates replaced; the tokenizer needs it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _nothing_known(text: str) -> UnreadableQueryError:
    shown = text if len(text) <= 60 else text[:60] + "…"
    return UnreadableQueryError(
        f"the static model knows no word of {shown!r}: it reads English and the words of "
        "machine-learning papers",
        hint="write the query in English, or build the store with another model",
    )
