"""The HTML that notebooks show: complete, well-formed, and safe with any text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from swimmer import Answer, Hit, Paper, PaperStore, build_store, open_store
from swimmer.retrieval.federation import ask_stores
from swimmer.retrieval.hits import Reading, Reasons

from .models import HashEmbeddings

VOID = {"br", "img", "hr"}
HOSTILE = Paper(
    "<script>alert(1)</script> \"'><img src=x onerror=alert(1)> & more",
    abstract="</details></table><iframe src=javascript:alert(1)>\x1b[31m",
    authors=tuple(f"<b>{n}</b>" for n in range(9)),
    venue="<venue>",
    url="https://example.org/?q='><script>",
    id="x",
)


class Checker(HTMLParser):
    """Collects tags and links, and fails where tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def checked(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker


def shown(value: object) -> Checker:
    return checked(value._repr_html_())  # type: ignore[attr-defined]


def test_an_answer_shows_what_was_found(papers: list[Paper]) -> None:
    hits = [Hit(paper, 0.5, rank) for rank, paper in enumerate(papers[1:4], 1)]
    seen = shown(Answer("q", "conf", "static", papers[0], True, hits, ["be careful"]))
    assert "similar to" in seen.text
    assert "be careful" in seen.text
    assert all(paper.title in seen.text and paper.abstract in seen.text for paper in papers[1:4])
    assert seen.links == [paper.url for paper in papers[1:4]]
    why = Reasons(("off-policy <i>", "baseline"), "", "method")
    told = shown(Answer("q", "s", "m", None, False, [Hit(papers[0], 0.5, 1, reasons=why)]))
    assert "shares off-policy <i>, baseline (both on the method)" in told.text
    assert "No papers found." in shown(Answer("q", "conf", "static", None, False)).text


def test_an_answer_over_several_stores_says_where_each_paper_stands(
    papers: list[Paper], model: HashEmbeddings
) -> None:
    one = build_store(papers[:3], name="conf2024", model=model)
    two = build_store(papers[2:], name="conf2025", model=model)
    (answer,) = ask_stores([one, two], [papers[0].title], k=30)
    seen = shown(answer)
    assert "in conf2024" in seen.text and "in conf2025" in seen.text
    assert "also at conf" in seen.text


def test_hostile_text_is_text() -> None:
    seen = shown(Answer("<i>q</i>", "s", "m", None, False, [Hit(HOSTILE, 0.1, 1)], ["<b>w</b>"]))
    assert seen.tags <= {
        "div",
        "b",
        "span",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "a",
        "details",
        "summary",
    }
    assert "\x1b" not in seen.text
    assert "and 3 more" in seen.text
    assert all(link.startswith("https://example.org/") for link in seen.links)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil", " https"])
def test_only_web_addresses_become_links(url: str) -> None:
    paper = Paper("T")
    object.__setattr__(paper, "url", url)
    assert shown(Hit(paper, 0.1, 1)).links == []


def test_a_store_shows_what_it_holds(papers: list[Paper], model: HashEmbeddings) -> None:
    with build_store(papers, "conf", model=model), open_store("conf") as store:
        seen = shown(store)
        assert "30" in seen.text
        assert "conf" in seen.text
    assert "memory" in shown(PaperStore.create(model)).text


def test_a_notebook_says_how_a_query_was_read() -> None:
    reading = Reading("author", "Ana <b>Ruiz</b>", 2)
    seen = shown(Answer("A. Ruiz", "s", "m", None, False, reading=reading, listed=True))
    assert "taken as the author Ana <b>Ruiz</b> (2 papers)" in seen.text
