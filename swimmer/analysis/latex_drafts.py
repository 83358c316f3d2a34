"""Drafts in LaTeX: title, abstract and what is cited, with macros and inputs of the draft's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from swimmer.analysis.draft_files import LONGEST, beside, bib_titles, text_of
from swimmer.text import readable

BIB_FILES = 20
"""Files of references that one draft may name."""

INPUTS = 50
"""Files that a draft may be made of."""

_INPUT_DEPTH = 3
_MACROS = 300
_EXPANSIONS = 4
_INPUT = re.compile(r"\\(?:input|include|subfile)[ \t]{0,9}\{([^{}\n]{1,300})\}")
_MOST_ARGUMENTS = 9
_CITED = re.compile(
    r"\\(?:no|paren|text|auto|foot|full|short)?[Cc]ite[a-zA-Z]{0,12}\*?"
    r"(?:\[[^\[\]]{0,200}\]){0,3}\{([^{}]{1,2000})\}"
)
_DEFINED = re.compile(
    r"\\(?:(?:re|provide)?newcommand|DeclareRobustCommand|providecommand)\*?[ \t]{0,9}"
    r"\{?[ \t]{0,9}\\([A-Za-z]{1,40})[ \t]{0,9}\}?"
    r"[ \t]{0,9}(?:\[([0-9])\])?[ \t]{0,9}(?:\[([^\[\]]{0,500})\])?\s{0,9}(?=\{)"
    r"|\\def[ \t]{0,9}\\([A-Za-z]{1,40})[ \t]{0,9}((?:#[1-9]){0,9})[ \t]{0,9}(?=\{)"
)
_OPTIONAL = re.compile(r"\s{0,9}\[([^\[\]]{0,500})\]")
_OPENS = re.compile(r"\s{0,9}\{")
_PLACE = re.compile(r"#([1-9])")


class _Macro(NamedTuple):
    """A macro of a draft's own: what it stands for, its arguments, and the first one's default."""

    body: str
    arguments: int
    default: str | None


def read_latex(path: Path) -> tuple[str, str, str]:
    """Return title, abstract and the text of what is cited."""
    text = _with_inputs(_without_comments(text_of(path)), path)
    _, _, rest = text.partition(r"\begin{abstract}")
    abstract, end, _ = rest[:LONGEST].partition(r"\end{abstract}")
    abstract = abstract if end else ""
    title = _argument(text, r"\\(?:icml|acl)?title\*?\s{0,40}(?:\[[^\[\]]{0,1000}\])?\s{0,40}\{")
    abstract = abstract or _argument(text, r"\\abstract\s{0,40}\{")
    cited = "".join(
        re.findall(r"\\bibitem.*?(?=\\bibitem|\\end\{thebibliography\}|\Z)", text, re.S)
    )
    for file in _bib_files(text, path):
        cited += bib_titles(text_of(file))
    macros = _macros(text)
    title, abstract = (_expanded(part, macros) for part in (title, abstract))
    return _plain(title), _plain(abstract), re.sub(r"[{}]", "", cited)


def latex_citations(path: Path) -> tuple[list[Path], set[str] | None]:
    """Return the `.bib` files that a draft names, and the keys that it cites; None for all."""
    text = _with_inputs(_without_comments(text_of(path)), path)
    keys = {
        key.strip() for found in _CITED.finditer(text) for key in found[1].split(",") if key.strip()
    }
    return _bib_files(text, path), None if not keys or "*" in keys else keys


def _bib_files(text: str, path: Path) -> list[Path]:
    named = re.findall(r"\\(?:bibliography|addbibresource)\{([^{}]{0,2000})\}", text)
    # Each file once, however often it is named.
    names = list(dict.fromkeys(n.strip() for n in ",".join(named).split(",")))[:BIB_FILES]
    return [file for name in names if (file := beside(path, name, ".bib")) is not None]


def _without_comments(text: str) -> str:
    return re.sub(r"(?<!\\)%.*", "", text)


def _with_inputs(text: str, path: Path) -> str:
    """Return a draft with the files that it inputs, which must lie in its own folder, once each."""
    read: set[Path] = set()

    def file_text(found: re.Match[str]) -> str:
        file = beside(path, found[1].strip(), ".tex")
        if file is None or file in read or len(read) >= INPUTS:
            return " "
        read.add(file)
        return _without_comments(text_of(file))

    for _ in range(_INPUT_DEPTH):
        if not _INPUT.search(text):
            break
        text = _INPUT.sub(file_text, text)
    return text


def _macros(text: str) -> dict[str, _Macro]:
    """Return what a draft's own macros stand for, by name."""
    macros: dict[str, _Macro] = {}
    for found in _DEFINED.finditer(text):
        if len(macros) >= _MACROS:
            break
        name, count, default, plain_name, places = found.groups()
        body = _braced(text, found.end() + 1)[:2_000]
        number = int(count or 0) if name else len(places or "") // 2
        macros[name or plain_name] = _Macro(body, number, default)
    return macros


def _expanded(text: str, macros: dict[str, _Macro]) -> str:
    """Return a text with macros replaced, also those in what they stand for; bounded."""
    if not macros:
        return text
    names = "|".join(sorted(map(re.escape, macros), key=len, reverse=True))
    used = re.compile(rf"\\({names})(?![A-Za-z])(?:\{{\}})?")
    for _ in range(_EXPANSIONS):
        if len(text) > LONGEST or not used.search(text):
            break
        parts: list[str] = []
        at = length = 0
        while (found := used.search(text, at)) and length <= LONGEST:
            stands_for, end = _called(macros[found[1]], text, found)
            parts += [text[at : found.start()], stands_for]
            length += sum(map(len, parts[-2:]))
            at = end
        text = "".join([*parts, text[at:]])
    return text[:LONGEST]


def _called(macro: _Macro, text: str, found: re.Match[str]) -> tuple[str, int]:
    """Return what a macro that is used at a place stands for, and where its arguments end."""
    if not macro.arguments:
        return macro.body, found.end()
    end = found.end(1)
    values: list[str] = []
    if macro.default is not None:
        given = _OPTIONAL.match(text, end)
        values.append(given[1] if given else macro.default)
        end = given.end() if given else end
    while len(values) < macro.arguments:
        opened = _OPENS.match(text, end)
        if opened is None:
            # TeX would take the next letter: what is there stays, and nothing is put in.
            values.append("")
            continue
        value = _braced(text, opened.end())
        values.append(value)
        end = opened.end() + len(value) + 1
    values += [""] * _MOST_ARGUMENTS
    return _PLACE.sub(lambda place: values[int(place[1]) - 1], macro.body), min(end, len(text))


def _argument(text: str, opening: str) -> str:
    """Return what stands in the braces that an opening begins, "" without one."""
    found = re.search(opening, text)
    return _braced(text, found.end()) if found else ""


def _braced(text: str, start: int) -> str:
    """Return what stands up to the brace that closes the one before `start`."""
    depth = 1
    for end in range(start, min(len(text), start + LONGEST)):
        if text[end] in "{}" and text[end - 1] != "\\":
            depth += 1 if text[end] == "{" else -1
            if not depth:
                return text[start:end]
    return ""


def _plain(latex: str) -> str:
    latex = re.sub(
        r"[\s~]{0,20}\\(?:thanks|footnote|cite[tp]?|label|ref)\*?(?:\[[^\[\]]{0,200}\]){0,3}\{[^{}]{0,2000}\}",
        "",
        latex,
    )
    # TeX drops the space behind a command; what stands for \\xspace keeps it.
    latex = re.sub(r"\\xspace(?![A-Za-z])", "{}", latex)
    return readable(re.sub(r"\\\\|~", " ", latex))
