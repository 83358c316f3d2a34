"""Lists and drafts of every format, changed at random: papers or an error in words, within bounds."""

from __future__ import annotations

import contextlib
import gzip
import importlib
import json
import random
import resource
import traceback
from collections.abc import Callable
from pathlib import Path

from swimmer.analysis import read_draft
from swimmer.errors import SwimmerError
from swimmer.export import to_bibtex
from swimmer.sources import SourceReport, open_source

from .runner import Campaign, Failure

INPUTS = 20
"""Lists of one trial: a process of its own for each would take longer than reading it."""

MEMORY = 1 << 30
"""Bytes that a trial may hold."""

# Loaded before the first fork, or each trial would load them.
for _name in (
    "bibtexparser.entrypoint",
    "rispy",
    "pylatexenc.latex2text",
    "defusedxml.ElementTree",
):
    importlib.import_module(_name)

_ABSTRACT = "We study $\\beta$-VAEs, {BERT} and caf\\'e \\emph{orders} of 10\\% & more &lt;b&gt;."
_RECORD = {
    "title": "A study of $\\beta$-VAE \\textbf{models}",
    "abstract": _ABSTRACT,
    "authors": ["Ada Lovelace", {"fullname": "Alan Turing"}, "Hopper, Grace"],
    "url": "https://example.org//papers/1?x=y",
    "year": 2024,
    "keywords": "a; b; c",
    "doi": "10.1234/abc.5",
    "id": "2401.00001v2",
}
SEEDS: dict[str, str] = {
    "list.json": json.dumps([_RECORD, {**_RECORD, "id": 2, "authors": "A, B and C"}]),
    "envelope.json": json.dumps({"count": 1, "next": None, "results": [_RECORD]}),
    "keyed.json": json.dumps({"https://example.org/1": _RECORD}, indent=1),
    "notes.json": json.dumps(
        {
            "notes": [
                {
                    "id": "x",
                    "forum": "y",
                    "content": {k: {"value": v} for k, v in _RECORD.items()},
                    "invitations": ["ICLR.cc/2025/Conference/-/Submission"],
                }
            ]
        }
    ),
    "list.jsonl": "\n".join(json.dumps({**_RECORD, "id": i}) for i in range(3)),
    "list.csv": 'title,abstract,authors,year\n"A, ""study""","x\ny",A; B,2024\nB,,C,\n',
    "list.tsv": "title\tabstract\tyear\nA study\tof it\t2024\n",
    "list.bib": "@string{v = {Proc. of X}}\n@inproceedings{a,\n title={A {B}ERT "
    + _ABSTRACT
    + "},\n"
    ' author="Hopper, Grace and {A and B} and Jr, X, Y",\n booktitle=v # "y", year=2024,\n'
    " doi={10.1234/x}, eprint={2401.00001}\n}\n@comment{x}\n@article(b, title={B})\n",
    "list.ris": "TY  - JOUR\nTI  - A study\nAU  - Hopper, Grace\nAB  - Some\n  text\nPY  - 2024//\n"
    "DO  - 10.1234/x\nUR  - https://example.org\nER  - \n\nTY  - WEB\nER  - \n",
    "list.md": "# Reading\n\n## 1. [A title](https://arxiv.org/abs/2401.00001)\n- **Keywords**: a, b\n"
    "- Paper: [x](https://openreview.net/forum?id=abc)\n\n### Abstract\n" + _ABSTRACT + "\n\n"
    "### 摘要\n文字\n\n### Notes\n- a\n\n## 2. Title\n",
    "anthology.xml": '<?xml version="1.0"?><collection id="2022.acl"><volume id="1"><meta><year>2022'
    '</year><venue>acl</venue></meta><paper id="1"><title>A <fixed-case>B</fixed-case>ert'
    "<tex-math>x</tex-math></title><author><first>A</first><last>B</last></author>"
    "<abstract>Some<br/>text</abstract><url>2022.acl-1.1</url></paper></volume></collection>",
    "feed.xml": '<feed xmlns="http://www.w3.org/2005/Atom"><x:totalResults xmlns:x='
    '"http://a9.com/-/spec/opensearch/1.1/">1</x:totalResults><entry><id>http://arxiv.org/abs/'
    "2401.00001v1</id><title>A</title><summary>B</summary><published>2024-01-01</published>"
    "<author><name>C</name></author></entry></feed>",
    "draft.tex": "\\documentclass{x}\\title[short]{A \\emph{draft}\\thanks{x}}\n\\begin{abstract}"
    + _ABSTRACT
    + "\\end{abstract}\\bibliography{list}\n\\bibitem{a} Some title. % x\n\\end{thebibliography}",
    "draft.md": "---\ntitle: A draft\nabstract: |\n  Some\n  text\n---\n\n# T\n\n## References\n- A\n",
}
TOKENS = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    '"',
    "'",
    "\\",
    "$",
    "%",
    "&",
    "<",
    ">",
    "@",
    "#",
    "^",
    "_",
    "~",
    ",",
    ";",
    ":",
    "=",
    "\n",
    "\r",
    "\t",
    " ",
    "\x00",
    "\ufeff",
    "\ud800",
    "\u202e",
    "é",
    "中",
    "🙂",
    " and ",
    "@article{",
    "title={",
    "title=",
    "ER  - \n",
    "TY  - ",
    "## 1. ",
    "### Abstract\n",
    "[a](http://",
    "<title>",
    "</title>",
    "<b>",
    "<!DOCTYPE x>",
    "<!ENTITY a 'b'>",
    "&a;",
    "&#x0;",
    "&amp;",
    "<![CDATA[",
    "null",
    "true",
    "NaN",
    "Infinity",
    "-",
    "1e999",
    "9" * 5_000,
    "0x",
    '{"a":',
    "[[[[",
    "\\u",
    "\\ud800",
    "10.1234/",
    "arxiv:",
    "http://",
    "https://openreview.net/forum?id=",
    "/virtual/2025/poster/",
    "\\begin{abstract}",
    "\\bibliography{",
    "\\frac",
    "\\title{",
    "\\verb|",
    "$$",
    "\\(",
    "2024",
    "²",
    "٣",
]


class Lists(Campaign):
    """A small list or draft of any format, changed a few times, sometimes compressed."""

    name = "lists"
    about = f"{INPUTS} changed lists and drafts: no traceback, none over 10 seconds, none over 1 GB"

    def prepare(self) -> None:
        """Nothing: the seeds stand in this module."""

    def trial(self, chance: random.Random, folder: Path) -> None:
        for number in range(INPUTS):
            try:
                self._one(random.Random(chance.getrandbits(64)), folder)
            except Exception as error:
                # A traceback says where; this says which of the trial's inputs it was.
                raise Failure(f"input {number}: {traceback.format_exc(limit=-4)}") from error

    def _one(self, chance: random.Random, folder: Path) -> None:
        name = chance.choice(list(SEEDS))
        text = SEEDS[name]
        for _ in range(chance.choice([1, 1, 2, 3, 5, 8])):
            text = chance.choice(CHANGES)(chance, text)[: 1 << 19]
        content = _encoded(chance, text)
        path = folder / name
        path.write_bytes(content)
        (folder / "list.bib").write_text(SEEDS["list.bib"]) if name != "list.bib" else None
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with contextlib.suppress(SwimmerError):
            if name.startswith("draft"):
                draft = read_draft(path)
                draft.cites(draft.paper)
            else:
                use(list(open_source(path).papers(SourceReport())))
        held = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
        if held > MEMORY:
            raise Failure(f"{name}: {held >> 20} MB were held")


def use(papers: list[object]) -> None:
    """Do with papers what a build, an answer and an export do."""
    for paper in papers[:50]:
        json.dumps(paper.to_dict()).encode()  # type: ignore[attr-defined]
        paper.embedding_text.encode()  # type: ignore[attr-defined]
        paper.display_title.encode()  # type: ignore[attr-defined]
        _ = paper.key  # type: ignore[attr-defined]
    to_bibtex(papers[:50]).encode()  # type: ignore[arg-type]


def _encoded(chance: random.Random, text: str) -> bytes:
    content = text.encode("utf-8", "surrogatepass")
    kind = chance.random()
    if kind < 0.05:
        return text.encode("utf-16", "surrogatepass")
    if kind < 0.15:
        content = gzip.compress(content, 1)
    if kind < 0.25 and content:
        torn = bytearray(content)
        for _ in range(chance.choice([1, 3, 20])):
            torn[chance.randrange(len(torn))] = chance.randrange(256)
        content = bytes(torn)
    return content


def _inserted(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(TOKENS) + text[at:]


def _repeated(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    token = chance.choice([*TOKENS, text[at : at + chance.randrange(1, 30)]])
    return text[:at] + token * chance.choice([2, 5, 20, 100, 500, 3_000, 20_000]) + text[at:]


def _deleted(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + chance.choice([1, 2, 10, 100]) :]


def _doubled(chance: random.Random, text: str) -> str:
    at, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    return text[:end] + text[at:end] * chance.choice([1, 2, 50]) + text[end:]


def _cut(chance: random.Random, text: str) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _crossed(chance: random.Random, text: str) -> str:
    other = SEEDS[chance.choice(list(SEEDS))]
    return text[: chance.randrange(len(text) + 1)] + other[chance.randrange(len(other) + 1) :]


CHANGES: list[Callable[[random.Random, str], str]] = [
    _inserted,
    _inserted,
    _repeated,
    _repeated,
    _deleted,
    _doubled,
    _cut,
    _crossed,
]
