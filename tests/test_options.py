"""Search options: one list of names for every front end, checked when they are made."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import click
import pytest

from swimmer import Paper, PaperRetriever, PaperStore, ask, search
from swimmer.cli.related import related_command
from swimmer.cli.search import search_command
from swimmer.errors import QueryError
from swimmer.retrieval import MODES, OPTION_NAMES, SearchArguments, SearchOptions
from tests.query_fixtures import small_papers, store_of


@pytest.fixture(scope="module")
def store() -> PaperStore:
    return store_of(small_papers())


def test_every_front_end_has_the_same_options() -> None:
    names = set(OPTION_NAMES)
    assert set(SearchArguments.__annotations__) == names
    assert names | {"store", "k"} <= set(PaperRetriever.model_fields)
    for command in (search_command, related_command):
        given = {option.name for option in command.params}
        assert {"where", "like", "unlike", "mode", "diversity", "group", "rerank", "why"} <= given
        (mode,) = [option for option in command.params if option.name == "mode"]
        assert isinstance(mode.type, click.Choice) and list(mode.type.choices) == list(MODES)


def test_defaults_of_the_retriever_are_those_of_a_plain_search() -> None:
    plain = SearchOptions()
    for name in OPTION_NAMES:
        assert PaperRetriever.model_fields[name].default == getattr(plain, name), name


def test_options_are_frozen_and_take_any_sequence_of_examples() -> None:
    options = SearchOptions(like=["a title"], unlike=(Paper("Another title"),))
    assert options.like == ("a title",) and options.unlike == (Paper("Another title"),)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.mode = "keyword"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"mode": "fuzzy"}, "dense, keyword, hybrid"),
        ({"mode": ["dense"]}, "unknown mode"),
        ({"mode": None}, "unknown mode"),
        ({"diversity": -0.1}, "from 0 to 1"),
        ({"diversity": "0.3"}, "from 0 to 1"),
        ({"diversity": float("nan")}, "from 0 to 1"),
        ({"like": "one title"}, "like takes a list"),
        ({"unlike": Paper("One paper")}, "unlike takes a list"),
        ({"like": 3}, "like takes a list"),
        ({"unlike": ["x"], "mode": "keyword"}, "dense or hybrid"),
        ({"include_self": 1}, "include_self is True or False"),
        ({"lookup": "no"}, "lookup is 'no'"),
        ({"group": None}, "group is True or False"),
        ({"explain": "yes"}, "explain is True or False"),
        ({"rerank": 0.5}, "cross-encoder"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_searched(
    arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(QueryError, match=re.escape(said)):
        SearchOptions(**arguments)


def test_arguments_by_name_take_the_place_of_those_in_the_options(store: PaperStore) -> None:
    options = SearchOptions(mode="keyword", group=True)
    query = "graph diffusion"
    assert search(store, query, 5, options) == search(store, query, 5, mode="keyword", group=True)
    mixed = search(store, query, 5, options, mode="dense", explain=True)
    assert mixed == search(store, query, 5, mode="dense", group=True, explain=True)
    assert options.mode == "keyword"


def test_one_set_of_options_serves_one_store_and_several(store: PaperStore, tmp_path: Path) -> None:
    from swimmer.retrieval import ask_stores

    options = SearchOptions(mode="hybrid", include_self=True)
    (alone,) = ask(store, ["graph diffusion"], 5, options)
    (several,) = ask_stores([store], ["graph diffusion"], 5, options)
    assert alone == several


def test_a_misspelt_option_is_refused(store: PaperStore) -> None:
    with pytest.raises(TypeError, match="filtre"):
        search(store, "graphs", filtre={})  # type: ignore[call-arg]
