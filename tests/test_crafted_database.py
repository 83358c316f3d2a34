"""The database of a received store: other tables, types, texts and pages than swimmer writes."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from swimmer import Paper, build_store, open_store, search
from swimmer.errors import StoreDamagedError, SwimmerError
from swimmer.export import WRITERS
from swimmer.retrieval import ask
from swimmer.store import lookups, spelling
from swimmer.store.manifest import Manifest
from swimmer.store.schema import is_schema_of_ours, paper_of

from .manifests import seal
from .models import HashEmbeddings

PAPERS = [
    Paper(
        f"Paper {n} on {what}",
        f"An abstract about {what}.",
        f"https://x.org/{n}",
        f"p{n}",
        ("A. Writer", "B. Other"),
        "TEST",
        2020 + n % 5,
        (what,),
        "Poster",
        {"area": what},
    )
    for n, what in enumerate(["graphs", "bandits", "diffusion", "attention", "robots"] * 4)
]
TITLE = PAPERS[3].title


@pytest.fixture
def folder(home: Path) -> Path:
    build_store(PAPERS, "gift", model=HashEmbeddings()).close()
    found = open_store("gift").folder
    assert found is not None
    return found


@contextlib.contextmanager
def crafted(folder: Path) -> Iterator[sqlite3.Connection]:
    """Change the database of a store as its maker might, the manifest sealed afterwards."""
    connection = sqlite3.connect(folder / Manifest.read(folder).database.name)
    connection.execute("PRAGMA writable_schema=ON")
    yield connection
    connection.commit()
    connection.close()
    seal(folder)


def every_question(folder: Path) -> None:
    """Ask a store in all ways there are."""
    model = HashEmbeddings()
    with open_store(folder) as store:
        for options in (
            {},
            {"mode": "keyword"},
            {"mode": "hybrid", "embeddings": model},
            {"lookup": False, "embeddings": model},
            {"filter": {"year": {"$gte": 2021}}},
            {"filter": {"area": "graphs"}},
            {"filter": {"authors": "A. Writer"}},
            {"filter": {"abstract": {"$contains": "about"}}},
            {"explain": True},
            {"group": True},
        ):
            answers = ask(store, [TITLE], 8, **options)
            for write in WRITERS.values():
                write(answers)
        database = store.database
        for found in (
            lookups.rows_of_identifier(database, "https://x.org/3"),
            lookups.rows_of_name(database, "graphs"),
            lookups.rows_of_people(database, lookups.people_named(database, "A. Writer")),
            lookups.rows_of_people(database, lookups.people_starting(database, ["wri"], 5)),
        ):
            store.papers(found)
        spelling.correction(database, "difusion")
        list(store)
        store.fields()


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c)"
SCHEMAS = {
    "a view for the papers": [
        "ALTER TABLE papers RENAME TO old",
        f"CREATE VIEW papers AS {ENDLESS} SELECT * FROM old, c",
    ],
    "a view beside them": ["CREATE VIEW more AS SELECT 1"],
    "a trigger": ["CREATE TRIGGER t AFTER INSERT ON papers BEGIN DELETE FROM meta; END"],
    "another table": ["CREATE TABLE more (x)"],
    "another index": ["CREATE INDEX more ON papers (abstract)"],
    "an index by an expression": ["CREATE INDEX more ON papers (zeroblob(1))"],
    "another column": ["ALTER TABLE papers ADD COLUMN x"],
    "a generated column": [
        "ALTER TABLE papers ADD COLUMN x GENERATED ALWAYS AS (zeroblob(9)) VIRTUAL"
    ],
    "a view for the people": [
        "DROP TABLE people",
        "CREATE VIEW people AS SELECT 1 AS person, 'a' AS key, 'A' AS name",
    ],
    "half of the look-up": ["DROP TABLE people_words"],
    "no fields": ["DROP TABLE fields"],
    "no papers": ["DROP TABLE papers"],
    "no index": ["DROP INDEX papers_year"],
    "no full text": ["DROP TABLE papers_fts"],
    "another full text": [
        "DROP TABLE titles_fts",
        "CREATE VIRTUAL TABLE titles_fts USING fts5(display_title)",
    ],
    "a virtual table": ["CREATE VIRTUAL TABLE more USING fts5vocab('titles_fts', 'row')"],
    "another default": [
        "UPDATE sqlite_schema SET sql = replace(sql, 'year INTEGER', 'year INTEGER DEFAULT 5') "
        "WHERE name = 'papers'"
    ],
    "an autoindex with a text": [
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX x ON papers(id)' WHERE name LIKE "
        "'sqlite_autoindex%'"
    ],
    "a table without a text": ["UPDATE sqlite_schema SET sql = NULL WHERE name = 'meta'"],
}


@pytest.mark.parametrize("what", SCHEMAS)
def test_other_tables_are_refused(what: str, folder: Path, swimmer: Callable[..., Any]) -> None:
    with crafted(folder) as connection:
        for statement in SCHEMAS[what]:
            connection.execute(statement)
    with pytest.raises(StoreDamagedError):
        search(open_store(folder), TITLE)
    assert swimmer("verify", "gift").code == 1
    with pytest.raises(StoreDamagedError):
        build_store([Paper("A new one")], "gift", model=HashEmbeddings())


def test_the_tables_of_every_way_to_build_are_ours(folder: Path, home: Path) -> None:
    build_store([*PAPERS, Paper("A new one")], "gift", model=HashEmbeddings()).close()
    every_question(folder)
    store = open_store(folder)
    store.model(HashEmbeddings())
    store.add([Paper("Another one")])
    store.commit(home / "copy")
    every_question(home / "copy")
    store.delete([paper.id for paper in store])
    store.commit(home / "empty")
    assert len(open_store(home / "empty")) == 0
    assert not is_schema_of_ours([])


WRONG_VALUES = [
    "UPDATE papers SET authors = '5'",
    "UPDATE papers SET authors = '[5]'",
    "UPDATE papers SET authors = '{}'",
    "UPDATE papers SET authors = 'x'",
    "UPDATE papers SET authors = ''",
    "UPDATE papers SET authors = X'00'",
    "UPDATE papers SET keywords = '[null]'",
    "UPDATE papers SET keywords = '[[\"x\"]]'",
    "UPDATE papers SET extra = '[]'",
    "UPDATE papers SET extra = '5'",
    "UPDATE papers SET extra = '{'",
    "UPDATE papers SET extra = '{\"x\":NaN}'",
    "UPDATE papers SET extra = '{\"x\":1e999}'",
    "UPDATE papers SET extra = '{\"area\":' || replace(hex(zeroblob(30000)), '00', '[') || '1'",
    "UPDATE papers SET extra = '{\"area\":' || replace(hex(zeroblob(5000)), '0', '9') || '}'",
    "UPDATE papers SET extra = '{\"area\":' || replace(hex(zeroblob(50)), '0', '9') || '}'",
    'UPDATE papers SET extra = \'{"area":"\\ud800"}\'',
    "UPDATE papers SET year = 'soon'",
    "UPDATE papers SET year = 2.5",
    "UPDATE papers SET year = X'00'",
    "UPDATE papers SET title = X'00ff'",
    "UPDATE papers SET title = ''",
    "UPDATE papers SET display_title = X'00'",
    "UPDATE papers SET abstract = X'ff'",
    "UPDATE papers SET abstract = zeroblob(9)",
    "UPDATE papers SET url = X'00'",
    "UPDATE papers SET venue = X'00'",
    "UPDATE papers SET status = X'00'",
    "UPDATE papers SET title_key = X'00'",
    "UPDATE papers SET id = CAST(id AS BLOB)",
    "UPDATE papers SET text_hash = 1000000000000",
    "UPDATE papers SET text_hash = 'x'",
    "UPDATE papers SET abstract = CAST(X'fffe80' AS TEXT)",
    "UPDATE papers SET row = row + 1000",
    "UPDATE papers SET row = -row",
    "UPDATE papers SET row = 9000000000 WHERE row = 19",
    "DELETE FROM papers WHERE row = 7",
    "DELETE FROM papers WHERE row = 19",
    "DELETE FROM papers",
    "DELETE FROM meta",
    "UPDATE meta SET value = X'00'",
    "UPDATE meta SET value = 'another'",
    "INSERT INTO fields VALUES (X'00')",
    "DELETE FROM papers_fts_data",
    "UPDATE papers_fts_data SET block = X'ffffffffffffffff'",
    "UPDATE papers_fts_data SET block = zeroblob(100000)",
    "UPDATE papers_fts_docsize SET sz = X'ffffffff'",
    "UPDATE papers_fts_config SET v = 99",
    "INSERT INTO papers_fts_config VALUES ('rank', 'snippet(1)')",
    "DELETE FROM titles_fts_data",
    "UPDATE titles_fts_docsize SET id = id + 5000",
    "INSERT INTO papers_fts(rowid, display_title) VALUES (900000000000, 'graphs attention')",
    "INSERT INTO titles_fts(rowid, display_title) VALUES (-5, 'attention')",
    "UPDATE identifiers SET row = 'x'",
    "UPDATE identifiers SET row = 900000",
    "UPDATE identifiers SET row = -1 WHERE row = 3",
    "UPDATE short_names SET row = X'00'",
    "UPDATE short_names SET place = 'x'",
    "UPDATE people SET name = X'00'",
    "UPDATE people_words SET person = 'x'",
    "UPDATE OR REPLACE authorships SET row = 77777",
    "UPDATE vocabulary SET papers = 'x'",
    "UPDATE OR REPLACE vocabulary SET word = CAST('diffusion' AS BLOB)",
    "UPDATE sqlite_stat1 SET stat = 'x y z'",
    "UPDATE sqlite_stat1 SET stat = '9223372036854775807 1 1 1'",
]


@pytest.mark.parametrize("statement", WRONG_VALUES)
def test_values_that_no_paper_has_end_in_words(statement: str, folder: Path) -> None:
    with crafted(folder) as connection:
        connection.execute(statement)
    # Some do no harm, and some only to a question that meets them; none may be another error.
    with contextlib.suppress(SwimmerError):
        every_question(folder)
    for work in (
        lambda: open_store(folder).verify(),
        lambda: build_store(
            [*PAPERS[:9], Paper("New")], folder, model=HashEmbeddings(), prune=True
        ),
    ):
        with contextlib.suppress(SwimmerError):
            work()


@pytest.mark.parametrize("column", ["authors", "extra", "title", "year", "url"])
def test_a_wrong_type_is_named_as_damage(column: str, folder: Path) -> None:
    with crafted(folder) as connection:
        connection.execute(f"UPDATE papers SET {column} = X'00'")
    with pytest.raises(StoreDamagedError, match=r"row|type"):
        search(open_store(folder), TITLE)


ESCAPES = "\x1b]0;owned\x07\x1b[2J\u202eevil\x00\r\n=cmd|' /C calc'!A0"


def test_what_is_written_of_such_a_store_is_clean(
    folder: Path, swimmer: Callable[..., Any]
) -> None:
    with crafted(folder) as connection:
        for column in ("title", "display_title", "abstract", "venue", "status"):
            connection.execute(f"UPDATE papers SET {column} = {column} || ?", (ESCAPES,))
        names = json.dumps([ESCAPES + "x", "B"])
        connection.execute("UPDATE papers SET authors = ?, keywords = ?", (names, names))
        connection.execute("UPDATE papers SET url = 'javascript:alert(1)//' || row")
        connection.execute(
            "UPDATE papers SET extra = ?",
            (json.dumps({"area": ESCAPES, ESCAPES: [ESCAPES], "doi": f"10.1/x{ESCAPES}"}),),
        )
    answers = ask(open_store(folder), [TITLE], 5, mode="keyword")
    assert answers[0].hits
    for name, write in WRITERS.items():
        text = write(answers)
        assert not any(mark in text for mark in ("\x1b", "\x07", "\u202e", "\x00", "\r")), name
        assert "\\u001b" not in text and "javascript:" not in text, name
    rows = list(csv.reader(io.StringIO(WRITERS["csv"](answers))))
    assert all(not cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    for style in ("--csv", "--markdown", "--json"):
        done = swimmer("search", "-s", "gift", "--mode", "keyword", TITLE, style)
        assert done.code == 0 and "\x1b" not in done.out and "javascript:" not in done.out


def test_words_of_no_paper_end_in_words_where_they_have_to_be_counted(home: Path) -> None:
    build_store(PAPERS, "words", model="static").close()
    folder = home / "vectorstores" / "words"
    with crafted(folder) as connection:
        connection.execute("DELETE FROM word_counts")
        connection.execute("UPDATE words SET packed = x'010203' WHERE row = 2")
    with open_store(folder) as store, pytest.raises(StoreDamagedError, match="words"):
        store.database.word_counts()


def test_a_paper_as_swimmer_writes_it_is_taken_as_it_is(folder: Path) -> None:
    """Whether a text needs cleaning is seen without doing it; both ways give the same paper."""
    for paper in (
        *PAPERS,
        Paper("π ≈ 3", extra={"quoted": 'a "b" \\ c', "n": [1, 2.5, None, {}]}),
        Paper("Private \ue000 use", url="https://x.org/ü?q=1#f"),
    ):
        from swimmer.store.schema import row_of

        record = row_of(0, paper, b"")
        again = paper_of((*record[:4], *record[5:13]))
        assert again == paper and again.display_title == paper.display_title


def test_a_tree_of_pages_without_an_end_is_given_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stands for pages that name one another: a statement gets so many steps and no more."""
    monkeypatch.setattr("swimmer.store.database_file._FREE_STEPS", 3_000_000)
    with open_store(folder) as store, pytest.raises(StoreDamagedError, match="interrupted"):
        store.database.query(f"{ENDLESS} SELECT max(x) FROM c")
    with open_store(folder) as store:
        assert search(store, TITLE)


def test_flipped_pages_end_in_words(folder: Path) -> None:
    path = folder / Manifest.read(folder).database.name
    whole = path.read_bytes()
    for number in range(60):
        torn = bytearray(whole)
        for at in range(number * 7919 % len(whole), len(whole), len(whole) // 5 + number):
            torn[at] ^= 0xFF
        path.write_bytes(torn)
        seal(folder)
        with contextlib.suppress(SwimmerError):
            every_question(folder)
        with contextlib.suppress(SwimmerError):
            open_store(folder).verify()
