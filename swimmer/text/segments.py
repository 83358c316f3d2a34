"""Text in scripts that put no spaces between words (Chinese, Japanese, Korean, Thai), segmented.

Each two neighbouring characters are a term, as in Lucene's CJKBigramFilter; words in other
scripts inside the text are terms of their own.
"""

from __future__ import annotations

import unicodedata

from swimmer.text.patterns import pattern

# Kana, Han with its extensions, Hangul, Thai, Lao, Khmer, Burmese. Korean has spaces, but its
# words carry endings that part what is one word.
_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff"
)
_ANY = pattern(f"[{_SPACELESS}]")
_RUNS = pattern(f"[{_SPACELESS}]+|[^\\W_{_SPACELESS}]+")


def is_spaceless(text: str) -> bool:
    """Return whether a text holds a character of a script without spaces."""
    return not text.isascii() and _ANY.search(text) is not None


def segments(text: str) -> tuple[list[str], list[str]]:
    """Return the terms of a text: its words in scripts with spaces, and its pairs in others.

    A character that stands alone is a term of its own.
    """
    words: list[str] = []
    pairs: list[str] = []
    for run in _RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        if not _ANY.match(run):
            words.append(run)
        elif len(run) == 1:
            pairs.append(run)
        else:
            pairs += [run[i : i + 2] for i in range(len(run) - 1)]
    return words, pairs


def spaced_words(text: str) -> str:
    """Return the words of a text in scripts with spaces, as they are written."""
    runs = _RUNS.findall(unicodedata.normalize("NFKC", text))
    return " ".join(run for run in runs if not _ANY.match(run))
