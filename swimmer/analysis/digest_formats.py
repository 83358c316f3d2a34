"""A digest written out: HTML for mail, Markdown for a chat, an Atom feed (RFC 4287)."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from xml.etree import ElementTree

from swimmer.analysis.digest import Digest, DigestEntry
from swimmer.errors import InputError
from swimmer.export import escaped
from swimmer.papers import citation_line, events_in_words
from swimmer.text import clean_url

ATOM = "http://www.w3.org/2005/Atom"
MOST_ENTRIES = 200
"""Entries of a feed; the oldest are left out."""

_EXCERPT = 500
# What XML 1.0 cannot hold, whatever is done to it.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FONT = "font-family:Arial,Helvetica,sans-serif"


def digest_to_html(digest: Digest) -> str:
    """Return a digest as one HTML page with its styles in the elements, as mail programs want it.

    It loads nothing and runs nothing; all that came from a list is escaped.
    """
    title = html.escape(digest.title)
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>',
        f'<body style="margin:0;padding:16px;background:#ffffff;color:#1a1a1a;{_FONT}">',
        '<div style="max-width:680px;margin:0 auto">',
        f'<h1 style="font-size:20px;margin:0 0 8px">{title}</h1>',
        f'<p style="font-size:14px;margin:0 0 16px">{html.escape(digest.summary)}.</p>',
    ]
    parts += [
        f'<p style="font-size:14px;margin:0 0 8px;color:#8a1c00">{html.escape(problem)}</p>'
        for problem in digest.problems
    ]
    parts += [_html_entry(entry) for entry in digest.entries]
    return "\n".join([*parts, "</div></body></html>", ""])


def _html_entry(entry: DigestEntry) -> str:
    paper = entry.found.hit.paper
    title = html.escape(paper.display_title)
    if url := clean_url(paper.url):
        style = "color:#00695c;text-decoration:underline"
        title = f'<a href="{html.escape(url, quote=True)}" style="{style}">{title}</a>'
    lines = [
        f'<p style="font-size:13px;margin:2px 0;color:#444444">{html.escape(line)}</p>'
        for line in _about(entry)
    ]
    why = f'<p style="font-size:13px;margin:2px 0"><b>{html.escape(entry.found.reason)}</b></p>'
    excerpt = _cut(paper.display_abstract)
    told = f'<p style="font-size:13px;margin:4px 0 0">{html.escape(excerpt)}</p>' if excerpt else ""
    return "\n".join(
        [
            '<div style="margin:0 0 20px;padding:0 0 12px;border-bottom:1px solid #dddddd">',
            f'<h2 style="font-size:16px;margin:0 0 4px">{title}</h2>',
            *lines,
            why,
            told,
            "</div>",
        ]
    )


def digest_to_markdown(digest: Digest) -> str:
    """Return a digest as Markdown, in which nothing that came from a list is a mark."""
    parts = [f"## {escaped(digest.title)}", f"{escaped(digest.summary)}."]
    parts += [f"> {escaped(problem)}" for problem in digest.problems]
    for number, entry in enumerate(digest.entries, 1):
        paper = entry.found.hit.paper
        title, url = escaped(paper.display_title), clean_url(paper.url)
        lines = [f"{number}. **[{title}](<{url}>)**" if url else f"{number}. **{title}**"]
        lines += [f"   {escaped(line)}" for line in (*_about(entry), entry.found.reason)]
        parts.append("  \n".join(lines))
    return "\n\n".join(parts) + "\n"


def digest_to_atom(digest: Digest, before: str = "") -> str:
    """Return a digest as an Atom feed; the entries of the feed before stay, new ones first.

    Ids are made of the library's name and of a paper's address, or of its store and id, so that a
    reader knows an entry again.

    Args:
        digest: the digest.
        before: the feed as it was written last time, "" for none.

    Raises:
        InputError: `before` is no feed of this library.
    """
    ElementTree.register_namespace("", ATOM)
    feed = ElementTree.Element(f"{{{ATOM}}}feed")
    identifier = feed_id(digest.library)
    old = _entries_of(before, identifier) if before.strip() else {}
    made = _atom_time(digest.made)
    _text(feed, "id", identifier)
    _text(feed, "title", f"New papers for {digest.library}")
    _text(feed, "subtitle", ". ".join([digest.summary, *digest.problems]))
    _text(feed, "updated", made)
    _text(ElementTree.SubElement(feed, f"{{{ATOM}}}author"), "name", "swimmer")
    _text(feed, "generator", "swimmer")
    for entry in digest.entries:
        element = _atom_entry(entry, made)
        old.pop(str(element.findtext(f"{{{ATOM}}}id")), None)
        feed.append(element)
    for element in [*old.values()][: max(0, MOST_ENTRIES - len(digest.entries))]:
        feed.append(element)
    ElementTree.indent(feed)
    return ElementTree.tostring(feed, encoding="unicode", xml_declaration=True) + "\n"


def feed_id(library: str) -> str:
    """Return the id of the feed of a library."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"swimmer:digest:{library}").urn


def _atom_entry(entry: DigestEntry, made: str) -> ElementTree.Element:
    paper = entry.found.hit.paper
    url = clean_url(paper.url)
    element = ElementTree.Element(f"{{{ATOM}}}entry")
    what = url or f"swimmer:{entry.store}:{paper.id}"
    _text(
        element, "id", uuid.uuid5(uuid.NAMESPACE_URL, what.encode("utf-8", "replace").decode()).urn
    )
    _text(element, "title", paper.display_title)
    _text(element, "updated", made)
    _text(element, "published", _atom_time(entry.arrived))
    for name in paper.authors or ("unknown",):
        _text(ElementTree.SubElement(element, f"{{{ATOM}}}author"), "name", name)
    if url:
        ElementTree.SubElement(element, f"{{{ATOM}}}link", {"rel": "alternate", "href": _xml(url)})
    told = "\n\n".join(
        filter(None, [entry.found.reason, *_about(entry)[1:], paper.display_abstract])
    )
    _text(element, "content", told).set("type", "text")
    return element


def _entries_of(feed: str, identifier: str) -> dict[str, ElementTree.Element]:
    """Return the entries of a feed that was written before, by their ids."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    hint = "give another file, or delete this one"
    try:
        root = fromstring(feed)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise InputError(
            f"the feed that stands there cannot be read ({error})", hint=hint
        ) from None
    if root.tag != f"{{{ATOM}}}feed" or root.findtext(f"{{{ATOM}}}id") != identifier:
        raise InputError("the file that stands there is not the feed of this library", hint=hint)
    return {
        str(entry.findtext(f"{{{ATOM}}}id")): entry for entry in root.findall(f"{{{ATOM}}}entry")
    }


def _text(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}")
    element.text = _xml(text)
    return element


def _xml(text: str) -> str:
    return _NOT_XML.sub("", text)


def _atom_time(when: datetime) -> str:
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _about(entry: DigestEntry) -> list[str]:
    paper = entry.found.hit.paper
    came = f"new in {entry.store} on {entry.arrived:%Y-%m-%d}"
    return [
        " · ".join(filter(None, [citation_line(paper), came])),
        *events_in_words(paper)[:3],
    ]


def _cut(text: str, limit: int = _EXCERPT) -> str:
    return text if len(text) <= limit else text[: limit - 1].rpartition(" ")[0].rstrip(" .,;") + "…"


DIGEST_WRITERS: Mapping[str, Callable[[Digest], str]] = {
    ".html": digest_to_html,
    ".htm": digest_to_html,
    ".md": digest_to_markdown,
    ".xml": digest_to_atom,
    ".atom": digest_to_atom,
}
"""How a digest is written, by the ending of its file."""
