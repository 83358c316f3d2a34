"""Digests: what is new, shown once, in formats that mail programs, chats and readers take."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import atoma
import feedparser
import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, build_store, open_store
from swimmer.analysis import (
    Digest,
    DigestEntry,
    Recommendation,
    StoreNews,
    digest_to_atom,
    digest_to_html,
    digest_to_markdown,
    make_digest,
)
from swimmer.errors import InputError, QueryError, StoreError
from swimmer.export import to_bibtex
from swimmer.library import DigestState
from swimmer.retrieval import Hit
from swimmer.store import arrivals
from swimmer.text import title_key

from .conftest import Outcome
from .test_for_you import EVERY, TOPICS, paper

Run = Callable[..., Outcome]
Write = Callable[[list[Paper]], None]

ATOM = "{http://www.w3.org/2005/Atom}"
NOW = datetime(2031, 5, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def write_list(home: Path) -> Write:
    """Write `list.json`, from which the store `conf` is built and updated."""

    def write(papers: list[Paper]) -> None:
        records = [one.to_dict() for one in papers]
        (home / "list.json").write_text(json.dumps(records), encoding="utf-8")

    return write


@pytest.fixture
def refs(home: Path) -> str:
    """A library about robots, of papers that the store does not have."""
    own = [replace(paper("robots", n), title=f"{TOPICS['robots'][n]}, Again") for n in (0, 1)]
    (home / "refs.bib").write_text(to_bibtex(own), encoding="utf-8")
    return "refs.bib"


FIRST = [*(paper("robots", n) for n in range(2, 6)), *EVERY[10:]]
LATER = [paper("robots", n) for n in range(6, 10)]


def build(swimmer: Run, write_list: Write, papers: list[Paper]) -> None:
    write_list(papers)
    assert swimmer("build", "list.json", "--name", "conf", "-q").code == 0


def test_what_came_new_is_shown_once(swimmer: Run, write_list: Write, refs: str) -> None:
    build(swimmer, write_list, FIRST)
    ask = ("digest", "--library", refs, "--store", "conf")
    first = swimmer(*ask, "--since", "7d")
    assert first.code == 0 and "4 papers for you, of 24 that are new in conf" in first.out
    assert first.out.count("near to your ") == 4
    assert "Walking Robots Learn to Cross Frozen Lakes, Again" in first.out
    assert "Nothing new: no paper came to conf" in swimmer(*ask, "--since", "7d").out
    write_list([*FIRST, *LATER])
    third = swimmer(*ask, "--update")
    assert third.code == 0 and "4 papers for you, of 4 that are new" in third.out
    for one in LATER:
        assert one.title in third.out
    assert FIRST[0].title not in third.out
    assert "Nothing new" in swimmer(*ask, "--update").out
    assert "Nothing new" in swimmer(*ask, "--since", "30d").out
    # Another library has its own memory; so has one that asks for everything again.
    again = swimmer(*ask, "--again", "--since", "1d", "-k", "3")
    assert "3 papers for you, of 28" in again.out
    assert "Nothing new" in swimmer(*ask).out


def test_an_empty_digest_says_why(swimmer: Run, write_list: Write, refs: str, home: Path) -> None:
    build(swimmer, write_list, FIRST)
    ask = ("digest", "--library", refs, "--store", "conf")
    swimmer(*ask)
    write_list([*FIRST, Paper("Medieval Charters of an Abbey", id="abbey")])
    far = swimmer(*ask, "--update", "-o", "digest.html")
    assert far.code == 0 and "Nothing near: 1 paper came to conf" in far.err
    assert "Nothing near" in (home / "digest.html").read_text("utf-8")
    (home / "list.json").unlink()
    failed = swimmer(*ask, "--update", "-o", "feed.xml")
    assert failed.code == 0
    subtitle = ElementTree.parse(home / "feed.xml").getroot().findtext(f"{ATOM}subtitle")
    assert subtitle is not None
    assert "Nothing new" in subtitle and "conf could not be updated" in subtitle


def test_a_paper_that_was_shown_is_not_shown_from_a_store_built_again(
    swimmer: Run, write_list: Write, refs: str
) -> None:
    build(swimmer, write_list, FIRST)
    shown = swimmer("digest", "-l", refs, "-s", "conf", "-k", "2").out
    titles = re.findall(r"^\d+\. \*\*(.*)\*\*", shown, re.MULTILINE)
    assert len(titles) == 2
    build_store([*FIRST, *LATER], "other", model="static").close()
    other = swimmer("digest", "-l", refs, "-s", "other", "-s", "conf", "--since", "1d").out
    assert LATER[0].title in other and not any(title in other for title in titles)


def test_when_a_paper_came_is_kept(home: Path) -> None:
    build_store(FIRST[:12], "conf", model="static").close()
    with open_store("conf") as store:
        built, later = arrivals(store)
        assert not later
    # A list that was written from another store brings that one's times; they count for nothing.
    foreign = replace(LATER[0], extra={"first_seen": "2999-01-01T00:00:00+00:00"})
    build_store([*FIRST[:12], foreign], "conf").close()
    build_store(
        [*FIRST[:12], replace(foreign, abstract="Changed since."), LATER[1]], "conf"
    ).close()
    with open_store("conf") as store:
        again, later = arrivals(store)
        assert again == built and sorted(later) == [12, 13]
        assert built < later[12] < later[13] <= datetime.now(timezone.utc)
        (changed,) = store.papers([12])
        assert changed.abstract == "Changed since."
        assert not store.verify()
        newest = make_digest([store], [paper("robots", 0)], since=later[12])
    assert [one.found.hit.paper.title for one in newest.entries] == [LATER[1].title]
    assert newest.stores[0].until == later[13] and newest.entries[0].arrived == later[13]


def test_a_time_needs_a_zone(home: Path) -> None:
    with build_store(FIRST, "conf", model="static") as store:
        with pytest.raises(QueryError, match="time zone"):
            make_digest([store], ["Robots"], since=datetime(2020, 1, 1))
        # The same moment on another clock.
        east = timezone(timedelta(hours=9))
        for zone in (timezone.utc, east):
            early = datetime.now(zone) - timedelta(hours=1)
            late = datetime.now(zone) + timedelta(hours=1)
            assert make_digest([store], [EVERY[0]], since=early).entries
            assert not make_digest([store], [EVERY[0]], since=late).entries


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--store", "conf"), "no library is given"),
        (("-l", "refs.bib", "--since", "soon"), "is no time"),
        (("-l", "refs.bib", "-o", "digest.docx"), "does not name a format"),
        (("-l", "none.bib"), "no such file"),
        (("-l", "refs.bib", "--where", "nothing=1"), "nothing"),
    ],
)
def test_wrong_input_is_refused_and_nothing_is_remembered(
    swimmer: Run, write_list: Write, refs: str, home: Path, arguments: tuple[str, ...], said: str
) -> None:
    build(swimmer, write_list, FIRST)
    refused = swimmer("digest", *arguments)
    assert refused.code == 2 and said in refused.err
    assert not DigestState().path.exists()


def test_a_digest_that_cannot_be_written_is_shown_the_next_time(
    swimmer: Run, write_list: Write, refs: str, home: Path
) -> None:
    build(swimmer, write_list, FIRST)
    assert swimmer("digest", "-l", refs, "-o", "no/such/folder/d.html").code == 2
    (home / "feed.xml").write_text("<rss/>", encoding="utf-8")
    other = swimmer("digest", "-l", refs, "-o", "feed.xml")
    assert other.code == 2 and "not the feed of this library" in other.err
    assert (home / "feed.xml").read_text("utf-8") == "<rss/>"
    assert "4 papers for you" in swimmer("digest", "-l", refs).out


def test_a_damaged_memory_is_kept_aside_and_two_processes_take_turns(tmp_path: Path) -> None:
    state = DigestState(tmp_path / "digests.json")
    for damage in ("{", "[]", '{"schema": 1, "digests": {"a": {"last": "now"}}}'):
        state.path.write_text(damage, encoding="utf-8")
        with state.remembering("mine") as memory:
            assert memory.last is None
        assert "may be shown again" in state.problem
    assert len(list(tmp_path.glob("digests.damaged-*"))) == 3
    state.path.write_text('{"schema": 99, "digests": {}}', encoding="utf-8")
    with pytest.raises(StoreError, match="later version"), state.remembering("mine"):
        pass
    state.path.unlink()

    def remember(number: int) -> None:
        with DigestState(state.path).remembering("mine") as memory:
            memory.shown[f"key{number}"] = (f"Title {number}", "2031-05-01")

    threads = [threading.Thread(target=remember, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = json.loads(state.path.read_text("utf-8"))
    assert len(kept["digests"]["mine"]["shown"]) == 8
    with pytest.raises(ZeroDivisionError), state.remembering("mine") as memory:
        memory.shown.clear()
        raise ZeroDivisionError
    assert json.loads(state.path.read_text("utf-8")) == kept


def digest_of(*papers: Paper, own: str = "My Own Paper", problems: tuple[str, ...] = ()) -> Digest:
    entries = tuple(
        DigestEntry(Recommendation(Hit(one, 0.5, 1), 0, (Paper(own),)), "conf", NOW)
        for one in papers
    )
    return Digest("refs.bib", entries, (StoreNews("conf", 9, NOW),), None, NOW, problems)


def check_feed(text: str) -> list[ElementTree.Element]:
    """Check what RFC 4287 demands of a feed, and return its entries."""
    feed = ElementTree.fromstring(text)
    assert feed.tag == f"{ATOM}feed"
    entries = feed.findall(f"{ATOM}entry")
    ids = []
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            (only,) = element.findall(f"{ATOM}{name}")
            assert only.text
        ids.append(element.findtext(f"{ATOM}id"))
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", ids[-1] or "")
        for name in ("updated", "published"):
            for when in element.findall(f"{ATOM}{name}"):
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", when.text or "")
        authors = element.findall(f"{ATOM}author")
        assert authors and all(one.findtext(f"{ATOM}name") for one in authors)
    assert len(set(ids)) == len(ids)
    for entry in entries:
        links = entry.findall(f"{ATOM}link")
        assert len(links) <= 1 and all(one.get("rel") == "alternate" for one in links)
        assert all(re.match("https?://", one.get("href") or "") for one in links)
        # Without a link, an entry must have content.
        assert len(entry.findall(f"{ATOM}content")) == 1
    return entries


TEXT = st.text(max_size=60).filter(lambda text: title_key(text) != "")


@given(
    st.lists(
        st.tuples(TEXT, TEXT, st.sampled_from(["", "https://papers.example/1?a=1&b=<2>"])),
        max_size=4,
    ),
    TEXT,
)
@settings(max_examples=60, deadline=None)
def test_readers_of_feeds_take_any_text(given_papers: list[tuple[str, str, str]], own: str) -> None:
    """Read by two parsers of others: feedparser, which marks what is wrong, and atoma."""
    made = [
        Paper(title, abstract=about, url=url and f"{url}{number}", id=str(number))
        for number, (title, about, url) in enumerate(given_papers)
    ]
    feed = digest_to_atom(digest_of(*made, own=own))
    check_feed(feed)
    read = feedparser.parse(feed.encode())
    assert not read.bozo and read.version == "atom10"
    assert read.feed.updated_parsed is not None and read.feed.id.startswith("urn:uuid:")
    strict = atoma.parse_atom_bytes(feed.encode())
    assert strict.updated == NOW and len(strict.entries) == len(read.entries) == len(made)
    for one, entry, other in zip(made, strict.entries, read.entries, strict=True):
        assert entry.title.value.split() == one.display_title.split()
        assert entry.id_ == other.id and entry.content.text_type is atoma.atom.AtomTextType.text
        assert [link.href for link in entry.links] == ([one.url] if one.url else [])
        assert other.updated_parsed is not None and other.published_parsed is not None


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        (r"<updated>[^<]*</updated>", ""),
        (r"(?s)(<entry>.*?)<id>[^<]*</id>", r"\1"),
        (r"<title>[^<]*</title>", ""),
        (r"(?s)<author>.*?</author>", ""),
        (r"Z</published>", "</published>"),
        (r"(?s)(<entry>.*</entry>)", r"\1\1"),
        (r"https://", "javascript:"),
        (r"(?s)<content.*?</content>", ""),
    ],
)
def test_the_check_of_a_feed_finds_what_the_standard_forbids(was: str, instead: str) -> None:
    feed = digest_to_atom(digest_of(Paper("One", url="https://papers.example/1", id="1")))
    spoiled = re.sub(was, instead, feed, count=1)
    assert spoiled != feed and check_feed(feed)
    with pytest.raises((AssertionError, ValueError)):
        check_feed(spoiled)


def test_a_feed_keeps_its_entries_and_knows_one_again() -> None:
    first = Paper("One", url="https://papers.example/1?a=1&b=2", authors=("Ann Fox",), id="1")
    second = Paper("Two < three & more", id="2")
    feed = digest_to_atom(digest_of(first))
    both = digest_to_atom(digest_of(second), feed)
    entries = check_feed(both)
    assert [one.findtext(f"{ATOM}title") for one in entries] == ["Two < three & more", "One"]
    assert len(check_feed(digest_to_atom(digest_of(first), both))) == 2
    assert check_feed(digest_to_atom(digest_of())) == []
    with pytest.raises(InputError, match="cannot be read"):
        digest_to_atom(digest_of(first), "<feed")
    bomb = '<!DOCTYPE f [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><feed>&b;</feed>'
    with pytest.raises(InputError, match="cannot be read"):
        digest_to_atom(digest_of(first), bomb)


class Tags(HTMLParser):
    """The elements of a page and the addresses in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]


HOSTILE = st.text(
    st.one_of(st.sampled_from("<>&\"'`[]()*_#|\\\n\x0b\x1b\u202e\u2028\ufffe"), st.characters()),
    max_size=60,
)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
@settings(deadline=None)
def test_what_comes_from_a_list_is_text_in_every_format(
    title: str, abstract: str, name: str, own: str
) -> None:
    one = Paper(f"T{title}", abstract, url="https://papers.example/x", authors=(f"N{name}",))
    digest = digest_of(one, own=f"O{own}", problems=(f"P{own}",))
    page = Tags()
    page.feed(digest_to_html(digest))
    assert page.tags <= {"html", "head", "meta", "title", "body", "div", "h1", "h2", "p", "a", "b"}
    assert page.names <= {"lang", "charset", "style", "href"}
    assert page.links == ["https://papers.example/x"]
    (entry,) = check_feed(digest_to_atom(digest))
    assert entry.find(f"{ATOM}title") is not None
    markdown = digest_to_markdown(digest)
    assert re.search(r"(?<!\\)<(?!https://papers\.example/x>)", markdown) is None


def test_an_address_that_is_none_is_no_link() -> None:
    one = Paper("One", id="1", url="javascript:alert(1)")
    digest = digest_of(one)
    assert "javascript" not in digest_to_html(digest) + digest_to_atom(digest)
    assert "](" not in digest_to_markdown(digest)
