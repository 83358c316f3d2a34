"""Links that a Markdown text writes in HTML, turned into those of Markdown."""

from __future__ import annotations

import html
import re

_ANCHOR = re.compile(
    r"<a\s([^<>]{0,2000})>((?:[^<]|<(?!/?a[\s>])){0,2000})</a\s{0,9}>", re.IGNORECASE
)
_LEFT_OPEN = re.compile(r"<a\s([^<>]{0,2000})>|</a\s{0,9}>", re.IGNORECASE)
_HREF = re.compile(
    r"(?:^|\s)href\s{0,9}=\s{0,9}(?:\"([^\"]{0,2000})\"|'([^']{0,2000})'|([^\s\"'<>`]{1,2000}))",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_PLAIN_ADDRESS = re.compile(r"https?://[^()\s<>]{1,2000}(?:\([^()\s]{0,200}\)[^()\s<>]{0,200})?")


def with_markdown_links(text: str, *, escape: bool = False) -> str:
    """Return a text with `<a href="ADDRESS">label</a>` written as `[label](ADDRESS)`.

    An anchor that leads nowhere on the web leaves its label; a label without a text, such as a
    picture, is called "link". `escape` puts a backslash before the brackets of a label.
    """
    if "<a" not in text and "<A" not in text:
        return text

    def link(match: re.Match[str]) -> str:
        label = " ".join(_TAG.sub("", match[2]).split())
        if label[:1] == "[" and label.find("]") == len(label) - 1:
            label = label[1:-1]
        address = _address(match[1])
        if not address:
            return label
        if escape:
            label = re.sub(r"([\[\]])", r"\\\1", label)
        return f"[{label or 'link'}]({address})"

    def left_open(match: re.Match[str]) -> str:
        address = _address(match[1]) if match[1] else ""
        return f" <{address}> " if address else ""

    return _LEFT_OPEN.sub(left_open, _ANCHOR.sub(link, text))


def _address(attributes: str) -> str:
    """Return the web address of an anchor as Markdown takes it, or ""."""
    found = _HREF.search(attributes)
    if not found:
        return ""
    address = html.unescape(found[1] or found[2] or found[3] or "").strip()
    if address[:2] == "//":
        address = f"https:{address}"
    if not address.lower().startswith(("http://", "https://")):
        return ""
    if not _PLAIN_ADDRESS.fullmatch(address):
        for mark, code in (("(", "%28"), (")", "%29"), (" ", "%20"), ("<", "%3C"), (">", "%3E")):
            address = address.replace(mark, code)
    return "".join(address.split())
