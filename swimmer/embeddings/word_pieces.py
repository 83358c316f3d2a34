"""The pieces of plain words, as a WordPiece tokenizer gives them, without asking it for each.

Greedy longest match first (Schuster and Nakajima, 2012; Devlin et al., 2019): a tokenizer spends
five times as long on what surrounds the words of a batch.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Set
from typing import Any


class WordPieces:
    """The vocabulary of a tokenizer, ready to be matched.

    Args:
        tokenizer: a `tokenizers.Tokenizer`.
        silent: ids of the tokens that are left out of all results.
    """

    def __init__(self, tokenizer: Any, silent: Set[int]) -> None:
        model = tokenizer.model
        self._vocabulary: dict[str, int] = {}
        if type(model).__name__ == "WordPiece" and not tokenizer.get_added_tokens_decoder():
            self._vocabulary = tokenizer.get_vocab(with_added_tokens=False)
            self._longest_word = int(model.max_input_chars_per_word)
            self._prefix = str(model.continuing_subword_prefix)
            self._unknown = self._vocabulary.get(model.unk_token)
        self._silent = silent

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
