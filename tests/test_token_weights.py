"""Stores whose papers are compared by the weights that their model gives tokens, as bge-m3 does."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("sentence_transformers", reason='needs pip install "swimmer[huggingface]"')
pytest.importorskip("onnxruntime", reason='needs pip install "swimmer[onnx]"')
pytest.importorskip("onnx", reason="needs pip install onnx, which writes the files of the tests")

from tokenizers import Tokenizer

from swimmer import Paper, PaperStore, ask, build_store, load_model, open_store, run_build, search
from swimmer.analysis import for_you
from swimmer.analysis.library_vectors import embedded_libraries
from swimmer.build import vectors as build_vectors
from swimmer.embeddings import Model, TokenWeights
from swimmer.embeddings.token_weights import largest_weights, without_address
from swimmer.errors import InputError, ModelError, ModelMismatchError, StoreDamagedError
from swimmer.retrieval import ask_stores
from swimmer.store import pull_store, push_store
from swimmer.store.lexical import TokenIndex, pack_tokens
from swimmer.store.manifest import MANIFEST, Manifest
from tests.conftest import Outcome

from .models import HashEmbeddings
from .onnx_models import export_onnx
from .random_models import WORDS, bge_layout

SPECIAL = (0, 1, 2, 3)
"""The ids of cls, padding, end and unknown in a tokenizer of XLM-RoBERTa."""


def paper(n: int, more: str = "") -> Paper:
    chosen = [WORDS[(n * step + step) % len(WORDS)] for step in (1, 2, 3, 5, 7)]
    return Paper(
        f"{chosen[0].capitalize()} {chosen[1]} by {chosen[2]} {n}",
        f"We study {chosen[3]} with {chosen[4]} and {chosen[0]}. {more}".strip(),
        id=f"p{n}",
        url=f"https://example.org/forum?id=q{n * 7919 % 1000}",
    )


PAPERS = [paper(n) for n in range(40)]


@pytest.fixture(scope="module")
def bge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with random weights, in the files of bge-m3; torch's files alone."""
    return bge_layout(tmp_path_factory.mktemp("bge"), layers_of_weights=True)


@pytest.fixture(scope="module")
def exported(bge: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with an ONNX file that has the weights too."""
    folder = Path(shutil.copytree(bge, tmp_path_factory.mktemp("exported") / "model"))
    export_onnx(folder, weights="sparse_vecs")
    return folder


@pytest.fixture(scope="module")
def torch_model(bge: Path) -> Model:
    """The model, reading papers as that of the name bge-m3 does: with their addresses."""
    return load_model(str(bge), backend="torch", half=False).with_text("page_content")


@pytest.fixture(scope="module")
def built(torch_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores") / "sparse"
    build_store(PAPERS, folder, model=torch_model, lexical="sparse").close()
    return folder


@pytest.fixture
def store(built: Path, torch_model: Model) -> PaperStore:
    opened = open_store(built)
    opened.model(torch_model)
    return opened


def reference(folder: Path, text: str) -> dict[int, float]:
    """The lexical weights of a text, written down from the paper: one loop, no batch, no packing.

    An address in the last line is read, but its tokens do not count.
    """
    import torch

    tokenizer, model, layer = loaded(folder)
    encoded = tokenizer(text.replace("\n", " "), return_tensors="pt")
    start = text.rpartition("\n")[0] if "://" in text else text
    positions = len(tokenizer(start.replace("\n", " "))["input_ids"]) - 1
    with torch.no_grad():
        given = torch.relu(layer(model(**encoded).last_hidden_state))[0, :, 0].tolist()
    found: dict[int, float] = {}
    for place, token in enumerate(encoded["input_ids"][0].tolist()):
        if place < positions and token not in SPECIAL and given[place] > 0:
            found[token] = max(found.get(token, 0.0), given[place])
    return found


@cache
def loaded(folder: Path) -> Any:
    import torch
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder).eval()
    layer = torch.nn.Linear(model.config.hidden_size, 1)
    layer.load_state_dict(torch.load(folder / "sparse_linear.pt", weights_only=True))
    return AutoTokenizer.from_pretrained(folder), model, layer


def cosine_of(one: dict[int, float], other: dict[int, float]) -> float:
    """The sum of the products over shared tokens, by the lengths of the two."""
    shared = sum(weight * other.get(token, 0.0) for token, weight in one.items())
    lengths = (sum(w * w for w in side.values()) ** 0.5 for side in (one, other))
    return float(shared / np.prod(list(lengths)))


def as_dict(weights: TokenWeights) -> dict[int, float]:
    return dict(zip(weights.tokens.tolist(), weights.weights.tolist(), strict=True))


# ---------------------------------------------------------------------- the model


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("count", [1, 3, 40])
def test_the_weights_are_those_of_the_paper(exported: Path, backend: str, count: int) -> None:
    options = {"half": False} if backend == "torch" else {}
    model = load_model(str(exported), backend=backend, **options)
    texts = [one.page_content for one in PAPERS[:count]]
    made = model.weigh_papers(texts)
    np.testing.assert_allclose(made.vectors, model.embed_papers(texts), atol=1e-5)
    for place in {0, count // 2, count - 1}:
        wanted = reference(exported, texts[place])
        found = as_dict(made.weights[place])
        assert found == pytest.approx(wanted, abs=1e-4)


def test_both_back_ends_give_the_same(exported: Path) -> None:
    texts = [one.page_content for one in PAPERS] + ["", "日本語 ☃", "a " * 2_000]
    models = (
        load_model(str(exported), backend="torch", half=False),
        load_model(str(exported), backend="onnx"),
    )
    one, other = (model.weigh_papers(texts) for model in models)
    np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-5)
    for left, right in zip(one.weights, other.weights, strict=True):
        assert left.tokens.tolist() == right.tokens.tolist()
        np.testing.assert_allclose(left.weights, right.weights, atol=1e-4)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_the_address_of_a_paper_does_not_count(exported: Path, backend: str) -> None:
    """It is read, as the model's recipe has it; but its pieces are in papers by chance."""
    model = load_model(str(exported), backend=backend)
    (one,) = model.weigh_papers(["Graph attention\nWe plan.\nhttps://x.org/zqj77"]).weights
    held = Tokenizer.from_file(str(exported / "tokenizer.json")).encode("Graph attention We plan.")
    assert one.tokens.tolist()
    assert set(one.tokens.tolist()) <= set(held.ids)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\nb\nhttps://x.org/1", "a\nb"),
        ("a\nb\n", "a\nb"),
        ("a\nb", "a\nb"),
        ("https://x.org/1", "https://x.org/1"),
        ("a\nsee https://x.org/1", "a\nsee https://x.org/1"),
        ("", ""),
    ],
)
def test_only_a_last_line_that_is_an_address_is_left_out(text: str, kept: str) -> None:
    assert without_address(text) == kept


@settings(deadline=None)
@given(st.data())
def test_each_token_has_its_largest_weight(data: st.DataObject) -> None:
    texts, width = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 9))
    cells = texts * width
    token, weight = st.integers(0, 12), st.floats(-2, 2, width=32)
    tokens = np.array(data.draw(st.lists(token, min_size=cells, max_size=cells)))
    weights = np.array(data.draw(st.lists(weight, min_size=cells, max_size=cells)), np.float32)
    counted = data.draw(st.lists(st.integers(0, width), min_size=texts, max_size=texts))
    shape = texts, width
    found = largest_weights(tokens.reshape(shape), weights.reshape(shape), SPECIAL, counted)
    for row, one in enumerate(found):
        wanted: dict[int, float] = {}
        for place in range(counted[row]):
            number, value = int(tokens[row * width + place]), float(weights[row * width + place])
            if number not in SPECIAL and value > 0:
                wanted[number] = max(wanted.get(number, 0.0), value)
        assert as_dict(one) == wanted
        assert one.tokens.tolist() == sorted(wanted)


@given(
    st.dictionaries(st.integers(0, 2**18 - 1), st.floats(0, 1e6, width=32), max_size=20).map(
        lambda one: dict(sorted(one.items()))
    )
)
def test_weights_are_kept_to_a_thousandth(given_weights: dict[int, float]) -> None:
    tokens = np.array(list(given_weights), np.int64)
    weights = np.array(list(given_weights.values()), np.float32)
    (packed,) = pack_tokens([TokenWeights(tokens, weights)])
    assert len(packed) <= 4 * len(tokens)
    found = as_dict(TokenWeights(*TokenIndex().weighted(np.frombuffer(packed, "<u4"))))
    for token, weight in given_weights.items():
        wanted = min(weight, 65_472.0)
        assert found.get(token, 0.0) == pytest.approx(wanted, rel=1.5e-3, abs=2e-7)


def test_a_vocabulary_that_is_too_large_is_said() -> None:
    ids = np.array([[2**18]])
    with pytest.raises(ModelError, match="262,144 tokens"):
        largest_weights(ids, np.ones((1, 1), np.float32), SPECIAL, [1])


# ---------------------------------------------------------------------- models without weights


def test_a_model_without_the_file_is_said_before_anything_is_read(
    tmp_path: Path, bge: Path
) -> None:
    folder = Path(shutil.copytree(bge, tmp_path / "model"))
    (folder / "sparse_linear.pt").unlink()
    for model, words in ((folder, "no sparse_linear.pt"), ("static", "model static gives no")):
        with pytest.raises(ModelError, match=words) as raised:
            build_store(PAPERS, tmp_path / "store", model=str(model), lexical="sparse")
        assert "--lexical tfidf" in raised.value.hint
    assert not (tmp_path / "store" / MANIFEST).exists()


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("/tmp/swimmer-was-here",)


@pytest.mark.parametrize("kind", ["pickle", "shape", "nan", "cut", "other", "size"])
def test_a_file_of_a_stranger_is_not_run(tmp_path: Path, bge: Path, kind: str) -> None:
    import torch

    folder = Path(shutil.copytree(bge, tmp_path / "model"))
    path = folder / "sparse_linear.pt"
    state = torch.load(path, weights_only=True)
    if kind == "pickle":
        path.write_bytes(pickle.dumps({"weight": Payload()}))
    elif kind == "shape":
        torch.save({**state, "weight": torch.ones(2, 32)}, path)
    elif kind == "nan":
        torch.save({**state, "bias": torch.full((1,), float("nan"))}, path)
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif kind == "other":
        torch.save([1, 2], path)
    else:
        torch.save({**state, "weight": torch.ones(1, 33)}, path)
    with pytest.raises(ModelError, match=r"sparse_linear\.pt"):
        load_model(str(folder), backend="torch").weigh_papers(["graph attention"])
    assert not Path("/tmp/swimmer-was-here").exists()


def test_an_onnx_file_without_the_output_says_what_it_has(bge: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bge, tmp_path / "model"))
    export_onnx(folder)
    model = load_model(str(folder), backend="onnx")
    assert not model.gives_weights
    with pytest.raises(ModelError, match=r"no output sparse_vecs.*only\s+last_hidden_state"):
        model.probe_weights  # noqa: B018


@pytest.mark.parametrize("wrong", ["bm25", "", "TFIDF"])
def test_another_kind_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(InputError, match="tfidf, sparse"):
        build_store(PAPERS, tmp_path / "store", lexical=wrong)


def test_plain_and_lexical_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="plain"):
        build_store(PAPERS, tmp_path / "store", lexical="tfidf", plain=True)


# ---------------------------------------------------------------------- stores


def test_a_store_says_which_weights_it_holds(built: Path, tmp_path: Path) -> None:
    manifest = Manifest.read(built)
    assert manifest.lexical["weights"] == "sparse"
    assert (manifest.schema, manifest.similarity["paper"]) == (4, 0.3)
    build_store(PAPERS, tmp_path / "words", model=HashEmbeddings()).close()
    raw = json.loads((tmp_path / "words" / MANIFEST).read_text("utf-8"))
    assert (raw["schema"], "lexical" in raw) == (2, False)
    assert open_store(tmp_path / "words").lexical_kind == "tfidf"


@pytest.mark.parametrize("neighbours", [True, False])
def test_a_known_title_is_scored_by_its_stored_tokens(
    torch_model: Model, bge: Path, tmp_path: Path, neighbours: bool
) -> None:
    folder = tmp_path / "store"
    build_store(PAPERS, folder, model=torch_model, lexical="sparse", neighbours=neighbours).close()
    opened = open_store(folder)
    (answer,) = ask(opened, [PAPERS[3].title], 10)
    assert opened.loaded_model is None
    own = reference(bge, PAPERS[3].page_content)
    for hit in answer.hits:
        other = reference(bge, hit.paper.page_content)
        assert hit.cosine is not None
        wanted = (hit.cosine + 0.3 * cosine_of(own, other)) / 1.3
        assert hit.score == pytest.approx(wanted, abs=2e-3)
    assert opened.verify(load_model=False) == []


def test_a_text_is_asked_with_the_weights_of_its_tokens(store: PaperStore, bge: Path) -> None:
    query = "policy gradient for planning agents"
    own = reference(bge, query)
    for hit in search(store, query, 10, lookup="text"):
        other = reference(bge, hit.paper.page_content)
        assert hit.cosine is not None
        wanted = (hit.cosine + 0.3 * cosine_of(own, other)) / 1.3
        assert hit.score == pytest.approx(wanted, abs=2e-3)
    assert all(hit.score == hit.cosine for hit in search(store, query, 10, lexical=False))


def test_a_paper_from_outside_is_weighed_as_the_papers_were(store: PaperStore, bge: Path) -> None:
    outside = paper(77, "Diffusion for retrieval.")
    own = reference(bge, outside.page_content)
    (answer,) = ask(store, [outside], 5)
    for hit in answer.hits:
        other = reference(bge, hit.paper.page_content)
        wanted = (hit.cosine or 0) + 0.3 * cosine_of(own, other)
        assert hit.score == pytest.approx(wanted / 1.3, abs=2e-3)
    assert not answer.warnings


def test_several_queries_are_answered_as_one_by_one(store: PaperStore) -> None:
    queries: list[str | Paper] = [
        PAPERS[1].title,
        "graph generation",
        paper(50),
        "federated privacy",
    ]
    together = ask(store, queries, 5)
    for query, answer in zip(queries, together, strict=True):
        (alone,) = ask(store, [query], 5)
        assert [hit.paper.id for hit in alone.hits] == [hit.paper.id for hit in answer.hits]


def test_what_is_learnt_of_scores_has_both_kinds(store: PaperStore) -> None:
    assert {"related", "related_cosine", "paper related", "text related"} <= set(store.thresholds)
    assert search(store, PAPERS[0].title, 3)


def test_one_store_is_asked_through_both_back_ends(built: Path, exported: Path) -> None:
    query = "a benchmark of image diffusion"
    found = []
    for backend in ("torch", "onnx"):
        opened = open_store(built)
        options = {"half": False} if backend == "torch" else {}
        opened.model(load_model(str(exported), backend=backend, **options))
        found.append({hit.paper.id: hit.score for hit in search(opened, query, 3)})
    assert found[0] == pytest.approx(found[1], abs=1e-4)


def test_a_model_that_gives_no_weights_here_asks_by_vectors_and_says_so(
    built: Path, bge: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(bge, tmp_path / "model"))
    export_onnx(folder)
    opened = open_store(built)
    opened.model(load_model(str(folder), backend="onnx"))
    (answer,) = ask(opened, ["graph generation"], 5)
    assert any("no weights of tokens" in warning for warning in answer.warnings)
    assert all(hit.score == hit.cosine for hit in answer.hits)
    with pytest.raises(ModelError, match="no weights of tokens"):
        opened.add([paper(60)])


def test_another_layer_is_another_model(built: Path, bge: Path, tmp_path: Path) -> None:
    import torch

    folder = Path(shutil.copytree(bge, tmp_path / "model"))
    torch.manual_seed(5)
    torch.save(torch.nn.Linear(32, 1).state_dict(), folder / "sparse_linear.pt")
    with pytest.raises(ModelMismatchError, match="other weights of tokens"):
        open_store(built).model(load_model(str(folder), backend="torch"))


# ---------------------------------------------------------------------- updates


def rows_of(store: PaperStore) -> dict[str, bytes]:
    with store.reading():
        packed = store.database.packed_words(range(len(store)))
        return {one.id: packed.get(row, b"") for row, one in enumerate(store)}


def test_an_updated_store_is_what_a_full_build_makes(torch_model: Model, tmp_path: Path) -> None:
    changed = [*PAPERS[3:20], paper(2, "Now with retrieval."), *(paper(n) for n in range(50, 60))]
    folder = tmp_path / "store"
    build_store(PAPERS[:20], folder, model=torch_model, lexical="sparse").close()
    updated, report = run_build(changed, folder, model=torch_model, prune=True)
    assert (report.embedded, updated.lexical_kind) == (11, "sparse")
    full = build_store(changed, tmp_path / "full", model=torch_model, lexical="sparse")
    assert set(rows_of(updated)) == set(rows_of(full))
    index = TokenIndex()
    for name, packed in rows_of(full).items():
        # Another batch, or half precision, moves a weight by its last digits.
        assert index.scores(index.vector([packed]), [rows_of(updated)[name]])[0] > 0.999
    assert updated.verify(load_model=False) == []


def test_a_store_changed_in_memory_has_its_tokens(
    built: Path, torch_model: Model, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(built, tmp_path / "store"))
    opened = open_store(folder)
    opened.model(torch_model)
    opened.delete(["p1", "p39"])
    opened.add([paper(90), paper(91)])
    opened.commit()
    again = open_store(folder)
    assert again.lexical_kind == "sparse"
    assert len(rows_of(again)) == 40
    assert all(rows_of(again).values())
    assert rows_of(again)["p7"] == rows_of(open_store(built))["p7"]
    assert again.verify(load_model=False) == []


@pytest.mark.parametrize("kinds", [("tfidf", "sparse"), ("sparse", "tfidf")])
def test_a_store_changes_its_kind(
    torch_model: Model, tmp_path: Path, kinds: tuple[str, str]
) -> None:
    folder = tmp_path / "store"
    build_store(PAPERS, folder, model=torch_model, lexical=kinds[0]).close()
    changed, report = run_build(PAPERS, folder, model=torch_model, lexical=kinds[1])
    assert changed.lexical_kind == kinds[1]
    # The vectors of a store of words are there; tokens are weighed in the pass that makes vectors.
    assert report.embedded == (40 if kinds[1] == "sparse" else 0)
    tables = changed.database.tables
    assert ("words" in tables, "token_weights" in tables) == (
        kinds[1] == "tfidf",
        kinds[1] == "sparse",
    )
    assert changed.similarity.paper == (1.0 if kinds[1] == "tfidf" else 0.3)
    assert changed.verify(load_model=False) == []
    plain, _ = run_build(PAPERS, folder, model=torch_model, plain=True)
    assert plain.lexical_kind == "" and "token_weights" not in plain.database.tables
    assert not plain.manifest.lexical


def test_an_interrupted_build_keeps_its_tokens(
    torch_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_vectors, "CHUNK", 8)
    folder = tmp_path / "store"

    def stop(stage: str, done: int, total: int | None) -> None:
        if stage == "embedding" and done >= 24:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_build(PAPERS, folder, model=torch_model, lexical="sparse", progress=stop)
    resumed, report = run_build(PAPERS, folder, model=torch_model, lexical="sparse")
    assert report.resumed >= 24
    assert all(rows_of(resumed).values())


def test_a_checkpoint_of_words_is_none_of_tokens(
    torch_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_vectors, "CHUNK", 8)
    folder = tmp_path / "store"

    def stop(stage: str, done: int, total: int | None) -> None:
        if stage == "embedding" and done >= 24:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_build(PAPERS, folder, model=torch_model, progress=stop)
    resumed, report = run_build(PAPERS, folder, model=torch_model, lexical="sparse")
    assert report.resumed == 0
    assert all(rows_of(resumed).values())


# ---------------------------------------------------------------------- several stores, libraries


def test_several_stores_share_the_tokens_of_a_paper(
    built: Path, torch_model: Model, tmp_path: Path
) -> None:
    """A paper that one store knows is searched in the other without a model."""
    others = [paper(n) for n in range(100, 130)]
    build_store(others, tmp_path / "other", model=torch_model, lexical="sparse").close()
    stores = [open_store(built), open_store(tmp_path / "other")]
    (answer,) = ask_stores(stores, [PAPERS[5].title], 10)
    assert {hit.paper.extra["store"] for hit in answer.hits} == {"sparse", "other"}
    assert all(one.loaded_model is None for one in stores)
    stores[1].model(torch_model)
    (alone,) = ask(stores[1], [PAPERS[5]], 10)
    scores = {hit.paper.id: hit.score for hit in answer.hits}
    for hit in alone.hits[:3]:
        if hit.paper.id in scores:
            # That store draws the vector of its own paper to its neighbours: cosines differ.
            assert abs(scores[hit.paper.id] - hit.score) < 0.2


def test_a_store_from_milvus_compares_its_vectors_alone(built: Path, tmp_path: Path) -> None:
    """No server is asked for tokens; what was learnt of scores is then what was learnt of cosines."""
    pytest.importorskip("pymilvus")
    pytest.importorskip("milvus_lite")
    address = f"milvus+file:{tmp_path / 'papers.db'}"
    push_store(built, address)
    pulled = pull_store(address, tmp_path / "pulled")
    assert (pulled.lexical_kind, pulled.similarity.smoothing) == ("", 0.4)
    learnt = open_store(built).thresholds["related_cosine"]
    assert pulled.thresholds == {"related": learnt, "related_cosine": learnt}
    assert pulled.verify(load_model=False) == []
    (answer,) = ask(pulled, [PAPERS[4].title], 5)
    assert all(hit.score == hit.cosine for hit in answer.hits)


def test_a_library_is_compared_by_tokens_too(store: PaperStore, bge: Path) -> None:
    library = [PAPERS[1], PAPERS[8], paper(70), paper(71)]
    found = for_you([store], library, k=5)
    assert {"p70", "p71"}.isdisjoint(one.hit.paper.id for one in found.found)
    own, *_ = embedded_libraries([store], library)
    assert all(own.packed)
    assert own.packed[0] == rows_of(store)["p1"]
    index = TokenIndex()
    words = [
        TokenWeights(np.array(sorted(one)), np.array([one[token] for token in sorted(one)]))
        for one in (reference(bge, paper.page_content) for paper in library)
    ]
    for made, wanted in zip(own.packed, pack_tokens(words), strict=True):
        assert index.scores(index.vector([made]), [wanted])[0] > 0.999


# ---------------------------------------------------------------------- what a stranger sends


def test_tokens_and_manifest_have_to_agree(built: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(built, tmp_path / "store"))
    manifest = Manifest.read(folder)
    object.__setattr__(manifest, "lexical", {})
    manifest.write(folder)
    with pytest.raises(StoreDamagedError, match="manifest"):
        open_store(folder).lexical  # noqa: B018
    assert any("manifest" in line for line in open_store(folder).verify(load_model=False))


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {},
        {"weights": "sparse"},
        {"weights": "words", "probes": "AAAA"},
        {"weights": "sparse", "probes": 3},
    ],
)
def test_a_manifest_with_other_fields_is_refused(built: Path, tmp_path: Path, wrong: Any) -> None:
    from swimmer.store.manifest import sealed

    folder = Path(shutil.copytree(built, tmp_path / "store"))
    raw = json.loads((folder / MANIFEST).read_text("utf-8"))
    del raw["digest"]
    (folder / MANIFEST).write_bytes(sealed({**raw, "lexical": wrong}))
    with pytest.raises(StoreDamagedError, match="lexical"):
        open_store(folder)


# ---------------------------------------------------------------------- the command line


def test_the_command_line(
    bge: Path, tmp_path: Path, swimmer: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    listed = [{"title": one.title, "abstract": one.abstract, "url": one.url} for one in PAPERS]
    Path("list.json").write_text(json.dumps(listed), "utf-8")
    outcome = swimmer(
        "build", "list.json", "--name", "s", "--model", str(bge), "--lexical", "sparse"
    )
    assert outcome.code == 0, outcome.err
    assert "sparse" in swimmer("show", "s").out
    assert swimmer("search", PAPERS[2].title, "--store", "s").code == 0
    failed = swimmer("build", "list.json", "--name", "t", "--lexical", "sparse")
    assert (failed.code, "static gives no weights of tokens" in failed.err) == (2, True)
    assert "hint: build the store with --lexical tfidf" in failed.err
