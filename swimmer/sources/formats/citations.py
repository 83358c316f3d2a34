"""References as they stand at the end of a paper, in the usual styles, one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from swimmer.papers import arxiv_id, written_doi
from swimmer.sources.formats.people import names_of_people, turned
from swimmer.text import clean

LONGEST = 3_000
"""Characters of one reference that are read."""

_MARK = re.compile(r"[ \t]{0,20}(?:\[([^\[\]\n]{1,40})\]|\(?(\d{1,4})[.)]|[-*•])[ \t]{1,20}")
_YEAR = re.compile(r"(?<![\d./:-])(?:19|20)\d\d(?![\d/:]|\.\d)")
_DATED = re.compile(r"\(((?:19|20)\d\d)[a-z]?(?:,[^()]{0,40})?\)\s{0,3}[.,:]?\s")
_QUOTED = re.compile(r"[“\"„«]\s?([^“”\"„«»]{8,600}?)[,.]?\s?[”\"“»]")
_ADDRESS = re.compile(r"(?:URL\s{0,3}:?\s{0,3})?<?(https?://[^\s<>\"]{4,1000})>?", re.IGNORECASE)
_ARXIV = re.compile(
    r"(?:arxiv|corr)(?:\s{0,2}preprint)?[\s:/.,]{0,3}(?:arxiv[\s:/.]{1,3})?"
    r"(?:abs/|pdf/)?(\d{4}\.\d{4,5}|[a-z-]{2,20}/\d{7})(?:v\d{1,2})?",
    re.IGNORECASE,
)
_DOI = re.compile(r"(?:doi[\s:]{1,3})?10\.\d{4,9}/[^\s\"<>{}\\]{1,200}", re.IGNORECASE)
_END = re.compile(r"[.?!](?=\s)")
_SHORT = re.compile(r"(?:^|[\s.-])(?:[^\W\d_]|Jr|Sr|St|vs|Proc|Conf|Int|Dr|No|Vol|ed|eds|al)$")
_ET_AL = re.compile(r"\bet\.?\s{1,3}al\b|\band\s{1,3}others\b|…|\.\.\.", re.IGNORECASE)
_PARTICLE = (
    r"(?:(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|ter|ten|al|bin|ibn|el|af|zu|i|y|e)"
    r"[\s-]){0,3}"
)
_FAMILY = rf"{_PARTICLE}[^\W\d_a-z][\w'’-]{{0,40}}(?:\s[^\W\d_a-z][\w'’-]{{1,40}})?"
_INVERTED = re.compile(
    rf"(?:{_FAMILY}|\w{{2,30}}),\s(?:[^\W\d_]\.[\s-]{{0,2}}){{1,4}}(?:,\s(?:Jr|Sr)\.)?"
)
_VANCOUVER = re.compile(rf"({_FAMILY})\s([^\W\d_a-z]{{1,3}})(?=[,.;:]|\s(?:and|&)\s|$)")
_JOIN = re.compile(r"[,;]?\s{0,3}(?:and|&)\s{1,3}|[,;]\s{0,3}")
_NAME = re.compile(
    rf"{_PARTICLE}(?:(?:[^\W\d_a-z]\.-?){{1,4}}|[^\W\d_a-z][\w'’-]{{0,40}}\.?)"
    rf"(?:[\s-]{_PARTICLE}(?:(?:[^\W\d_a-z]\.-?){{1,4}}|[^\W\d_a-z][\w'’.-]{{0,40}})){{0,3}}"
)
_VENUE = re.compile(
    r"in:?\s|proc(?:eedings|\.)|advances in|journal|trans(?:actions|\.)|arxiv"
    r"|international|ieee|acm|conference|workshop",
    re.IGNORECASE,
)
_WRAPPED = 50


def citation_records(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, record) of each reference of a text: its number or label, and its fields.

    A reference begins at its mark (`[12]`, `12.`, a bullet), else with a line, or where lines are
    broken with a paragraph. Title, authors, year and the rest are told apart as the styles of
    BibTeX, APA, IEEE, ACM, Springer and Vancouver write them; a bare title is a title.
    """
    for number, (place, label, one) in enumerate(_references(text), 1):
        yield place, {"id": label or str(number), **citation_record(one)}


def _references(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield the line, the label and the text of each reference."""
    lines = text.splitlines()
    marks = [_MARK.match(line) for line in lines]
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    marked = bool(marks) and marks[first] is not None
    held: list[str] = []
    begin, label = 0, ""
    for place, (line, mark) in enumerate(zip(lines, marks, strict=True)):
        if held and (mark is not None if marked else not _goes_on(lines, place)):
            yield f"line {begin + 1}", label, _joined(held)
            held = []
        if not line.strip():
            continue
        if not held:
            begin, label = place, (mark[1] or mark[2] or "" if mark else "")
        held.append(line[mark.end() :] if mark else line)
    if held:
        yield f"line {begin + 1}", label, _joined(held)


def _goes_on(lines: list[str], place: int) -> bool:
    """Whether an unmarked line is the rest of a reference whose line was too long."""
    if not lines[place].strip() or place == 0:
        return False
    around = "\n".join(lines[max(0, place - 6) : place + 6])
    return (
        "\n\n" in around and len(lines[place - 1]) >= _WRAPPED and not _is_whole(lines[place - 1])
    )


def _is_whole(line: str) -> bool:
    return bool(_YEAR.search(line[-40:])) and line.rstrip().endswith((".", ")"))


def _joined(lines: list[str]) -> str:
    whole = ""
    for line in lines:
        part = line.strip()
        if whole.endswith("-") and part[:1].islower():
            whole = whole[:-1] + part
        else:
            whole += f" {part}" if whole else part
        if len(whole) > LONGEST:
            break
    return clean(whole, LONGEST)


def citation_record(text: str) -> dict[str, Any]:
    """Return the fields of one reference as it is written in a paper."""
    text, record = _without_identifiers(clean(text, LONGEST))
    authors, title, rest = _parts(text.strip())
    # A year in a title is not the year of the paper.
    years = _YEAR.findall(rest) or _YEAR.findall(authors[-12:])
    return {
        **record,
        "title": title.strip(' .,;:"“”'),
        "authors": _names(authors),
        "authors_cut": bool(_ET_AL.search(authors)) or None,
        "year": int(years[-1]) if years else None,
        "venue": _venue(rest),
    }


def _venue(rest: str) -> str:
    """Return where a paper appeared; arXiv only where nothing else is named."""
    other = rest.replace("arXiv", "").strip(" .,;:()[]")
    named = any(char.isalpha() for char in _YEAR.sub("", other))
    return (other if named else rest).strip(" .,;:()")[:200]


def _without_identifiers(text: str) -> tuple[str, dict[str, Any]]:
    """Return a reference without its addresses, and what they say."""
    record: dict[str, Any] = {}
    if found := _ADDRESS.search(text):
        record["url"] = found[1].rstrip(".,;)")
    if found := _ARXIV.search(text):
        record["arxiv"] = arxiv_id(found[1])
    if found := _DOI.search(text):
        record["doi"] = written_doi(found[0])
    text = _ADDRESS.sub(" ", text)
    # The word stays: it says that the reference is to a preprint.
    text = _ARXIV.sub("arXiv", text)
    return re.sub(r"\s{2,}", " ", _DOI.sub(" ", text)), record


def _parts(text: str) -> tuple[str, str, str]:
    """Return the authors, the title, and the rest of a reference."""
    if (found := _QUOTED.search(text)) and len(found[1].split()) > 1:
        return text[: found.start()], found[1], text[found.end() :]
    if (found := _DATED.search(text)) and _are_names(text[: found.start()]):
        title, rest = _sentence(text[found.end() :])
        return text[: found.start()], title, f"{rest} {found[1]}"
    if end := _inverted_names(text):
        return text[:end], *_dated_sentence(text[end:])
    before, colon, after = text.partition(": ")
    if colon and "." in before[-3:] and _are_names(before):
        return before, *_dated_sentence(after)
    first, rest = _sentence(text)
    if rest and _is_title(_undated(rest)[1]):
        if _are_names(first):
            return first, *_dated_sentence(rest)
        if " " not in first:
            # An organisation. Stores have its people.
            return "", *_dated_sentence(rest)
    return ("", first, rest) if _YEAR.search(rest) else ("", text, "")


def _is_title(text: str) -> bool:
    """Whether a text that follows what may be names begins with a title, not with a venue."""
    title, rest = _sentence(text)
    words = [word for word in title.split() if word[:1].islower()]
    return not _VENUE.match(title) and len(title.split()) > 1 and (bool(rest) or len(words) > 3)


def _dated_sentence(text: str) -> tuple[str, str]:
    year, text = _undated(text.lstrip(" .:,"))
    title, rest = _sentence(text)
    return title, f"{rest} {year}".strip()


def _undated(text: str) -> tuple[str, str]:
    """Return the year that a text begins with, "" for none, and what follows."""
    found = re.match(r"\(?((?:19|20)\d\d)[a-z]?\)?[.,:]?\s", text)
    return (found[1], text[found.end() :]) if found else ("", text)


def _sentence(text: str) -> tuple[str, str]:
    """Return the first sentence of a text and the rest; initials and short forms end none."""
    for found in _END.finditer(text):
        head, rest = text[: found.start()], text[found.end() :].lstrip()
        if found[0] != "." and not _is_subtitle(rest):
            return text[: found.end()], rest
        if found[0] == "." and (not _SHORT.search(head[-8:]) or _ET_AL.search(head[-8:])):
            return head, rest
    return text.rstrip("."), ""


def _is_subtitle(text: str) -> bool:
    """Whether what follows a question still belongs to the title."""
    end = re.search(r"\w[.]\s", text)
    return text[:1].islower() or (end is not None and not _VENUE.match(text))


def _inverted_names(text: str) -> int:
    """Return where a list of "Fox, A. B." or "Fox AB" that a text begins with ends, 0 for none."""
    for form in (_INVERTED, _VANCOUVER):
        place = end = names = 0
        while found := form.match(text, place):
            end, names = found.end(), names + 1
            joined = _JOIN.match(text, end)
            if joined is None:
                break
            place = joined.end()
            if others := _ET_AL.match(text, place):
                end = others.end()
                break
        # One "Ann B." may begin "Ann B. Fox".
        if names and (form is _INVERTED or (names > 1 and text[end : end + 1] in (".", ":"))):
            return end
    return 0


def _are_names(text: str) -> bool:
    """Whether a text is a list of names, not a title."""
    known = _ET_AL.sub("", text).strip(" ,.;&")
    pieces = [piece.strip() for piece in _JOIN.split(known) if piece.strip()]
    fits = sum(_NAME.fullmatch(piece) is not None for piece in pieces)
    # Some write their names without capitals.
    if fits < max(1, 0.6 * len(pieces)):
        return False
    whole = [piece for piece in pieces if " " in piece or "." in piece]
    return known != text.strip(" ,.;&") or 2 * len(whole) >= len(pieces)


def _names(text: str) -> list[str]:
    text = re.sub(r"\((?:19|20)\d\d[a-z]?\)", "", text)
    text = _ET_AL.sub("", text.replace("…", ",")).strip(" ,;:&")
    text = text[:-1] if text.endswith(".") and not _SHORT.search(text[-8:-1]) else text
    pieces = [piece.strip() for piece in _JOIN.split(text)]
    bare = [piece.rstrip(".") for piece in pieces]
    if all(map(_VANCOUVER.fullmatch, bare)):
        return [_VANCOUVER.sub(lambda one: f"{'. '.join(one[2])}. {one[1]}", one) for one in bare]
    inverted = [found[0] for found in _INVERTED.finditer(text)]
    if 2 * len(inverted) == len(pieces) and _INVERTED.match(text):
        return [turned(name) for name in inverted]
    if _is_first_turned(pieces):
        return [f"{pieces[1]} {pieces[0]}", *pieces[2:]]
    return list(names_of_people(text.strip(" ;,")))


def _is_first_turned(pieces: list[str]) -> bool:
    """Whether only the first name is turned round, as MLA and Chicago have it."""
    if len(pieces) < 3 or " " in pieces[0] or not all(" " in one for one in pieces[2:]):
        return False
    return " " not in pieces[1] or bool(_SHORT.search(pieces[1].rstrip(".")))
