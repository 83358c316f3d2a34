"""Values of metadata and filters as JSON knows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

_DEPTH = 200
_PLAIN = frozenset((str, int, bool, type(None)))
"""The types whose values stay as they are; not those that derive from them."""


def plain_value(value: Any, depth: int = 0, *, finite: bool = True) -> Any:
    """Return a value with what programs commonly hold turned into what JSON has.

    NumPy's scalars and arrays become numbers and lists; a date or a time ISO 8601 text; a UUID, a
    path, and bytes of UTF-8 text; a decimal and a duration (in seconds) a number; an enumeration
    its value; tuples and sets lists; with `finite`, a number that is not finite None. Anything else
    stays.

    Raises:
        RecursionError: the value is nested deeper than 200.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, (bool, int)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) or not finite else None
    if depth > _DEPTH:
        raise RecursionError("nested too deep")
    if isinstance(value, Mapping):
        return {
            key if type(key) is str else plain_key(key): (
                one if type(one) in _PLAIN else plain_value(one, depth + 1, finite=finite)
            )
            for key, one in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [plain_value(one, depth + 1, finite=finite) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(
            (plain_value(one, depth + 1, finite=finite) for one in value), key=lambda one: str(one)
        )
    if isinstance(value, Enum):
        return plain_value(value.value, depth + 1, finite=finite)
    return _plain_object(value, depth, finite)


def plain_key(key: Any) -> Any:
    """Return the key of a mapping: text stays, what is commonly written as text becomes it."""
    return str(plain_value(key)) if isinstance(key, (UUID, PurePath, date, Enum)) else key


def _plain_object(value: Any, depth: int, finite: bool) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (date, time)):
        # A missing time of pandas is a date too, and equals nothing.
        return value.isoformat() if value == value else None
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, (UUID, PurePath)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    if hasattr(value, "dtype") and callable(getattr(value, "tolist", None)):
        # By its attributes: numpy itself is not loaded for it.
        converted = value.tolist()
        return value if converted is value else plain_value(converted, depth + 1, finite=finite)
    return value
