"""Drafts as plain text: where the abstract and the references stand, and what the title is."""

from __future__ import annotations

import re

from swimmer.text import clean, sentences

LONGEST_TITLE = 300
"""Characters of a first line that is taken as a title."""

SECTION_NUMBER = r"(?:\d{1,3}\.?|[IVX]{1,6}\.)"
"""A pattern for the number before the heading of a section."""

_HEADING = re.compile(
    rf"^[ \t]{{0,40}}(?:{SECTION_NUMBER}[ \t]{{1,40}}introduction\b|introduction[ \t]{{0,40}}$"
    rf"|(?:{SECTION_NUMBER})?[ \t]{{0,40}}(?:keywords?|index terms|ccs concepts)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_ABSTRACT = re.compile(r"\babstract\b[\s.:—–-]{0,20}", re.IGNORECASE)
_NAMED = re.compile(r"^[ \t#*]{0,40}abstract\b", re.IGNORECASE | re.MULTILINE)
_REFERENCES = re.compile(
    r"^[ \t]{0,40}(?:\d{1,3}\.?[ \t]{0,40})?(?:references|bibliography|literature)"
    r"[ \t]{0,40}:?[ \t]{0,40}$",
    re.IGNORECASE | re.MULTILINE,
)
_HYPHEN = re.compile(r"(?<=[a-z])-[ \t]{0,20}\r?\n\s{0,20}(?=[a-z])")
_ABSTRACT_LENGTH = 2_000


def abstract_of(text: str) -> str:
    """Return the abstract on the first pages; one in parts may itself begin with "Introduction"."""
    found = _ABSTRACT.search(text)
    if not found:
        return ""
    rest = text[found.end() : found.end() + 6_000]
    ends = (heading.start() for heading in _HEADING.finditer(rest))
    end = next((at for at in ends if rest[:at].strip()), None)
    return clean(_HYPHEN.sub("", rest[:2_000] if end is None else rest[:end]))


def references_of(text: str) -> str:
    """Return what stands behind the last heading of references, "" without one."""
    places = [found.end() for found in _REFERENCES.finditer(text)]
    return text[places[-1] :] if places else ""


def read_text(text: str) -> tuple[str, str, str]:
    """Return title, abstract and the text of the references of a draft in plain text.

    The title is the first line, or the first sentence of a text that begins with a paragraph. Where
    no abstract is named, the beginning stands for it.
    """
    cited = references_of(text)
    body = text[: len(text) - len(cited)].strip()
    first, _, rest = body.partition("\n")
    if len(first) > LONGEST_TITLE or not rest.strip():
        first, rest = next(iter(sentences(first)), "")[:LONGEST_TITLE], body
    named = _NAMED.search(rest)
    abstract = abstract_of(rest[named.start() :]) if named else ""
    abstract = abstract or clean(_HYPHEN.sub("", rest[:_ABSTRACT_LENGTH]))
    return first, abstract, cited
