"""Names: of people in any spelling, and the short names that titles give to their subject."""

from __future__ import annotations

from collections.abc import Sequence

from swimmer.text import folded, pattern, title_key, words_of

LONGEST_NAME = 80
"""Characters of a text above which it is taken for no name."""

_MOST_WORDS = 8
# Letters that Unicode does not decompose into a base letter and an accent.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})
_APOSTROPHES = pattern("['’‘`´ʼ]")
_PUNCTUATION = pattern(r"[^A-Za-z0-9 .-]")
_PARTED = str.maketrans(".-", "  ")
_ACRONYM = pattern(r"\(([^()\s]{2,20})\)")
_SUBTITLE = pattern(r"\s*:(?=\s|$)|\s+[-–—]+\s+")


def name_words(name: str) -> list[str]:
    """Return the words of a person's name in lower case without accents, given names first.

    `Bengio, Yoshua` and `Yoshua Bengio` are equal; apostrophes join, hyphens part.
    """
    name = name[: 4 * LONGEST_NAME]
    if name.isascii() and not _PUNCTUATION.search(name):
        # The way of nearly all names: a build takes this step for every author.
        return name.lower().translate(_PARTED).split()
    family, comma, given = name.partition(",")
    if comma and given.strip() and "," not in given:
        name = f"{given} {family}"
    return words_of(_APOSTROPHES.sub("", folded(name).translate(_LETTERS)))


def person_key(name: str) -> str:
    """Return the key under which a person's name is found; "" where it holds no letter."""
    return " ".join(name_words(name))


def is_person(typed: Sequence[str], person: Sequence[str]) -> bool:
    """Return whether the words of a typed name fit the words of a person's name.

    In any order; a single letter stands for a word that begins with it, on either side. At least
    one word must be equal, and every typed word must fit one word of the person's own. A whole
    word that fits only an initial is a middle name: `Ann Fox` is not `Ann F. Lee`.
    """
    if not typed or len(typed) > min(len(person), _MOST_WORDS):
        return False
    left = list(person)
    initials = []
    equal, shortened = 0, False
    for word in typed:
        if word in left:
            left.remove(word)
            equal += len(word) > 1
        else:
            initials.append(word)
    for word in initials:
        fit = next((own for own in left if 1 in (len(word), len(own)) and own[0] == word[0]), None)
        if fit is None:
            return False
        left.remove(fit)
        shortened = shortened or len(fit) < len(word)
    return equal > 0 and not (shortened and any(len(own) > 1 for own in left))


def short_names(title: str) -> list[str]:
    """Return the keys of the names that a title gives: before its colon first, then in brackets.

    `SimPER: Simple Preference …` gives `simper`; `Direct Preference Optimization (DPO)` gives
    `dpo`. A word in brackets counts where it holds two capital letters.
    """
    found = []
    parts = _SUBTITLE.split(title, maxsplit=1)
    if len(parts) > 1 and 0 < len(parts[0]) <= LONGEST_NAME:
        found.append(title_key(parts[0]))
    for word in _ACRONYM.findall(title) if "(" in title else ():
        if sum(char.isupper() for char in word) >= 2:
            found.append(title_key(word))
    return list(dict.fromkeys(key for key in found if key))
