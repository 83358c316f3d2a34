"""The map of a store: points, topics, what is kept of it, what is drawn, and hostile titles."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

pytest.importorskip("openTSNE", reason='needs pip install "swimmer[map]"')
pytest.importorskip("sklearn", reason='needs pip install "swimmer[map]"')
pytest.importorskip("matplotlib", reason='needs pip install "swimmer[map]"')

from swimmer import Paper, ask, build_store, open_store, paper_map
from swimmer.analysis.map.colouring import by_field, by_scores, telling_fields
from swimmer.analysis.map.drawing import marked, packed_payload, points_payload
from swimmer.analysis.map.files import write_map
from swimmer.analysis.map.groups import topic_groups
from swimmer.analysis.map.maps import PaperMap, kept_map
from swimmer.analysis.map.overlay import joint_map
from swimmer.analysis.map.page import SCRIPTS
from swimmer.analysis.map.topic_names import topic_names
from swimmer.analysis.map.topics import described
from swimmer.errors import InputError, MissingExtraError
from swimmer.retrieval import all_scores, ask_stores
from swimmer.store.map_file import MAP
from tests.conftest import REPOSITORY
from tests.models import HashEmbeddings

SUBJECTS = ("graph rewiring", "speech codecs", "protein folding", "offline bandits")
HOSTILE = "</script><script>window.broken=1</script> <img src=x onerror=window.broken=1> $\\frac$"


def many(count: int = 80) -> list[Paper]:
    """Papers on four subjects, in turns."""
    return [
        Paper(
            f"{SUBJECTS[i % 4].title()} number {i}",
            f"About {SUBJECTS[i % 4]} and their uses.",
            f"https://example.org/{i}",
            id=str(i),
            authors=(f"Author {i}",),
            year=2025,
        )
        for i in range(count)
    ]


@pytest.fixture
def folder(home: Path) -> Path:
    build_store(many(), home / "store").close()
    return home / "store"


def test_every_paper_is_a_point_and_has_a_topic_with_a_name_of_its_own(folder: Path) -> None:
    drawn = paper_map(open_store(folder))
    assert drawn.points.shape == (80, 2) and np.isfinite(drawn.points).all()
    assert len(drawn) == 80 and sum(topic.papers for topic in drawn.topics) == 80
    names = [topic.name for topic in drawn.topics]
    assert len(set(names)) == len(names)
    subjects = " ".join(SUBJECTS)
    assert all(any(word in subjects for word in re.findall(r"\w+", name)) for name in names)
    # Papers of one subject lie together.
    for start in range(4):
        own = drawn.points[start::4]
        assert np.hypot(*own.std(axis=0)) < np.hypot(*drawn.points.std(axis=0))


def test_a_topic_is_named_by_the_whole_phrase_that_a_word_is_mostly_part_of() -> None:
    words = ("pessimism", "safety", "transformers", "datasets", "rewards")
    titles = [f"Offline Reinforcement Learning with {words[i % 5]}" for i in range(9)]
    titles += [f"Offline {words[i % 5]} and {words[(i + 1) % 5]}" for i in range(9)]
    titles += [f"Molecular graphs of {words[i % 5]}" for i in range(18)]
    labels = np.repeat(np.arange(2, dtype=np.int32), 18)
    (name, _), _ = topic_names([[title, ""] for title in titles], labels)
    assert name == "offline reinforcement learning"


def names_of(*topics: list[str]) -> list[str]:
    """The names of topics that are given as lists of titles."""
    texts = [[title, ""] for titles in topics for title in titles]
    labels = np.repeat(np.arange(len(topics), dtype=np.int32), [len(one) for one in topics])
    return [name for name, _ in topic_names(texts, labels)]


WORDS = ("pessimism", "safety", "transfer", "fairness", "rewards", "privacy")


def test_a_name_is_a_phrase_of_titles_with_its_preposition() -> None:
    mixed = [f"{word.title()} with Mixtures of Experts" for word in WORDS]
    mixed += [f"Mixture of Experts and {word}" for word in WORDS]
    assert names_of(mixed, [f"Gaussian splatting of {word}" for word in WORDS]) == [
        "mixture of experts",
        "gaussian splatting",
    ]


def test_two_topics_with_the_same_phrase_have_different_names() -> None:
    first = [f"Diffusion models and {word}" for word in WORDS]
    second = [f"Diffusion models for protein docking: {word}" for word in WORDS]
    other = [f"Speech codecs and {word}" for word in WORDS]
    assert names_of(first, second, other) == [
        "diffusion models",
        "protein docking",
        "speech codecs",
    ]


def test_an_attribute_is_no_name() -> None:
    after = ("games", "simulators", "auctions", "traffic", "negotiation", "swarms")
    titles = [f"Multi-agent {one} in swarm robotics" for one in after]
    name, _ = names_of(titles, [f"Gaussian splatting of {word}" for word in WORDS])
    assert name == "swarm robotics"


def test_an_abbreviation_is_named_by_what_it_stands_for() -> None:
    said = "We study neural operators. Partial differential equations (PDEs) are solved fast."
    texts = [[f"Solving PDEs with {word}", said] for word in WORDS]
    texts += [[f"Partial differential equations and {word}", said] for word in WORDS]
    texts += [[f"Gaussian splatting of {word}", "We render scenes."] for word in (*WORDS, *WORDS)]
    labels = np.repeat(np.arange(2, dtype=np.int32), 12)
    assert topic_names(texts, labels)[0][0] == "partial differential equations"


@pytest.mark.parametrize("count", [5, 6, 19, 20, 21])
def test_small_stores_have_maps_too(home: Path, count: int) -> None:
    drawn = paper_map(build_store(many(count), home / "store"))
    assert np.isfinite(drawn.points).all() and drawn.points.std() > 0.5
    # Points are scaled as a whole: what tells a line or a heap is each axis, and each point.
    assert drawn.points.std(axis=0).min() > 0.1
    assert len(np.unique(drawn.points.round(3), axis=0)) == count


def test_papers_that_are_all_alike_have_a_map(home: Path) -> None:
    papers = [
        Paper("The same title", "The same text.", id=f"t{i}", url=f"https://example.org/t{i}")
        for i in range(30)
    ]
    store = build_store(many(3), home / "store")
    vectors = np.repeat(store.vectors(np.array([0])), 30, axis=0)
    store.add(papers, vectors)
    drawn = paper_map(store)
    assert len(drawn) == 33 and np.isfinite(drawn.points).all()


def test_too_few_papers_are_told(home: Path) -> None:
    with pytest.raises(InputError, match=r"has 4 papers.*\nhint: a map needs at least 5"):
        paper_map(build_store(many(4), home / "store"))


def test_the_map_is_the_same_when_it_is_made_again(folder: Path) -> None:
    first = paper_map(open_store(folder))
    (folder / MAP).unlink()
    second = paper_map(open_store(folder))
    assert np.array_equal(first.points, second.points)
    assert first.topics == second.topics


# ---------------------------------------------------------------------- kept


def test_it_is_kept_and_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept_map(open_store(folder)) is None
    made = paper_map(open_store(folder))
    assert (folder / MAP).is_file()
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    again = paper_map(open_store(folder))
    assert np.array_equal(made.points, again.points) and made.topics == again.topics
    assert open_store(folder).verify() == []


def test_after_a_small_update_the_others_keep_their_places(folder: Path) -> None:
    before = paper_map(open_store(folder))
    news = Paper("Speech codecs without a codec", "About speech codecs.", "https://example.org/n")
    build_store([*many(), news], folder).close()
    store = open_store(folder)
    assert (folder / MAP).is_file() and kept_map(store) is None
    after = paper_map(store)
    assert np.array_equal(after.points[:80], before.points)
    assert [t.name for t in after.topics] == [t.name for t in before.topics]
    # The newcomer joins its like.
    near = np.argsort(np.hypot(*(after.points[:80] - after.points[80]).T))[:3]
    assert {int(row) % 4 for row in near} == {1}


def test_after_a_paper_is_gone_no_other_takes_its_place(folder: Path) -> None:
    before = paper_map(open_store(folder))
    store = open_store(folder)
    store.delete(["7"])
    assert kept_map(store) is None
    store.commit()
    after = paper_map(store)
    assert len(after) == 79
    for row, paper in enumerate(store):
        assert np.array_equal(after.points[row], before.points[int(paper.id)])


def test_after_a_large_update_it_is_made_anew(folder: Path) -> None:
    before = paper_map(open_store(folder))
    build_store(many(120), folder).close()
    after = paper_map(open_store(folder))
    assert len(after) == 120 and not np.array_equal(after.points[:80], before.points)


def test_small_updates_that_add_up_make_it_anew(folder: Path) -> None:
    first = paper_map(open_store(folder))
    for removed in (range(10), range(10, 20)):
        store = open_store(folder)
        store.delete([str(number) for number in removed])
        store.commit()
        last = paper_map(store)
    assert len(last) == 60 and not np.array_equal(last.points, first.points[20:])


def test_the_map_of_another_store_is_never_shown(folder: Path, home: Path) -> None:
    build_store(list(reversed(many())), home / "other").close()
    paper_map(open_store(home / "other"))
    (folder / MAP).write_bytes((home / "other" / MAP).read_bytes())
    store = open_store(folder)
    assert kept_map(store) is None
    drawn, other = paper_map(store), paper_map(open_store(home / "other"))
    for row, paper in enumerate(store):
        assert paper.id == str(row)
        assert np.array_equal(drawn.points[row], other.points[79 - row])


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty"])
def test_a_damaged_map_is_found_by_verify_and_made_again(folder: Path, damage: str) -> None:
    made = paper_map(open_store(folder))
    path = folder / MAP
    raw = bytearray(path.read_bytes())
    if damage == "flipped":
        raw[-40] ^= 0xFF
    damaged: dict[str, bytes] = {
        "cut": bytes(raw[: len(raw) // 2]),
        "text": b"{}" * 50,
        "empty": b"",
    }
    path.write_bytes(damaged.get(damage, raw))
    (problem,) = open_store(folder).verify()
    assert "is not a map that swimmer made" in problem
    assert np.array_equal(paper_map(open_store(folder)).points, made.points)
    assert open_store(folder).verify() == []


def test_a_map_of_numbers_that_numpy_has_not_is_refused(folder: Path) -> None:
    kinds = {
        name: {"dtype": "F8_E4M3", "shape": [8], "data_offsets": [8 * at, 8 * at + 8]}
        for at, name in enumerate(("points", "labels", "digests"))
    }
    head = json.dumps(kinds).encode()
    (folder / MAP).write_bytes(len(head).to_bytes(8, "little") + head + bytes(24))
    assert kept_map(open_store(folder)) is None


@pytest.mark.parametrize(
    ("changed", "facts"),
    [
        ({}, {"topics": "[" * 100_000 + "]" * 100_000}),
        ({}, {"topics": '[["a", ["b"]], ["nobody\'s", []]]'}),
        ({}, {"topics": "[]"}),
        ({}, {"topics": "[[5, [null]]]"}),
        ({}, {"changed": "many"}),
        ({"points": np.full((80, 2), 3e38, np.float32)}, {}),
        ({"points": np.full((80, 2), np.nan, np.float32)}, {}),
        ({"points": np.zeros((80, 2))}, {}),
        ({"points": np.zeros((40, 4), np.float32)}, {}),
        ({"labels": np.full(80, -1, np.int32)}, {}),
        ({"labels": np.full(80, 2**31 - 1, np.int32)}, {}),
        ({"digests": np.zeros((0, 8), np.uint8)}, {}),
        ({"more": np.zeros(1)}, {}),
    ],
)
def test_a_map_that_somebody_made_up_is_refused(
    folder: Path, changed: dict[str, Any], facts: dict[str, str]
) -> None:
    manifest = open_store(folder).manifest
    arrays = {
        "points": np.ones((80, 2), np.float32),
        "labels": np.zeros(80, np.int32),
        "digests": np.zeros((80, 8), np.uint8),
        **changed,
    }
    said = {
        "format": "1",
        "generation": manifest.generation,
        "index": manifest.index.sha256,
        "changed": "0",
        "topics": '[["a", ["b"]]]',
        **facts,
    }
    # Whoever makes one up can compute its digest too.
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(name.encode() + arrays[name].tobytes())
    (folder / MAP).write_bytes(save(arrays, {**said, "sha256": digest.hexdigest()}))
    store = open_store(folder)
    assert kept_map(store) is None
    (problem,) = store.verify()
    assert "is not a map that swimmer made" in problem and "digest" not in problem


def test_where_the_store_cannot_be_written_the_cache_keeps_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # No lock can be had here, as on a disk that is mounted to be read only, even by root.
    (folder / ".lock").unlink(missing_ok=True)
    (folder / ".lock").mkdir()
    made = paper_map(open_store(folder))
    assert not (folder / MAP).exists()
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    assert np.array_equal(paper_map(open_store(folder)).points, made.points)


def test_the_bundled_sample_is_not_written_to(
    sample_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = sorted(os.listdir(sample_store))
    assert len(paper_map(open_store("sample"))) == 94
    assert sorted(os.listdir(sample_store)) == before


# ---------------------------------------------------------------------- drawn


def carried(page: str, name: str) -> dict[str, Any]:
    """The data that a page carries for its script."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_the_page_carries_everything_and_shows_titles_as_text(home: Path) -> None:
    papers = [*many(), Paper(HOSTILE, "Text.", "https://example.org/h")]
    store = build_store(papers, home / "store")
    (answer,) = ask(store, [papers[0].title], 5)
    page = write_map(store, home / "map.html", answer).read_text(encoding="utf-8")
    points = carried(page, "map-points")
    assert len(points["title"]) == 81 and "<script>" in points["title"][80]
    marks = carried(page, "map-marks")
    assert marks["id"] == [hit.paper.id for hit in answer.hits]
    row = int(np.argmin([int(p.id != papers[0].id) for p in store]))
    assert marks["query"]["x"] == pytest.approx(points["x"][row])
    # Nothing of a title starts an element, and the policy knows no script but the page's own.
    for script in SCRIPTS:
        file = REPOSITORY / "swimmer" / "web" / "static" / script
        assert file.read_text(encoding="utf-8") in page
        page = page.replace(file.read_text(encoding="utf-8"), "")
    assert page.count("<script") == 3 and "<img" not in page and "onerror=" in page
    assert "default-src 'none'" in page
    links = re.findall(r"<[^>]*(?:src|href)=(\S*)", page.split('id="map-points"')[0])
    assert links and all(link.startswith('"https://example.org/') for link in links)


def test_an_address_that_is_no_web_page_is_not_linked(home: Path) -> None:
    papers = many(20)
    hostile = Paper("Graph rewiring, hostile", "About graph rewiring.", id="h")
    object.__setattr__(hostile, "url", "javascript:alert(1)")
    store = build_store([*papers, hostile], home / "store")
    (answer,) = ask(store, ["graph rewiring, hostile"], 5, include_self=True)
    page = write_map(store, home / "map.html", answer).read_text(encoding="utf-8")
    assert "javascript:alert" not in page


def test_pictures_are_drawn_whatever_stands_in_titles(home: Path) -> None:
    papers = [*many(), Paper(HOSTILE, "Text.", id="h", url="https://example.org/h")]
    store = build_store(papers, home / "store")
    (answer,) = ask(store, [HOSTILE], 5)
    png = write_map(store, home / "map.png", answer).read_bytes()
    assert (
        png.startswith(b"\x89PNG") and png == write_map(store, home / "b.png", answer).read_bytes()
    )
    svg = write_map(store, home / "map.svg", answer).read_text(encoding="utf-8")
    assert "<svg" in svg and "<script" not in svg


def test_points_of_many_papers_are_packed_and_say_the_same() -> None:
    rng = np.random.default_rng(3)
    points = rng.normal(size=(50_001, 2)).astype(np.float32)
    labels = rng.integers(0, 3, len(points)).astype(np.int32)
    topics = tuple(described(f"topic {n}", (), points[labels == n]) for n in range(3))
    plain = points_payload(PaperMap(points, labels, topics))
    packed = json.loads(json.dumps(packed_payload(plain)))
    digits = {digit: value for value, digit in enumerate(packed["digits"])}
    for name in ("x", "y"):
        high, low = packed[name]
        read = [
            digits[a] * len(digits) + digits[b] + packed["lowest"]
            for a, b in zip(high, low, strict=True)
        ]
        assert read == plain[name]
    assert [digits[one] for one in packed["topic"]] == plain["topic"]
    assert len(json.dumps(packed)) < len(json.dumps(plain)) / 2
    # Whoever draws a place again finds it within a pixel of a window of 4,000.
    assert (
        np.abs(
            np.array(plain["x"]) / max(map(abs, plain["x"] + plain["y"])) * np.abs(points).max()
            - points[:, 0]
        ).max()
        < np.abs(points).max() / 2_000
    )


def test_topics_that_lie_together_are_a_group_with_the_name_of_one() -> None:
    topics = []
    for name, x in (("graph", 0.0), ("speech", 10.0), ("protein", 20.0)):
        for number in range(4):
            at = np.array([[x + 0.1 * number, 0.2 * number]], np.float32)
            words = (f"{name} networks", f"{name} {number}")
            topics.append(described(f"{name} {number}", words, np.repeat(at, 10 + number, axis=0)))
    groups = topic_groups(topics)
    # Twelve topics have five groups at most; none reaches over two places.
    assert len(groups) == 5
    assert sorted(number for group in groups for number in group.topics) == list(range(12))
    for group in groups:
        names = {topics[number].name.split()[0] for number in group.topics}
        assert len(names) == 1 and group.name.split()[0] in names
        assert group.name in {topics[number].name for number in group.topics}
    papers = [sum(topics[number].papers for number in group.topics) for group in groups]
    assert papers == sorted(papers, reverse=True)
    assert [group.topics for group in topic_groups(topics[:5])] == [(3,), (2,), (1,), (0,), (4,)]


def test_points_are_coloured_by_fields_and_by_scores(home: Path) -> None:
    papers = [
        replace(paper, year=2010 + n if n < 14 else None, venue=f"V{n % 9}" if n % 3 else "")
        for n, paper in enumerate(many(40))
    ]
    store = build_store(papers, home / "store")
    years = by_field([store], "year")
    # Ten years have a colour each; what is earlier is the first step, what is not known the last.
    assert [label for label, _ in years.labels] == [
        "earlier",
        *map(str, range(2014, 2024)),
        "not known",
    ]
    assert years.scale and years.rest == 1 and dict(years.labels)["earlier"] == 4
    rows = {paper.id: row for row, paper in enumerate(store)}
    assert years.codes[rows["0"]] == 0 and years.codes[rows["13"]] == 10
    assert years.codes[rows["20"]] == 11
    venues = by_field([store, store], "venue")
    assert len(venues.codes) == 80 and not venues.scale
    assert np.bincount(venues.codes).tolist() == [count for _, count in venues.labels]
    assert telling_fields([store]) == ["year", "venue"]
    scores = all_scores(store, papers[1].title)
    assert int(scores.argmax()) == rows["1"] and scores.dtype == np.float32
    heat = by_scores(scores)
    assert heat.codes[rows["1"]] == heat.codes.max() == 9 and heat.scale
    assert sum(count for _, count in heat.labels) == 40


def test_two_stores_are_on_one_map(folder: Path, home: Path) -> None:
    with open_store(folder) as store, build_store(many(8), home / "other") as other:
        own = paper_map(store)
        both = joint_map(store, own, other)
        assert np.array_equal(both.points[:80], own.points) and len(both) == 88
        # Each of the other store lies where those of its subject do.
        places = {paper.id: row for row, paper in enumerate(store)}
        for row, paper in enumerate(other):
            alike = own.points[[places[str(n)] for n in range(80) if n % 4 == int(paper.id) % 4]]
            apart = np.hypot(*(both.points[80 + row] - np.median(alike, axis=0)))
            assert apart <= np.hypot(*(alike - np.median(alike, axis=0)).T).max() + 1e-6
        assert sum(topic.papers for topic in both.topics) == 88
        (answer,) = ask_stores([store, other], [many(1)[0].title], 5)
        found = marked(store, both, answer, other)
        assert len(found.rows) == len(answer.hits)
        other.delete([paper.id for paper in other])
        assert joint_map(store, own, other) is own
    with (
        build_store(many(8), home / "third", model=HashEmbeddings(64)) as third,
        open_store(folder) as store,
        pytest.raises(InputError, match="made by different models"),
    ):
        joint_map(store, own, third)


# ---------------------------------------------------------------------- the command line


def test_the_command_draws_pages_and_pictures(
    folder: Path, home: Path, swimmer: Callable[..., Any]
) -> None:
    told = swimmer("map", folder)
    assert told.code == 0 and "80 papers on the map store-map.html" in told.out
    assert (home / "store-map.html").is_file()
    assert swimmer("map", folder, "-q", "speech", "-o", "a.PNG").code == 0
    assert (home / "a.PNG").read_bytes().startswith(b"\x89PNG")
    told = swimmer("search", "speech codecs", "-s", folder, "-k", "2", "--brief", "--plot", "a.svg")
    assert told.code == 0 and (home / "a.svg").is_file() and "80 papers in store" in told.out


def test_a_plot_without_a_file_is_opened(
    folder: Path, swimmer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    told = swimmer("search", "speech codecs", "-s", folder, "--plot")
    assert told.code == 0 and len(opened) == 1 and opened[0].startswith("file:///")
    assert "the map is" in told.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["map", "STORE", "-o", "a.pdf"], "use one of the endings .html, .png, .svg"),
        (["map", "STORE", "-o", "nowhere/a.png"], "there is no folder nowhere"),
        (["map", "STORE", "-o", "folder.html"], "cannot be written"),
        (["map", "STORE", "-o", "~nobody-of-this-name/a.png"], "there is no folder ~nobody"),
        (["map", "STORE", "-q", " "], "the query is blank"),
        (["map", "STORE", "-q", "x", "-k", "0"], "k"),
        (["search", "a", "b", "-s", "STORE", "--plot", "a.png"], "got 2 titles"),
        (["search", "a", "-s", "STORE", "-s", "STORE", "--plot", "a.png"], "the map of one store"),
        (["search", "a", "-s", "STORE", "--plot", "a.gif"], "use one of the endings"),
    ],
)
def test_what_cannot_be_drawn_is_told(
    folder: Path, home: Path, swimmer: Callable[..., Any], arguments: list[str], said: str
) -> None:
    (home / "folder.html").mkdir()
    told = swimmer(*[str(folder) if part == "STORE" else part for part in arguments])
    # On a busy machine, progress may be shown before the error.
    assert told.code == 2
    lines = [line for line in told.err.splitlines() if line.startswith(("error: ", "hint: "))]
    assert said in "".join(lines) and lines[0].startswith("error: ") and len(lines) <= 2
    assert not [path for path in home.iterdir() if path.name.endswith(".tmp")]


def test_a_missing_extra_prints_the_line_that_installs_it(
    folder: Path, swimmer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    told = swimmer("map", folder)
    assert told.code == 2 and 'pip install "swimmer[map]"' in told.err
    with pytest.raises(MissingExtraError):
        paper_map(open_store(folder))
