"""Topics that grew, shrank or appeared between stores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from swimmer import Paper, build_store
from swimmer.analysis import Trends, trends, write_trends
from swimmer.errors import InputError, ModelMismatchError, QueryError
from tests.conftest import Outcome
from tests.query_fixtures import RandomEmbeddings, store_of

Run = Callable[..., Outcome]

SUBJECTS = {
    "graph neural networks": "message passing node classification molecules edges graph",
    "diffusion models": "denoising image generation score matching sampling noise diffusion",
    "speech recognition": "audio acoustic phoneme transcription spoken speech",
    "reinforcement learning": "policy reward agent exploration bandit value function",
    "federated learning": "clients privacy aggregation communication server federated",
}
SIDES = (
    "efficient robust sparse scalable adaptive private causal hierarchical bayesian modular "
    "calibrated certified compressed distributed equivariant online offline stochastic dual convex"
).split()


def written(subject: str, count: int, year: int | None) -> list[Paper]:
    """Papers on one subject, no two alike."""
    words = SUBJECTS[subject].split()
    return [
        Paper(
            f"{SIDES[i % len(SIDES)].title()} {SIDES[i // len(SIDES)]} {subject}",
            f"We study {words[i % len(words)]} and {words[(i + 1) % len(words)]} for {subject}: "
            f"a {SIDES[(3 * i) % len(SIDES)]} method with {' '.join(words)}.",
            year=year,
            url=f"https://example.org/{subject.replace(' ', '-')}/{year}/{i}",
        )
        for i in range(count)
    ]


def year_of(sizes: dict[str, int], year: int | None) -> list[Paper]:
    return [paper for subject, size in sizes.items() for paper in written(subject, size, year)]


BEFORE = {
    "graph neural networks": 60,
    "speech recognition": 40,
    "reinforcement learning": 40,
    "federated learning": 40,
}
AFTER = {
    "graph neural networks": 20,
    "speech recognition": 40,
    "reinforcement learning": 40,
    "diffusion models": 80,
}


def about(found: Trends, word: str) -> list[str]:
    """The kinds of the topics whose papers are on a subject."""
    return [t.kind for t in found.topics if all(word in p.title.casefold() for p in t.examples)]


def test_topics_that_grew_shrank_and_appeared_are_found_without_being_named() -> None:
    stores = [store_of(year_of(BEFORE, 2023)), store_of(year_of(AFTER, 2024))]
    found = trends(stores)
    assert found.field == "topics" and found.papers == {2023: 180, 2024: 180}
    assert found.undated == 0
    assert set(about(found, "diffusion models")) == {"appeared"}
    assert set(about(found, "federated learning")) == {"disappeared"}
    assert set(about(found, "graph neural networks")) <= {"shrank", "disappeared"}
    assert found.steady > 0
    for trend in found.topics:
        shares = [100 * trend.counts.get(year, 0) / 180 for year in (2023, 2024)]
        assert trend.change == pytest.approx(shares[1] - shares[0], abs=0.005)
        assert [found.share(trend, year) for year in (2023, 2024)] == pytest.approx(shares)
        larger = 2024 if trend.change > 0 else 2023
        assert 1 <= len(trend.examples) <= 3
        assert {paper.year for paper in trend.examples} == {larger}
    assert len({trend.topic for trend in found.topics}) == len(found.topics)
    assert [abs(trend.change) for trend in found.topics] == sorted(
        (abs(trend.change) for trend in found.topics), reverse=True
    )
    again = trends(stores)
    assert [(t.topic, t.counts) for t in again.topics] == [
        (t.topic, t.counts) for t in found.topics
    ]
    assert len(trends(stores, k=1).topics) == 1


def test_a_topic_is_named_by_words_of_its_titles() -> None:
    stores = [store_of(year_of(BEFORE, 2023)), store_of(year_of(AFTER, 2024))]
    for trend in trends(stores).topics:
        titles = " ".join(paper.title.casefold() for paper in trend.examples)
        words = trend.topic.casefold().replace(",", " ").split()
        assert any(word.rstrip("s") in titles for word in words), trend


def test_equal_years_have_no_trend() -> None:
    stores = [store_of(year_of(BEFORE, 2023)), store_of(year_of(BEFORE, 2024))]
    found = trends(stores)
    assert found.topics == [] and found.steady > 3


def test_stores_without_two_years_are_compared_store_by_store(home: Path) -> None:
    for name, sizes in (("spring", BEFORE), ("autumn", AFTER)):
        build_store(year_of(sizes, None), home / "vectorstores" / name).close()
    from swimmer import open_store

    with open_store("spring") as first, open_store("autumn") as second:
        found = trends([first, second])
    # In the order that they are given, not by their names.
    assert list(found.papers) == ["spring", "autumn"]
    assert set(about(found, "diffusion models")) == {"appeared"}


def test_stores_of_two_models_are_compared_by_words_only() -> None:
    stores = [
        store_of(year_of(BEFORE, 2023)),
        store_of(year_of(AFTER, 2024), RandomEmbeddings()),
    ]
    with pytest.raises(ModelMismatchError):
        trends(stores)
    assert trends(stores, ["diffusion"]).topics[0].counts == {2024: 80}


def test_at_the_terminal(swimmer: Run, home: Path) -> None:
    hostile = [Paper(f"\x1b[31mGraphs\x1b[0m <b>{i}</b>", year=2023) for i in range(3)]
    for name, papers in (
        ("y2023", [*year_of(BEFORE, 2023), *hostile]),
        ("y2024", year_of(AFTER, 2024)),
    ):
        build_store(papers, home / "vectorstores" / name).close()
    done = swimmer("trends", "y2023", "y2024", "-o", str(home / "trends.svg"), "--quiet")
    assert done.code == 0, done.err
    assert "183 papers of 2023, 180 papers of 2024" in done.out
    assert "GREW" in done.out and "SHRANK" in done.out and "\x1b" not in done.out
    assert "(appeared)" in done.out and "Diffusion Models" in done.out.title()
    picture = (home / "trends.svg").read_text(encoding="utf-8")
    assert picture.startswith("<?xml") and "script" not in picture
    told = json.loads(swimmer("trends", "y2023", "y2024", "--json").out)
    assert told["field"] == "topics" and told["papers"] == {"2023": 183, "2024": 180}
    (first, *_) = told["topics"]
    assert first["examples"][0]["url"].startswith("https://example.org/")
    assert set(first["shares"]) == {"2023", "2024"}
    wrong = swimmer("trends", "y2023", "y2024", "-o", "trends.gif")
    assert wrong.code == 2 and ".svg" in wrong.err and wrong.out == ""
    nothing = swimmer("trends", "y2024", "-t", "graph", "-o", str(home / "one.png"))
    assert nothing.code == 2 and "nothing to draw" in nothing.err
    assert not (home / "one.png").exists()


def test_a_picture_is_the_same_each_time(tmp_path: Path) -> None:
    stores = [store_of(year_of(BEFORE, 2023)), store_of(year_of(AFTER, 2024))]
    found = trends(stores)
    first = write_trends(found, tmp_path / "a.png").read_bytes()
    assert first == write_trends(found, tmp_path / "b.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    with pytest.raises(InputError, match="format"):
        write_trends(found, tmp_path / "a.txt")
    with pytest.raises(QueryError, match="nothing to draw"):
        write_trends(Trends([], {2024: 3}), tmp_path / "c.png")
