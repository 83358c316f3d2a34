"""A store from a stranger: the model it names is not loaded, the hub not asked, until allowed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swimmer import (
    Paper,
    PaperVectorStore,
    build_store,
    load_model,
    load_retriever,
    open_store,
    run_build,
)
from swimmer.embeddings.model import Model
from swimmer.embeddings.trust import trust_file
from swimmer.errors import ModelError, UntrustedModelError

from .manifests import edit_manifest
from .models import HashEmbeddings

WORDS = "how words of a query reach a model"
LAYOUT = '[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"}]'


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What the loader of Hugging Face models was asked for; it answers with the tests' model."""
    from swimmer.embeddings import huggingface

    calls: list[tuple[str, dict[str, Any]]] = []

    def load(name: str, **options: Any) -> Model:
        calls.append((name, options))
        return Model(HashEmbeddings(), name, revision=options.get("revision", ""))

    monkeypatch.setattr(huggingface, "load_huggingface", load)
    return calls


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder with the files that a model has."""
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "modules.json").write_text(LAYOUT)
    (folder / "model.safetensors").write_bytes(b"numbers")
    return folder


@pytest.fixture
def gift(home: Path, papers: list[Paper]) -> Callable[..., Path]:
    """Make a store as somebody else would have: nothing is remembered of its model here."""

    def make(name: str, revision: str = "") -> Path:
        build_store(papers, "gift", model=Model(HashEmbeddings(), "mine")).close()
        folder = open_store("gift").folder
        assert folder is not None
        edit_manifest(folder, model__name=name, model__revision=revision)
        return folder

    return make


@pytest.mark.parametrize("inside", [True, False])
def test_a_folder_that_only_a_store_names_is_not_loaded(
    inside: bool, gift: Callable[..., Path], weights: Path, loaded: list[Any]
) -> None:
    place = weights
    folder = gift("x")
    if inside:
        place = Path(shutil.move(weights, folder.resolve() / "model"))
    gift(str(place))
    store = open_store("gift")
    with pytest.raises(UntrustedModelError, match="--trust-model") as caught:
        store.model()
    assert str(place) in str(caught.value)
    with pytest.raises(UntrustedModelError):
        load_retriever("gift").invoke(WORDS)
    with pytest.raises(UntrustedModelError):
        PaperVectorStore.load_local(folder).similarity_search(WORDS)
    with pytest.raises(UntrustedModelError):
        build_store([Paper("A new paper on graphs")], "gift")
    assert any("--trust-model" in problem for problem in store.verify())
    assert not loaded
    assert not trust_file().exists()


def test_titles_of_a_strangers_store_need_no_model(
    gift: Callable[..., Path], papers: list[Paper], loaded: list[Any], swimmer: Callable[..., Any]
) -> None:
    gift("attacker/model", "abc")
    assert swimmer("search", "-s", "gift", papers[3].title).code == 0
    assert swimmer("search", "-s", "gift", "--mode", "keyword", "graph").code == 0
    assert swimmer("list").code == swimmer("show", "gift").code == 0
    answer = swimmer("search", "-s", "gift", WORDS)
    assert answer.code == 2
    assert "attacker/model" in answer.err and "--trust-model" in answer.err
    assert not loaded


def test_what_the_user_allows_is_remembered_with_its_revision(
    gift: Callable[..., Path], loaded: list[Any], swimmer: Callable[..., Any]
) -> None:
    gift("lab/model", "1" * 40)
    assert swimmer("search", "-s", "gift", WORDS, "--trust-model").code == 0
    assert swimmer("search", "-s", "gift", WORDS).code == 0
    assert load_retriever("gift").invoke(WORDS)
    assert {name for name, _ in loaded} == {"lab/model"}
    assert all(options["named_by_store"] for _, options in loaded)
    gift("lab/model", "2" * 40)
    with pytest.raises(UntrustedModelError, match="2" * 40):
        open_store("gift").model()
    gift("lab/other", "1" * 40)
    with pytest.raises(UntrustedModelError):
        open_store("gift").model()


def test_in_python_it_is_allowed_by_an_argument(
    gift: Callable[..., Path], loaded: list[Any]
) -> None:
    folder = gift("lab/model", "r")
    assert load_retriever("gift", trust_model=True).invoke(WORDS)
    gift("lab/model", "s")
    assert PaperVectorStore.load_local(folder, trust_model=True).similarity_search(WORDS)
    gift("lab/model", "t")
    assert PaperVectorStore(store="gift", trust_model=True).similarity_search(WORDS)
    gift("lab/model", "u")
    assert open_store("gift", trust_model=True).model().name == "lab/model"
    gift("lab/model", "v")
    build_store([Paper("A new paper on graphs")], "gift", trust_model=True).close()


def test_a_model_folder_is_remembered_by_its_content(
    gift: Callable[..., Path], weights: Path, tmp_path: Path, loaded: list[Any]
) -> None:
    gift(str(weights))
    open_store("gift", trust_model=True).model()
    open_store("gift").model()
    moved = Path(shutil.copytree(weights, tmp_path / "elsewhere"))
    gift(str(moved))
    open_store("gift").model()
    # The same length, and the time set back: only the content tells.
    found = (moved / "model.safetensors").stat()
    (moved / "model.safetensors").write_bytes(b"Numbers")
    os.utime(moved / "model.safetensors", ns=(found.st_atime_ns, found.st_mtime_ns))
    with pytest.raises(UntrustedModelError):
        open_store("gift").model()
    (moved / "model.safetensors").write_bytes(b"numbers")
    open_store("gift").model()
    (moved / "evil.py").write_text("raise SystemExit")
    with pytest.raises(UntrustedModelError):
        open_store("gift").model()


def test_a_file_added_behind_a_linked_folder_is_seen(
    gift: Callable[..., Path], weights: Path, tmp_path: Path, loaded: list[Any]
) -> None:
    (tmp_path / "pooling").mkdir()
    (tmp_path / "pooling" / "config.json").write_text("{}")
    (weights / "1_Pooling").symlink_to(tmp_path / "pooling")
    gift(str(weights))
    open_store("gift", trust_model=True).model()
    open_store("gift").model()
    (tmp_path / "pooling" / "config.json").write_text("[]")
    with pytest.raises(UntrustedModelError):
        open_store("gift").model()


def test_a_store_built_here_needs_no_flag(
    home: Path, papers: list[Paper], weights: Path, loaded: list[Any], swimmer: Callable[..., Any]
) -> None:
    build_store(papers[:-1], "own", model=str(weights)).close()
    build_store(
        papers[:-1], "hub", model=Model(HashEmbeddings(), "lab/model", revision="r")
    ).close()
    for name in ("own", "hub"):
        assert load_retriever(name).invoke(WORDS)
        _, report = run_build(papers, name)
        assert report.added == 1
        assert swimmer("search", "-s", name, WORDS).code == swimmer("verify", name).code == 0
    texts = PaperVectorStore(str(weights))
    texts.add_texts(["one text", "another text"])
    texts.save_local(home / "texts")
    assert PaperVectorStore.load_local(home / "texts").similarity_search("one")


def test_an_update_of_a_received_store_allows_nothing_for_later(
    gift: Callable[..., Path], papers: list[Paper], loaded: list[Any]
) -> None:
    gift("lab/model", "r")
    store = open_store("gift")
    store.model(Model(HashEmbeddings(), "given"))
    store.add([Paper("A new paper on graphs")])
    store.commit()
    with pytest.raises(UntrustedModelError):
        open_store("gift").model()


def test_a_relative_folder_is_never_looked_for(
    gift: Callable[..., Path], home: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from swimmer.embeddings import huggingface

    shutil.copytree(weights, home / "lab" / "model")
    opened: list[object] = []
    monkeypatch.setattr(huggingface, "_open", lambda *a: opened.append(a))
    for name in ("lab/model", "./lab/model", "lab", "~/lab/model", "../home/lab/model"):
        gift(name)
        with pytest.raises(ModelError):
            open_store("gift", trust_model=True).model()
    assert not opened


@pytest.mark.parametrize("revision", ["refs/pr/7", "main", "../x", "v1.0"])
def test_a_revision_that_moves_is_asked_about_even_for_bge_m3(
    revision: str, gift: Callable[..., Path], loaded: list[Any]
) -> None:
    gift("bge-m3", revision)
    with pytest.raises(UntrustedModelError, match="bge-m3"):
        open_store("gift").model()
    gift("bge-m3", "5" * 40)
    open_store("gift").model()
    gift("BAAI/bge-m3")
    open_store("gift").model()


def test_a_damaged_list_allows_nothing_and_is_written_anew(
    gift: Callable[..., Path], loaded: list[Any]
) -> None:
    gift("lab/model", "r")
    trust_file().parent.mkdir(parents=True, exist_ok=True)
    for damage in (b"{", b"[]", b'{"models": 5}', b'{"models": [5, {}, {"digest": 1}]}', b"\xff"):
        trust_file().write_bytes(damage)
        with pytest.raises(UntrustedModelError):
            open_store("gift").model()
    open_store("gift", trust_model=True).model()
    open_store("gift").model()


def test_a_list_that_cannot_be_written_stops_no_build(
    papers: list[Paper], weights: Path, loaded: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    trust_file().parent.parent.mkdir(parents=True, exist_ok=True)
    trust_file().parent.write_text("a file where the folder should be")
    build_store(papers, "own", model=str(weights)).close()
    assert "cannot be remembered" in caplog.text


# ---------------------------------------------------------------------- the hub


class Hub:
    """Takes down what huggingface_hub is asked, and has nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import huggingface_hub
        from huggingface_hub.errors import LocalEntryNotFoundError

        self.asked: list[tuple[str, object]] = []

        class Api:
            def __init__(self, token: object = None) -> None:
                self.token = token

            def model_info(api, name: str, **_: object) -> object:
                self.asked.append((name, api.token))
                raise OSError("no route")

        def snapshot(
            name: str, local_files_only: bool = False, token: object = None, **_: object
        ) -> Any:
            if local_files_only:
                raise LocalEntryNotFoundError("not here")
            self.asked.append((name, token))
            raise OSError("no route")

        monkeypatch.setattr(huggingface_hub, "HfApi", Api)
        monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", "hf_secret")


def test_the_hub_is_not_asked_for_a_model_that_only_a_store_names(
    gift: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("langchain_huggingface")
    hub = Hub(monkeypatch)
    gift("attacker/model", "r")
    store = open_store("gift")
    with pytest.raises(UntrustedModelError, match=r"downloaded .* revision r"):
        store.model()
    store.verify()
    assert not hub.asked
    with pytest.raises(ModelError, match="cannot be reached"):
        open_store("gift", trust_model=True).model()
    assert hub.asked == [("attacker/model", False)]
    with pytest.raises(ModelError):
        load_model("lab/private")
    assert hub.asked[1:] == [("lab/private", None)]


def test_a_model_in_the_local_cache_was_used_before(
    gift: Callable[..., Path],
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    loaded: list[Any],
) -> None:
    from swimmer.embeddings import model_files

    monkeypatch.setattr(
        model_files, "cached_snapshot", lambda name, rev: weights if rev == "r" else None
    )
    gift("lab/model", "r")
    open_store("gift").model()
    gift("lab/model", "s")
    with pytest.raises(UntrustedModelError):
        open_store("gift").model()
    assert not trust_file().exists()


# ---------------------------------------------------------------------- code in a model


BAD_TYPES = [
    "evil.Evil",
    "custom_st.Transformer",
    "os.system",
    "sentence_transformers",
    "",
    5,
    None,
    "sentence_transformers_evil.X",
    "sentence_transformers..x",
    "sentence_transformers.a b",
    "sentence_transformers.models.Transformer\n",
    ["sentence_transformers.models.Transformer"],
]


@pytest.mark.parametrize("kind", BAD_TYPES, ids=repr)
def test_a_model_with_modules_of_its_own_is_refused_before_loading(
    kind: object, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("langchain_huggingface")
    from swimmer.embeddings import huggingface

    opened: list[object] = []
    monkeypatch.setattr(huggingface, "_open", lambda *a: opened.append(a))
    entry = {"idx": 0, "name": "0", "path": "", "type": kind}
    (weights / "modules.json").write_text(json.dumps([entry]))
    with pytest.raises(ModelError, match=r"modules\.json names a module"):
        load_model(str(weights))
    (weights / "modules.json").write_text(LAYOUT)
    (weights / "1_Router").mkdir()
    (weights / "1_Router" / "router_config.json").write_text(json.dumps({"types": {"q": kind}}))
    with pytest.raises(ModelError, match=r"router_config\.json names a module"):
        load_model(str(weights))
    assert not opened


@pytest.mark.parametrize("place", ["..", "../x", "/etc", "a/../../b", "\\\\host\\share", "..\\x"])
def test_a_module_outside_the_models_folder_is_refused(place: str, weights: Path) -> None:
    pytest.importorskip("langchain_huggingface")
    entry = {"path": place, "type": "sentence_transformers.models.Transformer"}
    (weights / "modules.json").write_text(json.dumps([entry]))
    with pytest.raises(ModelError, match="outside the model's folder"):
        load_model(str(weights))
