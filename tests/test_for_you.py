"""Stores ranked by a library of one's own: its interests, their shares, and what is left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from mcp import Client

from swimmer import Paper, PaperStore, build_store
from swimmer.analysis import for_you, read_library
from swimmer.analysis.interests import Apart, apart_for, find_interests, in_turns
from swimmer.errors import QueryError
from swimmer.export import to_bibtex
from swimmer.library import ReadingList
from swimmer.mcp_server import build_server

from .conftest import Outcome

Run = Callable[..., Outcome]

TOPICS = {
    "robots": [
        "Walking Robots Learn to Cross Frozen Lakes",
        "Legged Robot Locomotion over Rough Terrain",
        "Robot Walking with Learned Foot Placement",
        "Quadruped Robots That Climb Stairs",
        "Locomotion Controllers for Legged Robots",
        "Terrain Maps for Walking Robot Navigation",
        "Robot Legs That Recover from Falls",
        "Learning Gaits of a Walking Robot",
        "Balance Control of Legged Robots on Ice",
        "Robots Walk Farther on One Battery",
    ],
    "proteins": [
        "Protein Structure Prediction from Sequences",
        "Folding Proteins with Equivariant Networks",
        "Protein Design by Diffusion over Backbones",
        "Language Models of Protein Sequences",
        "Binding Sites of Proteins Predicted",
        "Protein Folding Dynamics from Few Structures",
        "Antibody Protein Design from Sequence Data",
        "Structure of Protein Complexes Predicted",
        "Mutations That Keep a Protein Stable",
        "Amino Acid Sequences and Protein Function",
    ],
    "privacy": [
        "Differential Privacy for Released Tables",
        "Membership Inference Attacks on Private Data",
        "Private Stochastic Gradient Descent with Noise",
        "Federated Learning with Differential Privacy",
        "Privacy Audits of Trained Models",
        "Noise Budgets for Differentially Private Queries",
        "Private Synthetic Data with Guarantees",
        "Privacy Attacks on Federated Clients",
        "Privacy Accounting for Private Training",
        "Local Differential Privacy for Counts",
    ],
}


def paper(topic: str, number: int, **fields: object) -> Paper:
    title = TOPICS[topic][number]
    made: dict[str, object] = {
        "abstract": f"{title}. We study {topic} and show what helps {topic} most.",
        "id": f"{topic}{number}",
        "venue": "TEST",
        "year": 2020 + number % 5,
        "authors": (f"Ada {topic.title()}", "Bo Chen"),
    }
    return Paper(title, **{**made, **fields})  # type: ignore[arg-type]


EVERY = [paper(topic, number) for topic in TOPICS for number in range(10)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperStore]:
    folder = tmp_path_factory.mktemp("stores") / "conf"
    with build_store(EVERY, folder, model="static") as store:
        yield store


@pytest.fixture
def conf(store: PaperStore) -> str:
    return str(store.folder)


def library(*counts: tuple[str, int]) -> list[Paper]:
    return [paper(topic, number) for topic, count in counts for number in range(count)]


def bib(folder: Path, papers: Sequence[Paper], name: str = "refs.bib") -> Path:
    file = folder / name
    file.write_text(to_bibtex(papers), encoding="utf-8")
    return file


def topic_of(title: str) -> str:
    return next(topic for topic, titles in TOPICS.items() if title in titles)


def test_each_interest_has_its_share_and_says_what_it_is_near_to(store: PaperStore) -> None:
    own = library(("robots", 6), ("proteins", 3))
    found = for_you([store], own, 6)
    assert [len(one.papers) for one in found.interests] == [6, 3]
    assert [round(one.share, 2) for one in found.interests] == [0.67, 0.33]
    assert (found.library, found.known, found.related) == (9, 9, True)
    topics = [topic_of(one.hit.paper.title) for one in found.found]
    # Four of six places, and two; the smaller interest is not the last.
    assert topics.count("robots") == 4 and topics.count("proteins") == 2
    assert "proteins" in topics[:2]
    assert [one.hit.rank for one in found.found] == [1, 2, 3, 4, 5, 6]
    keys = {one.key for one in own}
    for one in found.found:
        assert one.hit.paper.key not in keys
        assert one.near and {topic_of(p.title) for p in one.near} == {topic_of(one.hit.paper.title)}
        held = {p.id for p in found.interests[one.interest].papers}
        assert {p.id for p in one.near} <= held


def test_what_one_has_already_is_left_out_by_title_identifier_and_spelling(
    tmp_path: Path,
) -> None:
    held = [
        paper("robots", 0),
        paper("robots", 1, extra={"arxiv": "2401.01234"}),
        paper("robots", 2, extra={"doi": "10.1000/xyz"}),
        paper("robots", 3),
    ]
    own = [
        Paper("WALKING robots learn to cross frozen lakes."),
        Paper("Another Title Altogether", url="https://arxiv.org/abs/2401.01234v2"),
        Paper("Robot Walking with Learnd Foot Placement"),
    ]
    with build_store([*held, *EVERY[4:]], tmp_path / "held", model="static") as store:
        found = for_you([store], own, 20)
        titles = [one.hit.paper.title for one in found.found]
    assert not {one.title for one in held[:3]} & set(titles)
    assert held[3].title in titles
    assert found.known == 2


def test_a_preprint_and_its_publication_are_one_paper(store: PaperStore) -> None:
    own = [
        *library(("robots", 2), ("proteins", 2)),
        *(replace(one, id=f"{one.id}-arxiv", venue="arXiv") for one in library(("robots", 2))),
    ]
    found = for_you([store], own, 4)
    assert found.library == 4
    assert [round(one.share, 2) for one in found.interests] == [0.5, 0.5]


def test_a_short_title_of_other_people_is_no_paper_of_the_library(tmp_path: Path) -> None:
    fish = paper("robots", 0)
    with build_store(
        [Paper("Fish", authors=("Eve Ray",), id="fish"), fish], tmp_path / "s", model="static"
    ) as store:
        found = for_you([store], [Paper("Fish", authors=("Zed Moe",)), paper("robots", 1)], 5)
    assert found.known == 0


def test_negative_examples_count(store: PaperStore) -> None:
    own = library(("robots", 3), ("proteins", 3))
    before = [one.hit.paper.title for one in for_you([store], own, 8).found]
    bad = TOPICS["proteins"][6]
    assert bad in before
    after = for_you([store], own, 8, unlike=[bad, paper("proteins", 8)])
    titles = [one.hit.paper.title for one in after.found]
    assert bad not in titles and TOPICS["proteins"][8] not in titles
    assert any(topic_of(title) == "proteins" for title in titles)


def test_a_filter_and_a_half_life(store: PaperStore) -> None:
    own = library(("robots", 3))
    found = for_you([store], own, 5, filter={"year": {"$gte": 2023}})
    assert found.found and all((one.hit.paper.year or 0) >= 2023 for one in found.found)
    none = for_you([store], own, 5, filter={"venue": "OTHER"})
    assert not none.found and "venue" in none.warnings[0]
    # A library whose newer papers are of another topic than its older ones.
    aged = [
        *(paper("robots", number, year=2005) for number in range(4)),
        *(paper("proteins", number, year=2024) for number in range(4)),
    ]
    shares = {
        half_life: {
            topic_of(one.papers[0].title): one.share
            for one in for_you([store], aged, 6, half_life=half_life).interests
        }
        for half_life in (None, 5)
    }
    assert shares[None]["robots"] == pytest.approx(0.5)
    assert shares[5]["robots"] < 0.1 and shares[5]["proteins"] > 0.9


def test_of_two_papers_alike_the_newer_comes_first_where_that_is_wanted(tmp_path: Path) -> None:
    alike = [
        Paper("Walking Robots on Ice", id="old", year=2010),
        Paper("Walking Robots on Ice in Winter", id="new", year=2024),
    ]
    with build_store([*alike, *EVERY[10:]], tmp_path / "two", model="static") as store:
        firsts = [
            for_you([store], ["Walking Robots on the Ice"], 1, half_life=years)
            .found[0]
            .hit.paper.id
            for years in (None, 1)
        ]
    assert firsts == ["old", "new"]


def test_a_store_without_dates_says_so(tmp_path: Path) -> None:
    undated = [paper("robots", number, year=None) for number in range(10)]
    with build_store(undated, tmp_path / "undated", model="static") as store:
        found = for_you([store], [Paper("Robots on ice", year=2020)], 3, half_life=1)
    assert len(found.found) == 3
    assert found.warnings == (
        "no paper of undated has a date, so newer ones do not weigh more there",
    )


def test_several_stores_are_searched_as_one_and_a_work_is_shown_once(tmp_path: Path) -> None:
    first = [paper("robots", n) for n in range(8)]
    second = [
        *(paper("robots", n, id=f"again{n}", venue="OTHER") for n in range(4, 10)),
        *(paper("proteins", n) for n in range(6)),
    ]
    with (
        build_store(first, tmp_path / "one", model="static") as one,
        build_store(second, tmp_path / "two", model="static") as two,
    ):
        # Only one store knows what the library's titles are about.
        own: list[str | Paper] = [first[0].title, second[6].title, second[7].title]
        found = for_you([one, two], own, 12)
        answer = found.answer("mine")
    titles = [hit.paper.title for hit in answer.hits]
    assert len(titles) == len(set(titles)) == 12
    assert found.store == "one, two" and found.known == 3
    assert {hit.paper.extra["store"] for hit in answer.hits} == {"one", "two"}
    assert any(hit.copies for hit in answer.hits)


@pytest.mark.parametrize(
    ("own", "options", "said"),
    [
        ([], {}, "the library is empty"),
        ("A title", {}, "library is a list"),
        ([" "], {}, "blank"),
        (["\u2603"], {}, "can be read by the model"),
        (["Robots"], {"k": 0}, "k "),
        (["Robots"], {"half_life": 0}, "half_life"),
        (["Robots"], {"filter": {"nothing": 1}}, "nothing"),
    ],
)
def test_wrong_input_is_refused(
    store: PaperStore, own: list[str], options: dict[str, object], said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        for_you([store], own, **options)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="no store"):
        for_you([], ["Robots"])


def test_a_library_that_nothing_is_near_to_says_so(swimmer: Run, conf: str, tmp_path: Path) -> None:
    far = [Paper(f"Medieval Charters of the Abbey, Volume {n}", year=1900) for n in range(4)]
    result = swimmer("foryou", "--library", bib(tmp_path, far), "--store", conf, "-k", "3")
    assert result.code == 0
    assert "Nothing is near to your papers. Nearest papers:" in result.out
    mixed = [*far, *library(("robots", 4))]
    result = swimmer("foryou", "-l", bib(tmp_path, mixed), "-s", conf, "-k", "20", "--json")
    found = json.loads(result.out)
    related = [hit["related"] for hit in found["hits"]]
    # What is near stands first; the rest only fills the places.
    assert related == sorted(related, reverse=True) and set(related) == {True, False}


def test_the_command_prints_and_exports(swimmer: Run, conf: str, tmp_path: Path) -> None:
    refs = bib(tmp_path, library(("robots", 4), ("proteins", 4)))
    shown = swimmer("foryou", "--library", refs, "--store", conf, "-k", "4", "--brief")
    assert shown.code == 0 and not shown.err
    assert "for refs.bib: 8 papers, 8 of them in the store" in shown.out
    assert "2 interests:" in shown.out and "near to your [1] " in shown.out
    found = json.loads(swimmer("foryou", "-l", refs, "-s", conf, "-k", "4", "--json").out)
    assert [one["papers"] for one in found["interests"]] == [4, 4]
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3, 4]
    assert all(hit["near"][0]["title"] and hit["interest"] in (1, 2) for hit in found["hits"])
    out = tmp_path / "for-me.bib"
    assert swimmer("foryou", "-l", refs, "-s", conf, "-k", "4", "-o", out).code == 0
    assert out.read_text("utf-8").count("@") == 4
    table = swimmer("foryou", "-l", refs, "-s", conf, "-k", "4", "--csv").out
    assert table.startswith("query,rank") and table.count("\nrefs.bib,") == 4
    unlike = bib(tmp_path, library(("proteins", 10))[4:], "no.bib")
    fewer = swimmer("foryou", "-l", refs, "-s", conf, "-k", "4", "--json", "--unlike", unlike)
    topics = [topic_of(hit["title"]) for hit in json.loads(fewer.out)["hits"] if hit["related"]]
    assert topics and set(topics) == {"robots"}


ZOTERO = {
    "config": {"label": "BetterBibTeX JSON"},
    "items": [
        {
            "itemType": "conferencePaper",
            "title": title,
            "abstractNote": "Robots that walk.",
            "creators": [{"firstName": "Ada", "lastName": "Fox", "creatorType": "author"}],
            "date": "2023-05-01",
            "dateAdded": "2024-01-01T00:00:00Z",
        }
        for title in TOPICS["robots"][:3]
    ],
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("zotero.json", json.dumps(ZOTERO)),
        (
            "csl.json",
            json.dumps(
                [
                    {"id": str(n), "type": "paper-conference", "title": title}
                    for n, title in enumerate(TOPICS["robots"][:3])
                ]
            ),
        ),
        (
            "refs.ris",
            "".join(f"TY  - CONF\nTI  - {title}\nER  - \n" for title in TOPICS["robots"][:3]),
        ),
    ],
)
def test_a_library_of_every_kind_is_read(
    swimmer: Run, conf: str, tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = swimmer("foryou", "--library", tmp_path / name, "--store", conf, "-k", "3", "--json")
    found = json.loads(result.out)
    assert (found["library"], found["known"]) == (3, 3)
    assert {topic_of(hit["title"]) for hit in found["hits"]} == {"robots"}


def test_a_folder_of_pdfs_is_a_library(swimmer: Run, conf: str, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    folder = tmp_path / "papers" / "storage"
    folder.mkdir(parents=True)
    for number in range(2):
        figure = Figure(figsize=(8, 11))
        figure.text(0.1, 0.9, TOPICS["robots"][number], fontsize=14)
        figure.text(0.1, 0.8, "Abstract", fontsize=10)
        figure.text(0.1, 0.75, "We let robots walk over ice and stairs.", fontsize=10)
        figure.text(0.1, 0.7, "1 Introduction", fontsize=10)
        figure.savefig(folder / f"{number}.pdf")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    result = swimmer("foryou", "-l", tmp_path / "papers", "-s", conf, "-k", "3", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["known"] == 2
    assert "broken.pdf" in result.err
    (tmp_path / "empty").mkdir()
    refused = swimmer("foryou", "-l", tmp_path / "empty", "-s", conf)
    assert refused.code == 2 and "holds no PDF" in refused.err


def test_reading_lists_are_a_library(swimmer: Run, conf: str) -> None:
    empty = swimmer("foryou", "--library", "reading-list", "--store", conf)
    assert empty.code == 2 and "no paper on your reading lists" in empty.err
    kept = ReadingList()
    for one in library(("privacy", 3)):
        kept.add("conf", one)
    kept.add("conf", paper("robots", 0), "walking")
    every = swimmer("foryou", "--library", "reading-list", "--store", conf, "-k", "3")
    assert "for the reading lists: 4 papers" in every.out
    one_list = swimmer("foryou", "--library", "list:walking", "--store", conf, "-k", "3")
    assert "for walking: 1 paper, " in one_list.out
    assert swimmer("foryou", "--library", "list:nothing", "--store", conf).code == 2
    kept.path.write_text("{damaged", encoding="utf-8")
    damaged = swimmer("foryou", "--library", "reading-list", "--store", conf)
    assert damaged.code == 2 and "damaged" in damaged.err
    assert list(kept.path.parent.glob("*.damaged-*"))


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "empty"), ("@article{a, title={", ""), ("\x00\x01\x02", ""), ("% nothing", "")],
)
def test_a_library_that_cannot_be_read_is_refused(
    swimmer: Run, conf: str, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "refs.bib"
    file.write_text(text, encoding="utf-8")
    result = swimmer("foryou", "--library", file, "--store", conf)
    assert result.code == 2 and result.err.startswith("error: ") and said in result.err
    missing = swimmer("foryou", "--library", tmp_path / "none.bib", "--store", conf)
    assert missing.code == 2 and "no such file or folder" in missing.err
    assert swimmer("foryou", "--store", conf).code == 2


def test_an_entry_that_cannot_be_read_is_named_and_the_others_count(
    swimmer: Run, conf: str, tmp_path: Path
) -> None:
    file = bib(tmp_path, library(("robots", 2)))
    file.write_text(file.read_text("utf-8") + "\n@article{x, year={2020}}\n", encoding="utf-8")
    assert len(read_library(file).papers) == 2
    result = swimmer("foryou", "--library", file, "--store", conf, "-k", "2")
    assert result.code == 0 and "no title" in result.err


async def test_an_agent_gives_titles_or_takes_the_reading_list(conf: str) -> None:
    async with Client(build_server(conf)) as client:
        call = {"titles": TOPICS["robots"][:3] + TOPICS["proteins"][:3], "k": 4}
        found = (await client.call_tool("papers_for_library", call)).structured_content
        assert found is not None and len(found["papers"]) == 4
        for one in found["papers"]:
            assert topic_of(one["near"][0]) == topic_of(one["title"])
        for wrong, said in (
            ({}, "the library is empty"),
            ({"reading_list": "thesis"}, "not open to programs"),
            ({"titles": ["a"] * 501}, "at most 500"),
            ({"file": "/etc/passwd"}, "no such argument"),
        ):
            refused = await client.call_tool("papers_for_library", wrong)
            assert refused.is_error and said in refused.content[0].text  # type: ignore[union-attr]
    for one in library(("privacy", 3)):
        ReadingList().add("conf", one, "thesis")
    async with Client(build_server(conf, allow_lists=True)) as client:
        call = {"reading_list": "thesis", "k": 3}
        listed = (await client.call_tool("papers_for_library", call)).structured_content
        assert listed is not None
        assert {topic_of(one["title"]) for one in listed["papers"]} == {"privacy"}


@given(
    st.lists(st.floats(0.01, 1), min_size=1, max_size=8),
    st.integers(1, 60),
    st.data(),
)
def test_the_places_are_shared_out_from_the_first(
    shares: list[float], places: int, data: st.DataObject
) -> None:
    total = sum(shares)
    shares = [one / total for one in shares]
    order = in_turns(shares, [1_000] * len(shares), places)
    assert len(order) == places
    for length in range(1, places + 1):
        for number, share in enumerate(shares):
            # Nobody has much more than the share; only who is behind a larger one has less.
            assert order[:length].count(number) <= share * length + len(shares) / 2 + 0.5
    available = [data.draw(st.integers(0, 5)) for _ in shares]
    some = in_turns(shares, available, places)
    assert len(some) == min(places, sum(available))
    assert all(some.count(number) <= most for number, most in enumerate(available))


@given(st.integers(1, 60), st.integers(1, 6), st.integers(0, 1_000))
@settings(deadline=None)
def test_interests_are_numbered_by_size_and_hold_what_is_equal(
    count: int, groups: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    centres = np.eye(8, dtype=np.float32)[:groups]
    owner = draw.integers(0, groups, count)
    labels = find_interests(centres[owner], Apart(0.5))
    sizes = np.bincount(labels)
    assert sizes.min() > 0 and list(sizes) == sorted(sizes, reverse=True)
    assert len(sizes) == len(set(owner.tolist()))
    for group in set(owner.tolist()):
        assert len(set(labels[owner == group].tolist())) == 1
    assert len(set(find_interests(centres[owner], Apart(-2.0)).tolist())) == 1


def test_a_library_larger_than_what_is_compared_has_the_same_interests() -> None:
    draw = np.random.default_rng(1)
    owner = draw.integers(0, 3, 5_000)
    vectors = np.eye(16, dtype=np.float32)[owner] + draw.normal(0, 0.05, (5_000, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    labels = find_interests(vectors, Apart(0.5))
    assert len(set(zip(owner.tolist(), labels.tolist(), strict=True))) == 3


def test_a_single_paper_of_a_small_library_is_an_interest_of_its_own() -> None:
    """Where it is no nearer to the others than papers of a store are by chance."""
    draw = np.random.default_rng(3)

    def unit(rows: int) -> Any:
        made = draw.normal(size=(rows, 64)).astype(np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    store, runs = unit(1_000), 300
    merged = {1: 0, 3: 0, 30: 0}
    for size in merged:
        for _ in range(runs):
            group = unit(1) + 0.4 * unit(size)
            group /= np.linalg.norm(group, axis=1, keepdims=True)
            vectors = np.concatenate([group, unit(1)]).astype(np.float32)
            labels = find_interests(vectors, apart_for(vectors, store))
            assert len(set(labels[:size].tolist())) == 1
            merged[size] += labels[-1] == labels[0]
    # Without more care for small groups it is a third of the times.
    assert merged[1] < 0.2 * runs and merged[3] < 0.25 * runs and merged[30] < 0.33 * runs
