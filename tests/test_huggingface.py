"""Hugging Face models: bge-m3's layout the whole way, prompts, precision, caches, damage."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("langchain_huggingface", reason='needs pip install "swimmer[huggingface]"')
pytest.importorskip("torch", reason='needs pip install "swimmer[huggingface]"')

import torch
from langchain_huggingface import HuggingFaceEmbeddings

from benchmarks import case_study
from swimmer import (
    Paper,
    PaperVectorStore,
    build_store,
    load_model,
    load_retriever,
    open_source,
    open_store,
    run_build,
    search,
)
from swimmer.embeddings import huggingface, model_files, precision
from swimmer.embeddings.prompts import own_prompts
from swimmer.errors import MissingExtraError, ModelError, ModelMismatchError

from .random_models import bge_layout

HALF_COSINE = 0.999
"""Cosine at least between a text's vector in half precision and in float32, or in another batch."""

HALF_SCORE = 0.01
"""Difference at most between a score in half precision and in float32."""

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with random weights in bge-m3's layout."""
    return bge_layout(tmp_path_factory.mktemp("bge"))


@pytest.fixture(scope="module")
def prompted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with prompts of its own."""
    return bge_layout(
        tmp_path_factory.mktemp("prompted"), prompts={"query": "ask: ", "passage": "text: "}
    )


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose layers do not magnify a rounding error, as those of a trained model do not."""
    return bge_layout(
        tmp_path_factory.mktemp("steady"),
        hidden=128,
        initializer_range=0.125,
        prompts={"query": "ask: ", "passage": "text: "},
    )


def cosine(left: Any, right: Any) -> float:
    """The smallest cosine between two vectors, or between the rows of two arrays."""
    rows = [np.atleast_2d(np.asarray(v, np.float32)) for v in (left, right)]
    lengths = [np.linalg.norm(v, axis=1) for v in rows]
    return float(((rows[0] * rows[1]).sum(1) / (lengths[0] * lengths[1])).min())


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A copy of the model that a test may damage."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_the_whole_way_through_huggingface_embeddings(
    folder: Path, home: Path, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(precision.HALF, "0")
    embeddings = HuggingFaceEmbeddings(
        model_name=str(folder), encode_kwargs={"normalize_embeddings": True}
    )
    store = build_store(papers[:-2], "bge", model=embeddings, plain=True)
    expected = np.asarray(embeddings.embed_documents([p.embedding_text for p in papers[:-2]]))
    assert np.allclose(store.vectors(), expected, atol=1e-4)
    title = papers[4].title
    before = load_retriever(store, lookup=False, include_self=True).invoke(title)
    store.close()

    again = open_store("bge")
    after = load_retriever(again, lookup=False, include_self=True).invoke(title)
    assert [d.id for d in after] == [d.id for d in before]
    query = np.asarray(embeddings.embed_query(title))
    order = np.argsort(-(expected @ query), kind="stable")[:10]
    assert [d.id for d in after] == [papers[i].id for i in order]

    updated, report = run_build(papers, "bge")
    assert (report.added, report.embedded) == (2, 2)
    assert len(load_retriever(updated, k=len(papers)).invoke(title)) == len(papers) - 1


def test_documents_through_the_vector_store(folder: Path, home: Path) -> None:
    embeddings = HuggingFaceEmbeddings(model_name=str(folder))
    texts = ["graph attention network", "policy gradient", "image diffusion"]
    vectors = PaperVectorStore.from_texts(texts, embeddings)
    vectors.save_local(home / "kept")
    loaded = PaperVectorStore.load_local(home / "kept", embeddings)
    assert [d.page_content for d in loaded.similarity_search("policy gradient", k=1)] == [texts[1]]
    by_name = PaperVectorStore.load_local(home / "kept")
    assert by_name.similarity_search("policy gradient") == loaded.similarity_search(
        "policy gradient"
    )


def test_by_folder_it_is_normalised_capped_and_pinned_to_its_place(folder: Path) -> None:
    model = load_model(str(folder), half=False)
    assert model.embeddings.embed_query("graph") == pytest.approx(
        model.embed_query("graph").tolist(), abs=1e-6
    )
    half = load_model(str(folder), half=True)
    assert cosine(half.embeddings.embed_query("graph"), half.embed_query("graph")) > HALF_COSINE
    assert np.linalg.norm(half.embed_query("graph")) == pytest.approx(1, abs=1e-6)
    assert model.embeddings._client.max_seq_length == 512  # type: ignore[attr-defined]
    assert load_model(str(folder), max_tokens=64).embeddings._client.max_seq_length == 64  # type: ignore[attr-defined]
    assert model.name == str(folder.resolve())
    assert (model.query_prompt, model.document_prompt) == ("", "")
    for wrong in (0, 7, 2.5, True, "512"):
        with pytest.raises(ModelError, match="max_tokens"):
            load_model(str(folder), max_tokens=wrong)
    for wrong in (0, -1, 2.5, True):
        with pytest.raises(ModelError, match="batch_size"):
            load_model(str(folder), batch_size=wrong)


def test_a_users_own_object_keeps_its_settings(folder: Path) -> None:
    embeddings = HuggingFaceEmbeddings(model_name=str(folder))
    model = load_model(embeddings)
    assert model.embeddings is embeddings
    assert embeddings._client.max_seq_length == 8192
    assert embeddings.encode_kwargs == {}


def test_vectors_stay_arrays_from_the_model_to_the_index(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HuggingFaceEmbeddings, "embed_documents", None)
    for model in (load_model(str(folder)), load_model(HuggingFaceEmbeddings(model=str(folder)))):
        raw = model._embed(["graph", "attention"])
        assert isinstance(raw, np.ndarray)
        assert raw.dtype == np.float32


def test_long_texts_are_cut_not_choked_on(folder: Path) -> None:
    vectors = load_model(str(folder)).embed_documents(["graph attention " * 20_000, "graph"])
    assert np.isfinite(vectors).all()


# ---------------------------------------------------------------------- batches, a core to each


@pytest.fixture
def cores() -> Any:
    """As on a machine of four cores; what was set before is set again."""
    threads = torch.get_num_threads()
    torch.set_num_threads(4)
    yield 4
    torch.set_num_threads(threads)


def uneven(count: int) -> list[str]:
    """Texts of many lengths, in no order."""
    return [f"paper {i}: " + "graph attention " * (i * 7 % 23) for i in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 70])
def test_batches_on_all_cores_make_the_same_vectors(prompted: Path, cores: int, count: int) -> None:
    texts = uneven(count)
    for model in (
        load_model(str(prompted), half=False),
        load_model(str(prompted), half=False, batch_size=3),
        load_model(HuggingFaceEmbeddings(model_name=str(prompted))),
    ):
        client: Any = model.embeddings._client  # type: ignore[attr-defined]
        prompt = model.document_prompt
        if texts:
            expected = client.encode([prompt + text for text in texts], prompt="")
            assert np.allclose(model.embed_documents(texts), expected, atol=1e-5)
        asked = model.embed_queries([*texts, " "])
        assert asked.shape == (count + 1, 32)
        assert not asked[-1].any()
        for text, vector in zip(texts[:5], asked, strict=False):
            assert np.allclose(vector, model.embed_query(text), atol=1e-5)
    assert torch.get_num_threads() == cores


@pytest.mark.parametrize("count", [1, 2, 9, 70])
def test_batches_in_half_precision_make_nearly_the_same_vectors(
    steady: Path, cores: int, count: int
) -> None:
    texts = uneven(count)
    full = load_model(str(steady), half=False)
    expected = full.embed_documents(texts)
    asked = full.embed_queries(texts)
    for size in (None, 3):
        model = load_model(str(steady), half=True, batch_size=size)
        together = model.embed_documents(texts)
        assert together.dtype == np.float32
        assert cosine(together, expected) > HALF_COSINE
        assert cosine(together, [model.embed_documents([t])[0] for t in texts]) > HALF_COSINE
        queries = model.embed_queries(texts)
        assert cosine(queries, asked) > HALF_COSINE
        assert cosine(queries, [model.embed_query(t) for t in texts]) > HALF_COSINE
        assert np.abs(together @ queries.T - expected @ asked.T).max() < HALF_SCORE
    assert torch.get_num_threads() == cores


def test_the_tokens_of_many_texts_are_counted_part_by_part(
    folder: Path, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of a million, one of them long, would take its room a million times over."""
    monkeypatch.setattr("swimmer.embeddings.batches.COUNTED", 16)
    embeddings = HuggingFaceEmbeddings(model_name=str(folder), model_kwargs={"device": "cpu"})
    name = "preprocess" if hasattr(embeddings._client, "preprocess") else "tokenize"
    read, given = getattr(embeddings._client, name), []

    def reading(lines: list[str], *args: Any, **options: Any) -> Any:
        given.append(len(lines))
        return read(lines, *args, **options)

    texts = uneven(70)
    expected = embeddings._client.encode(texts)
    monkeypatch.setattr(embeddings._client, name, reading)
    assert np.allclose(load_model(embeddings).embed_documents(texts), expected, atol=1e-5)
    assert given and max(given) <= 16


@pytest.mark.parametrize("half", [False, True])
def test_two_threads_may_embed_at_once(steady: Path, cores: int, half: bool) -> None:
    model = load_model(str(steady), half=half)
    texts = uneven(40)
    expected = model.embed_documents(texts)
    with ThreadPoolExecutor(4) as pool:
        for made in pool.map(model.embed_documents, [texts] * 8):
            if half:
                assert cosine(made, expected) > HALF_COSINE
            else:
                assert np.allclose(made, expected, atol=1e-5)
    assert torch.get_num_threads() == cores


def test_a_user_who_wants_more_of_encode_gets_its_own_way(folder: Path, cores: int) -> None:
    embeddings = HuggingFaceEmbeddings(
        model_name=str(folder), encode_kwargs={"truncate_dim": 16, "batch_size": 2}
    )
    made = load_model(embeddings).embed_documents(uneven(9))
    assert made.shape == (9, 16)
    assert np.allclose(
        made, load_model(embeddings)._checked(embeddings.embed_documents(uneven(9)), 9), atol=1e-5
    )


def test_an_error_in_one_batch_ends_them_all(
    folder: Path, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings = HuggingFaceEmbeddings(model_name=str(folder), model_kwargs={"device": "cpu"})
    encode, done = embeddings._client.encode, []

    def fail(lines: list[str], **options: Any) -> Any:
        done.append(len(lines))
        if len(done) == 3:
            raise MemoryError("no room")
        return encode(lines, **options)

    monkeypatch.setattr(embeddings._client, "encode", fail)
    with pytest.raises(MemoryError):
        load_model(embeddings).embed_documents(uneven(400))
    assert torch.get_num_threads() == cores
    assert load_model(embeddings).embed_documents(uneven(9)).shape == (9, 32)


def test_a_store_learns_of_a_slow_model_by_a_few_batches(
    folder: Path, home: Path, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings = HuggingFaceEmbeddings(model_name=str(folder))
    encode, given = embeddings._client.encode, []
    monkeypatch.setattr(
        embeddings._client,
        "encode",
        lambda lines, **o: (given.extend(lines), encode(lines, **o))[1],
    )
    monkeypatch.setattr(HuggingFaceEmbeddings, "embed_query", None)
    store = build_store(papers, "learnt", model=embeddings)
    assert store.thresholds["related"]
    assert len(given) <= len(papers) + 3 + 16  # the papers, the fingerprint, what is asked


# ---------------------------------------------------------------------- prompts


def test_a_models_own_prompts_are_put_before_its_texts(prompted: Path, steady: Path) -> None:
    model = load_model(str(prompted), half=False)
    client: Any = model.embeddings._client  # type: ignore[attr-defined]
    assert (model.query_prompt, model.document_prompt) == ("ask: ", "text: ")
    query, document = client.encode(["ask: graph", "text: graph"], prompt="")
    assert np.allclose(model.embed_query("graph"), query, atol=1e-5)
    assert np.allclose(model.embed_documents(["graph"])[0], document, atol=1e-5)
    assert not np.allclose(query, document, atol=1e-3)
    assert model.identity.query_prompt == "ask: "
    half, full = (load_model(str(steady), half=half) for half in (True, False))
    query, document = full.embed_query("graph"), full.embed_documents(["graph"])[0]
    assert cosine(half.embed_query("graph"), query) > HALF_COSINE > cosine(query, document)
    assert cosine(half.embed_documents(["graph"]), document) > HALF_COSINE


def test_prompts_of_a_store_are_used_again(folder: Path, home: Path, papers: list[Paper]) -> None:
    model = load_model(str(folder), query_prompt="ask: ", document_prompt="text: ")
    build_store(papers, "prompts", model=model).close()
    again = open_store("prompts").model()
    assert (again.query_prompt, again.document_prompt) == ("ask: ", "text: ")
    assert np.allclose(again.embed_query("graph"), model.embed_query("graph"), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "prompts"),
    [
        ("intfloat/e5-base-v2", ("query: ", "passage: ")),
        ("intfloat/multilingual-e5-small", ("query: ", "passage: ")),
        ("intfloat/multilingual-e5-large-instruct", ("", "")),
        ("BAAI/bge-m3", ("", "")),
    ],
)
def test_e5_has_prompts_though_its_files_lack_them(name: str, prompts: tuple[str, str]) -> None:
    assert own_prompts({"query": "", "document": ""}, None, name) == prompts


def test_a_default_prompt_counts(tmp_path: Path, prompted: Path) -> None:
    copy = Path(shutil.copytree(prompted, tmp_path / "default"))
    config = json.loads((copy / "config_sentence_transformers.json").read_text())
    config |= {"prompts": {"all": "any: "}, "default_prompt_name": "all"}
    (copy / "config_sentence_transformers.json").write_text(json.dumps(config))
    model = load_model(str(copy))
    assert (model.query_prompt, model.document_prompt) == ("any: ", "any: ")


# ---------------------------------------------------------------------- device, precision


def dtype_of(model: Any) -> Any:
    return next(model.embeddings._client.parameters()).dtype


def test_half_precision_only_where_it_is_faster(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(precision.HALF, raising=False)
    for amx, faster, expected in (
        (True, True, torch.bfloat16),
        (True, False, torch.float32),
        (False, True, torch.float32),
    ):
        monkeypatch.setattr(precision, "has_amx", lambda amx=amx: amx)
        monkeypatch.setattr(precision, "_bfloat16_is_faster", lambda faster=faster: faster)
        model = load_model(str(folder), device="cpu")
        assert dtype_of(model) == expected
        small = model.embeddings.encode_kwargs["batch_size"] == 8  # type: ignore[attr-defined]
        assert small == (expected == torch.bfloat16)
    assert dtype_of(load_model(str(folder), device="cpu", half=False)) == torch.float32
    assert dtype_of(load_model(str(folder), device="cpu", half=True)) == torch.bfloat16


@pytest.mark.parametrize("probed", [True, False])
def test_the_environment_chooses_the_precision_and_the_option_before_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, probed: bool
) -> None:
    monkeypatch.setattr(huggingface, "gains_by_half", lambda device: probed)
    for value, half, expected in (
        ("1", None, True),
        ("0", None, False),
        ("1", False, False),
        ("0", True, True),
        ("", None, probed),
    ):
        monkeypatch.setenv(precision.HALF, value)
        model = load_model(str(folder), device="cpu", half=half)
        assert dtype_of(model) == (torch.bfloat16 if expected else torch.float32)


def test_a_precision_that_is_none_is_refused(
    folder: Path, corpus_file: Path, swimmer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(precision.HALF, "yes")
    outcome = swimmer("build", corpus_file, "--name", "mine", "--model", folder)
    assert outcome.code == 2
    assert "SWIMMER_HALF is 'yes'\nhint: set it to 1" in outcome.err
    assert not (corpus_file.parent / "vectorstores" / "mine" / "manifest.json").exists()


def test_the_probe_measures_this_processor() -> None:
    flags = Path("/proc/cpuinfo")
    if not flags.exists():
        pytest.skip("needs /proc/cpuinfo to compare with")
    if precision.has_amx():
        assert "amx_tile" in flags.read_text()
    assert isinstance(precision._bfloat16_is_faster(), bool)


def test_half_precision_is_the_same_model(folder: Path, home: Path, papers: list[Paper]) -> None:
    build_store(papers, "full", model=load_model(str(folder), half=False)).close()
    found = search(
        open_store("full"),
        "graph attention network",
        lookup=False,
        embeddings=load_model(str(folder), half=True),
    )
    assert len(found) == 10


def test_answers_in_half_precision_are_those_of_float32_but_for_near_ties(
    steady: Path, home: Path, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = load_model(str(steady), half=False)
    monkeypatch.setenv(precision.HALF, "1")
    with build_store(papers, "half", model=str(steady), plain=True) as store:
        texts = [paper.embedding_text for paper in papers]
        assert cosine(store.vectors(), full.embed_documents(texts)) > HALF_COSINE
    store = open_store("half")
    assert dtype_of(store.model()) == torch.bfloat16
    documents = full.embed_documents([paper.embedding_text for paper in papers])
    rows = {paper.id: row for row, paper in enumerate(papers)}
    for paper in papers:
        hits = search(store, paper.title, 10, lookup=False)
        scores = documents @ full.embed_query(paper.title)
        exact = np.array([scores[rows[hit.paper.id]] for hit in hits])
        assert np.abs(exact - [hit.score for hit in hits]).max() < HALF_SCORE
        later = np.maximum.accumulate(exact[::-1])[::-1]
        assert (exact >= later - HALF_SCORE).all()
        left_out = np.delete(scores, [rows[hit.paper.id] for hit in hits])
        assert left_out.max() <= exact.min() + HALF_SCORE


def test_a_stored_title_is_answered_exactly_alike_in_every_precision(
    steady: Path, home: Path, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(precision.HALF, "1")
    build_store(papers, "repeat", model=str(steady)).close()
    answers = []
    for half, threads in (("1", 1), ("1", 2), ("0", 1), ("1", 4)):
        monkeypatch.setenv(precision.HALF, half)
        torch.set_num_threads(threads)
        with open_store("repeat") as store:
            store.model()
            answers.append(
                [[(hit.paper.id, hit.score) for hit in search(store, p.title)] for p in papers]
            )
    torch.set_num_threads(1)
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    "device", ["cuda:99", "gpu", "", "mps" if sys.platform == "linux" else "x"]
)
def test_a_device_that_is_not_there(folder: Path, device: str) -> None:
    with pytest.raises(ModelError, match="is not available"):
        load_model(str(folder), device=device)


# ---------------------------------------------------------------------- what is not there


def test_a_missing_extra_prints_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    for package in ("sentence_transformers", "langchain_huggingface"):
        monkeypatch.setattr(
            "importlib.util.find_spec",
            lambda name, absent=(package, "onnxruntime"): None if name in absent else real(name),
        )
        with pytest.raises(MissingExtraError, match=r'pip install "swimmer\[huggingface\]"'):
            load_model("bge-m3")


def test_a_folder_without_modules(copy: Path) -> None:
    (copy / "modules.json").unlink()
    with pytest.raises(ModelError, match=r"no modules\.json"):
        load_model(str(copy))
    (copy / "modules.json").write_text("{not json")
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(str(copy))


def test_truncated_weights(copy: Path) -> None:
    weights = copy / "model.safetensors"
    data = weights.read_bytes()
    for size in (len(data) // 2, 100, 8):
        weights.write_bytes(data[:size])
        with pytest.raises(ModelError, match="download its files again"):
            load_model(str(copy))
    weights.unlink()
    with pytest.raises(ModelError, match="no weights"):
        load_model(str(copy))


@pytest.mark.parametrize("name", ["bge-m4", "a/b/c", "../model", "a b/c", "", "http://x/y"])
def test_names_that_are_no_model(name: str) -> None:
    with pytest.raises(ModelError, match=r"unknown model .*\nhint: .*bge-m3"):
        load_model(name)


def test_another_model_of_the_same_dimension(
    folder: Path, tmp_path: Path, papers: list[Paper]
) -> None:
    other = bge_layout(tmp_path, seed=1)
    store = build_store(papers, "one", model=str(folder))
    with pytest.raises(ModelMismatchError, match="was built with"):
        search(store, "a text of its own", lookup=False, embeddings=str(other))


# ---------------------------------------------------------------------- the cache and the hub


def hub_cache(home: Path, folder: Path, name: str = "owner/model") -> Path:
    """A local cache of the hub that holds a model at COMMIT."""
    root = home / "hf" / "hub" / f"models--{name.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(COMMIT)
    shutil.copytree(folder, root / "snapshots" / COMMIT)
    return root / "snapshots" / COMMIT


def ask_without_network(home: Path, code: str) -> tuple[str, float]:
    """Run code with every way out closed, and no variable that says so; return (output, seconds)."""
    closed = "http://127.0.0.1:9"
    env = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    env |= {
        "HF_HOME": str(home / "hf"),
        "HTTPS_PROXY": closed,
        "HTTP_PROXY": closed,
        "OMP_NUM_THREADS": "1",
    }
    program = (
        "import time\nfrom swimmer import load_model\n"
        f"from swimmer.errors import ModelError\nstart = time.monotonic()\n{code}\n"
        "print('SECONDS', time.monotonic() - start)"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=300
    )
    assert out.returncode == 0, out.stderr
    text, seconds = out.stdout.rsplit("SECONDS", 1)
    return text.strip(), float(seconds)


def test_a_cached_model_loads_at_once_with_the_network_cut(home: Path, folder: Path) -> None:
    hub_cache(home, folder)
    code = (
        "m = load_model('owner/model'); print(m.name, m.revision, m.identity.dimension)\n"
        f"print(load_model('owner/model', revision='{COMMIT}').revision)"
    )
    text, seconds = ask_without_network(home, code)
    assert text.splitlines() == [f"owner/model {COMMIT} 32", COMMIT]
    # Most of it is the import of torch; asking the hub in vain would take 69 seconds or more.
    assert seconds < 60


def test_an_absent_model_fails_at_once_with_the_network_cut(home: Path, folder: Path) -> None:
    snapshot = hub_cache(home, folder, "owner/torn")
    (snapshot / "model.safetensors").unlink()
    code = "\n".join(
        f"try:\n    load_model({name!r}, **{options})\nexcept ModelError as error:\n    print(error.full_text)"
        for name, options in (
            ("owner/absent", {}),
            ("bge-m3", {}),
            ("owner/torn", {}),
            ("owner/torn", {"revision": "v9"}),
        )
    )
    text, seconds = ask_without_network(home, code)
    lines = text.splitlines()
    assert len(lines) == 4
    assert all("cannot be reached" in line and "hf download" in line for line in lines)
    assert seconds < 20


def test_a_pinned_revision_stands_in_the_manifest(
    folder: Path, home: Path, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = hub_cache(home, folder)
    asked = []

    def find(name: str, revision: str, named_by_store: bool) -> tuple[Path, str]:
        asked.append(revision)
        return snapshot, COMMIT

    monkeypatch.setattr(huggingface, "find_model", find)
    build_store(papers, "pinned", model="owner/model").close()
    store = open_store("pinned")
    assert (store.identity.name, store.identity.revision) == ("owner/model", COMMIT)
    store.model()
    assert asked == ["", COMMIT]


def test_what_the_hub_says_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx
    import huggingface_hub
    from huggingface_hub import errors

    response = httpx.Response(404, request=httpx.Request("GET", "http://hub.invalid"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    for error, words in (
        (errors.RepositoryNotFoundError("no", response=response), "has no model owner/x"),
        (errors.GatedRepoError("no", response=response), "agreement"),
        (errors.RevisionNotFoundError("no", response=response), "no revision 'v9'"),
        (errors.HfHubHTTPError("503", response=response), "cannot be reached"),
        (httpx.ConnectError("refused"), "cannot be reached"),
        (OSError("no route"), "cannot be reached"),
    ):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)
        with pytest.raises(ModelError, match=words):
            model_files.download("owner/x", "v9")


# ---------------------------------------------------------------------- the case study


def test_the_reference_answer_with_the_true_bge_m3(shared: Path, home: Path) -> None:
    place = os.environ.get(case_study.MODEL)
    if not place:
        pytest.skip("needs the folder of BAAI/bge-m3 in $SWIMMER_BGE_M3")
    torch.set_num_threads(os.cpu_count() or 1)
    model = load_model(place).with_text("page_content")
    started = time.monotonic()
    source = open_source(shared / "corpora" / "iclr2025_downloads.json")
    store = build_store(source, "iclr2025", model=model)
    found = [hit.paper.id for hit in search(store, case_study.QUERY, lookup=False)]
    overlap = len(set(found) & set(case_study.REFERENCE))
    print(f"overlap {overlap} of 10, built in {time.monotonic() - started:.0f} s: {found}")
    assert overlap >= 8


@pytest.mark.parametrize("layout", ["sentence-transformers", "model2vec"])
def test_a_folder_with_a_table_of_word_vectors(home: Path, tmp_path: Path, layout: str) -> None:
    """Such a model has no limit of tokens, and takes none."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({"graph": 0, "policy": 1, "[UNK]": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    table, where = np.eye(3, 8, dtype=np.float32), str(tmp_path / "model")
    if layout == "model2vec":
        model2vec = pytest.importorskip("model2vec")
        model2vec.StaticModel(table, tokenizer).save_pretrained(where)
    else:
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import StaticEmbedding

        layers: list[Any] = [StaticEmbedding(tokenizer, embedding_weights=table)]
        SentenceTransformer(modules=layers).save(where)
    papers = [Paper("graph"), Paper("policy"), Paper("graph policy")]
    with build_store(papers, str(home / "words"), model=where) as store:
        hits = search(store, "policy and policy", k=1)
    assert hits[0].paper.title == "policy"
