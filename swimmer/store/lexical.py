"""Words that papers share: counts of each paper's words, and the TF-IDF cosine of two papers.

A word is known by a number of 18 bits, so that no vocabulary has to be kept or brought up to date;
of two papers' words about one in two thousand is taken for another. In place of words, a store may
keep the weights that its model gives the tokens of each paper.
"""

from __future__ import annotations

import base64
import itertools
import re
import threading
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from swimmer.embeddings import MOST_TOKENS, SAME_MODEL
from swimmer.text import fold, singular

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.embeddings import TokenWeights
    from swimmer.store.index import Vectors

    Packed = NDArray[np.uint32]

TITLE_TIMES = 3
"""How often the words of a title count, against those of an abstract."""

LIMIT = 20_000
"""Characters of an abstract whose words are counted."""

_SIZE = MOST_TOKENS
_BITS = _SIZE.bit_length() - 1
_MOST = (1 << (32 - _BITS)) - 1
_NO_WORD, _ENDS = -1, -2
_END = b"\0"
_CACHED = 500_000

_SPACED = bytes(ord(chr(c).lower()) if c < 128 and chr(c).isalnum() else 32 for c in range(256))
_MARKS = re.compile("[\u0300-\u036f]+")
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)")
_COMMON = frozenset(
    "about above after again against all also am an and any are as at be because been before "
    "being below between both but by can cannot could did do does doing down during each few for "
    "from further had has have having he her here hers him his how however if in into is it its "
    "itself just let me more most my no nor not of off on once only or other our out over own "
    "same she should so some such than that the their them then there these they this those "
    "through thus to too under until up upon use used using very via was we were what when where "
    "which while who whom why will with within without would yet you your".split()
)


@dataclass(frozen=True)
class WordVector:
    """A text as a vector: the numbers of its words, and the weight of each, of unit length."""

    words: NDArray[np.int64]
    weights: Vectors


class LexicalIndex:
    """Which words are rare in a store, and from that how near two texts are by their words.

    The nearness is the cosine of TF-IDF vectors: (1 + ln count) x (1 + ln((1 + papers) / (1 +
    papers that have the word))), as in scikit-learn's `TfidfVectorizer(sublinear_tf=True)`.

    Args:
        papers: how many papers the store has.
        counts: what `count_papers` gives.

    Raises:
        ValueError: the counts are not what `count_papers` gives.
    """

    def __init__(self, papers: int, counts: bytes) -> None:
        words, in_papers = np.frombuffer(counts, "<u4").reshape(2, -1)
        if papers < 0 or (len(words) and int(words.max()) >= _SIZE):
            raise ValueError("a number is negative, or too large for a word")
        total = np.float32(np.log(1 + papers) + 1)
        # A word that is in no other paper is as rare as one that is in no paper.
        self._rarity = np.full(_SIZE, total - np.float32(np.log(2)), np.float32)
        self._rarity[words] = total - np.log(1 + in_papers.astype(np.float32))
        self._threads = threading.local()

    def vector(self, wanted: Sequence[bytes], unwanted: Sequence[bytes] = ()) -> WordVector:
        """Return the vector of what is asked for, from packed words.

        Args:
            wanted: the words of each text that is asked for.
            unwanted: those of texts that are not to be like the answer; each counts half.
        """
        words, weights = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        for texts, sign in ((wanted, 1.0), (unwanted, -0.5)):
            for packed in texts:
                numbers, values = self.weighted(np.frombuffer(packed, "<u4"))
                words.append(numbers)
                weights.append(_unit(values) * np.float32(sign / len(texts)))
        if len(words) == 2:
            return WordVector(words[1], weights[1])
        numbers, places = np.unique(np.concatenate(words), return_inverse=True)
        summed = np.bincount(places, np.concatenate(weights), len(numbers))
        return WordVector(numbers, _unit(summed.astype(np.float32)))

    def scores(self, query: WordVector, rows: Sequence[bytes]) -> Vectors:
        """Return the cosine of a query with each of some rows of packed words: float32 (n,)."""
        sizes = np.fromiter(map(len, rows), np.int64, len(rows)) // 4
        out = np.zeros(len(rows), np.float32)
        filled = np.flatnonzero(sizes)
        if len(filled):
            words, weights = self.weighted(np.frombuffer(b"".join(rows), "<u4"))
            # A row without words would be given the sum of the next one.
            starts = (np.cumsum(sizes) - sizes)[filled]
            spread = self._spread()
            spread[query.words] = query.weights
            dots = np.add.reduceat(weights * spread[words], starts)
            spread[query.words] = 0
            out[filled] = dots / np.sqrt(np.add.reduceat(weights * weights, starts))
        return out

    def weighted(self, packed: Packed) -> tuple[NDArray[np.int64], Vectors]:
        """Return the numbers of packed words, and the TF-IDF weight of each, not of unit length."""
        words = (packed >> np.uint32(32 - _BITS)).astype(np.int64)
        return words, _SUBLINEAR[packed & np.uint32(_MOST)] * self._rarity[words]

    def _spread(self) -> Vectors:
        """Return zeros for every word, float32, that each thread uses again and again."""
        if not hasattr(self._threads, "spread"):
            self._threads.spread = np.zeros(_SIZE, np.float32)
        spread: Vectors = self._threads.spread
        return spread


class TokenIndex(LexicalIndex):
    """How near two texts are by the weights that a model gives their tokens.

    The nearness is the cosine of these weights. A token takes the place of a word, and has its
    weight with it: nothing depends on the other papers.
    """

    def __init__(self) -> None:
        self._threads = threading.local()

    def weighted(self, packed: Packed) -> tuple[NDArray[np.int64], Vectors]:
        """Return the tokens of packed weights, and the weight of each."""
        tokens = (packed >> np.uint32(32 - _BITS)).astype(np.int64)
        return tokens, _FLOATS[packed & np.uint32(_MOST)]


class LexicalPairs:
    """The words of all papers, prepared so that papers are scored against each other.

    Args:
        index: which words are rare.
        rows: the packed words of each paper.
    """

    def __init__(self, index: LexicalIndex, rows: Sequence[bytes]) -> None:
        self._sizes = np.fromiter(map(len, rows), np.int64, len(rows)) // 4
        ends = np.cumsum(self._sizes).tolist()
        words, weights = index.weighted(np.frombuffer(b"".join(rows), "<u4"))
        # Numbered anew without gaps, they stay in the processor's cache.
        known, words = np.unique(words, return_inverse=True)
        self._spread = np.zeros(len(known), np.float32)
        bounds = [*itertools.pairwise([0, *ends])]
        self._words = [words[start:end].tobytes() for start, end in bounds]
        self._weights = [weights[start:end].tobytes() for start, end in bounds]
        self._products = np.empty(0, np.float32)
        squares = weights * weights
        self._lengths = np.ones(len(rows), np.float32)
        filled = np.flatnonzero(self._sizes)
        if len(filled):
            starts = (np.cumsum(self._sizes) - self._sizes)[filled]
            self._lengths[filled] = np.sqrt(np.add.reduceat(squares, starts))

    def has_words(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether each of some papers has words: (n,)."""
        found: NDArray[np.bool_] = self._sizes[rows] > 0
        return found

    def scores(self, row: int, others: NDArray[np.int64]) -> Vectors:
        """Return the cosine of one paper's words with those of others: float32 (n,).

        To the last digit what `LexicalIndex.scores` gives. Not for several threads.
        """
        out = np.zeros(len(others), np.float32)
        sizes = self._sizes[others]
        worded = sizes > 0
        if not worded.all():
            others, sizes = others[worded], sizes[worded]
        own = np.frombuffer(self._words[row], np.int64)
        if not len(own) or not len(others):
            return out
        ends = np.cumsum(sizes)
        if ends[-1] > len(self._products):
            self._products = np.empty(2 * ends[-1], np.float32)
        products = self._products[: ends[-1]]
        numbers = others.tolist()
        words = np.frombuffer(b"".join([self._words[i] for i in numbers]), np.int64)
        self._spread[own] = _unit(np.frombuffer(self._weights[row], np.float32))
        self._spread.take(words, None, products, "clip")
        self._spread[own] = 0
        products *= np.frombuffer(b"".join([self._weights[i] for i in numbers]), np.float32)
        out[worded] = np.add.reduceat(products, ends - sizes) / self._lengths[others]
        return out


def _unit(weights: Vectors) -> Vectors:
    unit: Vectors = weights / np.float32(max(float(np.sqrt(weights @ weights)), 1e-30))
    return unit


_SUBLINEAR = (1 + np.log(np.maximum(np.arange(_MOST + 1), 1))).astype(np.float32)


# A weight is a float16 without its sign, which is never set, and without its last bit.
_FLOATS = (np.arange(_MOST + 1, dtype=np.uint16) << 1).view(np.float16).astype(np.float32)
_FLOATS[~np.isfinite(_FLOATS)] = 0
_LARGEST = float(_FLOATS.max())


def pack_tokens(texts: Sequence[TokenWeights]) -> list[bytes]:
    """Return what the tokens of texts count for, as the bytes of uint32, ascending.

    A token's number above 14 bits of its weight: 5 of an exponent and 9 of a fraction, so that a
    weight is kept to a thousandth of itself.
    """
    packed = []
    for one in texts:
        halves = np.minimum(one.weights, _LARGEST).astype(np.float16).view(np.uint16)
        weights = (halves + np.uint16(1)) >> np.uint16(1)
        kept = weights > 0
        tokens = one.tokens[kept].astype(np.uint32) << np.uint32(32 - _BITS)
        packed.append((tokens | weights[kept]).astype("<u4").tobytes())
    return packed


def probes_of(weights: Sequence[TokenWeights]) -> str:
    """Return the weights of a model's probes as a manifest keeps them, so that it is recognised."""
    return " ".join(base64.b64encode(one).decode() for one in pack_tokens(weights))


def same_weights(kept: str, weights: Sequence[TokenWeights]) -> bool:
    """Return whether a model gives the weights by which a manifest recognises one."""
    try:
        before = [base64.b64decode(one, validate=True) for one in kept.split(" ")]
        index = TokenIndex()
        return len(before) == len(weights) and all(
            (old == new == b"") or float(index.scores(index.vector([old]), [new])[0]) >= SAME_MODEL
            for old, new in zip(before, pack_tokens(weights), strict=True)
        )
    except ValueError:
        return False


def pack_words(texts: Sequence[tuple[str, str]]) -> list[bytes]:
    """Return the counted words of texts, each a title and an abstract (or "").

    As the bytes of uint32, ascending: a word's number above 14 bits of its count.
    """
    pieces: list[bytes | str] = [_END]
    for title, abstract in texts:
        pieces += _words(title) * TITLE_TIMES
        pieces += _words(abstract[:LIMIT])
        pieces.append(_END)
    numbers = np.fromiter(map(_NUMBERS.__getitem__, pieces), np.int64, len(pieces))
    owners = np.cumsum(numbers == _ENDS) - 1
    return pack_numbers(owners, numbers, len(texts))


def pack_numbers(owners: NDArray[np.int64], numbers: NDArray[np.int64], texts: int) -> list[bytes]:
    """Return what `pack_words` does, of words that are numbered already.

    Args:
        owners: for each word the text that it stands in.
        numbers: for each word what `word_number` gives.
        texts: how many texts there are.
    """
    known = numbers >= 0
    keys = np.sort((owners[known] << _BITS) | numbers[known])
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.minimum(np.diff(first, append=len(keys)), _MOST)
    keys = keys[first]
    packed = (((keys & (_SIZE - 1)) << (32 - _BITS)) | counts).astype("<u4").tobytes()
    ends = (4 * np.searchsorted(keys >> _BITS, np.arange(texts + 1))).tolist()
    return [packed[start:end] for start, end in itertools.pairwise(ends)]


def word_number(word: bytes | str) -> int:
    """Return the number of a word, bytes where it is ASCII; below 0 for one that does not count."""
    return _NUMBERS[word]


def pack_query(text: str) -> bytes:
    """Return the counted words of a text that somebody asks with."""
    return pack_queries([text])[0]


def pack_queries(texts: Sequence[str]) -> list[bytes]:
    """Return the counted words of each text that somebody asks with."""
    return pack_words([(fold(text[:LIMIT]), "") for text in texts])


def count_papers(rows: Sequence[bytes]) -> bytes:
    """Return in how many packed rows each word stands: words of two rows or more, then counts.

    As the bytes of uint32.
    """
    words = np.frombuffer(b"".join(rows), "<u4") >> np.uint32(32 - _BITS)
    counts = np.bincount(words, minlength=_SIZE)
    several = np.flatnonzero(counts > 1)
    return np.concatenate([several, counts[several]]).astype("<u4").tobytes()


def ascii_words(text: str) -> list[bytes]:
    """Return the words of an ASCII text in lower case, runs of letters and digits."""
    return text.encode().translate(_SPACED).split()


def ascii_runs(text: str) -> tuple[str, str]:
    """Return what is ASCII of a text, and what is not: runs between spaces, each in its order."""
    if text.isascii():
        return text, ""
    runs = text.split()
    plain = " ".join([run for run in runs if run.isascii()])
    return plain, " ".join([run for run in runs if not run.isascii()])


def _words(text: str) -> list[bytes | str]:
    plain, other = ascii_runs(text)
    return [*ascii_words(plain), *other_words(other)]


def other_words(text: str) -> list[bytes | str]:
    """Return the words of a text that is not ASCII, in lower case and without accents."""
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text).casefold())
    if not _UNSPACED.search(text):
        return [*_WORD.findall(text)]
    # Scripts without spaces: each two neighbouring characters stand for a word.
    words: list[bytes | str] = []
    for i, run in enumerate(_UNSPACED.split(text)):
        words += (
            [run[j : j + 2] for j in range(max(1, len(run) - 1))] if i % 2 else _WORD.findall(run)
        )
    return words


class _Numbers(dict[bytes | str, int]):
    """The number of each word that was met; stop words and single letters have none."""

    def __missing__(self, word: bytes | str) -> int:
        if len(self) > _CACHED:
            self.clear()
            self[_END] = _ENDS
        plain = word.decode() if isinstance(word, bytes) else word
        if len(plain.encode()) < 2 or plain in _COMMON:
            number = _NO_WORD
        else:
            # Only a word that ends in s has another singular, and what is ASCII is lower case here.
            if word is plain or plain.endswith("s"):
                plain = singular(plain)
            number = zlib.crc32(plain.encode()) >> (32 - _BITS)
        self[word] = number
        return number


_NUMBERS = _Numbers({_END: _ENDS})
