"""The case study: it runs from the list of a conference to the comparison, with either back end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("sentence_transformers", reason='needs pip install "swimmer[huggingface]"')

from benchmarks import case_study

from .random_models import bge_layout


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_the_reference_is_found_where_there_is_nothing_else(
    home: Path,
    tmp_path: Path,
    backend: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = bge_layout(tmp_path)
    if backend == "onnx":
        pytest.importorskip("onnxruntime", reason='needs pip install "swimmer[onnx]"')
        pytest.importorskip("onnx", reason="needs pip install onnx")
        from .onnx_models import export_onnx

        export_onnx(folder)
    titles = {"30263": case_study.QUERY, **case_study.REFERENCE}
    records = [
        {
            "type": "Poster",
            "name": title,
            "virtualsite_url": f"https://iclr.cc//virtual/2025/poster/{number}",
            "speakers/authors": "Ann Example, Bo Example",
            "abstract": f"An abstract of our own about {title.lower()}.",
        }
        for number, title in titles.items()
    ]
    (home / "list.json").write_text(json.dumps(records))
    monkeypatch.setenv(case_study.MODEL, str(folder))
    assert case_study.main(["list.json", "--backend", backend]) >= 9
    printed = capsys.readouterr().out
    assert "11 papers at" in printed
    assert "11 papers embedded" in printed
    assert printed.count("of the reference's ten are among the ten") == 2
    for title in case_study.REFERENCE.values():
        assert title in printed
