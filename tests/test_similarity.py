"""How near two papers are in a store: smoothed vectors, shared words, and what a score means."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from swimmer import Paper, PaperStore, ask, build_store, open_store, search
from swimmer.errors import StoreDamagedError
from swimmer.store.lexical import LIMIT, LexicalIndex, count_papers, pack_query, pack_words
from swimmer.store.similarity import CLOSENESS, Similarity, closeness_key
from swimmer.store.smoothing import (
    COPY,
    Neighbours,
    find_neighbours,
    neighbour_count,
    smoothed,
    update_neighbours,
)
from swimmer.store.vocabulary import TOPIC_TABLE, VOCABULARY_TABLE
from swimmer.store.word_counting import WordCounts
from tests.conftest import Outcome
from tests.models import HashEmbeddings

TOPICS = ("graphs", "robots", "proteins", "privacy", "speech", "bandits")
WORDS = ("sample", "kernel", "sparse", "latent", "causal", "robust", "convex", "neural", "bound")


def paper(n: int, tail: str = "") -> Paper:
    topic, word, other = TOPICS[n % 6], WORDS[n % 9], WORDS[(n * 7 + 3) % 9]
    return Paper(
        f"{word.capitalize()} {topic} of kind {n}",
        f"We study {topic} by {word} and {other} methods, number {n}. {tail}",
        id=f"p{n}",
        url=f"https://example.org/{n}",
    )


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def clustered(rng: np.random.Generator, n: int) -> np.ndarray:
    centres = rng.normal(size=(8, 16))
    return unit(centres[rng.integers(0, 8, n)] + 0.6 * rng.normal(size=(n, 16)))


# ---------------------------------------------------------------------- smoothing


def test_a_vector_is_drawn_to_the_mean_of_its_nearest() -> None:
    vectors = clustered(np.random.default_rng(1), 240)
    near = find_neighbours(vectors)
    assert near.count == 5
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    cosines[cosines >= COPY] = -1
    for row in range(0, 240, 17):
        expected = np.argsort(-cosines[row])[:5]
        assert near.rows[row].tolist() == expected.tolist()
        weights = cosines[row][expected].clip(0) ** 3
        mean = (weights[:, None] * vectors[expected]).sum(axis=0) / weights.sum()
        wanted = vectors[row] + 0.4 * mean
        made = smoothed(vectors, near, 0.4)[row]
        assert np.allclose(made, wanted / np.linalg.norm(wanted), atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2, 6, 19])
def test_few_papers_are_left_as_they_are(count: int) -> None:
    vectors = clustered(np.random.default_rng(2), count)
    near = find_neighbours(vectors)
    assert near.count == neighbour_count(count) == 0
    assert np.allclose(smoothed(vectors, near, 0.4), vectors, atol=1e-6)


def test_copies_of_a_paper_are_not_its_neighbours() -> None:
    rng = np.random.default_rng(3)
    vectors = clustered(rng, 200)
    alone = find_neighbours(vectors)
    copied = np.vstack([vectors, np.repeat(vectors[[7]], 60, axis=0)])
    near = find_neighbours(copied)
    assert near.rows[7].tolist() == alone.rows[7].tolist()
    assert near.rows[230].tolist() == alone.rows[7].tolist()


def test_a_store_of_nothing_but_copies_keeps_its_vectors() -> None:
    vectors = np.repeat(clustered(np.random.default_rng(4), 1), 100, axis=0)
    near = find_neighbours(vectors)
    assert (near.rows == -1).all()
    assert np.allclose(smoothed(vectors, near, 0.4), vectors, atol=1e-6)


def test_papers_without_a_vector_stay_without_one() -> None:
    vectors = clustered(np.random.default_rng(5), 120)
    vectors[[3, 50]] = 0
    near = find_neighbours(vectors)
    assert not smoothed(vectors, near, 0.4)[[3, 50]].any()
    assert not np.isin(near.rows, [3, 50]).any()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(0, 30), st.integers(0, 30), st.integers(0, 20))
def test_updated_neighbours_are_those_found_anew(
    seed: int, removed: int, added: int, changed: int
) -> None:
    rng = np.random.default_rng(seed)
    before = clustered(rng, 150)
    before[rng.integers(0, 150, 5)] = before[0]
    kept = rng.permutation(150)[: 150 - removed]
    vectors = np.vstack([before[kept], clustered(rng, added)])
    origin = np.concatenate([kept, np.full(added, -1)])
    moved = rng.permutation(len(kept))[:changed]
    vectors[moved], origin[moved] = clustered(rng, len(moved)), -1
    updated = update_neighbours(vectors, find_neighbours(before), origin)
    found = find_neighbours(vectors)
    assert np.allclose(updated.scores, found.scores, atol=1e-6)
    assert np.allclose(smoothed(vectors, updated, 0.4), smoothed(vectors, found, 0.4), atol=1e-5)


def test_an_update_searches_only_what_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    vectors = clustered(rng, 400)
    old = find_neighbours(vectors[:399])
    searched: list[int] = []
    from swimmer.store import smoothing

    nearest = smoothing.nearest_rows
    monkeypatch.setattr(
        smoothing,
        "nearest_rows",
        lambda queries, *rest: searched.append(len(queries)) or nearest(queries, *rest),
    )
    update_neighbours(vectors, old, np.append(np.arange(399), -1))
    assert 1 <= sum(searched) < 100


def test_neighbours_of_many_papers_are_found_by_an_inverted_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from swimmer.store import smoothing

    vectors = clustered(np.random.default_rng(7), 3000)
    exact = find_neighbours(vectors)
    monkeypatch.setattr(smoothing, "EXACT_LIMIT", 1000)
    near = find_neighbours(vectors)
    shared = [
        len(set(a) & set(b)) for a, b in zip(exact.rows.tolist(), near.rows.tolist(), strict=True)
    ]
    assert np.mean(shared) / 5 > 0.95


# ---------------------------------------------------------------------- a store


def by_id(store: PaperStore) -> dict[str, np.ndarray]:
    return dict(zip((one.id for one in store), store.vectors(), strict=True))


def same_answers(one: PaperStore, other: PaperStore) -> None:
    assert {p.id for p in one} == {p.id for p in other}
    mine, theirs = by_id(one), by_id(other)
    for identifier, vector in mine.items():
        assert np.allclose(vector, theirs[identifier], atol=2e-6), identifier
    for query in (paper(8).title, "private speech with sparse kernels"):
        hits = [
            [(hit.paper.id, hit.score, hit.cosine) for hit in search(store, query, 12)]
            for store in (one, other)
        ]
        for a, b in zip(*hits, strict=True):
            assert a[1:] == pytest.approx(b[1:], abs=1e-5)


def test_an_updated_store_is_what_a_full_build_makes(tmp_path: Path) -> None:
    first = [paper(n) for n in range(150)]
    build_store(first, tmp_path / "store", model=HashEmbeddings(32)).close()
    later = [
        *(paper(n) for n in range(140) if n not in (5, 30, 31)),
        *(paper(n) for n in range(200, 212)),
    ]
    later[20] = paper(20, "An erratum on proteins and speech.")
    updated = build_store(later, tmp_path / "store", prune=True, model=HashEmbeddings(32))
    anew = build_store(later, tmp_path / "anew", model=HashEmbeddings(32))
    same_answers(updated, anew)
    assert updated.verify() == []


def test_a_store_changed_in_memory_is_what_a_full_build_makes(tmp_path: Path) -> None:
    papers = [paper(n) for n in range(130)]
    store = build_store(papers[:120], tmp_path / "store", model=HashEmbeddings(32))
    store.add(papers[120:])
    store.delete(["p3", "p77"])
    store.add([paper(9, "With an appendix on graphs.")])
    wanted = [p for p in papers if p.id not in ("p3", "p77")]
    wanted[wanted.index(papers[9])] = paper(9, "With an appendix on graphs.")
    anew = build_store(wanted, tmp_path / "anew", model=HashEmbeddings(32))
    same_answers(store, anew)
    store.commit()
    with open_store(tmp_path / "store") as again:
        again.model(HashEmbeddings(32))
        same_answers(again, anew)
        assert again.similarity == anew.similarity


def test_a_store_that_grows_begins_to_smooth(tmp_path: Path) -> None:
    store = build_store([paper(n) for n in range(15)], tmp_path / "store", model=HashEmbeddings(32))
    assert store.own_vectors()[1] is None
    store = build_store([paper(n) for n in range(60)], tmp_path / "store", model=HashEmbeddings(32))
    assert store.own_vectors()[1] is not None
    same_answers(
        store,
        build_store([paper(n) for n in range(60)], tmp_path / "anew", model=HashEmbeddings(32)),
    )


def test_a_plain_store_compares_by_its_vectors_alone(tmp_path: Path) -> None:
    papers = [paper(n) for n in range(60)]
    model = HashEmbeddings(32)
    plain = build_store(papers, tmp_path / "plain", model=model, plain=True)
    texts = [p.embedding_text for p in papers]
    assert np.array_equal(plain.vectors(), plain.model().embed_documents(texts))
    assert plain.similarity == Similarity()
    assert plain.lexical is None
    hits = search(plain, papers[8].title, 5)
    assert [hit.score for hit in hits] == [hit.cosine for hit in hits]
    # It stays plain until it is told otherwise, and can be made plain again.
    assert build_store(papers, tmp_path / "plain", model=model).similarity == Similarity()
    full = build_store(papers, tmp_path / "plain", model=model, plain=False)
    same_answers(full, build_store(papers, tmp_path / "anew", model=HashEmbeddings(32)))
    again = build_store(papers, tmp_path / "plain", model=HashEmbeddings(32), plain=True)
    assert np.allclose(again.vectors(), plain.model().embed_documents(texts), atol=1e-3)


def test_a_store_of_an_older_version_goes_on_without_weights(tmp_path: Path) -> None:
    papers = [paper(n) for n in range(60)]
    older = PaperStore.create(HashEmbeddings(32))
    older.add(papers)
    older.commit(tmp_path / "older")
    with open_store(tmp_path / "older") as store:
        assert not store.has_similarity
        hits = search(store, papers[8].title, 5)
        assert [hit.score for hit in hits] == [hit.cosine for hit in hits]
    named = build_store(tmp_path / "older", tmp_path / "older", model=HashEmbeddings(32))
    assert named.similarity == Similarity.of(named.identity)
    same_answers(named, build_store(papers, tmp_path / "anew", model=HashEmbeddings(32)))


@pytest.mark.parametrize("count", [1, 2, 6])
def test_small_stores_answer(tmp_path: Path, count: int) -> None:
    store = build_store([paper(n) for n in range(count)], tmp_path / "store", model="static")
    (answer,) = ask(store, [paper(0).title])
    assert len(answer.hits) == count - 1
    (answer,) = ask(store, ["robots and graphs"])
    assert len(answer.hits) == count


def test_odd_papers_do_no_harm(tmp_path: Path) -> None:
    odd = [
        Paper("Graphs"),
        Paper("The of and", "a an the"),
        Paper("…", "— … —"),
        Paper("Long", "word salad of proteins " * 900),
        Paper("扩散模型", "文本到图像的扩散模型"),
        Paper("Naïve déjà-vu", "Café résumé — naïve."),
    ]
    store = build_store([*odd, *(paper(n) for n in range(60))], tmp_path / "store", model="static")
    for one in odd:
        # As the paper that it is: of a text, the model may know no word.
        for hit in ask(store, [one], 100)[0].hits if store.vectors()[odd.index(one)].any() else []:
            assert math.isfinite(hit.score) and -1 <= hit.score <= 1
    assert store.verify() == []


# ---------------------------------------------------------------------- words


def test_the_lexical_score_is_the_cosine_of_tfidf() -> None:
    text = pytest.importorskip("sklearn.feature_extraction.text")
    titles = [f"{WORDS[n % 9]} {TOPICS[n % 6]} {WORDS[(n * 5) % 9]}" for n in range(40)]
    bodies = [f"{TOPICS[(n * n) % 6]} {WORDS[n % 4]} {WORDS[n % 4]} unique{n}" for n in range(40)]
    rows = pack_words(list(zip(titles, bodies, strict=True)))
    index = LexicalIndex(len(rows), count_papers(rows))
    vectorizer = text.TfidfVectorizer(sublinear_tf=True, tokenizer=str.split, token_pattern=None)
    # The plural s is taken off.
    documents = [
        " ".join([*[title] * 3, body])
        .replace("graphs", "graph")
        .replace("robots", "robot")
        .replace("proteins", "protein")
        .replace("bandits", "bandit")
        for title, body in zip(titles, bodies, strict=True)
    ]
    expected = vectorizer.fit_transform(documents)
    found = np.stack([index.scores(index.vector([row]), rows) for row in rows])
    assert np.allclose(found, (expected @ expected.T).toarray(), atol=1e-5)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=200)), max_size=8))
def test_any_text_has_words(texts: list[tuple[str, str]]) -> None:
    together = pack_words(texts)
    assert together == [pack_words([one])[0] for one in texts]
    for packed in together:
        numbers = np.frombuffer(packed, "<u4") >> 14
        assert (np.diff(numbers.astype(np.int64)) > 0).all()
    index = LexicalIndex(len(texts), count_papers(together))
    scores = index.scores(index.vector(together[:1] or [b""]), together)
    assert ((scores >= -1e-6) & (scores <= 1 + 1e-5)).all()


def vocabulary_of(counts: WordCounts) -> dict[str, int]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(VOCABULARY_TABLE + TOPIC_TABLE)
        counts.write(connection)
        return dict(connection.execute("SELECT word, papers FROM vocabulary"))


def words_of_letters(text: str) -> set[str]:
    plain = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", text.casefold()))
    return {word for word in re.findall(r"[^\W\d_]+", plain) if 4 <= len(word) <= 30}


WRITTEN = st.text(
    st.sampled_from("abcdeés ßéßßßøİ2３_- 。扩散模\u0301\u00a0K") | st.characters(), max_size=40
) | st.sampled_from(["graph2text word2vec", "GPT4all and gpt4all2", "Diffusion", "diffusion x"])
WRITTEN_PAPERS = st.builds(
    Paper,
    title=WRITTEN.map(lambda text: f"title {text}"),
    abstract=WRITTEN,
    authors=st.lists(WRITTEN, max_size=3).map(tuple),
    keywords=st.lists(WRITTEN, max_size=2).map(tuple),
)


@settings(deadline=None)
@given(st.lists(WRITTEN_PAPERS, max_size=6), st.lists(WRITTEN_PAPERS, max_size=3))
def test_words_counted_together_are_those_of_each_paper(
    papers: list[Paper], replaced: list[Paper]
) -> None:
    counts = WordCounts()
    counts.add(replaced)
    packed = counts.add(papers)
    counts.remove(replaced)
    assert packed == pack_words([(paper.display_title, paper.abstract) for paper in papers])
    named = [
        words_of_letters(" ".join([one.display_title, *one.keywords, *one.authors]))
        for one in papers
    ]
    said = [own | words_of_letters(one.abstract) for own, one in zip(named, papers, strict=True)]
    sure = set().union(*named)
    expected = Counter(word for words in said for word in words)
    assert vocabulary_of(counts) == {
        word: count for word, count in expected.items() if count > 1 or word in sure
    }


def test_only_the_beginning_of_a_long_abstract_is_compared() -> None:
    long = Paper(title="Diffusion", abstract=f"{'graph ' * (LIMIT // 6)}beyond learning")
    counts = WordCounts()
    packed = counts.add([long])
    assert len(long.abstract) > LIMIT
    assert packed == pack_words([(long.title, long.abstract[:LIMIT])])
    counts.add([long])
    assert {"graph", "beyond"} <= vocabulary_of(counts).keys()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Diffusion models", "diffusion MODEL"),
        ("naïve Bayes", "naive bayes"),
        ("ＧＲＡＰＨ networks", "graph networks"),
        ("$\\beta$-VAE", "β VAE"),
    ],
)
def test_spellings_of_one_word_are_one(one: str, other: str) -> None:
    assert pack_query(one) == pack_query(other)


def singular_of_stores(word: bytes) -> bytes:
    """The rule by which the words of stores were numbered from the first of them."""
    if word.endswith(b"ies") and len(word) > 4:
        return word[:-3] + b"y"
    if word.endswith(b"s") and len(word) > 3 and not word.endswith((b"ss", b"us", b"is")):
        return word[:-1]
    return word


@settings(deadline=None)
@given(
    st.text("aiyesuøłд3", min_size=1, max_size=4),
    st.sampled_from(["", "s", "es", "ies", "ss", "us", "is"]),
)
@example("ø", "s").via("three letters, four bytes")
@example("ø", "ies").via("five letters, six bytes")
def test_words_have_the_numbers_of_stores_built_before(middle: str, ending: str) -> None:
    word = f"z{middle}{ending}"  # no stop word begins so
    (packed,) = pack_words([("", word)])
    number = zlib.crc32(singular_of_stores(word.encode())) >> 14
    assert np.frombuffer(packed, "<u4").tolist() == [number << 14 | 1]


def test_words_have_the_numbers_of_the_sample(sample_store: Path) -> None:
    with open_store(sample_store) as store:
        kept = store.database.packed_words(range(len(store)))
        counted = pack_words([(paper.display_title, paper.abstract) for paper in store])
    assert kept == dict(enumerate(counted)) and len(kept) == 94


def test_scripts_without_spaces_share_what_they_share() -> None:
    rows = pack_words([("", "文本到图像的扩散模型"), ("", "蛋白质折叠")])
    index = LexicalIndex(2, count_papers(rows))
    scores = index.scores(index.vector([pack_query("扩散模型")]), rows)
    assert scores[0] > 0.3 and scores[1] == 0


# ---------------------------------------------------------------------- scores


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PaperStore:
    folder = tmp_path_factory.mktemp("stores") / "static"
    return build_store([paper(n) for n in range(150)], folder, model="static")


@pytest.mark.parametrize(
    ("query", "options", "weight"),
    [
        (paper(20).title, {}, 0.6),
        ("private speech", {}, 0.3),
        (paper(20).title, {"lookup": False}, 0.3),
        (Paper("Private speech", "We keep what is said private."), {}, 0.6),
        (Paper("Private speech"), {}, 0.3),
        ("private speech", {"lexical": False}, 0.0),
        ("the of and", {}, 0.0),
    ],
)
def test_a_score_is_the_weighted_mean_of_two_cosines(
    store: PaperStore, query: str | Paper, options: dict[str, bool], weight: float
) -> None:
    hits = search(store, query, 200, **options)  # type: ignore[arg-type]
    scores = [hit.score for hit in hits]
    assert len(hits) >= 149 and scores == sorted(scores, reverse=True)
    rows = pack_words([(p.title, p.abstract) for p in store])
    index = LexicalIndex(len(rows), count_papers(rows))
    if isinstance(query, Paper):
        words = pack_words([(query.title, query.abstract)])
    else:
        known = [row for row, p in zip(rows, store, strict=True) if p.title == query]
        words = known if known and options.get("lookup", True) else [pack_query(query)]
    lexical = dict(zip((p.id for p in store), index.scores(index.vector(words), rows), strict=True))
    for hit in hits:
        assert hit.cosine is not None
        expected = (hit.cosine + weight * lexical[hit.paper.id]) / (1 + weight)
        assert hit.score == pytest.approx(expected, abs=1e-5)
        assert -1 <= hit.score <= 1


def test_keyword_scores_have_no_cosine(store: PaperStore) -> None:
    hits = search(store, "private speech", 5, mode="keyword")
    assert hits and all(hit.cosine is None for hit in hits)


def test_the_best_of_a_hundred_are_the_best_of_all(store: PaperStore) -> None:
    few = search(store, "private speech", 5)
    every = search(store, "private speech", 150)
    assert [hit.paper.id for hit in few] == [hit.paper.id for hit in every[:5]]
    assert [hit.score for hit in few] == [hit.score for hit in every[:5]]


def test_queries_together_are_scored_as_one_by_one(store: PaperStore) -> None:
    queries: list[str | Paper] = ["private speech", paper(4).title, "bandits", paper(77).title]
    together = ask(store, queries, 7)
    for query, answer in zip(queries, together, strict=True):
        (alone,) = ask(store, [query], 7)
        assert [h.paper.id for h in alone.hits] == [h.paper.id for h in answer.hits]
        assert [h.score for h in alone.hits] == pytest.approx([h.score for h in answer.hits])


def test_examples_count_by_their_words_too(store: PaperStore) -> None:
    hits = search(store, None, 10, like=[paper(0).title, paper(6).title], unlike=[paper(1).title])
    assert all(-1 <= hit.score <= 1 for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all("graphs" in hit.paper.title for hit in hits[:5])


def test_langchain_ranks_by_the_cosine_alone(store: PaperStore) -> None:
    pytest.importorskip("langchain_core")
    from swimmer.langchain import PaperVectorStore

    pairs = PaperVectorStore(store=store).similarity_search_with_score("private speech", 10)
    vector = store.model().embed_query("private speech")
    expected = np.sort(store.vectors() @ vector)[::-1][:10]
    assert [score for _, score in pairs] == pytest.approx(expected.tolist(), abs=1e-5)


def test_langchain_documents_are_neither_smoothed_nor_counted(tmp_path: Path) -> None:
    pytest.importorskip("langchain_core")
    from swimmer.langchain import PaperVectorStore

    texts = [f"Document {n} on {TOPICS[n % 6]}" for n in range(80)]
    documents = PaperVectorStore.from_texts(texts, HashEmbeddings(32))
    model = documents.store.model()
    assert np.array_equal(documents.store.vectors(), model.embed_documents(texts))
    documents.save_local(tmp_path / "documents")
    with PaperStore.open(tmp_path / "documents") as again:
        assert not again.has_similarity
        assert "words" not in again.database.tables


def test_thresholds_are_learnt_for_both_kinds_of_score(store: PaperStore) -> None:
    assert {"related", "related_cosine"} <= set(store.thresholds)
    for text, related in (
        ("robust speech with latent kernels", True),
        ("How to bake a sourdough bread with a crisp crust", False),
    ):
        for lexical in (True, False):
            (answer,) = ask(store, [text], lexical=lexical)
            assert answer.related is related, (text, lexical)


# ---------------------------------------------------------------------- words for scores


@pytest.mark.parametrize("kind", ["paper", "text"])
@pytest.mark.parametrize("plain", [False, True])
def test_the_words_for_scores_go_down_with_them(tmp_path: Path, kind: str, plain: bool) -> None:
    folder = tmp_path / "store"
    with build_store([paper(n) for n in range(150)], folder, plain=plain) as store:
        learnt = [store.thresholds[closeness_key(kind, word)] for word in CLOSENESS]
        assert learnt == sorted(learnt, reverse=True) and len(set(learnt)) == 3
        met = set[str]()
        for n in range(0, 150, 10):
            (answer,) = ask(store, [paper(n).title], 100, lookup=kind == "paper")
            assert (answer.matched is not None) == (kind == "paper")
            for hit in answer.hits:
                above = [
                    word
                    for word, least in zip(CLOSENESS, learnt, strict=True)
                    if hit.score >= least
                ]
                assert hit.closeness == (above[0] if above else "")
                assert hit.facts().get("closeness", "") == hit.closeness
            met.update(hit.closeness for hit in answer.hits)
        assert met == {*CLOSENESS, ""}


def test_the_words_are_the_same_where_neighbours_are_kept(
    store: PaperStore, tmp_path: Path
) -> None:
    papers = [paper(n) for n in range(150)]
    with build_store(papers, tmp_path / "without", neighbours=False) as without:
        for n in range(0, 150, 10):
            kept, searched = (ask(one, [papers[n].title], 50)[0] for one in (store, without))
            assert [hit.closeness for hit in kept.hits] == [hit.closeness for hit in searched.hits]


@pytest.mark.parametrize(
    "options",
    [
        {"lexical": False},
        {"mode": "keyword"},
        {"like": ["latent robots of kind 3"]},
        {"unlike": [paper(9)]},
    ],
)
def test_other_scores_than_those_learnt_have_no_word(
    store: PaperStore, options: dict[str, Any]
) -> None:
    for query in (paper(20).title, "sparse speech"):
        hits = search(store, query, 20, **options)
        assert hits and not any(hit.closeness for hit in hits)


def test_a_text_about_something_else_is_not_even_loosely_related(store: PaperStore) -> None:
    (answer,) = ask(store, ["How to bake a sourdough bread with a crisp crust"])
    assert not answer.related
    assert answer.hits and not any(hit.closeness for hit in answer.hits)


def test_the_word_is_shown_at_a_terminal(
    store: PaperStore, swimmer: Callable[..., Outcome]
) -> None:
    title = paper(20).title
    shown = swimmer("search", "--store", str(store.folder), title, "-k", "3").out
    hits = search(store, title, 3)
    assert all(hit.closeness and hit.closeness in shown for hit in hits)


# ---------------------------------------------------------------------- damage


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE own_vectors SET vector = x'00' WHERE row = 3",
        "DELETE FROM own_vectors WHERE row = 3",
        "UPDATE own_vectors SET near = x'ffffff7f' || substr(near, 5) WHERE row = 3",
        "UPDATE own_vectors SET vector = x'ff7f' || substr(vector, 3) WHERE row = 3",
        "UPDATE own_vectors SET scores = 'text' WHERE row = 3",
    ],
)
def test_damaged_vectors_are_said_when_they_are_needed(tmp_path: Path, statement: str) -> None:
    build_store([paper(n) for n in range(60)], tmp_path / "store", model=HashEmbeddings(32)).close()
    damage(tmp_path / "store", statement)
    with open_store(tmp_path / "store") as store, pytest.raises(StoreDamagedError):
        store.own_vectors()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE word_counts SET counts = x'0102'",
        "UPDATE word_counts SET counts = x'ffffffff01000000'",
        "UPDATE words SET packed = x'010203'",
        "UPDATE words SET packed = 'text'",
        "UPDATE word_counts SET papers = -5",
    ],
)
def test_damaged_words_are_said(tmp_path: Path, statement: str) -> None:
    build_store([paper(n) for n in range(60)], tmp_path / "store", model="static").close()
    damage(tmp_path / "store", statement)
    with open_store(tmp_path / "store") as store, pytest.raises(StoreDamagedError):
        search(store, paper(8).title, lookup=False)


def damage(folder: Path, statement: str) -> None:
    """Change the database of a store, and its manifest so that the file is taken for whole."""
    from swimmer.store.manifest import DataFile, Manifest

    manifest = Manifest.read(folder)
    path = folder / manifest.database.name
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    from dataclasses import replace

    replace(manifest, database=DataFile.of(path)).write(folder)
    assert json.loads((folder / "manifest.json").read_text())["papers"] == 60


def test_neighbours_that_are_not_known_yet() -> None:
    none = Neighbours.none(4, 2)
    assert none.count == 2 and (none.rows == -1).all() and not none.scores.any()
