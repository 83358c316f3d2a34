"""The pieces of plain words, as a WordPiece tokenizer gives them, without asking it for each.

Greedy longest match first (Schuster and Nakajima, 2012; Devlin et al., 2019). The package
`tokenizers` takes twice as long to read its file, and five times as long for the words of a batch.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping, Set
from typing import Any

_FEW = 12
"""Words that are looked up in the file itself: to read its vocabulary takes as long as sixty."""

_VOCABULARY, _END = b'"vocab":{', b"}}}"


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
        self._silent = silent
        self._file = self._unread = b""
        self._take(description)

    @classmethod
    def of_file(cls, content: bytes, silent: Set[int]) -> WordPieces:
        """Return the pieces of a tokenizer's file, whose vocabulary is read once many words come.

        Args:
            content: the file, of which is known that its ids are the numbers from 0 on, in order.
            silent: ids of the tokens that are left out of all results.
        """
        start = content.find(_VOCABULARY) + len(_VOCABULARY)
        if start >= len(_VOCABULARY) and content.endswith(_END):
            pieces = cls(json.loads(content[:start] + _END), silent)
            if pieces._is_plain:
                pieces._file, pieces._unread = content, content[start - 1 : 1 - len(_END)]
                return pieces
        return cls(json.loads(content), silent)

    def _take(self, description: Mapping[str, Any]) -> None:
        model = description["model"]
        vocabulary: dict[str, int] = {}
        self._is_plain = model.get("type") == "WordPiece" and not description.get("added_tokens")
        if self._is_plain:
            vocabulary = model["vocab"]
            numbers = array("i", vocabulary.values())
            if numbers and not 0 <= min(numbers) <= max(numbers) < len(numbers):
                raise ValueError("its ids are not the numbers from 0 on")
            self._longest_word = int(model["max_input_chars_per_word"])
            self._prefix = str(model["continuing_subword_prefix"])
            self._unknown = vocabulary.get(model["unk_token"])
        self._vocabulary = vocabulary

    def _read(self) -> None:
        """Read the vocabulary, if that has not been done.

        Several threads may do so at once, while others look words up: what is unread is taken
        once by each.
        """
        if content := self._file:
            self._take(json.loads(content))
            self._file = self._unread = b""

    def __len__(self) -> int:
        """Return the number of tokens; 0 where only the tokenizer itself knows."""
        if unread := self._unread:
            return int(unread.rpartition(b":")[2][:-1]) + 1
        return len(self._vocabulary)

    @property
    def longest_word(self) -> int:
        """The characters of the longest word that is split."""
        return self._longest_word if len(self) else 0

    def texts(self) -> list[str]:
        """Return the text of each token, by its number."""
        self._read()
        return sorted(self._vocabulary, key=self._vocabulary.__getitem__)

    def _few(self, words: list[bytes]) -> dict[bytes | str, bytes] | None:
        """Return the ids of a few words that are tokens, None if one of them is none."""
        found = dict[bytes | str, bytes]()
        for word in words:
            number = self._number_of(word) if len(word) <= self._longest_word else None
            if number is None:
                return None
            found[word] = array("i", [n for n in (number,) if n not in self._silent]).tobytes()
        return found

    def _number_of(self, token: bytes) -> int | None:
        """Return the id of a token of letters and digits in the unread vocabulary."""
        unread, key, place = self._unread, b'"%s":' % token, 0
        while (place := unread.find(key, place)) > 0:
            place += len(key)
            # Inside another token, a quotation mark has a backslash before it.
            if unread[place - len(key) - 1] in b"{,":
                digits = unread[place : place + 12]
                return int(digits.partition(b",")[0].partition(b"}")[0])
        return None

    def of(self, words: Iterable[bytes]) -> dict[bytes | str, bytes]:
        """Return the ids of words of lower-case ASCII letters and digits, as bytes of int32.

        Nothing where only the tokenizer itself knows.
        """
        if self._unread:
            words = [*words]
            if len(words) <= _FEW and (few := self._few(words)) is not None:
                return few
            self._read()
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
