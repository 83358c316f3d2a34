"""Names of authors, and keywords, from the many ways in which lists join them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from swimmer.sources.formats.blanks import is_placeholder
from swimmer.text import clean, clean_all

LONGEST = 20_000
"""Characters of one joined string of names or keywords that are read."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.){0,500})"|\'((?:[^\'\\]|\\.){0,500})\'')
_SEPARATORS = (";", "|", "¦", "、", "，", "•", " · ")
_AND = re.compile(r"\s(?:and|und|&)\s", re.IGNORECASE)
_COMMA_AND = re.compile(r",\s{0,9}(?:and\s|&)|,|\sand\s|\s&\s", re.IGNORECASE)
_OTHERS = re.compile(r"(?:and\s)?(?:et(?:\.\s?|\s)al\.?|others|…|\.{3})\.?", re.IGNORECASE)
_OTHERS_FIRST = frozenset("AaEeOo….")
_ET_AL_AT_END = re.compile(r"[\s,;]et(?:\.\s?|\s)al\.{0,2}\s?$", re.IGNORECASE)
_JUNIOR = re.compile(r"(?:jr|sr)\.?|i{2,3}|iv", re.IGNORECASE)
_INITIALS = re.compile(r"(?:[A-ZÀ-Þ]\.?[\s-]?){1,4}")
_INITIALS_AT_END = re.compile(r"(\D{2,60}?)\s((?:[A-ZÀ-Þ]\.-?){1,4})")
_NUMBER = re.compile(r"\s?\(\d{1,30}\)")
_PLAIN = re.compile("[\\w .,'’-]+")
_JOINING = frozenset("and und et al others".split())
_BEHIND_NAME = re.compile(
    r"(?:\s?\((?!jr\b|sr\b)[^()]{0,200}[a-zß-ÿ][^()]{0,200}\)\s?[*†‡§¶]{0,4}|[*†‡§¶]{1,4})"
    r"(?=\s?(?:[;|,\n*†‡§¶]|\sand\s|&|$))",
    re.IGNORECASE,
)
"""What conference systems write behind a name: an affiliation in brackets, marks of footnotes.

Scopus writes the numbers of its authors there (`_NUMBER`).
"""
_OUTER_COMMA = re.compile(r",(?![^()]{0,200}\))")
_PARTICLES = frozenset(
    "van von der den de del della di da dos du la le ter ten zu al bin ibn".split()
)
_NAME_KEYS = ("fullname", "name", "full_name", "display_name", "literal", "raw_author_name")
_FIRST_KEYS = ("first", "first_name", "given", "firstname", "given_name", "forename")
_LAST_KEYS = ("last", "last_name", "family", "lastname", "surname", "family_name")
_PARTICLE_KEYS = ("non-dropping-particle", "dropping-particle", "von", "prefix")


def names_of_people(value: Any) -> tuple[str, ...]:
    """Return names in order, from a list of names, a list of objects, or one joined string.

    A string is split at semicolons, pipes, line breaks and the commas of East Asian languages,
    else at "and" and "&", else at commas; a Python or JSON list of quoted names is read as a list.
    "Last, First" is turned round. "et al." and placeholders such as "nan" are left out.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        parts: Iterable[str] = _names_in(value)
    elif isinstance(value, (list, tuple)):
        single = value[0] if len(value) == 1 else None
        if isinstance(single, str) and any(mark in single for mark in _SEPARATORS):
            parts = _names_in(single)
        else:
            parts = [name_of_person(person) for person in value]
    elif isinstance(value, Mapping):
        parts = [name_of_person(value)]
    else:
        return ()
    names = [name for name in clean_all(list(parts), 500) if _is_name(name)]
    return tuple(_initials_first(names))


def _is_name(name: str) -> bool:
    if is_placeholder(name):
        return False
    return name[:1] not in _OTHERS_FIRST or not _OTHERS.fullmatch(name)


def _initials_first(names: list[str]) -> list[str]:
    """Return "Adler D.G." as "D.G. Adler", where all names are written so."""
    turned_names = []
    for name in names:
        match = _INITIALS_AT_END.fullmatch(name)
        if not match:
            return names
        turned_names.append(f"{match[2]} {match[1]}")
    return turned_names


def _names_in(text: str) -> list[str]:
    if names := _plain_names(text):
        return names
    text = _bare(text[:LONGEST]).strip()
    if quoted := _quoted_list(text):
        return [turned(name) for name in quoted]
    for mark in _SEPARATORS:
        if mark in text:
            return [turned(part.strip()) for part in text.split(mark)]
    if lines := _names_on_lines(text):
        return [turned(line) for line in lines]
    text = _ET_AL_AT_END.sub("", clean(text, LONGEST))
    parts = [part.strip() for part in _AND.split(text)]
    if len(parts) > 1 and ("," not in text or all(_is_inverted(part) for part in parts)):
        return [turned(part) for part in parts]
    return _at_commas(text)


def _plain_names(text: str) -> list[str]:
    """Return the names of "Ada Lee, Bo Chen, Cy Ray", else nothing: so most lists have them."""
    if len(text) > LONGEST or not _PLAIN.fullmatch(text):
        return []
    names = [name.strip(" ") for name in text.strip(" ").split(", ")]
    whole = len(names) > 2 and all(" " in name for name in names) and text.count(",") < len(names)
    if not whole or _INITIALS.fullmatch(names[1]):
        return []
    words = text.casefold().replace(",", " ").replace(".", " ").split()
    return names if _JOINING.isdisjoint(words) else []


def _bare(text: str) -> str:
    """Return names without what systems write behind them."""
    if text.isascii() and "(" not in text and "*" not in text:
        return text
    return _BEHIND_NAME.sub("", _NUMBER.sub("", text))


def _names_on_lines(text: str) -> list[str]:
    """Return the lines of a text that has one name a line, else nothing: it is only wrapped."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrapped = any(line.endswith((",", " and")) or line.startswith("and ") for line in lines)
    whole = len(lines) > 1 and not wrapped and all(len(line.split()) > 1 for line in lines)
    return lines if whole else []


def _at_commas(text: str) -> list[str]:
    parts = [part.strip() for part in _COMMA_AND.split(text)]
    parts = [part for part in parts if part]
    if len(parts) == 2 and _is_inverted(text):
        return [turned(text)]
    if len(parts) == 3 and _JUNIOR.fullmatch(parts[1]):
        return [turned(text)]
    pairs = list(zip(parts[::2], parts[1::2], strict=False))
    if len(parts) % 2 == 0 and all(_INITIALS.fullmatch(given) for _, given in pairs):
        return [f"{given} {family}" for family, given in pairs]
    names: list[str] = []
    for part in parts:
        if names and _JUNIOR.fullmatch(part):
            names[-1] += f" {part}"
        else:
            names.append(part)
    return names


def _is_inverted(text: str) -> bool:
    """Whether a text with one comma is "Last, First" of one person, not two people."""
    family, comma, given = text.partition(",")
    if not comma or "," in given:
        return bool(comma) and bool(_JUNIOR.fullmatch(given.split(",")[0].strip()))
    words = family.split()
    if len(words) <= 1 or len(given.split()) <= 1:
        return bool(words) and bool(given.strip())
    return words[0].casefold() in _PARTICLES or bool(_INITIALS.fullmatch(given.strip()))


def _quoted_list(text: str) -> list[str]:
    """Return the elements of a Python or JSON list of strings, as pandas writes it in a cell."""
    if text[:1] + text[-1:] not in ("[]", "()", "{}"):
        return []
    found = [double or single for double, single in _QUOTED.findall(text)]
    # A text in brackets that is no list stays one text.
    return [re.sub(r"\\(.)", r"\1", name) for name in found] or ["nan"] * (text == "[]")


def turned(name: str) -> str:
    """Return "Last, First" as "First Last" and "Last, Jr, First" as "First Last Jr"."""
    parts = [part.strip() for part in name.split(",")]
    if len(parts) == 2:
        last, first = parts
        return f"{last} {first}" if _JUNIOR.fullmatch(first) else f"{first} {last}"
    if len(parts) == 3 and _JUNIOR.fullmatch(parts[1]):
        return f"{parts[2]} {parts[0]} {parts[1]}"
    if len(parts) == 3 and _JUNIOR.fullmatch(parts[2]):
        return f"{parts[1]} {parts[0]} {parts[2]}"
    return name


def name_of_person(person: Any) -> str:
    """Return the name of one person, from a text or an object of any usual kind, else ""."""
    if isinstance(person, str):
        return turned(_bare(person[:LONGEST]))
    if not isinstance(person, Mapping):
        return ""
    fields = {str(key).casefold(): value for key, value in person.items()}
    for key in _NAME_KEYS:
        if isinstance(fields.get(key), str) and fields[key].strip():
            return turned(fields[key])
    inner = fields.get("author")
    if isinstance(inner, Mapping) and not isinstance(inner.get("author"), Mapping):
        return name_of_person(inner)
    parts = (
        _first_text(fields, _FIRST_KEYS),
        *(_first_text(fields, (key,)) for key in _PARTICLE_KEYS),
        _first_text(fields, _LAST_KEYS),
        _first_text(fields, ("suffix",)),
    )
    return " ".join(part for part in parts if part) or _first_text(fields, ("text", "#text"))


def _first_text(fields: Mapping[str, Any], keys: Iterable[str]) -> str:
    for key in keys:
        if isinstance(fields.get(key), str) and fields[key].strip():
            return str(fields[key]).strip()
    return ""


def keywords_of(value: Any) -> tuple[str, ...]:
    """Return keywords, split where several stand in one string ("a; b; c", also in a list)."""
    if value is None:
        return ()
    values = value if isinstance(value, (list, tuple)) else [value]
    out: dict[str, None] = {}
    for item in values:
        if isinstance(item, Mapping):
            fields = {str(key).casefold(): inner for key, inner in item.items()}
            item = _first_text(fields, ("display_name", "name", "tag", "keyword", "term", "text"))
        if isinstance(item, str):
            for part in _keywords_in(item[:LONGEST].strip(), at_commas=len(values) == 1):
                keyword = clean(part, 500).lstrip("*")
                if keyword and not is_placeholder(keyword):
                    out.setdefault(keyword)
    return tuple(out)


def _keywords_in(text: str, at_commas: bool) -> list[str]:
    """Return the keywords in a text; of a list of several, one may hold a comma: "aged, male"."""
    if quoted := _quoted_list(text):
        return quoted
    for mark in (*_SEPARATORS, "\n", *([","] if at_commas else ())):
        if mark == "," and "(" in text:
            return _OUTER_COMMA.split(text)
        if mark in text:
            return text.split(mark)
    return [text]
