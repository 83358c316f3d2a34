"""Markdown lists of links: awesome-lists, and the tables of daily arXiv repositories.

    - [A Title](https://arxiv.org/abs/2401.00001), Ada Test, ICLR 2024
    - A Title [[paper]](https://…) [[code]](https://…)
    | **[A Title](https://arxiv.org/abs/…)** | 2024-01-02 | <details>…the abstract…</details> |

In a bullet only links that lead to papers count; in a table with a column of papers every row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from swimmer.papers import arxiv_id, doi, openreview_id
from swimmer.sources.formats.anchors import with_markdown_links
from swimmer.sources.formats.records import NotAPaper

_LINK = re.compile(
    r"\[((?:[^\[\]\n]|\[[^\[\]\n]{0,200}\]){0,500})\]\(<?(https?://[^\s()<>]{1,500}(?:\([^\s()]{0,100}\)[^\s()<>]{0,200})?)>?"
    r"(?:\s\"[^\"\n]{0,200}\")?\)"
)
_BULLET = re.compile(r"\s{0,20}(?:[-*+•]|\d{1,4}[.)])\s+(\S.*)")
_ROW = re.compile(r"\s{0,9}\|(.*)")
_RULE = re.compile(r"[\s|:-]+")
_LABELS = frozenset(
    "paper pdf arxiv link url here code github project page project-page website web site "
    "openreview "
    "acl html video slides blog poster dataset data demo abs abstract doi model huggingface hf "
    "论文 代码 リンク 論文".split()
) | {"project page", "arxiv link", "paper link", "code link"}
_HOSTS = (
    "arxiv.org",
    "openreview.net",
    "aclanthology.org",
    "aclweb.org",
    "doi.org",
    "proceedings.mlr.press",
    "papers.nips.cc",
    "papers.neurips.cc",
    "proceedings.neurips.cc",
    "openaccess.thecvf.com",
    "jmlr.org",
    "ieeexplore.ieee.org",
    "dl.acm.org",
    "link.springer.com",
    "nature.com",
    "science.org",
    "biorxiv.org",
    "medrxiv.org",
    "semanticscholar.org",
    "ojs.aaai.org",
    "ijcai.org",
    "sciencedirect.com",
    "isca-archive.org",
    "usenix.org",
    "pubmed.ncbi.nlm.nih.gov",
    "alphaxiv.org",
    "journals.plos.org",
    "pnas.org",
    "mdpi.com",
)
_PAPER_PATHS = ("huggingface.co/papers/", "researchgate.net/publication/", "iclr.cc/virtual/")
_TITLE_COLUMNS = (
    "title",
    "paper",
    "papers",
    "paper title",
    "论文",
    "標題",
    "标题",
    "タイトル",
    "論文",
)
_COLUMNS = {
    "year": ("date", "year", "publish date", "published", "日期", "年份"),
    "abstract": ("abstract", "summary", "摘要"),
    "venue": ("venue", "conference", "journal", "publication", "published in"),
    "authors": ("authors", "author"),
    "keywords": ("keywords", "keyword", "tags"),
    "comment": ("comment", "comments"),
    "institutions": ("institute", "institution", "institutions", "affiliation"),
}
_DETAILS = re.compile(r"</?(?:details|p)>|<summary>[^<]{0,100}</summary>")
_VENUE = re.compile(
    r"\b([A-Z][A-Za-z]{1,11}(?: Findings| Workshop)?)[\s'’-]{0,2}((?:19|20)\d{2})\b"
)
_VENUE_BEFORE = re.compile(r"\s?[(\[`]([^()\[\]`]{2,40})[)\]`][\s:,.|-]{0,4}")
_VENUE_BEHIND = re.compile(
    r"[\s,.|-]{0,4}[(\[`]([^()\[\]`]{2,40})[)\]`]$"
    r"|\s?[,.|–—-]\s([A-Z][A-Za-z]{1,11}(?: Findings| Workshop)?[\s'’-]{0,2}(?:19|20|'|’)\d{2})$"
)
_SHORT_YEAR = re.compile(r"\b([A-Z][A-Za-z]{1,11})\s?['’](\d{2})\b")
_BEFORE_TITLE = re.compile(
    r"(?:\[[ xX]\]\s{1,4})?"
    r"(?:[(\[]?((?:19|20)\d{2})[./-]\d{1,2}(?:[./-]\d{1,2})?[)\]]?[\s|:,-]{1,5})?"
)
_EMPHASIZED = re.compile(r"(?:\*\*|__|[\"“])([^*_\"“”\n]{8,300})(?:\*\*|__|[\"”])")
_TITLE_ENDS = re.compile(r"<br\s{0,2}/?>|\s\|\s|\s(?=[*_][^*_\s])|(?<=[.?!])\s(?=[A-Z])")
_PEOPLE_ET_AL = re.compile(r"([^\d]{3,200}?),?\set(?:\.\s?|\s)al\b", re.IGNORECASE)
_BYLINE = re.compile(r"^by\s", re.IGNORECASE)
_YEAR = re.compile(r"\b((?:19|20)\d{2})\b")
_PERSON = re.compile(r"[A-Z][\w.'’-]{0,30}(?: [\w.'’-]{1,30}){1,3}")


def has_links(text: str) -> bool:
    """Whether a Markdown text has bullets or tables with links."""
    return any(
        _LINK.search(with_markdown_links(line))
        for line in text.splitlines()
        if _BULLET.match(line) or _ROW.match(line)
    )


def awesome_records(text: str) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    """Yield (place, record) of each paper that a bullet or a row of a table links to."""
    columns: dict[str, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        place = f"line {number}"
        line = with_markdown_links(line[:20_000])
        if row := _ROW.match(line):
            cells = _cells(row[1])
            if columns is None:
                columns = _columns(cells)
            elif "paper" in columns and not _RULE.fullmatch(line):
                if record := _row_record(cells, columns):
                    yield place, record
                else:
                    yield place, NotAPaper("a row without a title")
            continue
        columns = None
        if bullet := _BULLET.match(line):
            yield from ((place, record) for record in _bullet_records(bullet[1]))


def _cells(row: str) -> list[str]:
    """Return the cells of a row; a pipe in a link's text or after a backslash is no border."""
    row = row.rstrip().removesuffix("|")
    return [cell.replace("\0", "|").strip() for cell in row.replace("\\|", "\0").split("|")]


def _columns(cells: list[str]) -> dict[str, int]:
    names = [re.sub(r"[*_`]", "", cell).strip().casefold() for cell in cells]
    found = {
        field: names.index(name)
        for field, usual in _COLUMNS.items()
        for name in usual
        if name in names
    }
    for name in _TITLE_COLUMNS:
        if name in names:
            found["paper"] = names.index(name)
            break
    return found


def _row_record(cells: list[str], columns: Mapping[str, int]) -> dict[str, Any] | None:
    def cell(field: str) -> str:
        at = columns.get(field)
        return cells[at] if at is not None and at < len(cells) else ""

    links = _links(cell("paper"))
    title = next((text for text, _ in links if not _is_label(text)), "")
    title = title or _plain(_LINK.sub("", cell("paper")))
    if not title or not (links or any(char.isalpha() for char in title)):
        # A column "Papers" may say how many there are.
        return None
    urls = [url for _, url in links] or [url for text in cells for _, url in _links(text)]
    return {
        **_record(title, urls, best_url(urls)),
        **{field: _plain(_DETAILS.sub(" ", cell(field))) for field in _COLUMNS if cell(field)},
    }


def _bullet_records(text: str) -> Iterator[Mapping[str, Any] | NotAPaper]:
    links = _links(text)
    papers = [(label, url) for label, url in links if leads_to_paper(url)]
    if not papers and len(links) == 1 and not _is_label(links[0][0]):
        about = _said_about(_plain(_LINK.sub(" ", text)))
        if "authors" in about and "venue" in about:
            # A paper on a site that nothing is known of: the line says who wrote it, and for where.
            papers = links
    if not papers:
        if links:
            yield NotAPaper("a link that leads to no paper")
        return
    first = _LINK.search(text)
    before = text[: first.start()] if first else ""
    if not any(char.isalpha() for char in before):
        # - [[paper](…)] A Title
        before = re.sub(r"[\[(][\s,|/]{0,9}[\])]", " ", _LINK.sub(" ", text))
    named = [(label, url) for label, url in papers if not _is_label(label)]
    if not named:
        # - A Title [[paper]](…) [[code]](…), or - [A Title](project page) [[paper]](…)
        title = next((label for label, _ in links if not _is_label(label)), "")
        about = {"title": title} if title else {**_venue_after(text), **_described(before)}
        yield {**_record("", [url for _, url in links], papers[0][1]), **about}
        return
    rest = _plain(_LINK.sub(" ", text)) if len(named) == 1 else ""
    for label, url in named:
        yield {**_record(label, [url], url), **_said_about(rest)}


def _venue_after(text: str) -> dict[str, Any]:
    """Return the venue and year that stand alone behind the links of a bullet, if any do."""
    rest = _LINK.split(text)[-1].strip(_AROUND + ")]`")
    venue = _VENUE.fullmatch(rest)
    return {"venue": venue[1], "year": venue[2]} if venue else {}


def _said_about(rest: str, *, titled: bool = False) -> dict[str, Any]:
    """Return authors, venue and year from what stands beside a title, where it says them.

    Names alone, without a venue or "et al.", count only where `titled`: no part of the title.
    """
    rest = _BYLINE.sub("", rest[:500].lstrip(_LEFT))
    venue = _VENUE.search(rest)
    about: dict[str, Any] = {"venue": venue[1], "year": venue[2]} if venue else {}
    others = _PEOPLE_ET_AL.match(rest)
    listed = others[1] if others else rest[: venue.start() if venue else None]
    names = [part.strip(" .()[]*_") for part in re.split(r",|\sand\s|\s&\s", listed)]
    names = [name for name in names if name and name.casefold() != "et al"]
    if names and all(_PERSON.fullmatch(name) for name in names) and (venue or others or titled):
        about["authors"] = names
        if others and (year := _YEAR.search(rest, others.end())):
            about.setdefault("year", year[1])
    return about


def _described(text: str) -> dict[str, Any]:
    """Return the title of a bullet's text, and the venue, year and authors around it."""
    about: dict[str, Any] = {}
    if (found := _BEFORE_TITLE.match(text)) and found[0]:
        text = text[found.end() :]
        if found[1]:
            about["year"] = found[1]
    text, venue = _split_venue(text.lstrip(_LEFT).rstrip(_AROUND))
    about |= venue
    bold = _EMPHASIZED.match(text)
    if bold:
        title, rest = bold[1], text[bold.end() :]
    else:
        title, rest = text, ""
        for end in _TITLE_ENDS.finditer(text):
            if end[0] in ("", " ") and not _said_about(_plain(text[end.end() :])):
                continue
            title, rest = text[: end.start()], text[end.end() :]
            break
    if rest := re.sub(r"<br\s{0,2}/?>", ", ", rest):
        about |= _said_about(_plain(rest).lstrip(_LEFT), titled=bool(bold))
    return {"title": _plain(title).lstrip(_LEFT + "*").rstrip(_AROUND), **about}


_LEFT, _AROUND = " .,:;|-–—", " .,:;|-–—[(*_"
"""What is no part of a text: on its left side, and on its right side."""


def _split_venue(text: str) -> tuple[str, dict[str, Any]]:
    """Return a text without the venue before or behind it, and that venue with its year."""
    for found in (_VENUE_BEFORE.match(text), _VENUE_BEHIND.search(text)):
        if found and (about := _venue_in(next(filter(None, found.groups())))):
            rest = text[: found.start()] + text[found.end() :]
            if rest := rest.lstrip(_LEFT).rstrip(_AROUND):
                return rest, about
    return text, {}


def _venue_in(text: str) -> dict[str, Any]:
    if found := _VENUE.search(text):
        return {"venue": found[1], "year": found[2]}
    if found := _SHORT_YEAR.search(text):
        return {"venue": found[1], "year": f"20{found[2]}"}
    return {}


def _record(title: str, urls: list[str], url: str) -> dict[str, Any]:
    return {
        "title": _plain(title),
        "url": url,
        "id": arxiv_id(url) or openreview_id(url),
        "arxiv": next(filter(None, map(arxiv_id, urls)), ""),
        "openreview": next(filter(None, map(openreview_id, urls)), ""),
        "doi": next(filter(None, map(doi, urls)), ""),
        "code": next((u for u in urls if host_of(u) == "github.com"), ""),
    }


def _links(text: str) -> list[tuple[str, str]]:
    return [(_plain(label), url) for label, url in _LINK.findall(text) if not label.startswith("!")]


def _is_label(text: str) -> bool:
    return text.strip("[]() ").casefold() in _LABELS or not any(c.isalpha() for c in text)


def host_of(url: str) -> str:
    """Return the host of an address, "" where it cannot be read."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def leads_to_paper(url: str) -> bool:
    """Whether an address is a paper's: of a known publisher, or a PDF."""
    host = host_of(url)
    if not host:
        return False
    parts = urlsplit(url)
    known = any(host == name or host.endswith(f".{name}") for name in _HOSTS)
    # The front page of a publisher is no paper.
    deep = len(parts.path.strip("/")) > 3 or bool(parts.query)
    return (
        (known and deep)
        or parts.path.lower().endswith(".pdf")
        or any(path in f"{host}{parts.path}" for path in _PAPER_PATHS)
    )


def best_url(urls: list[str]) -> str:
    """Return the address that leads to the paper rather than to its code."""
    for wanted in (openreview_id, arxiv_id, doi):
        for url in urls:
            if wanted(url):
                return url
    papers = [url for url in urls if "github.com" not in url]
    return (papers or urls or [""])[0]


def _plain(text: str) -> str:
    return re.sub(r"\*\*|__|`|~~|!\[[^\]]{0,100}\]|\\(?=[\[\]_*])", "", text).strip(" \t|")
