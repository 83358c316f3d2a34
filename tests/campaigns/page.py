"""The page asked anything: an answer or an error as a page, nothing of a paper as markup."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from swimmer import Paper, build_store

from ..models import HashEmbeddings
from .lists import TOKENS
from .runner import Campaign, Failure

MARK = "qx7z"
"""A word of the hostile papers: where it stands in a tag that is no page's own, markup got through."""

PATHS = [
    "/",
    "/search",
    "/paper",
    "/complete",
    "/list",
    "/map",
    "/list/export",
    "/export",
    "/list/add",
    "/x",
]
NAMES = [
    "q",
    "store",
    "id",
    "k",
    "year_from",
    "year_to",
    "where",
    "mode",
    "page",
    "format",
    "at",
    "token",
]
_HEADERS = [
    "Host",
    "Origin",
    "Cookie",
    "HX-Request",
    "Sec-Fetch-Site",
    "Accept",
    "Range",
    "X-Forwarded-For",
]
_OWN_TAGS = re.compile(rf"<[^<>]*{MARK}[^<>]*>")


class Page(Campaign):
    """A request made at random to a page over a store of hostile papers."""

    name = "page"
    about = "hostile papers and requests: no answer 500, no markup of a paper, no change from afar"

    def prepare(self) -> None:
        papers = [
            Paper(
                title=f"<{tag} {MARK}={i}>{MARK} study of graphs {i}</{tag}>",
                abstract=f"'\"><img src=x onerror={MARK}> {{{{ 7*7 }}}} & graphs $x^{{{i}}}$",
                url=f"https://example.org/{i}",
                authors=(f"<b {MARK}>Ada</b>",),
                venue=f"<i {MARK}>V</i>",
                year=2020 + i % 5,
                extra={"pdf": f"javascript:{MARK}", "area": f'"><svg onload={MARK}>'},
            )
            for i, tag in enumerate(["script", "iframe", "svg", "b", "style", "a"] * 3)
        ]
        build_store(papers, str(self.work / "hostile"), model=HashEmbeddings(16)).close()

    def trial(self, chance: random.Random, folder: Path) -> None:
        from starlette.testclient import TestClient

        from swimmer.web.app import create_app

        read_only = chance.random() < 0.5
        notes = folder / "list.json"
        app = create_app([self.work / "hostile"], reading_list=notes, read_only=read_only)
        with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            for _ in range(40):
                self._ask(chance, client)
        if notes.exists():
            raise Failure("a request from elsewhere changed the reading list")

    def _ask(self, chance: random.Random, client: Any) -> None:
        query = {name: _value(chance) for name in chance.sample(NAMES, chance.randrange(5))}
        if chance.random() < 0.7:
            query["store"] = "hostile"
        headers = {
            name: _value(chance)
            .encode("ascii", "ignore")
            .decode()
            .translate({10: "", 13: "", 0: ""})
            for name in chance.sample(_HEADERS, chance.choice([0, 0, 1, 2]))
        }
        # What another site's page sends is never from the page itself.
        if headers.get("Sec-Fetch-Site") == "same-origin":
            del headers["Sec-Fetch-Site"]
        method = chance.choice(["GET", "GET", "GET", "POST", "HEAD", "PUT"])
        path = chance.choice(PATHS) + (_value(chance) if chance.random() < 0.1 else "")
        path = quote(path.encode("utf-8", "replace"), safe="/:;%,")
        clean = {k: v.encode("utf-8", "replace").decode() for k, v in query.items()}
        body = clean if method == "POST" else None
        answer = client.request(
            method, path, params=clean, data=body, headers=headers, follow_redirects=False
        )
        asked = f"{method} {path!r:.100} {clean!r:.300} {headers!r:.200}"
        if answer.status_code == 500:
            raise Failure(f"500: {asked}")
        if "html" in answer.headers.get("content-type", ""):
            bad = [tag for tag in _OWN_TAGS.findall(answer.text) if not _is_own(tag)]
            if bad:
                raise Failure(f"markup: {bad[0]!r:.200}: {asked}")
        if "content-security-policy" not in answer.headers:
            raise Failure(f"no policy: {asked}")


def _is_own(tag: str) -> bool:
    """Whether a tag is the page's: what strangers wrote stands in a quoted attribute of it."""
    plain = re.sub(r'"[^"]*"', '""', tag)
    return MARK not in plain and "javascript" not in tag


def _value(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.3:
        return chance.choice(
            ["hostile", "study of graphs", "1", "json", "bibtex", "keyword", "2021"]
        )
    if kind < 0.4:
        return chance.choice(TOKENS)[:200] * chance.choice([1, 50])
    return "".join(chance.choice(TOKENS)[:20] for _ in range(chance.randrange(1, 8)))
