"""Arguments that LangChain passes on: those that are known, and the error for a misspelt one."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from swimmer.errors import QueryError

SEARCH_TYPES = ("similarity", "mmr", "similarity_score_threshold")
"""How a retriever of LangChain searches; the names of `VectorStore.as_retriever`."""

OF_SEARCH_TYPES = ("fetch_k", "lambda_mult", "score_threshold")
"""The arguments of LangChain's retrievers that are no search options of ours."""


def refuse_unknown(unknown: dict[str, Any], *known: str) -> None:
    """Raise QueryError for a misspelt argument, which LangChain's own stores ignore."""
    for name in unknown:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
        raise QueryError(f"unknown argument {name!r:.60}; {hint}")


def checked_batch_size(value: object) -> int | None:
    """Return a batch size, or raise QueryError when it is no whole number above 0, or None."""
    return None if value is None else checked_count("batch_size", value)


def checked_count(name: str, value: object) -> int:
    """Return a whole number above 0, or raise QueryError with the argument's name."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise QueryError(f"{name} is a whole number from 1, got {value!r:.40}")
    return value


def checked_number(
    name: str, value: Any, lowest: float = -math.inf, highest: float = math.inf
) -> float:
    """Return a number between two bounds, or raise QueryError with the argument's name."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if number and lowest <= float(value) <= highest:
        return float(value)
    bounds = "" if math.isinf(lowest) else f" from {lowest:g} to {highest:g}"
    raise QueryError(f"{name} is a number{bounds}, got {value!r:.40}")


def of_search_type(
    search_type: str, arguments: Mapping[str, Any], diversity: float
) -> tuple[dict[str, Any], float | None]:
    """Return arguments as search options, and the lowest score wanted or None.

    `mmr` is a search with `diversity`: 1 - `lambda_mult`, the option where it is given, else 0.5.
    `fetch_k` is taken for the sake of LangChain's FAISS and not used.

    Args:
        search_type: one of `SEARCH_TYPES`.
        arguments: search options, `k` and those of `OF_SEARCH_TYPES`.
        diversity: the option where `arguments` have none.

    Raises:
        QueryError: the search type is not known, lacks the argument it needs, or does not have one
            that is given.
    """
    if not isinstance(arguments, Mapping):
        raise QueryError(
            f"search_kwargs is a mapping of arguments, got {arguments!r:.60}",
            hint='give search_kwargs={"k": 5}',
        )
    if search_type not in SEARCH_TYPES:
        raise QueryError(
            f"unknown search_type {search_type!r:.40}",
            hint=f"choose one of {', '.join(SEARCH_TYPES)}",
        )
    options = {name: v for name, v in arguments.items() if name not in OF_SEARCH_TYPES}
    weight, threshold = arguments.get("lambda_mult"), arguments.get("score_threshold")
    if weight is not None:
        if search_type != "mmr":
            raise QueryError(
                f"lambda_mult has no effect with search_type {search_type}",
                hint="use search_type='mmr', or leave it out",
            )
        options["diversity"] = 1 - checked_number("lambda_mult", weight, 0, 1)
    elif search_type == "mmr" and "diversity" not in options:
        options["diversity"] = diversity or 0.5
    if threshold is not None:
        threshold = checked_number("score_threshold", threshold)
    elif search_type == "similarity_score_threshold":
        raise QueryError(
            "search_type similarity_score_threshold needs a score_threshold",
            hint='give search_kwargs={"score_threshold": 0.5}',
        )
    return options, threshold
