"""The command line as its users meet it: answers, formats, and errors that say what to do."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swimmer import build_store, open_store
from swimmer.cli.progress import ProgressLine

from .conftest import REPOSITORY, Outcome
from .manifests import edit_manifest
from .models import HashEmbeddings

Run = Callable[..., Outcome]
TITLE = "Bi-Factorial Preference Optimization: Balancing Safety-Helpfulness in Language Models"


def process(
    *args: str, stdin: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "swimmer", *args],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONUTF8": "1", **environment},
        timeout=120,
    )


# ---------------------------------------------------------------------- answers


def test_a_first_question_is_answered_from_the_sample(swimmer: Run) -> None:
    done = swimmer("search", TITLE)
    assert done.code == 0 and done.err == ""
    assert "94 papers in sample, model static" in done.out
    assert "https://iclr.cc/virtual/2025/poster/" in done.out
    assert sum(line.strip().startswith("https://") for line in done.out.splitlines()) == 10


def test_json_has_the_documented_schema(swimmer: Run) -> None:
    done = swimmer("search", TITLE, "any text about graphs", "-k", "3", "--json")
    known, free = map(json.loads, done.out.splitlines())
    assert {"query", "store", "model", "matched", "hits", "warnings"} <= set(known)
    assert known["query"] == TITLE and known["store"] == "sample" and known["model"] == "static"
    hit = known["hits"][0]
    for name, kind in {
        "rank": int,
        "score": float,
        "id": str,
        "title": str,
        "authors": list,
        "venue": str,
        "year": int,
        "url": str,
        "abstract": str,
        "keywords": list,
        "status": str,
    }.items():
        assert isinstance(hit[name], kind), name
    assert [h["rank"] for h in known["hits"]] == [1, 2, 3]
    assert free["matched"] is None and len(free["hits"]) == 3
    taken = json.loads(swimmer("search", TITLE.replace("Safety", "Safty"), "--json").out)
    if taken["matched"] is not None:
        assert set(taken["matched"]) == {"id", "title", "url", "exact"}


def test_the_answer_says_which_title_was_taken(swimmer: Run, corpus_file: Path) -> None:
    swimmer("build", corpus_file, "--name", "conf")
    done = swimmer("search", "Safe Exploraton by Learned Shields", "-s", "conf")
    assert "taken as Safe Exploration by Learned Shields" in done.out
    done = swimmer("search", "safe exploration by learned shields", "-s", "conf", "--include-self")
    assert "similar to Safe Exploration" in done.out and "1.000" in done.out


def test_titles_on_standard_input_are_one_batch(corpus_file: Path) -> None:
    process("build", str(corpus_file), "--name", "conf")
    done = process("search", "--json", stdin="Bandits that Remember\n\nfree text\n")
    assert [json.loads(line)["query"] for line in done.stdout.splitlines()] == [
        "Bandits that Remember",
        "free text",
    ]
    assert done.returncode == 0 and done.stderr == ""


def test_csv_is_read_back_and_starts_no_formula(swimmer: Run, home: Path) -> None:
    rows = [
        {"title": '=HYPERLINK("http://evil","x")', "abstract": 'a, b\n"c"'},
        {"title": "@SUM(A1)"},
        {"title": "-1+2"},
        {"title": "Plain"},
    ]
    (home / "l.json").write_text(json.dumps(rows), encoding="utf-8")
    swimmer("build", "l.json", "--name", "conf")
    done = swimmer("search", "Plain", "--csv")
    table = list(csv.DictReader(io.StringIO(done.out)))
    assert len(table) == 3
    assert all(row["title"][0] == "'" for row in table)
    assert any("HYPERLINK" in row["title"] for row in table)


def test_markdown_escapes_what_would_be_markup(swimmer: Run, home: Path) -> None:
    rows = [
        {
            "title": "[x](javascript:1) <script> *b*",
            "abstract": "`a`",
            "url": "https://e.example/(1)",
        },
        {"title": "Plain"},
    ]
    (home / "l.json").write_text(json.dumps(rows), encoding="utf-8")
    swimmer("build", "l.json", "--name", "conf")
    out = swimmer("search", "Plain", "--markdown").out
    assert not re.search(r"(?<!\\)<script", out) and not re.search(r"(?<!\\)\]\(javascript", out)
    assert r"\[x\](javascript:1) \<script\> \*b\*" in out


def test_titles_cannot_steer_the_terminal(swimmer: Run, home: Path) -> None:
    rows = [
        {"title": "\x1b]0;owned\x07Red \x1b[31malert\x00", "authors": ["\u202eevil"]},
        {"title": "Plain"},
    ]
    (home / "l.json").write_text(json.dumps(rows), encoding="utf-8")
    swimmer("build", "l.json", "--name", "conf")
    for style in ([], ["--json"], ["--csv"], ["--markdown"]):
        out = swimmer("search", "Plain", *style).out
        assert not set(out) & {"\x1b", "\x07", "\x00", "\u202e"}
        assert "\\u001b" not in out
    out = swimmer("search", "no \x1b[31m such paper \u202e").out
    assert not set(out) & {"\x1b", "\u202e"}


def test_colours_only_on_a_terminal(corpus_file: Path) -> None:
    process("build", str(corpus_file), "--name", "conf")
    assert "\x1b" not in process("search", "Bandits that Remember").stdout
    script = shutil.which("script")
    if script is None:
        pytest.skip("needs script(1) to make a terminal")
    command = f"{sys.executable} -m swimmer search 'Bandits that Remember'"
    done = subprocess.run([script, "-qec", command, "/dev/null"], capture_output=True, text=True)
    assert "\x1b[1m" in done.stdout


def test_lines_are_wrapped_to_the_width(swimmer: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = swimmer("search", TITLE).out.splitlines()
    assert max(map(len, lines)) <= 60 and len(lines) > 60


def test_a_reader_that_leaves_early_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m swimmer search -k 90 --json '{TITLE}' | head -c 10; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""


def test_a_terminal_that_knows_only_ascii_is_served() -> None:
    done = process(
        "search", "β-VAE für Grüße", PYTHONUTF8="0", PYTHONIOENCODING="ascii", LC_ALL="C"
    )
    assert done.returncode == 0 and "94 papers" in done.stdout and done.stderr == ""


# ---------------------------------------------------------------------- stores


def test_list_show_verify(swimmer: Run, corpus_file: Path) -> None:
    swimmer("build", corpus_file, "--name", "conf")
    listed = swimmer("list").out.splitlines()
    assert listed[0].split() == ["NAME", "PAPERS", "MODEL", "SIZE", "BUILT", "FOLDER"]
    assert listed[1].split()[:3] == ["conf", "30", "static"]
    assert [json.loads(line)["name"] for line in swimmer("list", "--json").out.splitlines()] == [
        "conf",
        "sample",
    ]
    shown = swimmer("show", "conf").out
    assert "30 papers" in shown and "static @" in shown and "exact" in shown
    assert json.loads(swimmer("show", "conf", "--json").out)["papers"] == 30
    assert swimmer("verify", "conf").code == 0
    folder = open_store("conf").folder
    assert folder is not None
    path = next(folder.glob("index-*"))
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    done = swimmer("verify", "conf")
    assert done.code == 1 and "SHA-256" in done.err


def test_a_build_says_what_it_read_kept_merged_and_left_out(swimmer: Run, home: Path) -> None:
    rows = [
        '{"title": "A", "url": "https://e.example/1"}',
        '{"title": ""}',
        '{"title": "B", "abstract": "x"}',
        '{"title": "a!", "url": "https://e.example//1"}',
        '{"type": "Workshop", "title": "W"}',
    ]
    (home / "l.jsonl").write_text("\n".join(rows), encoding="utf-8")
    out = swimmer("build", "l.jsonl", "--name", "conf").out
    for part in (
        "read       5 records",
        "left out   1: no title (line 2)",
        "workshop (line 5)",
        "merged     1",
        "2 added",
        "conf: 2 papers",
    ):
        assert part in out
    assert "0 added, 0 changed, 2 unchanged" in swimmer("build", "l.jsonl", "--name", "conf").out


def test_pruning_is_on_request(swimmer: Run, corpus_file: Path, records: list[Any]) -> None:
    swimmer("build", corpus_file, "--name", "conf")
    corpus_file.write_text(json.dumps(records[:20]), encoding="utf-8")
    assert "0 removed" in swimmer("build", corpus_file, "--name", "conf").out
    assert "10 removed" in swimmer("build", corpus_file, "--name", "conf", "--prune").out
    assert len(open_store("conf")) == 20


def test_progress_is_lines_where_there_is_no_terminal(
    swimmer: Run, corpus_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProgressLine(seconds=0) as progress:
        build_store(corpus_file, "conf", progress=progress).close()
    said = capsys.readouterr().err
    assert "embedding: 30 of 30 papers" in said and "\r" not in said
    assert swimmer("build", corpus_file, "--name", "conf2", "--quiet").err == ""


# ---------------------------------------------------------------------- shapes

SHAPES = ["json", "jsonl", "csv", "tsv", "keyed", "results", "virtual"]


def written(records: list[dict[str, Any]], shape: str) -> str:
    flat = [
        {**r, "authors": ", ".join(r["authors"]), "keywords": "; ".join(r["keywords"])}
        for r in records
    ]
    if shape == "json":
        return json.dumps(records, indent=1)
    if shape == "jsonl":
        return "\n".join(json.dumps(record) for record in records) + "\n"
    if shape in ("csv", "tsv"):
        out = io.StringIO()
        table = csv.DictWriter(out, list(flat[0]), delimiter="," if shape == "csv" else "\t")
        table.writeheader()
        table.writerows(flat)
        return out.getvalue()
    if shape == "keyed":
        return json.dumps({r["url"]: {k: v for k, v in r.items() if k != "url"} for r in records})
    if shape == "results":
        return json.dumps({"count": len(records), "results": records})
    export = [
        {
            "type": r["status"],
            "name": r["title"],
            "virtualsite_url": r["url"],
            "speakers/authors": ", ".join(r["authors"]),
            "abstract": r["abstract"],
        }
        for r in records
    ]
    return json.dumps(export)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_every_shape_is_recognised_from_its_content(
    swimmer: Run, home: Path, records: list[dict[str, Any]], shape: str, packed: bool
) -> None:
    content = written(records, shape).encode("utf-8")
    path = home / "list.data"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert swimmer("build", path, "--name", "conf").code == 0
    with open_store("conf") as store:
        papers = list(store)
    assert [p.title for p in papers] == [r["title"] for r in records]
    assert [p.abstract for p in papers] == [r["abstract"] for r in records]
    assert [p.url for p in papers] == [r["url"] for r in records]
    assert [list(p.authors) for p in papers] == [r["authors"] for r in records]
    if shape != "virtual":
        assert [list(p.keywords) for p in papers] == [r["keywords"] for r in records]
        assert [p.id for p in papers] == [r["id"] for r in records]
        assert [(p.venue, p.year, p.status) for p in papers] == [
            (r["venue"], r["year"], r["status"]) for r in records
        ]


# ---------------------------------------------------------------------- bad input

BAD_LISTS = {
    "empty": (b"", "empty"),
    "blank": (b"  \n\n ", "empty"),
    "cut off": (b'[{"title": "A"}, {"title": "B', "cut off"),
    "another shape": (b'{"a": 1, "b": [1, 2]}', "another shape"),
    "a number": (b"42", "hint: give JSON"),
    "a list of numbers": (b"[1, 2, 3]", "holds no paper"),
    "no papers": (b"[]", "holds no paper"),
    "python reprs": (b"{'title': 'A', 'x': None}\n{'title': 'B'}\n", "not JSON"),
    "binary": (bytes(range(256)) * 40, "not text"),
    "png": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "not text"),
    "csv without a title": (b"a,b\n1,2\n", "title"),
    "deep": (b"[" * 200_000, "nested"),
    "broken line": (b'{"title": "A"}\n{"title": \n{"title": "C"}\n', "line 2"),
    "cut gzip": (gzip.compress(b'[{"title": "A"}]' * 99)[:40], "cannot be read"),
    "one long line": (b"x" * 100_000_000, "more than 32 million characters"),
}


@pytest.mark.parametrize("kind", BAD_LISTS)
def test_a_bad_list_is_refused_and_nothing_is_lost(
    swimmer: Run, home: Path, corpus_file: Path, kind: str
) -> None:
    swimmer("build", corpus_file, "--name", "conf")
    content, message = BAD_LISTS[kind]
    (home / "bad").write_bytes(content)
    done = swimmer("build", "bad", "--name", "conf", "--prune")
    assert done.code == 2 and message in done.err and done.out == ""
    assert len(done.err) < 600
    assert len(open_store("conf")) == 30
    assert swimmer("verify", "conf").code == 0


def test_a_json_list_on_one_long_line_is_read(swimmer: Run, home: Path) -> None:
    papers = [{"title": f"Paper {i}", "abstract": "word " * 400} for i in range(2000)]
    (home / "one.json").write_text(json.dumps(papers), encoding="utf-8")
    assert "2,000 added" in swimmer("build", "one.json", "--name", "conf").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "nothing.json"], "nothing.json"),
        (["build", "."], "folder"),
        (["build", "l.json", "--name", "a b"], "store's name"),
        (["build", "l.json", "--model", "no-such-model"], "no-such-model"),
        (["search", "x", "--store", "nothing"], "no store named 'nothing'"),
        (["search", "x", "--store", "half"], "has not finished"),
        (["search", ""], "blank"),
        (["search", "  "], "blank"),
        (["search", "x", "-k", "0"], "whole number from 1"),
        (["search", "x", "-k", "-1"], "whole number from 1"),
        (["search", "x", "-k", "many"], "many"),
        (["search", "x", "--no-such-option"], "no-such-option"),
        (["serch", "x"], "did you mean search"),
        (["show", "nothing"], "no store named"),
        (["verify", "nothing"], "no store named"),
    ],
)
def test_bad_arguments_are_explained(
    swimmer: Run, home: Path, arguments: list[str], message: str
) -> None:
    (home / "l.json").write_text('[{"title": "A"}]', encoding="utf-8")
    (home / "vectorstores" / "half").mkdir(parents=True)
    done = swimmer(*arguments)
    assert done.code == 2 and message in done.err
    assert "\x1b" not in done.err


def test_a_path_as_a_name_is_printed_without_control_characters(swimmer: Run, home: Path) -> None:
    (home / "l.json").write_text('[{"title": "A"}]', encoding="utf-8")
    done = swimmer("build", "l.json", "--name", "../x\x1b")
    assert done.code == 0 and (home.parent / "x\x1b" / "manifest.json").is_file()
    assert "\x1b" not in done.out + done.err


def test_a_query_of_100_000_characters_is_answered(swimmer: Run) -> None:
    assert swimmer("search", "graph " * 20_000, "-k", "2").code == 0


def test_more_than_there_are_gives_all(swimmer: Run) -> None:
    assert len(json.loads(swimmer("search", TITLE, "-k", "5000", "--json").out)["hits"]) in (93, 94)


def test_a_store_of_a_later_version_and_of_an_absent_model(swimmer: Run, corpus_file: Path) -> None:
    swimmer("build", corpus_file, "--name", "conf")
    folder = open_store("conf").folder
    assert folder is not None
    edit_manifest(folder, schema=99)
    done = swimmer("search", "x", "-s", "conf")
    assert done.code == 2 and "later swimmer" in done.err
    edit_manifest(folder, schema=2, model__name="some-org/absent-model")
    assert swimmer("search", "Bandits that Remember", "-s", "conf").code == 0
    done = swimmer("search", "a text of my own", "-s", "conf")
    assert done.code == 2 and "absent-model" in done.err


def test_a_store_of_another_model_of_the_same_dimension(swimmer: Run, papers: Any) -> None:
    store = build_store(papers, "conf", model=HashEmbeddings(256))
    store.close()
    assert store.folder is not None
    edit_manifest(store.folder, model__name="static")
    done = swimmer("search", "a text of my own", "-s", "conf")
    assert done.code == 2 and "was built with the model static" in done.err


def test_two_builds_at_once_as_processes(home: Path, corpus_file: Path) -> None:
    from swimmer.store.folder import writing

    with writing(home / "vectorstores" / "conf"):
        done = process("build", str(corpus_file), "--name", "conf")
    assert done.returncode == 2 and "another process is writing" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_sample_can_be_built_again_from_its_source(swimmer: Run) -> None:
    source = REPOSITORY / "swimmer" / "data" / "sample.jsonl"
    assert swimmer("build", source, "--name", "again").code == 0
    with open_store("again") as again, open_store("sample") as sample:
        assert list(again) == list(sample) and len(sample) == 94
        difference = np.abs(again.vectors() - sample.vectors())
        # Vectors are rounded to float16 before they are smoothed: where the last digit of a sum
        # differs between versions of NumPy, a number may be rounded the other way.
        assert np.quantile(difference, 0.999) < 1e-5 and difference.max() < 2.0**-12
        assert sample.verify() == []
