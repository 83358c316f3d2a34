"""`swimmer doctor`: what is here, what is missing, and the line that installs it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swimmer import Paper, build_store, diagnosis
from swimmer.diagnosis import EXTRAS, diagnose
from swimmer.embeddings import Model

from .manifests import edit_manifest
from .models import HashEmbeddings

ROOT = Path(__file__).parent.parent
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def states(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The stores of a diagnosis by name."""
    return {store["name"]: store for store in found["stores"]}


def test_the_text_and_the_json_say_the_same(swimmer: Callable[..., Any]) -> None:
    text, raw = swimmer("doctor"), swimmer("doctor", "--json")
    assert text.code == raw.code == 0, text.err
    found = json.loads(raw.out)
    assert found["cores"] >= 1
    assert f"cores      {found['cores']}" in text.out
    assert states(found)["sample"] == {
        "name": "sample",
        "folder": states(found)["sample"]["folder"],
        "model": "static",
        "problem": "",
        "hint": "",
    }
    assert re.search(r"^  sample +static +ready$", text.out, re.MULTILINE)
    for extra in found["extras"]:
        line = next(li for li in text.out.splitlines() if li.startswith(f"  {extra['name']} "))
        for package, number in extra["versions"].items():
            assert extra["missing"] or f"{package} {number}" in line
        assert (extra["install"] in line) and bool(extra["install"]) == bool(extra["missing"])


def test_the_extras_are_those_of_the_project() -> None:
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for extra in EXTRAS:
        wanted = project["optional-dependencies"][extra.name]
        names = {re.split(r"[<>=\[ ]", line)[0].lower() for line in wanted}
        assert {package.lower() for package in extra.packages} == names
    left_out = {"bench", "notebooks", "test", "docs", "dev"}
    assert {extra.name for extra in EXTRAS} == set(project["optional-dependencies"]) - left_out


def test_a_missing_package_has_its_line(
    swimmer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "_version", lambda package: "")
    shown = swimmer("doctor").out
    for extra in EXTRAS:
        assert f'missing: pip install "swimmer[{extra.name}]"' in shown


@pytest.mark.parametrize(
    ("name", "problem", "hint"),
    [
        ("/nowhere/model", "you have not allowed this model", "--trust-model"),
        ("python:mod.Class", "an object in Python", "embeddings="),
        ("BAAI/bge-m3", "not in the local cache", "hf download BAAI/bge-m3"),
        ("bge-m3:int8", "not in the local cache", "hf download BAAI/bge-m3"),
        ("\x1b[31mevil", "folder \x1b[31mevil is not there", "again"),
    ],
)
def test_a_store_whose_model_cannot_be_loaded(
    swimmer: Callable[..., Any],
    home: Path,
    papers: list[Paper],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    problem: str,
    hint: str,
) -> None:
    pytest.importorskip("huggingface_hub")
    pytest.importorskip("onnxruntime", reason='needs pip install "swimmer[onnx]"')
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hf"))
    store = build_store(papers, "mine", model=Model(HashEmbeddings(), "given"))
    store.close()
    edit_manifest(Path(str(store.folder)), model__name=name)
    outcome = swimmer("doctor", "--json")
    assert outcome.code == 1
    state = states(json.loads(outcome.out))["mine"]
    assert problem in state["problem"]
    assert hint in state["hint"]
    shown = swimmer("doctor")
    assert shown.code == 1
    assert "\x1b" not in shown.out


@pytest.mark.parametrize(
    ("absent", "hint"),
    [
        (("sentence_transformers", "onnxruntime"), "swimmer[onnx]"),
        (("langchain_huggingface", "onnxruntime"), "swimmer[huggingface]"),
    ],
)
def test_a_model_without_its_packages(
    papers: list[Paper], monkeypatch: pytest.MonkeyPatch, absent: tuple[str, ...], hint: str
) -> None:
    from swimmer.embeddings import backends

    store = build_store(papers, "mine", model=Model(HashEmbeddings(), "BAAI/bge-m3"))
    store.close()
    monkeypatch.setattr(backends, "has_package", lambda name: name not in absent)
    monkeypatch.setattr("swimmer.embeddings.availability.has_package", lambda n: n not in absent)
    state = next(state for state in diagnose().stores if state.name == "mine")
    assert hint in state.hint


def test_a_damaged_store(swimmer: Callable[..., Any], papers: list[Paper]) -> None:
    with build_store(papers, "mine", model=HashEmbeddings()) as store:
        folder = store.folder
    assert folder is not None
    (folder / "manifest.json").write_text("{")
    outcome = swimmer("doctor", "--json")
    assert outcome.code == 1
    assert states(json.loads(outcome.out))["mine"]["problem"]


def test_models_in_the_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hf"))
    for name, files in (
        ("models--owner--whole", ("modules.json", "model.safetensors", "onnx/model.onnx")),
        ("models--owner--other", ("config.json",)),
        ("models--owner--small", ("onnx/model.onnx",)),
        ("models--..--odd", ("onnx/model.onnx",)),
    ):
        for file in files:
            path = home / "hf" / name / "snapshots" / COMMIT / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('[{"path": "", "type": "sentence_transformers.models.Transformer"}]')
    found = {(model.name, model.backends) for model in diagnose().models}
    assert found == {("owner/whole", ("torch", "onnx")), ("owner/small", ("onnx",))}


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        (
            "flags\t\t: fpu sse avx avx2 avx512f amx_tile amx_bf16\n",
            ("AVX2", "AVX-512", "AMX", "bfloat16"),
        ),
        ("Features\t: fp asimd sve\n", ("NEON",)),
        ("model name : none\n", ()),
        (None, None),
    ],
)
def test_instruction_sets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, sets: tuple[str, ...] | None
) -> None:
    path = tmp_path / "cpuinfo"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(diagnosis, "Path", lambda _: path)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert diagnosis._instruction_sets() == sets


@pytest.mark.parametrize(
    ("torch", "runtime", "note"),
    [
        ("2.13.0+cpu", "", "torch 2.13.0+cpu cannot use it"),
        ("2.13.0+cu130", "", ""),
        ("", "1.32.0", ""),
        ("", "", "nothing installed can use it"),
    ],
)
def test_a_gpu_that_nothing_can_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, torch: str, runtime: str, note: str
) -> None:
    if sys.platform == "win32":
        pytest.skip("needs a shell script")
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA T4, 15360 MiB'\n")
    tool.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda _: str(tool))
    versions = {"torch": torch, "onnxruntime-gpu": runtime}
    monkeypatch.setattr(diagnosis, "_version", lambda package: versions.get(package, "1.0"))
    found = diagnose()
    assert found.gpus == ("NVIDIA T4, 15360 MiB",)
    assert found.gpu_note.startswith(note) and bool(found.gpu_note) == bool(note)


def test_it_loads_no_model_library() -> None:
    import subprocess

    code = (
        "import sys\nfrom swimmer.diagnosis import diagnose\ndiagnose()\n"
        "print([n for n in ('torch', 'onnxruntime', 'transformers', 'faiss') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr
