"""The pieces of plain words, as a WordPiece tokenizer gives them, without asking it for each.

Greedy longest match first (Schuster and Nakajima, 2012; Devlin et al., 2019). The package
`tokenizers` takes twice as long to read its file, and five times as long for the words of a batch.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Set
from typing import Any


class WordPieces:
    """The vocabulary of a tokenizer, ready to be matched.

    Args:
        description: what the file of a tokenizer (`tokenizer.json`) holds.
        silent: ids of the tokens that are left out of all results.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, OverflowError: it is no description of a
            tokenizer, or ids are not the numbers from 0 on.
    """

    def __init__(self, description: Mapping[str, Any], silent: Set[int]) -> None:
        model = description["model"]
        self._vocabulary: dict[str, int] = {}
        if model.get("type") == "WordPiece" and not description.get("added_tokens"):
            self._vocabulary = model["vocab"]
            numbers = array("i", self._vocabulary.values())
            if numbers and not 0 <= min(numbers) <= max(numbers) < len(numbers):
                raise ValueError("its ids are not the numbers from 0 on")
            self._longest_word = int(model["max_input_chars_per_word"])
            self._prefix = str(model["continuing_subword_prefix"])
            self._unknown = self._vocabulary.get(model["unk_token"])
        self._silent = silent

    def __len__(self) -> int:
        """Return the number of tokens; 0 where only the tokenizer itself knows."""
        return len(self._vocabulary)

    @property
    def longest_word(self) -> int:
        """The characters of the longest word that is split."""
        return self._longest_word if self._vocabulary else 0

    def texts(self) -> list[str]:
        """Return the text of each token, by its number."""
        return sorted(self._vocabulary, key=self._vocabulary.__getitem__)

    def of(self, words: Iterable[bytes]) -> dict[bytes | str, bytes]:
        """Return the ids of words of lower-case ASCII letters and digits, as bytes of int32.

        Nothing where only the tokenizer itself knows.
        """
        if not self._vocabulary or self._unknown is None:
            return {}
        unknown, silent, longest = self._unknown, self._silent, self._longest_word
        table, found = self._vocabulary, dict[bytes | str, bytes]()
        for word in words:
            text = word.decode()
            # Most words are one piece.
            whole = table.get(text) if len(text) <= longest else None
            numbers = self._numbers(text, unknown) if whole is None else (whole,)
            found[word] = array("i", [n for n in numbers if n not in silent]).tobytes()
        return found

    def _numbers(self, word: str, unknown: int) -> list[int]:
        table, size = self._vocabulary, len(word)
        if size > self._longest_word:
            return [unknown]
        pieces, start, prefix = [], 0, ""
        while start < size:
            for end in range(size, start, -1):
                found = table.get(prefix + word[start:end])
                if found is not None:
                    break
            else:
                return [unknown]
            pieces.append(found)
            start, prefix = end, self._prefix
        return pieces
