"""The Markdown reading list: numbered sections with keywords, links and an abstract.

    ## 12. A Title
    - **Keywords**: retrieval, embeddings
    - Paper: [arXiv](https://arxiv.org/abs/2401.00001), [code](https://…)

    ### Abstract
    One language …

    ### 摘要
    … or two.

Sections of a template that nobody filled in are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from swimmer.papers import arxiv_id, doi, openreview_id
from swimmer.sources.formats.anchors import with_markdown_links
from swimmer.sources.formats.awesome import best_url, host_of
from swimmer.sources.formats.records import NotAPaper

SECTION = re.compile(r"(?m)^##[ \t]+\d+[.):、][ \t]*(.*)$")
_FIELDS = {
    "keywords": (
        "keywords",
        "keyword",
        "key words",
        "tags",
        "topics",
        "关键词",
        "关键字",
        "キーワード",
        "키워드",
    ),
    "authors": ("authors", "author", "作者", "著者", "저자"),
    "venue": ("venue", "conference", "journal", "published in", "会议", "会議", "학회"),
    "year": ("year", "date", "published", "年份", "年"),
    "url": (
        "link",
        "links",
        "paper",
        "url",
        "pdf",
        "openreview",
        "arxiv",
        "code",
        "project",
        "github",
        "website",
        "链接",
        "リンク",
        "论文",
        "論文",
    ),
    "abstract": (
        "abstract",
        "summary",
        "摘要",
        "概要",
        "초록",
        "要旨",
        "tl;dr",
        "résumé",
        "zusammenfassung",
        "resumen",
    ),
    "status": ("status",),
    "authors_order": ("author order",),
    "id": ("id",),
}
_WHICH = {name: field for field, names in _FIELDS.items() for name in names}
_LABEL = re.compile(
    r"^\s*(?:#{3,6}\s+|[-*+]\s+)?(?:\*\*|__)?\s*(?P<label>[^:：*_\n\[\]]{1,40}?)\s*"
    r"(?=[:：]|\*\*|__|$)(?:\*\*|__)?\s*(?P<colon>[:：])?\s*(?:\*\*|__)?\s*(?P<rest>.*)$"
)
_LINK = re.compile(
    r"\[([^\[\]]{0,1000})\]\((https?://[^()\s]{1,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,200})?)\)|<(https?://[^<>\s]{1,2000})>"
    r"|(https?://[^\s)\]>]{1,2000})"
)
_PLACEHOLDER = re.compile(
    r"(paper )?title( here)?|标题|论文标题|题目|名称|todo|tbd|[.…?\-_\s]*"
    r"|<[^>]*>|\{[^}]*\}|\[[^\]]*\]",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_NOTES = re.compile(
    r"(?ims)^###[ \t]+(?:notes|my notes|笔记|メモ|메모)[ \t]*$(.*?)(?=^###[ \t]|\Z)"
)
_SHIELD = 0xE000
_SHIELDED = {_SHIELD + code: chr(code) for code in range(0x21, 0x7F)}
_NOTE = re.compile(r"\s*\([^)]*\)|\s*（[^）]*）")


def markdown_records(text: str) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    """Yield (place, record) of a reading list; unfilled sections are counted."""
    heads = list(SECTION.finditer(text))
    line, counted = 1, 0
    for head, following in zip(heads, [*heads[1:], None][: len(heads)], strict=True):
        body = text[head.end() : following.start() if following else len(text)]
        line += text.count("\n", counted, head.start())
        counted = head.start()
        place = f"line {line}"
        # A heading of the first or second level that is not numbered ends the list.
        body = re.split(r"(?m)^##?[ \t]+(?!\d+[.):、])", body)[0]
        record = _record(head[1], body)
        if record is None:
            yield place, NotAPaper("an empty section of the template")
        else:
            yield place, record


def _shielded(text: str) -> str:
    # What Markdown has escaped is text, never a mark: a private character stands for it meanwhile.
    return _ESCAPED.sub(lambda m: chr(_SHIELD + ord(m[1])), text)


def _unshielded(value: Any) -> Any:
    if isinstance(value, list):
        return [_unshielded(item) for item in value]
    return value.translate(_SHIELDED) if isinstance(value, str) else value


def _record(heading: str, body: str) -> dict[str, Any] | None:
    notes = _NOTES.search(body)
    if notes:
        body = body[: notes.start()] + body[notes.end() :]
    heading, body = (_shielded(with_markdown_links(part, escape=True)) for part in (heading, body))
    linked = _LINK.search(heading)
    title = _LINK.sub(lambda m: m[1] or "", heading)
    title = re.sub(r"(\*\*|__|`)", "", title).strip()
    if _PLACEHOLDER.fullmatch(title):
        return None
    parts = _fields(body)
    urls = [m[2] or m[3] or m[4] for m in _LINK.finditer(body)]
    if linked:
        urls.insert(0, linked[2] or linked[3] or linked[4])
    abstracts = [text for text in parts["abstract"] if text]
    latin = [text for text in abstracts if _mostly_latin(text)]
    others = [text for text in abstracts if text not in latin]
    url = best_url(urls)
    own_id = parts["id"][0] if parts["id"] else ""
    record = {
        "title": title,
        "abstract": (latin or others or [""])[0],
        "abstract_translated": others[0] if latin and others else "",
        "authors": re.sub(r"[，、]", ",", parts["authors"][0]) if parts["authors"] else None,
        "keywords": [k for text in parts["keywords"] for k in re.split(r"[,;，；、|]", text)],
        "venue": parts["venue"][0] if parts["venue"] else "",
        "year": parts["year"][0] if parts["year"] else "",
        "url": url,
        "id": own_id or arxiv_id(url) or openreview_id(url),
        "status": parts["status"][0] if parts["status"] else "",
        "authors_order": parts["authors_order"][0] if parts["authors_order"] else "",
        # Line by line: a paper's texts are one line each, and notes are Markdown.
        "reading_notes": notes[1].strip().splitlines() if notes else [],
        "arxiv": next(filter(None, map(arxiv_id, urls)), ""),
        "openreview": next(filter(None, map(openreview_id, urls)), ""),
        "doi": next(filter(None, map(doi, urls)), ""),
        "code": next((u for u in urls if u != url and host_of(u) == "github.com"), ""),
    }
    return {
        name: value if name == "reading_notes" else _unshielded(value)
        for name, value in record.items()
    }


def _fields(body: str) -> dict[str, list[str]]:
    """Return the values under each label, in order; continued lines belong to the last label."""
    found: dict[str, list[list[str]]] = {field: [] for field in _FIELDS}
    current: list[str] | None = None
    for line in body.splitlines():
        if line.strip() in ("---", "***", "___"):
            continue
        heading = line.lstrip().startswith("###")
        match = _LABEL.match(line)
        label = _NOTE.sub("", match["label"]).strip().casefold() if match else ""
        field = (
            _WHICH.get(label)
            or _WHICH.get(label.removeprefix("english "))
            or _WHICH.get(label.removeprefix("chinese ").removeprefix("中文").removeprefix("英文"))
        )
        if match and field and (match["colon"] or heading or not match["rest"].strip()):
            current = [_plain(match["rest"])]
            found[field].append(current)
        elif heading:
            current = None
        elif current is not None and line.strip():
            current.append(_plain(line))
    joined = {
        field: [
            ", ".join(filter(None, lines)) if field == "keywords" else " ".join(filter(None, lines))
            for lines in values
        ]
        for field, values in found.items()
    }
    return {
        field: [v for v in values if not _PLACEHOLDER.fullmatch(v)]
        for field, values in joined.items()
    }


def _plain(line: str) -> str:
    line = re.sub(r"^\s*(?:[-*+]\s+|>\s?)+", "", line)
    line = _LINK.sub(lambda m: m[1] or "", line)
    return re.sub(r"\*\*|__|`", "", line).strip()


def _mostly_latin(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return sum(char < "\u0250" for char in letters) * 2 > len(letters)
