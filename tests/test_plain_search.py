"""`swimmer search TEXT` without click: the same answers, errors and letters as with it."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, PaperStore, build_store
from swimmer.cli import plain
from swimmer.cli.plain import NUMBER, plain_search
from swimmer.cli.search import search_command
from swimmer.cli.styles import echo, styled

from .conftest import Outcome

Run = Callable[..., Outcome]
TITLE = "Walking robots that learn from falls"


@pytest.fixture
def conf(tmp_path: Path) -> PaperStore:
    papers = [
        Paper(
            f"{name} robots that learn from falls",
            f"We train {name} robots in simulation. They learn to walk after a few falls.",
            url=f"https://example.org/{name}",
            authors=("Ana Park",),
        )
        for name in ("Walking", "Swimming", "Flying", "Climbing", "Rolling", "Jumping", "Small")
    ]
    return build_store(papers, tmp_path / "conf", model="static")


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (["search", "a title"], ("a title", ())),
        (["search", "a title", "--store", "conf"], ("a title", ("conf",))),
        (["search", "-s", "conf", "a title"], ("a title", ("conf",))),
        (["search", "--store=conf", "a title"], ("a title", ("conf",))),
        (["search", ""], ("", ())),
        (["search"], None),
        (["search", "a", "b"], None),
        (["search", "a", "-s"], None),
        (["search", "a", "-s", "-k"], None),
        (["search", "a", "-s", "x", "-s", "y"], None),
        (["search", "a", "-k", "3"], None),
        (["search", "a", "--json"], None),
        (["search", "-"], None),
        (["search", "--", "a"], None),
        (["search", "--help"], None),
        (["related", "a"], None),
        (["--version"], None),
        ([], None),
    ],
)
def test_what_is_left_to_click(args: list[str], found: object) -> None:
    assert plain_search(args) == found


def test_completion_is_left_to_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_SWIMMER_COMPLETE", "bash_complete")
    assert plain_search(["search", "a title"]) is None


@pytest.mark.parametrize(
    "text",
    [
        TITLE,
        "walking robots that learn from fall",
        "Ana Park",
        "machines on two legs",
        "https://example.org/Flying",
        "https://example.org/none",
        "   ",
        "nosuch.pdf",
        "xqzv",
        "robots\x1b[31m \u202e red",
    ],
)
def test_both_ways_say_the_same(
    text: str, conf: PaperStore, swimmer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = str(conf.folder)
    asked: list[str] = []
    answer = plain.answer

    def noted(text: str, stores: tuple[str, ...]) -> None:
        asked.append(text)
        answer(text, stores)

    monkeypatch.setattr(plain, "answer", noted)
    without = swimmer("search", text, "--store", store)
    assert asked == [text]
    with_click = swimmer("search", text, "--store", store, "-k", str(NUMBER))
    assert asked == [text]
    assert without == with_click
    assert "\x1b" not in without.out + without.err


def test_a_store_that_is_not_there_is_the_same_error(swimmer: Run, tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    without = swimmer("search", TITLE, "--store", missing)
    assert without == swimmer("search", TITLE, "--store", missing, "-k", str(NUMBER))
    assert without.code == 2
    assert without.err.startswith("error: ")


def test_the_number_of_papers_is_that_of_the_option() -> None:
    (number,) = [option for option in search_command.params if option.name == "k"]
    assert number.default == NUMBER


def test_a_known_title_needs_neither_click_nor_numpy(conf: PaperStore) -> None:
    code = (
        "import sys; from swimmer.cli import main\n"
        "try: main()\n"
        "finally: print(sorted({'click', 'numpy', 'faiss'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", code, "search", TITLE, "--store", str(conf.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Swimming robots" in done.stdout
    assert done.stdout.endswith("[]\n")


@settings(max_examples=50, deadline=None)
@given(
    st.text(), st.sampled_from([{"bold": True}, {"dim": True}, {"fg": "cyan"}, {"fg": "yellow"}])
)
def test_styles_are_those_of_click(text: str, how: dict[str, object]) -> None:
    assert styled(text, **how) == click.style(text, **how)  # type: ignore[arg-type]
    assert styled(text) == text


@pytest.mark.parametrize("terminal", [True, False])
def test_only_a_terminal_gets_codes(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stdout", out)
    echo(styled("a title", bold=True))
    assert out.getvalue() == ("\x1b[1ma title\x1b[0m\n" if terminal else "a title\n")
