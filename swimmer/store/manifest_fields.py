"""What each field of a manifest may hold, checked by hand: it may come from a stranger.

A validation library would cost more to import than a question costs to answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from swimmer.store.vector_formats import FORMATS

Check = Callable[[Any], bool]


def _whole(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _number(low: float, high: float) -> Check:
    # No number that is not finite lies between two that are; `isfinite` fails for a long integer.
    return lambda value: type(value) in (int, float) and low <= value <= high


def _text(limit: int, pattern: str = "") -> Check:
    form = re.compile(pattern, re.ASCII) if pattern else None

    def check(value: Any) -> bool:
        if type(value) is not str or len(value) > limit or not _encodable(value):
            return False
        return form is None or form.fullmatch(value) is not None

    return check


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        # An unpaired surrogate, as JSON may hold one, can be neither shown nor written.
        return False
    return True


def _flag(value: Any) -> bool:
    return type(value) is bool


def _time(value: Any) -> bool:
    if not _text(40)(value):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _list(limit: int, of: Check) -> Check:
    return lambda value: type(value) is list and len(value) <= limit and all(map(of, value))


def _mapping(limit: int, key: Check, of: Check) -> Check:
    return lambda value: (
        type(value) is dict
        and len(value) <= limit
        and all(map(key, value))
        and all(map(of, value.values()))
    )


def _lexical(value: Any) -> bool:
    return (
        type(value) is dict
        and value.keys() == {"weights", "probes"}
        and value["weights"] == "sparse"
        and _text(1 << 20, "[A-Za-z0-9+/= ]+")(value["probes"])
    )


_MODEL: dict[str, tuple[Check, bool]] = {
    "name": (_text(10_000), True),
    "revision": (_text(1_000), True),
    "dimension": (_whole(1, 1 << 20), True),
    "query_prompt": (_text(100_000), False),
    "document_prompt": (_text(100_000), False),
    "text": (_text(200), False),
    "normalized": (_flag, False),
    "languages": (_list(1_000, _text(100)), False),
    "fingerprint": (_text(16 << 20, "[A-Za-z0-9+/=]*"), False),
}


def _data_file(stem: str, ending: str) -> dict[str, tuple[Check, bool]]:
    return {
        # A name with a separator would reach outside the folder of the store.
        "name": (_text(100, rf"{stem}-[0-9a-f]{{12}}\.{ending}"), True),
        "size": (_whole(0, 1 << 50), True),
        "sha256": (_text(64, "[0-9a-f]{64}"), True),
    }


_MANIFEST: dict[str, tuple[Check, bool]] = {
    "papers": (_whole(0, 1 << 40), True),
    "model": (lambda value: type(value) is dict, True),
    "database": (lambda value: type(value) is dict, True),
    "index": (lambda value: type(value) is dict, True),
    "generation": (_text(64, "[0-9A-Za-z]+"), True),
    "created": (_time, True),
    "source": (_text(100_000), False),
    "probes": (_mapping(1_000, _text(15, r"0|[1-9]\d*"), _text(16, "[0-9a-f]{16}")), False),
    "exact": (_flag, False),
    "recall": (_number(0, 1), False),
    "thresholds": (_mapping(1_000, _text(200), _number(-1e9, 1e9)), False),
    "similarity": (_mapping(100, _text(200), _number(0, 100)), False),
    "vectors": (FORMATS.__contains__, False),
    "lexical": (_lexical, False),
    "schema": (_whole(1, 1 << 31), False),
}


_REMOTE: dict[str, tuple[Check, bool]] = {
    **{
        name: _MANIFEST[name]
        for name in ("model", "generation", "created", "source", "recall", "thresholds")
    },
    "similarity": _MANIFEST["similarity"],
    "index": (_text(40, "[A-Z_0-9]+"), True),
    "first_built": (_text(40), False),
    "partitions": (_whole(0, 1 << 16), False),
    "complete": (_flag, True),
    "format": (_whole(1, 1 << 31), True),
}


def checked_remote(raw: Any) -> dict[str, Any]:
    """Return the fields of the manifest of a store on a server; as `checked_fields` otherwise."""
    fields = _checked(raw, _REMOTE, "")
    model = fields["model"] = _checked(fields["model"], _MODEL, "model.")
    model["languages"] = tuple(model.get("languages", ()))
    return fields


def checked_fields(raw: Any) -> dict[str, Any]:
    """Return the fields of a manifest, each of the type and within the bounds it must have.

    Args:
        raw: what stood in the file, parsed.

    Raises:
        ValueError: a field is missing, unknown, or not what it must be; the message names it.
    """
    fields = _checked(raw, _MANIFEST, "")
    model = fields["model"] = _checked(fields["model"], _MODEL, "model.")
    model["languages"] = tuple(model.get("languages", ()))
    for name, ending in (("database", "sqlite"), ("index", "faiss")):
        stem = "papers" if name == "database" else "index"
        fields[name] = _checked(fields[name], _data_file(stem, ending), f"{name}.")
    for row in fields.get("probes", {}):
        if int(row) >= fields["papers"]:
            raise ValueError(f"its field probes names row {row} of {fields['papers']} papers")
    return fields


def _checked(raw: Any, allowed: Mapping[str, tuple[Check, bool]], where: str) -> dict[str, Any]:
    if type(raw) is not dict:
        raise ValueError(f"holds {shortened(raw)}, not the fields of a manifest")
    for name in raw:
        if name not in allowed:
            raise ValueError(f"its field {where}{shortened(name)} is not known")
    for name, (check, needed) in allowed.items():
        if name in raw:
            if not check(raw[name]):
                raise ValueError(f"its field {where}{name} is {shortened(raw[name])}")
        elif needed:
            raise ValueError(f"its field {where}{name} is missing")
    return dict(raw)


def shortened(value: Any) -> str:
    """Return a value from outside as a message may show it."""
    if isinstance(value, (dict, list)):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**18:
        return "a number of more than 18 digits"
    return f"{value!r:.80}"
