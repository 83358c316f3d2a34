"""The embedded model through its public interface, and against the two libraries that read it."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, ask, build_store, open_store, run_build, search
from swimmer.embeddings.loading import load_model
from swimmer.embeddings.static import MAX_CHARACTERS, PACKAGED_MODEL, StaticEmbeddings
from swimmer.embeddings.word_pieces import WordPieces
from swimmer.errors import ModelError, QueryError, SwimmerError
from tests.models import HashEmbeddings

from .conftest import writable_copy
from .manifests import edit_manifest

TEXTS = [
    "Attention Is All You Need",
    "Graph neural networks\nWe learn vectors of nodes (e.g. 3.5% better) on open_graph_benchmark.",
    "β-VAE: Learning $\\beta$-disentangled factors, déjà vu",
    "Full width: ＧＲＡＰＨ networks — “quoted” ﬁne-tuning…",
    "a" * 70 + " graph",
    "hello\x00world\x0bfoo\x7f bar\tbaz\r\nqux\x1cquux",
    "扩散模型 diffusion モデル",
    "naïve Bayes\u00a0classifier\u2003with\u200bzero width",
]

PAPERS = [
    Paper(
        "Graph Networks That Forget", "Nodes leave, and their traces in the weights with them. " * 2
    ),
    Paper(
        "Sampling from $\\beta$-Flows", "We sample posteriors of galaxies with fewer steps. " * 9
    ),
    Paper("A Title Longer Than Its Short Abstract", "We say little of robots."),
    Paper("A Survey of Robot Grasping", ""),
]


@pytest.fixture(scope="module")
def model() -> StaticEmbeddings:
    return StaticEmbeddings()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return writable_copy(PACKAGED_MODEL, tmp_path / "model")


def cosine(model: StaticEmbeddings, one: str, other: str) -> float:
    first, second = model.embed([one, other])
    return float(first @ second)


def test_vectors_are_unit_float32_rows_in_order(model: StaticEmbeddings) -> None:
    vectors = model.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), model.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert np.allclose(model.embed_query(text), vector, atol=1e-6)


def test_langchain_methods_return_lists_of_floats(model: StaticEmbeddings) -> None:
    documents = model.embed_documents(TEXTS[:2])
    assert [len(row) for row in documents] == [model.dimension] * 2
    assert type(documents[0][0]) is float
    assert type(model.embed_query(TEXTS[0])[0]) is float
    assert model.embed_documents([]) == []
    assert model.embed([]).shape == (0, model.dimension)


def test_nearness_follows_meaning(model: StaticEmbeddings) -> None:
    query = "Teaching robots to grasp objects with reinforcement learning"
    near = cosine(model, query, "Learning dexterous manipulation policies for robotic hands")
    far = cosine(model, query, "Machine translation of languages with few parallel sentences")
    assert near > far + 0.2


@pytest.mark.parametrize("library", ["model2vec", "sentence_transformers", "langchain_huggingface"])
def test_other_libraries_give_equal_vectors(model: StaticEmbeddings, library: str) -> None:
    module = pytest.importorskip(library)
    path = str(PACKAGED_MODEL)
    if library == "model2vec":
        theirs = module.StaticModel.from_pretrained(path).encode(TEXTS)
    elif library == "sentence_transformers":
        theirs = module.SentenceTransformer(path, device="cpu").encode(TEXTS)
    else:
        pytest.importorskip("sentence_transformers")
        theirs = np.array(module.HuggingFaceEmbeddings(model_name=path).embed_documents(TEXTS))
    assert np.abs(model.embed(TEXTS) - theirs).max() < 1e-5


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_any_text_is_read_as_the_tokenizer_reads_it(text: str) -> None:
    from tokenizers import Tokenizer

    model = _model()
    tokenizer = Tokenizer.from_file(str(PACKAGED_MODEL / "tokenizer.json"))
    tokens = tokenizer.encode(text, add_special_tokens=False).tokens
    meant = [t for t in tokens if t != "[UNK]" and any(c.isalnum() for c in t)]
    assert model.known_tokens(text) == len(meant)


PLAIN_WORDS = st.text("abcdeilnorst0123456789xyz", max_size=70) | st.lists(
    st.sampled_from(["trans", "former", "ization", "zq", "x7", "2025", "a", "graph", "s", "qqqq"])
).map("".join)


@settings(deadline=None, max_examples=500)
@given(PLAIN_WORDS)
def test_the_pieces_of_a_plain_word_are_those_of_the_tokenizer(word: str) -> None:
    tokenizer = _tokenizer()
    ids = tokenizer.encode(word, add_special_tokens=False).ids
    assert _pieces(_word_pieces(), word) == ids
    assert _pieces(WordPieces(_description(), frozenset(ids[:1])), word) == [
        number for number in ids if number != ids[0]
    ]


def test_each_token_is_found_in_the_file_as_in_what_it_holds() -> None:
    vocabulary = _description()["model"]["vocab"]
    content = (PACKAGED_MODEL / "tokenizer.json").read_bytes()
    assert list(vocabulary.values()) == list(range(len(vocabulary)))
    assert len(WordPieces.of_file(content, frozenset())) == len(vocabulary)
    plain = [token for token in vocabulary if token.isascii() and token.isalnum()]
    for token in (*plain[:300], *plain[::200], plain[-1], "thatisnone"):
        unread = WordPieces.of_file(content, frozenset())
        assert unread.of([token.encode()]) == _word_pieces().of([token.encode()])
    some = [token.encode() for token in plain[:400:40]]
    unread = WordPieces.of_file(content, frozenset({39, 43}))
    assert unread.of([*some, b"e"]) == WordPieces(_description(), frozenset({39, 43})).of(
        [*some, b"e"]
    )
    assert unread.texts() == _word_pieces().texts()
    assert WordPieces.of_file(content, frozenset()).longest_word == 60


def test_threads_may_read_a_vocabulary_at_once() -> None:
    content = (PACKAGED_MODEL / "tokenizer.json").read_bytes()
    words = [f"graph{n} neural network transformer{n}".encode().split() for n in range(4)]
    expected = [_word_pieces().of(some) for some in words]
    for _ in range(3):
        pieces = WordPieces.of_file(content, frozenset())
        with ThreadPoolExecutor(8) as threads:
            found = [*threads.map(pieces.of, words * 4)]
        assert found == expected * 4


def test_a_token_inside_another_one_is_not_that_token() -> None:
    inside = {"[UNK]": 0, 'x"graph': 1, 'a,"b': 2, "##graph": 3, "b": 4, "upsilon": 5}
    model = {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 60,
        "vocab": inside,
    }
    description = {"added_tokens": [], "model": model}
    for spaces in ((",", ":"), (", ", ": ")):
        content = json.dumps(description, separators=spaces).encode()
        for word in (b"graph", b"b", b"upsilon", b"[UNK]"):
            pieces = WordPieces.of_file(content, frozenset())
            assert pieces.of([word]) == WordPieces(description, frozenset()).of([word])


def test_many_words_are_read_as_a_few() -> None:
    texts = [f"graph{i} zq{i}x transformer{i}ization {'y' * (i % 80)} é{i}" for i in range(400)]
    one_by_one = StaticEmbeddings()
    expected = np.concatenate([one_by_one.embed([text]) for text in texts])
    assert np.array_equal(StaticEmbeddings().embed(texts), expected)


def test_pieces_of_another_kind_of_tokenizer_are_left_to_it() -> None:
    from tokenizers import Tokenizer, models

    vocabulary = {"a": 0, "b": 1, "[UNK]": 2}
    other = Tokenizer(models.BPE(vocabulary, []))
    unknown = Tokenizer(models.WordPiece({"a": 0}, unk_token="[UNK]"))
    added = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    added.add_tokens(["ab"])
    for tokenizer in (other, unknown, added):
        pieces = WordPieces(json.loads(tokenizer.to_str()), frozenset())
        assert pieces.of([b"ab"]) == {}


@pytest.mark.parametrize(
    "vocabulary", [{"a": 0, "b": 2}, {"a": -1, "b": 0}, {"a": "0"}, {"a": 1 << 40}, ["a"]]
)
def test_a_vocabulary_with_other_ids_than_the_rows_is_refused(
    folder: Path, vocabulary: object
) -> None:
    description = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    description["model"]["vocab"] = vocabulary
    (folder / "tokenizer.json").write_text(json.dumps(description), encoding="utf-8")
    _sign(folder)
    with pytest.raises(ModelError, match=r"tokenizer\.json is not a tokenizer"):
        StaticEmbeddings(folder)


def test_plain_words_need_no_tokenizer() -> None:
    code = (
        "import sys; from swimmer.embeddings.static import StaticEmbeddings as Model; "
        "Model().embed(['graph neural networks, 2025!']); assert 'tokenizers' not in sys.modules; "
        "Model().embed(['gr\u00e4ph']); assert 'tokenizers' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _pieces(pieces: WordPieces, word: str) -> list[int]:
    return [int(n) for n in np.frombuffer(pieces.of([word.encode()])[word.encode()], np.int32)]


@functools.cache
def _description() -> Any:
    return json.loads((PACKAGED_MODEL / "tokenizer.json").read_text(encoding="utf-8"))


def _word_pieces() -> WordPieces:
    return WordPieces(_description(), frozenset())


@functools.cache
def _tokenizer() -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(PACKAGED_MODEL / "tokenizer.json"))


_MODELS: list[StaticEmbeddings] = []


def _model() -> StaticEmbeddings:
    if not _MODELS:
        _MODELS.append(StaticEmbeddings())
    return _MODELS[0]


def test_case_width_accents_and_spaces_do_not_matter(model: StaticEmbeddings) -> None:
    for twin in [
        "GRAPH neural\nnetworks",
        "ｇｒａｐｈ neural networks",
        " gráph  neural, networks!",
    ]:
        assert cosine(model, "graph neural networks", twin) == pytest.approx(1, abs=1e-5)


def test_greek_letters_are_near_their_latex(model: StaticEmbeddings) -> None:
    assert cosine(model, "β-VAE", "$\\beta$-VAE") == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["", " \n\t", "?!… — $$", "\x00\x00", "𓂀𓂀 𓆣", "x" * 500, "\ud800"])
def test_text_without_a_known_token_is_refused(model: StaticEmbeddings, text: str) -> None:
    assert model.known_tokens(text) == 0
    with pytest.raises(QueryError, match="knows no word"):
        model.embed_query(text)
    with pytest.raises(QueryError):
        model.embed(["graph networks", text])
    rows = model.embed(["graph networks", text], on_unknown="zero")
    assert np.linalg.norm(rows[0]) == pytest.approx(1, abs=1e-5)
    assert not rows[1].any()


def test_lone_surrogates_and_nul_leave_the_rest_readable(model: StaticEmbeddings) -> None:
    assert cosine(model, "graph \ud800 networks", "graph networks") == pytest.approx(1, abs=1e-5)
    assert cosine(model, "graph\x00 networks", "graph networks") == pytest.approx(1, abs=1e-5)
    assert cosine(model, "diffusion \ud835\udc65", "diffusion x") == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "text", ["graph " * 1_000_000, "é" * 10_000_000, "graph networks é " * 600_000]
)
def test_huge_texts_are_cut_before_they_are_read(model: StaticEmbeddings, text: str) -> None:
    start = time.perf_counter()
    vectors = model.embed([text, text[:MAX_CHARACTERS]], on_unknown="zero")
    assert time.perf_counter() - start < 1
    assert (vectors[0] == vectors[1]).all()


def test_threads_share_one_model(model: StaticEmbeddings) -> None:
    fresh = StaticEmbeddings()
    texts = [f"{text} number {i} graph{i} é{i}" for i in range(300) for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(fresh.embed, [texts] * 4))
    expected = model.embed(texts)
    assert all(np.array_equal(answer, expected) for answer in answers)


def test_full_word_table_starts_anew(
    model: StaticEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swimmer.embeddings.static._CACHED_WORDS", 3)
    fresh = StaticEmbeddings()
    assert all(np.allclose(fresh.embed([t]), model.embed([t]), atol=1e-6) for t in TEXTS * 2)


def test_revision_names_the_content(model: StaticEmbeddings, folder: Path) -> None:
    assert StaticEmbeddings(folder).revision == model.revision
    assert len(model.revision) == 12
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_bytes(tokenizer.read_bytes() + b"\n")
    _sign(folder)
    assert StaticEmbeddings(folder).revision != model.revision


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
@pytest.mark.parametrize("damage", ["truncated", "empty", "missing", "flipped"])
def test_damaged_file_is_named(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        path.write_bytes({"truncated": content[:middle], "empty": b"", "flipped": flipped}[damage])
    with pytest.raises(ModelError, match=name.replace(".", r"\.")):
        StaticEmbeddings(folder)


def test_folder_of_another_kind_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match="does not describe a static model"):
        StaticEmbeddings(folder)
    with pytest.raises(ModelError, match=r"config\.json"):
        StaticEmbeddings(folder / "nowhere")


def test_weights_of_another_vocabulary_are_refused(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    save_file({k: v[:-1].copy() for k, v in tensors.items()}, folder / "model.safetensors")
    _sign(folder)
    with pytest.raises(ModelError, match="rows"):
        StaticEmbeddings(folder)


def test_model_is_small_and_its_folder_complete() -> None:
    files = {path.name: path.stat().st_size for path in PACKAGED_MODEL.iterdir()}
    assert sum(files.values()) <= 16_000_000
    assert {"README.md", "modules.json"} <= files.keys()


def test_import_of_the_module_is_light() -> None:
    code = (
        "import sys, swimmer.embeddings.static;"
        "print([m for m in ('numpy', 'tokenizers', 'safetensors', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_embedding_needs_neither_torch_nor_model2vec() -> None:
    code = (
        "import sys, swimmer.embeddings.static as s; s.StaticEmbeddings().embed(['graph networks']);"
        "print([m for m in ('torch', 'transformers', 'model2vec') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _sign(folder: Path) -> None:
    """Write the digests of the files that are there into the configuration."""
    from swimmer.embeddings.static import file_digest

    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["blake2b"] = {name: file_digest(folder / name) for name in config["blake2b"]}
    path.write_text(json.dumps(config))


def test_title_and_whole_abstract_are_read_apart(tmp_path: Path, model: StaticEmbeddings) -> None:
    store = build_store(PAPERS, tmp_path / "store")
    assert store.identity.text == "title_abstract_apart"
    assert np.allclose(store.vectors(), model.embed_papers([p.whole_text for p in PAPERS]))


def reference(title: str, abstract: str) -> np.ndarray:
    """The vector of a paper by the definition, from the model's files alone."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    tensors = load_file(PACKAGED_MODEL / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(PACKAGED_MODEL / "tokenizer.json"))
    rows, weights = tensors["embeddings"].astype(float), tensors["weights"].astype(float)

    def unit(vector: np.ndarray) -> np.ndarray:
        return np.asarray(vector / (np.linalg.norm(vector) or 1))

    def ids(text: str) -> list[int]:
        found = tokenizer.encode(text, add_special_tokens=False).ids
        return [token for token in found if weights[token]]

    head = unit(weights[ids(title)] @ rows[ids(title)])
    if not ids(abstract):
        return head
    tokens = ids(abstract)
    whole = unit(0.35 * head + 0.65 * unit(weights[tokens] @ rows[tokens]))
    near = np.array([unit(rows[token]) @ whole for token in tokens])
    body = unit((weights[tokens] * np.exp(-0.5 * near)) @ rows[tokens])
    return unit(0.35 * head + 0.65 * body)


def test_the_vector_of_a_paper_is_that_of_its_definition(model: StaticEmbeddings) -> None:
    papers = [*PAPERS, Paper("Long", "robots grasp novel objects in clutter " * 400)]
    vectors = model.embed_papers([paper.whole_text for paper in papers])
    for paper, vector in zip(papers, vectors, strict=True):
        title, _, abstract = paper.whole_text.partition("\n")
        assert np.allclose(vector, reference(title, abstract), atol=1e-5)


def test_what_stands_after_500_characters_counts(model: StaticEmbeddings) -> None:
    start = "We study graphs. " * 40
    short, long = model.embed_papers(
        [f"A study\n{start}", f"A study\n{start}" + "Proteins fold into crystals of enzymes. " * 8]
    )
    protein = model.embed_query("protein folding")
    assert long @ protein > short @ protein + 0.05


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Graphs of words", "Graphs of words"),
        ("Graphs of words\n", "Graphs of words"),
        ("Graphs of words\n…", "Graphs of words"),
        ("…\nGraphs of words", None),
        ("Graphs\nx " + "long " * 40_000, None),
    ],
)
def test_papers_without_title_or_abstract(
    model: StaticEmbeddings, text: str, same: str | None
) -> None:
    vector = model.embed_papers([text])[0]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    if same:
        assert np.allclose(vector, model.embed([same])[0], atol=1e-6)


def test_a_paper_without_a_known_word_has_no_vector(model: StaticEmbeddings) -> None:
    assert not model.embed_papers(["…\n—", "\n", ""]).any()


def test_a_store_keeps_its_recipe_until_its_model_is_named(
    tmp_path: Path, model: StaticEmbeddings
) -> None:
    once = load_model("static").with_text("title_title_abstract")
    build_store(PAPERS[:2], tmp_path / "store", model=once)
    store = build_store(PAPERS, tmp_path / "store")
    assert store.identity.text == "title_title_abstract"
    texts = [f"{paper.title}\n{paper.embedding_text}" for paper in PAPERS[:2]]
    texts += [PAPERS[2].embedding_text, PAPERS[3].title]
    assert np.allclose(store.vectors(), model.embed(texts), atol=1e-6)
    store = build_store(PAPERS, tmp_path / "store", model="static")
    assert store.identity.text == "title_abstract_apart"
    assert np.allclose(store.vectors(), model.embed_papers([p.whole_text for p in PAPERS]))
    report = run_build(PAPERS, tmp_path / "store").report
    assert report is not None
    assert (report.embedded, report.unchanged) == (0, len(PAPERS))


def test_an_older_store_says_how_to_build_it_again(tmp_path: Path) -> None:
    older = load_model("static").with_text("title_title_abstract")
    build_store(PAPERS, tmp_path / "store", model=older)
    (known,) = ask(open_store(tmp_path / "store"), [PAPERS[0].title])
    assert known.matched is not None
    assert not known.warnings
    (text,) = ask(open_store(tmp_path / "store"), ["graphs of words"], lookup=False)
    assert text.hits
    assert f"swimmer build {tmp_path / 'store'} --model static" in text.warnings[0]
    again = build_store(tmp_path / "store", tmp_path / "store", model="static")
    assert again.identity.text == "title_abstract_apart"
    (text,) = ask(again, ["graphs of words"], lookup=False)
    assert not text.warnings


def test_a_model_that_reads_one_text_cannot_read_two_apart() -> None:
    with pytest.raises(ModelError, match="apart"):
        load_model(HashEmbeddings(8)).with_text("title_abstract_apart")


def test_a_store_read_in_an_unknown_way_is_refused(tmp_path: Path) -> None:
    build_store(PAPERS, tmp_path / "store")
    for text, says in (
        ("abstract_backwards", r"'abstract_backwards'.*title_title_abstract[^\n]*\nhint: upgrade"),
        (["title_abstract"], r"field model\.text is a list"),
        ({"title": 2}, r"field model\.text is a mapping"),
    ):
        edit_manifest(tmp_path / "store", model__text=text)
        with pytest.raises(SwimmerError, match=says):
            search(open_store(tmp_path / "store"), "Graphs of words")


def test_the_model_as_an_object_reads_papers_as_by_its_name(tmp_path: Path) -> None:
    named = build_store(PAPERS, tmp_path / "named", model="static")
    given = build_store(PAPERS, tmp_path / "given", model=StaticEmbeddings())
    assert given.identity.text == named.identity.text
    assert np.array_equal(given.vectors(), named.vectors())
