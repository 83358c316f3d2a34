"""Drafts in Markdown: title and abstract from front matter, headings and sections."""

from __future__ import annotations

import re
from pathlib import Path

from swimmer.analysis.draft_files import text_of

_ABSTRACT = re.compile(r"\babstract\b[\s.:—–-]{0,20}", re.IGNORECASE)


def read_markdown(path: Path) -> tuple[str, str, str]:
    """Return title, abstract and the text of the references."""
    text = text_of(path)
    title = abstract = ""
    if front := re.match(r"---[ \t]{0,40}\r?\n(.{0,20000}?)\n---[ \t]{0,40}\r?\n", text, re.S):
        text = text[front.end() :]
        title = _front_matter(front[1], "title")
        abstract = _front_matter(front[1], "abstract")
    heading = re.search(r"^#[ \t]+(\S.*)$|^(\S.*)\n=+[ \t]*$", text, re.M)
    if heading:
        title = title or heading[1] or heading[2]
        text = text[: heading.start()] + text[heading.end() :]
    parts = re.split(r"^#{1,6}[ \t]+(\S.*)$", text, flags=re.M)
    sections = dict(zip((h.strip(" #*").casefold() for h in parts[1::2]), parts[2::2], strict=True))
    abstract = abstract or sections.get("abstract", "") or _ABSTRACT.sub("", parts[0].strip(), 1)
    cited = "\n".join(sections.get(name, "") for name in ("references", "bibliography"))
    return re.sub(r"[*`]", "", title), abstract, cited


def _front_matter(block: str, name: str) -> str:
    found = re.search(rf"^{name}:[ \t]*(.*(?:\n[ \t]+.*)*)", block, re.M | re.I)
    return re.sub(r"^\s*[|>]-?\s*|^[\"']|[\"']\s*$", "", found[1].strip()) if found else ""
