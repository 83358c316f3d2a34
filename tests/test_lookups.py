"""Look-up tables of a store: identifiers and addresses, names in titles, people, corrections."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import combinations, islice
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from rapidfuzz.distance import Levenshtein

from swimmer import Paper, PaperStore, build_store
from swimmer.errors import StoreDamagedError
from swimmer.papers import identifiers_in, is_address, is_person, name_words, short_names
from swimmer.retrieval.titles import CLOSE_TITLE, close_title, may_be_close
from swimmer.store import (
    PaperDatabase,
    correction,
    people_named,
    people_starting,
    rows_of_identifier,
    rows_of_name,
    rows_of_people,
    topic_key,
    topics_starting,
)

from .manifests import LATER_TABLES, drop_tables, seal
from .models import HashEmbeddings

TABLES = ("identifiers", "short_names", "vocabulary", "topics")

PAPERS = [
    Paper(
        "SimPER: Simple Preference Alignment by Perplexity",
        "We align a language model with preference data.",
        url="https://iclr.cc/virtual/2025/poster/29259",
        id="one",
        authors=("Yoshua Bengio", "Zoë Kärcher-Müller"),
        year=2025,
    ),
    Paper(
        "Direct Policy Search (DPS) for walking robots",
        "Robots learn to walk.",
        url="https://openreview.net/forum?id=AbC-9_x",
        id="two",
        authors=("Samy Bengio", "Philip H. S. Torr"),
        year=2023,
        extra={"doi": "10.1234/ABC.5"},
    ),
    Paper(
        "DALL-E 2: pictures from words",
        "Pictures are drawn from a caption.",
        url="https://arxiv.org/abs/2401.01234v2",
        id="three",
        authors=("Bengio, Yoshua", "Jean-Pierre Dupont"),
        year=2024,
    ),
]


@pytest.fixture
def store(tmp_path: Path) -> PaperStore:
    """Three papers in a folder."""
    return build_store(PAPERS, tmp_path / "named", model=HashEmbeddings())


def titles(store: PaperStore, rows: list[int]) -> list[str]:
    return [paper.title.split()[0] for paper in store.papers(rows)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("https://iclr.cc/virtual/2025/poster/29259", "SimPER:"),
        ("http://www.iclr.cc//virtual/2025/poster/29259/", "SimPER:"),
        ("iclr.cc/virtual/2025/poster/29259", "SimPER:"),
        ("HTTPS://ICLR.CC/virtual/2025/poster/29259?utm_source=x#top", "SimPER:"),
        ("<https://iclr.cc/virtual/2025/poster/29259>", "SimPER:"),
        ("https://openreview.net/forum?id=AbC-9_x", "Direct"),
        ("https://openreview.net/pdf?id=AbC-9_x", "Direct"),
        ("openreview.net/forum?id=AbC-9_x&noteId=z", "Direct"),
        ("openreview:AbC-9_x", "Direct"),
        ("10.1234/abc.5", "Direct"),
        ("doi:10.1234/ABC.5", "Direct"),
        ("https://doi.org/10.1234/ABC.5", "Direct"),
        ("arXiv:2401.01234", "DALL-E"),
        ("2401.01234v5", "DALL-E"),
        ("https://arxiv.org/pdf/2401.01234v1.pdf", "DALL-E"),
        ("arxiv.org/abs/2401.01234", "DALL-E"),
        ("https://huggingface.co/papers/2401.01234", "DALL-E"),
    ],
)
def test_an_address_in_any_spelling_finds_its_paper(
    store: PaperStore, typed: str, first: str
) -> None:
    assert titles(store, rows_of_identifier(store.database, typed)) == [first]


@pytest.mark.parametrize(
    "typed", ["https://iclr.cc/virtual/2025/poster/1", "two words", "x.pdf", "and/or", "2401.9", ""]
)
def test_what_names_no_paper_finds_none(store: PaperStore, typed: str) -> None:
    assert rows_of_identifier(store.database, typed) == []


@pytest.mark.parametrize(
    "text",
    ["https://a.org", "www.a.org/x", "arxiv:2401.01234", "2401.01234", "a.org/x", "10.12345/x"],
)
def test_addresses_are_told_from_words(text: str) -> None:
    assert is_address(text)
    assert not is_address(f"{text} and more")


@pytest.mark.parametrize("text", ["x.pdf", "and/or", "GPT-4", "a: b", "f(x)", "3.5", "v1.2/3"])
def test_words_are_no_addresses(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize("typed", ["SimPER", "simper", "Sim-PER", " SIMPER "])
def test_the_name_before_a_colon(store: PaperStore, typed: str) -> None:
    assert titles(store, rows_of_name(store.database, typed)) == ["SimPER:"]


def test_names_with_hyphens_and_in_brackets(store: PaperStore) -> None:
    assert titles(store, rows_of_name(store.database, "dalle2")) == ["DALL-E"]
    assert titles(store, rows_of_name(store.database, "DPS")) == ["Direct"]
    assert rows_of_name(store.database, "walking") == []
    assert short_names("A plain title (of words)") == []
    assert short_names("GPT-4 – a report") == ["gpt4"]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("Yoshua Bengio", ["Yoshua Bengio"]),
        ("bengio yoshua", ["Yoshua Bengio"]),
        ("Bengio, Y.", ["Yoshua Bengio"]),
        ("Y. Bengio", ["Yoshua Bengio"]),
        ("Bengio", ["Yoshua Bengio", "Samy Bengio"]),
        ("Zoe Karcher Muller", ["Zoë Kärcher-Müller"]),
        ("Philip Torr", ["Philip H. S. Torr"]),
        ("P. H. S. Torr", ["Philip H. S. Torr"]),
        ("J.-P. Dupont", ["Jean-Pierre Dupont"]),
        ("X. Bengio", []),
        ("Yoshua Samy Bengio", []),
        ("Y. B.", []),
        ("", []),
        ("'; DROP TABLE people; --", []),
    ],
)
def test_people_in_any_spelling(store: PaperStore, typed: str, names: list[str]) -> None:
    assert [person.name for person in people_named(store.database, typed)] == names


def test_papers_of_a_person_come_newest_first(store: PaperStore) -> None:
    people = people_named(store.database, "Yoshua Bengio")
    assert [person.papers for person in people] == [2]
    assert titles(store, rows_of_people(store.database, people)) == ["SimPER:", "DALL-E"]
    assert [p.name for p in people_starting(store.database, ["yoshua", "ben"], 5)] == [
        "Yoshua Bengio"
    ]


def test_misspelt_words_become_words_of_the_store(store: PaperStore) -> None:
    # A neighbour swapped, a letter lost, added, and another one; two edits in a long word.
    for typed in ("robtos", "robts", "roboots", "rabots"):
        assert correction(store.database, typed) == "robots"
    assert correction(store.database, "preferrencce") == "preference"
    assert correction(store.database, "bnegio") == "bengio"
    # Too short, too far, or no word at all.
    for typed in ("wlak", "zzzzzzz", "rob0ts", "", "x" * 100):
        assert correction(store.database, typed) is None


def test_updates_leave_the_tables_as_a_new_build_makes_them(tmp_path: Path) -> None:
    model = HashEmbeddings()
    build_store(PAPERS, tmp_path / "a", model=model).close()
    changed = [PAPERS[0], replace(PAPERS[1], title="Legged locomotion (LEG)")]
    with (
        build_store(changed, tmp_path / "a", model=model, prune=True) as updated,
        build_store(changed, tmp_path / "b", model=model) as fresh,
    ):
        assert contents(updated.database) == contents(fresh.database)
        assert people_named(updated.database, "Jean-Pierre Dupont") == []


def contents(database: PaperDatabase) -> dict[str, list[tuple[object, ...]]]:
    found = {table: sorted(database.query(f"SELECT * FROM {table}"), key=repr) for table in TABLES}
    found["authors"] = sorted(
        database.query(
            "SELECT key, row FROM people JOIN authorships ON people.person = authorships.person"
        )
    )
    found["people"] = sorted(database.query("SELECT key FROM people"))
    return found


def filled(steps: list[tuple[int, Paper]]) -> dict[str, list[tuple[object, ...]]]:
    """Return the tables of a database that was filled in bulk."""
    database = PaperDatabase.create(words=True)
    rows = set[int]()
    with database.bulk():
        for row, paper in steps:
            database.put(row, paper, b"", new=row not in rows)
            rows.add(row)
    database.index()
    found = contents(database)
    for columns in ("* FROM words", "rowid, * FROM segments_fts", "* FROM authorships"):
        found[columns] = sorted(database.query(f"SELECT {columns}"), key=repr)
    database.close()
    return found


KINDS = (
    ("Diffusion (DIF)", "of graphs", ("Ann Smith",), "https://arxiv.org/abs/2401.00001"),
    ("扩散模型", "文本到图像", ("李明", "Ann Smith"), ""),
    ("Naïve: words", "of naïve Bayes", (), "https://openreview.net/forum?id=abc"),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(KINDS)), max_size=8))
def test_a_row_that_is_put_twice_in_bulk_is_what_it_was_last(
    steps: list[tuple[int, tuple[str, str, tuple[str, ...], str]]],
) -> None:
    puts = [(row, Paper(f"{row}", id=f"p{row}")) for row in range(4)]
    for row, (title, abstract, authors, url) in steps:
        puts.append((row, Paper(title, abstract, url, f"p{row}", authors)))
    assert filled(puts) == filled(sorted(dict(puts).items()))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "delete"]), st.integers(0, 5), st.sampled_from("ABC")),
        max_size=12,
    )
)
def test_any_changes_leave_the_tables_as_if_made_anew(
    steps: list[tuple[str, int, str]],
) -> None:
    def paper(number: int, letter: str) -> Paper:
        return Paper(
            f"{letter}ame{number}: words (ACR{letter})",
            id=str(number),
            url=f"https://a.org/{letter}/{number}",
            authors=(f"{letter}nn Smith", f"Bo{number} Lee"),
            keywords=(("Deep learning", "deep-learning", "RL")[number % 3], letter),
        )

    changed, held = PaperStore.create(HashEmbeddings()), dict[int, str]()
    for what, number, letter in steps:
        if what == "add":
            changed.add([paper(number, letter)])
            held[number] = letter
        else:
            changed.delete([str(number)])
            held.pop(number, None)
    fresh = PaperStore.create(HashEmbeddings())
    by_id = {p.id: p for p in (paper(n, letter) for n, letter in held.items())}
    fresh.add([by_id[one] for one in changed.database.ids()])
    changed.database.optimize()
    fresh.database.optimize()
    assert contents(changed.database) == contents(fresh.database)


def test_a_store_of_the_first_schema_opens_and_an_update_completes_it(
    tmp_path: Path,
) -> None:
    model = HashEmbeddings()
    build_store(PAPERS, tmp_path / "s", model=model).close()
    drop_tables(tmp_path / "s", *LATER_TABLES)
    with PaperStore.open(tmp_path / "s") as old:
        assert not old.database.has_lookups
        assert people_named(old.database, "Yoshua Bengio") == []
        assert rows_of_name(old.database, "SimPER") == []
        assert rows_of_identifier(old.database, "arxiv:2401.01234") == []
        assert correction(old.database, "robtos") is None
        assert topics_starting(old.database, "robot", 5) == []
    with build_store(PAPERS, tmp_path / "s", model=model) as new:
        assert [p.papers for p in people_named(new.database, "Yoshua Bengio")] == [2]
        assert correction(new.database, "robtos") == "robots"


def test_topics_are_the_keywords_of_several_papers(tmp_path: Path) -> None:
    papers = [
        Paper(f"A study, part {n}", f"Text {n}.", id=str(n), keywords=keywords)
        for n, keywords in enumerate(
            [
                ("Deep Learning", "robots"),
                ("deep-learning", "deep learning", "Robots"),
                ("DEEP   LEARNING", "deep networks", "%", "機械学習"),
                ("robotics", "deep networks", "%", "機械学習"),
            ]
        )
    ]
    with build_store(papers, tmp_path / "s", model=HashEmbeddings()) as store:

        def starting(text: str) -> list[tuple[str, int]]:
            found = topics_starting(store.database, topic_key(text), 5)
            return [(one.name, one.papers) for one in found]

        assert starting("deep") == [("DEEP LEARNING", 3), ("deep networks", 2)]
        assert starting("Deep-Le") == [("DEEP LEARNING", 3)]
        assert starting("robot") == [("Robots", 2)]
        assert starting("機械") == [("機械学習", 2)]
        for text in ("", "%", "_", "learning", "deep learning x", "\U0010ffff", "' OR 1=1"):
            assert starting(text) == []
        assert len(topics_starting(store.database, "deep", 1)) == 1
        # In a store that is changed and not saved yet.
        store.add([Paper("One more", "Text.", id="more", keywords=("robotics",))])
        assert starting("robot") == [("robotics", 2), ("Robots", 2)]


@given(st.text(max_size=60))
def test_names_and_addresses_of_any_text_are_total(text: str) -> None:
    name_words(text)
    short_names(text)
    is_person(name_words(text), ["anna", "b"])
    for kind, value in identifiers_in(text):
        assert kind
        assert value


@pytest.mark.parametrize(
    ("typed", "person", "fits"),
    [
        ("Ann Brett Lee", "Ann B. Lee", True),
        ("Philip Hilaire Torr", "Philip H. S. Torr", True),
        ("A. Lee", "Ann B. Lee", True),
        ("Lee Ann", "Ann B. Lee", True),
        ("Ann Brown", "Ann B. Lee", False),
        ("Brown Lee", "Ann B. Lee", False),
    ],
)
def test_a_whole_word_fits_an_initial_only_as_a_middle_name(
    typed: str, person: str, fits: bool
) -> None:
    assert is_person(name_words(typed), name_words(person)) is fits


def test_near_titles_are_the_same_with_kept_lengths_and_without(tmp_path: Path) -> None:
    parts = "graphs neural networks of robots rarely walking over ice with legs part".split()
    titles = [" ".join(words) for words in islice(combinations(parts, 5), 0, None, 3)]
    papers = [Paper(f"{title} {n % 7}", f"Text {n}.", id=str(n)) for n, title in enumerate(titles)]
    build_store(papers, tmp_path / "s", model=HashEmbeddings()).close()
    typed = [f"{title[:-1]}x {n % 7}" for n, title in enumerate(titles) if n % 9 == 0]
    typed += ["", "zzz", "networks of walkng robots", titles[3].replace(" ", "-")]
    with PaperStore.open(tmp_path / "s") as store:
        assert store.database.title_lengths() is not None
        found = [close_title(store, text) for text in typed]
    assert sum(row is not None for row in found) > 20
    drop_tables(tmp_path / "s", "title_lengths")
    with PaperStore.open(tmp_path / "s") as store:
        assert store.database.title_lengths() is None
        assert [close_title(store, text) for text in typed] == found
        # A store that is being changed has other lengths than those that are kept.
        store.model(HashEmbeddings())
        store.add([Paper("Walking robots of tomorrow", "Text.", id="new")])
        row = close_title(store, "Walkng robots of tomorrow")
        assert row is not None and store.papers([row])[0].id == "new"


def test_lengths_of_titles_that_are_not_those_of_the_papers_are_refused(tmp_path: Path) -> None:
    build_store(PAPERS, tmp_path / "s", model=HashEmbeddings()).close()
    (path,) = (tmp_path / "s").glob("papers-*.sqlite")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE title_lengths SET packed = x'0102'")
        connection.commit()
    seal(tmp_path / "s")
    with PaperStore.open(tmp_path / "s") as store, pytest.raises(StoreDamagedError):
        close_title(store, "Direct Polixy Search for walking robots")


@settings(deadline=None, max_examples=300)
@given(st.text("abcde f", min_size=1, max_size=60), st.data())
def test_no_close_title_is_sorted_out_by_its_letters(key: str, data: st.DataObject) -> None:
    """Any text and its edits: what the letters sort out is never as close as CLOSE_TITLE."""
    other = list(key)
    for _ in range(data.draw(st.integers(0, 8))):
        place = data.draw(st.integers(0, max(0, len(other) - 1)))
        other[place : place + data.draw(st.integers(0, 1))] = data.draw(st.text("abg", max_size=1))
    written = "".join(other)
    if Levenshtein.normalized_similarity(key, written) >= CLOSE_TITLE:
        assert may_be_close(Counter(key), written)


def test_a_text_that_is_no_title_needs_no_rapidfuzz(tmp_path: Path) -> None:
    papers = [Paper(f"{name} robots in the wild {name}") for name in ("Walking", "Swimming")]
    build_store(papers, tmp_path / "conf", model="static").close()
    code = (
        "import sys; from swimmer import open_store; from swimmer.retrieval import resolve\n"
        f"store = open_store({str(tmp_path / 'conf')!r})\n"
        "resolve(store, 'climbing robots in the caves climbing')\n"
        "assert 'rapidfuzz' not in sys.modules\n"
        "resolve(store, 'walkin robots in the wild walking')\n"
        "assert 'rapidfuzz' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
