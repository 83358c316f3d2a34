"""Whether a query is in a language that a model reads: by script, else by function words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_SCRIPTS = {
    "CJK": "Chinese or Japanese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "CYRILLIC": "Russian or another language in Cyrillic script",
    "ARABIC": "Arabic or another language in Arabic script",
    "HEBREW": "Hebrew",
    "DEVANAGARI": "Hindi or another language in Devanagari script",
    "BENGALI": "Bengali",
    "TAMIL": "Tamil",
    "THAI": "Thai",
    "GREEK": "Greek",
}

# Function words that no English title uses as such ("die", "an", "so" are left out on purpose).
_FUNCTION_WORDS = {
    "French": "le les des du une et pour avec dans sur par aux est sont nous cette entre sans vers",
    "German": "der das und ein eine einer für mit von zur zum über auf durch ist sind wir bei "
    "zwischen ohne aus dem den des",
    "Spanish": "el los las del una y para con por en sobre entre sin mediante basado como es",
    "Italian": "il lo gli dei della delle di una e per con nel nella sul tra fra senza che sono",
    "Portuguese": "o os das do dos uma e para com em no na nos nas por sobre entre sem um é",
    "Dutch": "het een van voor met op naar door bij zijn wij uit tussen zonder over en de",
}
_WORDS = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
_ENGLISH = frozenset(
    "the a an of for and in on with to is are from by as at we via using towards toward over "
    "under without between through into when how what why your you can it its be not".split()
)


def foreign_language(text: str) -> str:
    """Return the language that a text seems to be in, or "" when it may well be English.

    A text of another script is told from a few letters; one in Latin script only by two function
    words of one language and fewer English ones, so that a title is rarely accused wrongly.
    """
    text = text[:2_000]
    letters = [char for char in text if char.isalpha()]
    if not letters:
        return ""
    scripts = Counter(unicodedata.name(char, "?").split()[0].split("-")[0] for char in letters)
    foreign = {name: n for name, n in scripts.items() if name in _SCRIPTS and name != "GREEK"}
    if scripts["GREEK"] >= 6:
        foreign["GREEK"] = scripts["GREEK"]
    if sum(foreign.values()) > 0.3 * len(letters):
        if "HIRAGANA" in foreign or "KATAKANA" in foreign:
            return "Japanese"
        return _SCRIPTS[max(foreign, key=lambda name: foreign[name])]
    words = re.findall(r"[^\W\d_]+", text.casefold())
    english = sum(word in _ENGLISH for word in words)
    counts = {
        language: len({word for word in words if word in known})
        for language, known in _WORDS.items()
    }
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] >= 2 and counts[best] > english else ""
