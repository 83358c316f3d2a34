"""`swimmer topics`: the topics of a map, their names by hand, and what keeps them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("openTSNE", reason='needs pip install "swimmer[map]"')
pytest.importorskip("sklearn", reason='needs pip install "swimmer[map]"')

from swimmer import Paper, build_store, open_store, paper_map
from swimmer.analysis import rename_topic
from swimmer.errors import InputError, StoreError
from swimmer.store import MAP, kept_topics
from tests.conftest import Outcome
from tests.query_fixtures import store_of

Run = Callable[..., Outcome]


def many(count: int = 10) -> list[Paper]:
    """Papers on two subjects, in turns; so few have two topics."""
    subjects = ("speech codecs", "protein folding")
    return [
        Paper(
            f"{subjects[i % 2].title()} number {i}",
            f"About {subjects[i % 2]} and their uses.",
            f"https://example.org/{i}",
            id=str(i),
        )
        for i in range(count)
    ]


@pytest.fixture
def folder(home: Path) -> Path:
    folder = home / "vectorstores" / "mine"
    build_store(many(), folder).close()
    paper_map(open_store(folder))
    return folder


def names(folder: Path) -> set[str]:
    return {topic.name for topic in paper_map(open_store(folder)).topics}


def test_topics_are_listed_and_renamed_at_the_terminal(folder: Path, swimmer: Run) -> None:
    listed = swimmer("topics", "mine", "--quiet")
    assert "speech codecs" in listed.out
    done = swimmer("topics", "mine", "--rename", "Speech Codecs", "Coding  of speech", "--quiet")
    assert done.err == ""
    assert done.out.strip() == "speech codecs is now Coding of speech"
    objects = [json.loads(line) for line in swimmer("topics", "mine", "--json").out.splitlines()]
    assert "Coding of speech" in {one["name"] for one in objects}
    assert sum(one["papers"] for one in objects) == 10
    # Facets and completions read the same file.
    kept = kept_topics(open_store(folder))
    assert kept is not None and "Coding of speech" in {topic.name for topic in kept.topics}
    assert open_store(folder).verify() == []


def test_a_name_stays_after_small_and_large_updates(folder: Path) -> None:
    rename_topic(open_store(folder), "speech codecs", "coding")
    before = paper_map(open_store(folder))
    build_store(many(11), folder).close()
    after = paper_map(open_store(folder))
    assert (after.points[:10] == before.points).all()
    assert {topic.name for topic in after.topics} == {"coding", "protein folding"}
    # So many changes that the map is laid out again.
    build_store(many(14), folder).close()
    again = paper_map(open_store(folder))
    assert not (again.points[:10] == before.points).all()
    assert {topic.name for topic in again.topics} == {"coding", "protein folding"}
    (renamed,) = (topic for topic in again.topics if topic.name == "coding")
    assert renamed.papers == 7 and "speech codecs" in renamed.words


def test_a_name_goes_with_its_papers(folder: Path) -> None:
    rename_topic(open_store(folder), "speech codecs", "coding")
    store = open_store(folder)
    store.delete([str(number) for number in range(0, 8, 2)])
    store.commit()
    assert "coding" not in names(folder)


@pytest.mark.parametrize("new", ["", " \t", "x" * 201, "protein FOLDING"])
def test_a_name_that_cannot_be_is_refused(folder: Path, new: str) -> None:
    kept = (folder / MAP).read_bytes()
    with pytest.raises(InputError):
        rename_topic(open_store(folder), "speech codecs", new)
    assert (folder / MAP).read_bytes() == kept


def test_an_unknown_topic_has_a_near_one(folder: Path, swimmer: Run) -> None:
    done = swimmer("topics", "mine", "--rename", "speech codec", "x", "--quiet")
    assert done.code == 2
    assert "error: no topic is named 'speech codec'" in done.err
    assert "hint: did you mean 'speech codecs'?" in done.err


def test_a_hostile_name_is_shown_as_text(folder: Path, swimmer: Run) -> None:
    done = swimmer("topics", "mine", "--rename", "speech codecs", "\x1b[31mred<b>", "--quiet")
    assert done.code == 0 and "\x1b" not in done.out + swimmer("topics", "mine", "--quiet").out


def test_without_a_map_or_a_folder_no_name_is_kept(folder: Path) -> None:
    (folder / MAP).unlink()
    with pytest.raises(StoreError, match="swimmer map mine"):
        rename_topic(open_store(folder), "speech codecs", "coding")
    with pytest.raises(StoreError, match="not saved"):
        rename_topic(store_of(many()), "speech codecs", "coding")
