"""Papers as BibTeX: the right entry types, stable keys, and no text that breaks out of a field."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from swimmer.export.tex_commands import ENVIRONMENTS, KEPT
from swimmer.papers import Paper, arxiv_of, doi_of
from swimmer.text import readable

PROCEEDINGS = {
    "AAAI": "Proceedings of the AAAI Conference on Artificial Intelligence",
    "ACL": "Annual Meeting of the Association for Computational Linguistics",
    "AISTATS": "International Conference on Artificial Intelligence and Statistics",
    "COLM": "Conference on Language Modeling",
    "COLT": "Conference on Learning Theory",
    "CORL": "Conference on Robot Learning",
    "CVPR": "IEEE/CVF Conference on Computer Vision and Pattern Recognition",
    "ECCV": "European Conference on Computer Vision",
    "EMNLP": "Conference on Empirical Methods in Natural Language Processing",
    "ICASSP": "IEEE International Conference on Acoustics, Speech and Signal Processing",
    "ICCV": "IEEE/CVF International Conference on Computer Vision",
    "ICLR": "International Conference on Learning Representations",
    "ICML": "International Conference on Machine Learning",
    "IJCAI": "International Joint Conference on Artificial Intelligence",
    "KDD": "ACM SIGKDD Conference on Knowledge Discovery and Data Mining",
    "NAACL": "Conference of the North American Chapter of the Association for Computational "
    "Linguistics",
    "NEURIPS": "Advances in Neural Information Processing Systems",
    "NIPS": "Advances in Neural Information Processing Systems",
    "UAI": "Conference on Uncertainty in Artificial Intelligence",
    "WACV": "IEEE/CVF Winter Conference on Applications of Computer Vision",
}
"""Full names of proceedings, by the short name in capitals."""

JOURNALS = {
    "CL": "Computational Linguistics",
    "DMLR": "Journal of Data-centric Machine Learning Research",
    "IJCV": "International Journal of Computer Vision",
    "JAIR": "Journal of Artificial Intelligence Research",
    "JMLR": "Journal of Machine Learning Research",
    "TACL": "Transactions of the Association for Computational Linguistics",
    "TMLR": "Transactions on Machine Learning Research",
    "TPAMI": "IEEE Transactions on Pattern Analysis and Machine Intelligence",
}
"""Full names of journals, by the short name in capitals."""

_TYPES = frozenset(
    {"article", "inproceedings", "incollection", "book", "phdthesis", "techreport", "misc"}
)
_JOURNAL_WORDS = re.compile(
    r"\b(journal|transactions|letters|magazine|annals|quarterly|plos|nature|science)\b", re.I
)
_NOT_JOURNALS = re.compile(r"\b(conference|workshop|proceedings|symposium|track)\b", re.I)
_STOP_WORDS = frozenset(
    {
        "a",
        "an",
        "the",
        "on",
        "of",
        "for",
        "in",
        "to",
        "from",
        "with",
        "without",
        "and",
        "or",
        "is",
        "are",
        "be",
        "by",
        "at",
        "as",
        "towards",
        "toward",
        "via",
        "do",
        "does",
        "can",
        "how",
        "why",
        "what",
        "when",
        "where",
        "which",
        "who",
    }
)
_MATH = re.compile(r"(\$(?=[^\s$])[^$]*(?<=[^\s$\\])\$(?!\d))")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\\$|[%&#_$^~]")
_MATH_TOKEN = re.compile(
    r"\\(?:begin|end)\{[A-Za-z]{1,20}\}|\\[A-Za-z]+|\\[{}]|\\.|\\$|\^(?=\^)|[%#]", re.S
)
_KEPT_ESCAPES = frozenset("%&#_$^~\"'`=.,;:!>- /|()[]")
_SPELT = {
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "\\{": r"\textbraceleft{}",
    "\\}": r"\textbraceright{}",
}
_COMMAND_BEFORE = re.compile(r"\\(?:textbackslash\{\})?[A-Za-z]{1,30}\Z")
_WORD = re.compile(r"\$[^$]*\$|\\[A-Za-z]+|\\.|[{}]|[^\W_]+")


def to_bibtex(papers: Iterable[Paper]) -> str:
    """Return papers as BibTeX entries, UTF-8, one after another, each paper once."""
    listed = list({paper.id: paper for paper in papers}.values())
    keys = citation_keys(listed)
    return "\n".join(_entry(paper, keys[paper.id]) for paper in listed)


def citation_keys(papers: Iterable[Paper]) -> dict[str, str]:
    """Return {id: key}, such as `vaswani2017attention`: unique, ASCII, stable.

    A key depends on its paper alone; papers whose keys would be equal get a digest of their ids,
    so that the order in which papers are listed changes no key.
    """
    plain = {paper.id: _plain_key(paper) for paper in papers}
    counts: dict[str, int] = {}
    for key in plain.values():
        counts[key.casefold()] = counts.get(key.casefold(), 0) + 1
    return {
        identifier: key if counts[key.casefold()] == 1 else f"{key}-{_digest(identifier)}"
        for identifier, key in plain.items()
    }


def _digest(identifier: str) -> str:
    return hashlib.blake2b(identifier.encode(), digest_size=4).hexdigest()


def _plain_key(paper: Paper) -> str:
    # Where the order of the authors is not known, no one of them is called the first.
    named = paper.authors and paper.authors_ordered
    surname = _ascii(name_parts(paper.authors[0])[1]) if named else ""
    words = [_ascii(word) for word in re.split(r"[\s\-–—/:]+", paper.display_title)]
    telling = [word for word in words if word and word not in _STOP_WORDS] or ["paper"]
    told = telling[0] if named else "".join(telling[:3])
    key = f"{surname}{year_of(paper)}{told}" if named else f"{told}{year_of(paper)}"
    key = key[:60]
    # A title without one Latin letter still needs a key that says which paper it is.
    return key if re.search("[a-z]", key) and telling != ["paper"] else f"{key}-{_digest(paper.id)}"


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", readable(text)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain.lower())


def family_name(name: str) -> str:
    """Return the family name of "First von Last" or "Last, First", particles included."""
    _, family, suffix = name_parts(name)
    return f"{family} {suffix}".strip()


def name_parts(name: str) -> tuple[str, str, str]:
    """Return given names, family name with its particles, and a suffix such as "Jr."."""
    name = readable(name)
    if "," in name or re.search(r"\band\b", name, re.I):
        family, _, given = name.partition(",")
        return given.strip(), family.strip(), ""
    words = name.split()
    suffix = ""
    if len(words) > 1 and re.fullmatch(r"(jr|sr)\.?|i{2,3}|iv", words[-1], re.I):
        suffix = words.pop()
    last = max(len(words) - 1, 0)
    # As BibTeX has it: the first word in lower case behind a first name starts the family name.
    particle = next((i for i in range(1, last) if words[i][:1].islower()), last)
    return " ".join(words[:particle]), " ".join(words[particle:]), suffix


def year_of(paper: Paper) -> str:
    """Return the year of a paper, else the one that its venue's name ends with, else ""."""
    named = re.search(r"(?<!\d)((?:19|20)\d{2})$", paper.venue)
    return str(paper.year or (named[1] if named else ""))


def _entry(paper: Paper, key: str) -> str:
    kind, fields = _typed(paper)
    lines = [f"@{kind}{{{key},"]
    lines += [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([*lines, "}", ""])


def _typed(paper: Paper) -> tuple[str, dict[str, str]]:
    kind, venue = publication(paper)
    where = _VENUE_FIELDS.get(kind, "howpublished")
    arxiv = arxiv_of(paper)
    fields = {
        "title": _with_capitals(latex(paper.title)),
        "author": " and ".join(
            [*map(_author, paper.authors), *["others"] * bool(paper.extra.get("authors_cut"))]
        ),
        where: latex(venue),
        "year": year_of(paper),
        "volume": _extra(paper, "volume"),
        "number": _extra(paper, "number"),
        "pages": re.sub(r"(?<=\d)\s*[-–—]+\s*(?=\d)", "--", _extra(paper, "pages")),
        "publisher": _extra(paper, "publisher"),
        "doi": _quoted(doi_of(paper)),
        "url": _quoted(paper.url),
        "eprint": arxiv,
        "archiveprefix": "arXiv" if arxiv else "",
        "school": _extra(paper, "school"),
        "keywords": latex(", ".join(paper.keywords)),
        "abstract": latex(paper.abstract),
        "note": "; ".join(marks_of(paper)),
    }
    return kind, fields


_VENUE_FIELDS = {"inproceedings": "booktitle", "incollection": "booktitle", "article": "journal"}


def marks_of(paper: Paper) -> list[str]:
    """Return in words what an export cannot rely on; a list read back knows them again."""
    marks = []
    if not paper.authors_ordered:
        marks.append("author order unknown")
    if paper.abstract_is_cut:
        marks.append("abstract incomplete")
    return marks


def _quoted(address: str) -> str:
    # Braces would end the field, and two carets stand for any character, as a backslash.
    for char in "{}^\\":
        address = address.replace(char, f"%{ord(char):02X}")
    return address


def publication(paper: Paper) -> tuple[str, str]:
    """Return the BibTeX entry type of a paper and the full name of where it appeared.

    The type is the one that its list named; without one it is told from the name of the venue.
    """
    entry = paper.extra.get("entry_type")
    short = re.sub(r"[\s'’-]*(?:19|20)?\d{2}$", "", paper.venue).strip()
    bare = short.upper()
    if bare in JOURNALS:
        return "article", JOURNALS[bare]
    if bare in PROCEEDINGS:
        return "inproceedings", PROCEEDINGS[bare]
    if entry in _TYPES and (short or entry not in _VENUE_FIELDS):
        return str(entry), paper.venue
    if not short or re.match(r"arxiv|corr\b|preprint", short, re.I):
        return "misc", short
    numbered = bool(paper.extra.get("volume") or paper.extra.get("number"))
    if numbered and not _NOT_JOURNALS.search(short):
        return "article", paper.venue
    if _JOURNAL_WORDS.search(short) and not _NOT_JOURNALS.search(short):
        return "article", paper.venue
    return "inproceedings", paper.venue


def _extra(paper: Paper, name: str) -> str:
    value = paper.extra.get(name)
    kept = isinstance(value, (str, int)) and not isinstance(value, bool)
    return latex(str(value)) if kept else ""


def _author(name: str) -> str:
    text = latex(name)
    given, family, suffix = name_parts(name) if "," not in name else ("", "", "")
    if suffix and given:
        return f"{latex(family)}, {latex(suffix)}, {latex(given)}"
    # "and" separates authors and a second comma starts another part: such a name is one token.
    return f"{{{text}}}" if re.search(r"\band\b", text, re.I) or text.count(",") > 1 else text


def latex(text: str) -> str:
    """Return text as the value of a BibTeX field: LaTeX kept, the rest escaped, braces balanced.

    Only the commands of `tex_commands` are kept; any other is spelt out, and so does nothing when
    the user's paper is typeset.
    """
    parts = _MATH.split(text)
    for index, part in enumerate(parts):
        if index % 2:
            parts[index] = _MATH_TOKEN.sub(_escaped_in_math, part)
        else:
            parts[index] = _TOKEN.sub(_escaped_token, part)
    value = _balanced("".join(parts)).strip()
    # A backslash left over at the end would take the closing brace of the field with it.
    lone = (len(value) - len(value.rstrip("\\"))) % 2
    return value[:-1] + r"\textbackslash{}" if lone else value


def _escaped_token(match: re.Match[str]) -> str:
    token = match[0]
    if token in _SPELT:
        return _SPELT[token]
    if len(token) == 1 and token != "\\":
        return "\\" + token
    if token[1:] in KEPT or (len(token) == 2 and token[1] in _KEPT_ESCAPES):
        return token
    return r"\textbackslash{}" + token[1:].replace("\\", r"\textbackslash{}")


def _escaped_in_math(match: re.Match[str]) -> str:
    token = match[0]
    # BibTeX counts a brace whatever stands in front of it; spelt out, it is none.
    if token in ("\\{", "\\}"):
        # A space behind the name, before the dollar, would make money of it for other programs.
        return r"\lbrace{}" if token == "\\{" else r"\rbrace{}"
    if token in "%#":
        return "\\" + token
    # Two carets and a number stand for any character, the backslash included.
    if token in ("^", "\\^"):
        return "^{}" if token == "^" else r"\wedge "
    name, brace, argument = token[1:].partition("{")
    kept = argument.rstrip("}") in ENVIRONMENTS if brace else name in KEPT
    if kept or (len(token) == 2 and not token[1].isalpha()):
        return token
    return rf"\backslash {token[1:]}"


def _goes_on_to_the_end(text: str, brace: int) -> bool:
    """Whether a brace opens the argument of a command that the end of the text cuts off."""
    command = _COMMAND_BEFORE.search(text, max(0, brace - 60), brace)
    return bool(command) and "$" not in text[brace:] and not text.rstrip().endswith("\\")


def _balanced(text: str) -> str:
    """Return the text without the braces that have no partner."""
    open_at: list[int] = []
    lone: set[int] = set()
    for match in re.finditer("[{}]", text):
        if match[0] == "{":
            open_at.append(match.start())
        elif open_at:
            open_at.pop()
        else:
            lone.add(match.start())
    if len(open_at) == 1 and _goes_on_to_the_end(text, open_at[0]):
        text += "}"
    else:
        lone.update(open_at)
    if not lone:
        return text
    # Behind a letter an empty pair stays: without it the letter could become part of a command.
    return "".join(
        char if at not in lone else "{}" if text[at - 1 : at].isalpha() else ""
        for at, char in enumerate(text)
    )


def _with_capitals(title: str) -> str:
    """Return a title with braces round words such as BERT, that styles would write as bert."""
    depth = 0

    def protect(match: re.Match[str]) -> str:
        nonlocal depth
        token = match[0]
        depth += (token == "{") - (token == "}")
        inner = any(char.isupper() for char in token[1:])
        return f"{{{token}}}" if not depth and token[0].isalnum() and inner else token

    return _WORD.sub(protect, title)
