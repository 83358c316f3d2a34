"""YAML: the programmes that conferences keep for their sites."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from swimmer.errors import SourceError
from swimmer.sources.formats.json_lists import list_in

STARTS = re.compile(
    r"(?:---[^\n]{0,40}\n|#[^\n]{0,500}\n|\s)*(?:-[ \t]{1,4}\w[\w ]{0,40}:(?:\s|$)"
    r"|\w[\w ]{0,40}:[ \t]*\n[ \t]{0,8}-[ \t])"
)


def yaml_records(text: str, name: str) -> Iterator[tuple[str, Any]]:
    """Yield (place, record) of a YAML document that holds a list.

    Raises:
        SourceError: it is no YAML, holds no list, or uses aliases, by which a few lines can
            unfold to any size.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=loader)):
            raise SourceError(
                f"{name}: YAML with aliases (*name)", hint="write the list without them"
            )
        value = yaml.load(text, Loader=loader)  # a safe loader: plain values only
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, SourceError):
            raise
        reason = " ".join(str(error).split())[:200]
        raise SourceError(
            f"{name}: not valid YAML ({reason})",
            hint="mend the file at that place, or export the list as JSON or CSV",
        ) from None
    if isinstance(value, dict):
        value = list_in({str(key): inner for key, inner in value.items()}, name)
    if not isinstance(value, list):
        raise SourceError(
            f"{name}: YAML holds {type(value).__name__}, expected a list of papers",
            hint="give the file that holds the list of papers",
        )
    for number, record in enumerate(value, 1):
        yield f"record {number}", _plain(record)


def _plain(value: Any) -> Any:
    """Return a value with its dates and times as text, as JSON has them."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
