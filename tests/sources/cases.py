"""Each source with a publisher that speaks its shape, over several pages."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from tests.sources.publisher import Publisher, Question, Reply, Route, fixed, slices

TOPICS = ("graphs", "vision", "speech", "planning", "proteins", "privacy", "robots")


@dataclass(frozen=True)
class Fact:
    """What a synthetic paper is; every publisher says it in its own words."""

    number: int
    title: str
    abstract: str
    authors: tuple[str, ...]


def facts(count: int, changed: tuple[int, ...] = ()) -> list[Fact]:
    """Return papers of our own making; those in `changed` have another abstract."""
    return [
        Fact(
            number,
            f"A Study of {TOPICS[number % 7].title()} Number {number}",
            f"We look at {TOPICS[number % 7]} from side {number} and report what is seen."
            + (" A second look says more." if number in changed else ""),
            (f"Ada Number{number}", "Grace Second"),
        )
        for number in range(count)
    ]


@dataclass(frozen=True)
class Case:
    """One source: what to open, how its publisher answers, which field a change would hit.

    `build` makes the route; `rename` takes (route's facts) to answers without a field.
    """

    name: str
    what: str
    store: str
    build: Callable[[list[Fact]], Route]
    broken: Callable[[list[Fact]], Route]
    field: str
    pages: int
    kind: str = "json"


def _json(value: Any) -> Reply:
    return Reply(json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def renamed(route: Route, old: str, new: str) -> Route:
    def other(question: Question) -> Reply | None:
        reply = route(question)
        if reply is None:
            return None
        return Reply(reply.body.replace(old.encode(), new.encode()), reply.status)

    return other


def virtual(papers: list[Fact]) -> Route:
    events = []
    for paper in papers:
        kinds = ["Poster", "Oral"] if paper.number % 5 == 0 else ["Poster"]
        for offset, kind in enumerate(kinds):
            number = 30_000 + paper.number + 5_000 * offset
            events.append(
                {
                    "id": number,
                    "name": paper.title,
                    "abstract": paper.abstract,
                    "authors": [{"fullname": a, "institution": "X"} for a in paper.authors],
                    "keywords": [],
                    "topic": "General->Things",
                    "decision": f"Accept ({kind})",
                    "eventtype": kind,
                    "event_type": "{location} " + kind,
                    "virtualsite_url": f"/virtual/2025/{kind.lower()}/{number}",
                    "url": None,
                    "paper_url": f"https://openreview.net/forum?id=note{paper.number}",
                }
            )
    events.append(
        {
            "id": 1,
            "name": "Welcome",
            "eventtype": "Social",
            "abstract": None,
            "virtualsite_url": "/virtual/2025/social/1",
        }
    )
    path = "/static/virtual/data/iclr-2025-orals-posters.json"
    parts = list(slices(events, 10))

    def route(question: Question) -> Reply | None:
        if question.path != path:
            return None
        page = int(question.query.get("page", "1"))
        following = f"https://iclr.cc{path}?page={page + 1}" if page < len(parts) else None
        results = parts[page - 1] if papers else []
        return _json(
            {"count": len(events), "next": following, "previous": None, "results": results}
        )

    return route


def openreview_v2(papers: list[Fact]) -> Route:
    def note(paper: Fact) -> dict[str, Any]:
        status = "Poster" if paper.number % 2 else "Oral"
        content = {
            "title": paper.title,
            "abstract": paper.abstract,
            "authors": list(paper.authors),
            "keywords": ["one; two"],
            "primary_area": "things",
            "TLDR": "Short.",
            "venue": f"ICLR 2025 {status}",
            "venueid": "ICLR.cc/2025/Conference",
        }
        return {
            "id": f"note{paper.number}",
            "forum": f"note{paper.number}",
            "version": 2,
            "invitations": ["ICLR.cc/2025/Conference/-/Submission"],
            "content": {name: {"value": value} for name, value in content.items()},
        }

    def route(question: Question) -> Reply | None:
        if question.path != "/notes":
            return None
        if question.query.get("content.venueid") != "ICLR.cc/2025/Conference":
            return _json({"notes": [], "count": 0})
        offset, limit = int(question.query["offset"]), int(question.query["limit"])
        notes = [note(paper) for paper in papers[offset : offset + limit]]
        return _json({"notes": notes, "count": len(papers)})

    return route


def arxiv(papers: list[Fact]) -> Route:
    def entry(paper: Fact) -> str:
        authors = "".join(f"<author><name>{escape(a)}</name></author>" for a in paper.authors)
        return (
            f"<entry><id>http://arxiv.org/abs/2501.{paper.number:05}v2</id>"
            f"<title>{escape(paper.title)}</title><published>2025-01-03T00:00:00Z</published>"
            f"<summary>{escape(paper.abstract)}\n</summary>{authors}"
            '<category term="cs.LG"/><arxiv:primary_category term="cs.LG"/></entry>'
        )

    def route(question: Question) -> Reply | None:
        if question.path != "/api/query":
            return None
        start = int(question.query["start"])
        some = papers[start : start + 10]
        body = (
            "<?xml version='1.0' encoding='UTF-8'?><feed xmlns='http://www.w3.org/2005/Atom' "
            "xmlns:opensearch='http://a9.com/-/spec/opensearch/1.1/' "
            "xmlns:arxiv='http://arxiv.org/schemas/atom'>"
            f"<opensearch:totalResults>{len(papers)}</opensearch:totalResults>"
            + "".join(map(entry, some))
            + "</feed>"
        )
        return Reply(body.encode(), headers={"Content-Type": "application/atom+xml"})

    return route


def anthology(papers: list[Fact]) -> Route:
    def paper_xml(paper: Fact) -> str:
        first, _, rest = paper.title.partition(" ")
        return (
            f"<paper id='{paper.number + 1}'><title><fixed-case>{first}</fixed-case> "
            f"{escape(rest)}</title>"
            + "".join(
                "<author><first>{}</first><last>{}</last></author>".format(*a.split())
                for a in paper.authors
            )
            + f"<abstract>{escape(paper.abstract)}</abstract>"
            f"<url hash='0'>2024.acl-long.{paper.number + 1}</url></paper>"
        )

    body = (
        "<?xml version='1.0' encoding='UTF-8'?><collection id='2024.acl'><volume id='long'>"
        "<meta><booktitle>Long</booktitle><year>2024</year><venue>acl</venue></meta>"
        + "".join(map(paper_xml, papers))
        + "</volume></collection>"
    )
    return fixed({"/acl-org/acl-anthology/master/data/xml/2024.acl.xml": body.encode()})


def pmlr(papers: list[Fact]) -> Route:
    entries = [
        f"@InProceedings{{pmlr-v244-n{p.number},\n  title = \t {{{p.title}}},\n"
        f"  author =       {{{' and '.join(', '.join(a.split()[::-1]) for a in p.authors)}}},\n"
        "  booktitle = {Proceedings},\n  year = {2024},\n"
        f"  url = {{https://proceedings.mlr.press/v244/n{p.number}.html}},\n"
        f"  abstract = {{{p.abstract}}}\n}}\n"
        for p in papers
    ]
    return fixed({"/v244/assets/bib/bibliography.bib": "\n".join(entries).encode()})


def open_access(papers: list[Fact]) -> Route:
    pages = {
        f"/content/WACV2024/html/Number{p.number}_WACV_2024_paper.html": (
            "<html><body><dl><dd>"
            f"<div id='papertitle'>{escape(p.title)}</div><div id='authors'><b><i>"
            f"{', '.join(p.authors)}</i></b>; Proceedings, 2024</div>"
            f"<div id='abstract'>{escape(p.abstract)}<br></div></dd></dl></body></html>"
        ).encode()
        for p in papers
    }
    links = "".join(f"<dt class='ptitle'><br><a href='{path}'>T</a></dt>" for path in pages)
    return fixed({"/WACV2024": f"<html><body><dl>{links}</dl></body></html>".encode(), **pages})


def daily(papers: list[Fact]) -> Route:
    days = {
        f"2025-09-{day:02}": [
            {
                "paper": {
                    "id": f"2509.{p.number:05}",
                    "title": p.title,
                    "summary": p.abstract,
                    "authors": [{"name": a, "hidden": False} for a in p.authors],
                    "publishedAt": "2025-09-01T00:00:00.000Z",
                    "upvotes": p.number,
                },
                "title": p.title,
            }
            for p in some
        ]
        for day, some in enumerate(slices(papers, 10), 1)
    }

    def route(question: Question) -> Reply | None:
        if question.path != "/api/daily_papers":
            return None
        return _json(days.get(question.query["date"], []))

    return route


def scholar(papers: list[Fact]) -> Route:
    parts = list(slices(papers, 10)) or [[]]

    def route(question: Question) -> Reply | None:
        if question.path != "/graph/v1/paper/search/bulk":
            return None
        page = int(question.query.get("token", "0"))
        data = [
            {
                "paperId": f"{p.number:040x}",
                "title": p.title,
                "abstract": p.abstract,
                "authors": [{"authorId": "1", "name": a} for a in p.authors],
                "year": 2024,
                "venue": "V",
                "externalIds": {"ArXiv": f"2401.{p.number:05}"},
                "citationCount": 3,
                "url": f"https://www.semanticscholar.org/paper/{p.number:040x}",
            }
            for p in parts[page]
        ]
        token = str(page + 1) if page + 1 < len(parts) else None
        return _json({"total": len(papers), "token": token, "data": data})

    return route


def remote_list(papers: list[Fact]) -> Route:
    records = [
        {"name": p.title, "abstract": p.abstract, "url": f"https://x.example/{p.number}"}
        for p in papers
    ]
    return fixed({"/papers.json": json.dumps(records).encode()})


COUNT = 35


def _case(
    name: str,
    what: str,
    store: str,
    build: Callable[[list[Fact]], Route],
    field: str,
    pages: int,
    old: str,
    kind: str = "json",
) -> Case:
    new = re.sub(r"[a-z]{3,}", lambda m: m[0][::-1], old)
    return Case(
        name, what, store, build, lambda some: renamed(build(some), old, new), field, pages, kind
    )


_TENS = math.ceil(COUNT / 10)
CASES = [
    _case("virtual", "iclr2025", "iclr2025", virtual, "name", 5, '"name"'),
    _case(
        "openreview",
        "openreview:ICLR.cc/2025/Conference",
        "iclr2025",
        openreview_v2,
        "abstract",
        _TENS,
        '"abstract"',
    ),
    _case(
        "arxiv",
        "arxiv:cs.LG:2025-01",
        "arxiv-cs-lg-2025-01",
        arxiv,
        "title",
        _TENS,
        "title>",
        "xml",
    ),
    _case("acl", "acl2024", "acl2024", anthology, "title", 1, "title>", "xml"),
    _case("pmlr", "pmlr:v244", "pmlr-v244", pmlr, "abstract", 1, "abstract =", "bib"),
    _case("cvf", "wacv2024", "wacv2024", open_access, "abstract", COUNT + 1, "'abstract'", "html"),
    _case(
        "hf",
        "hf:2025-09-01..2025-09-04",
        "hf-2025-09-01-to-2025-09-04",
        daily,
        "summary",
        _TENS,
        '"summary"',
    ),
    _case("s2", "s2:study of things", "s2-study-of-things", scholar, "paperId", _TENS, '"paperId"'),
    _case(
        "list", "https://lists.example.org/papers.json", "papers", remote_list, "title", 1, '"name"'
    ),
]


def install(publisher: Publisher, case: Case, papers: list[Fact]) -> None:
    publisher.serve(case.build(papers))
