"""Errors as a person and a program meet them: what is wrong, then what to do."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from swimmer import Paper, build_store, paper_tools, search
from swimmer.errors import MissingExtraError, QueryError, StoreNotFoundError, SwimmerError
from tests.conftest import Outcome

Run = Callable[..., Outcome]


def kinds(error: type[SwimmerError]) -> list[type[SwimmerError]]:
    return [error, *(kind for child in error.__subclasses__() for kind in kinds(child))]


@pytest.mark.parametrize("kind", sorted(set(kinds(SwimmerError)), key=str))
def test_every_error_takes_a_hint(kind: type[SwimmerError]) -> None:
    if kind is MissingExtraError:
        error: SwimmerError = MissingExtraError("the map", "map")
        assert error.hint == 'pip install "swimmer[map]"'
        return
    error = kind("it broke", hint="mend it")
    assert (str(error), error.hint, error.full_text) == ("it broke", "mend it", "it broke; mend it")
    assert kind("it broke").hint == "" and kind("it broke").full_text == "it broke"


def test_a_traceback_shows_the_hint() -> None:
    try:
        raise QueryError("the query is blank", hint="give a title")
    except QueryError as error:
        shown = "".join(traceback.format_exception(error))
    if sys.version_info >= (3, 11):
        assert shown.endswith("QueryError: the query is blank\nhint: give a title\n")


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["search", " "], "the query is blank", "give a title or some words"),
        (["search", "x", "--store", "smple"], "no store named 'smple'", "did you mean sample?"),
        (["search", "x", "--where", "yaer=3"], "unknown field 'yaer'", ""),
        (["search", "x", "--mode", "fuzzy"], "invalid value for '--mode'", "search --help"),
        (["search", "x", "--modee", "dense"], "no such option '--modee'", "did you mean --mode"),
        (["search", "x", "-k", "many"], "invalid value for '--number'", "swimmer search --help"),
        (["search", "x", "-o", "x.docx"], "'x.docx' does not name a format", "add --format"),
        (["build"], "missing argument 'SOURCE'", "see: swimmer build --help"),
        (["serch", "x"], "no such command 'serch'", "did you mean search?"),
        (["--nonsense"], "no such option '--nonsense'", "see: swimmer --help"),
        (["venues", "nosuchvenue"], "no venue 'nosuchvenue'", ""),
    ],
)
def test_the_terminal_gets_one_line_for_each(
    swimmer: Run, arguments: list[str], error: str, hint: str
) -> None:
    done = swimmer(*arguments)
    lines = done.err.splitlines()
    assert done.code == 2 and done.out == ""
    assert lines[0].startswith("error: ") and error in lines[0]
    assert all(line.startswith("hint: ") for line in lines[1:]) and len(lines) <= 2
    assert hint in "".join(lines[1:])


def test_what_others_wrote_cannot_steer_the_terminal(swimmer: Run) -> None:
    done = swimmer("search", "x", "--store", "a\x1b[31mb\nc")
    assert "\x1b" not in done.err and len(done.err.splitlines()) <= 2


def test_a_tool_answers_with_error_and_hint(home: Path) -> None:
    build_store([Paper("Soft hands", id="1")], "kitchen").close()
    (find, _, get) = paper_tools("kitchen")
    told = get.invoke({"paper": "no such paper"})
    assert "no paper of the store kitchen" in told and "; find papers by" in told
    told = find.invoke({"title": "Soft hands", "year_from": 2020, "year_to": 2010})
    assert "later than year_to" in told and "; give the earlier year" in told


def test_a_store_that_is_not_there_names_near_ones_in_the_hint(home: Path) -> None:
    from swimmer import open_store

    build_store([Paper("Soft hands", id="1")], "kitchen2025").close()
    with pytest.raises(StoreNotFoundError) as caught:
        open_store("kitchen2024")
    assert str(caught.value) == "no store named 'kitchen2024'"
    assert "did you mean kitchen2025" in caught.value.hint


def test_a_hint_says_which_values_there_are() -> None:
    from swimmer import open_store

    with open_store("sample") as store, pytest.raises(QueryError) as caught:
        search(store, "graphs", mode="fuzzy")
    assert str(caught.value) == "unknown mode 'fuzzy'"
    assert caught.value.hint == "choose one of dense, keyword, hybrid"
