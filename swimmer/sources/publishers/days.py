"""Days as they are written after the name of a source: a year, a month or a day."""

from __future__ import annotations

import datetime

from swimmer.errors import SourceError


def first_or_last_day(text: str, *, last: bool) -> datetime.date:
    """Return the first or last day of `2025`, `2025-09` or `2025-09-08`.

    Raises:
        SourceError: there is no such day.
    """
    parts = [int(part) for part in text.split("-")]
    try:
        if len(parts) == 3:
            return datetime.date(parts[0], parts[1], parts[2])
        month = parts[1] if len(parts) == 2 else (12 if last else 1)
        day = datetime.date(parts[0], month, 1)
    except ValueError as error:
        raise SourceError(
            f"{text!r} is not a date ({error})", hint="write it as in 2025-01-31"
        ) from None
    if not last:
        return day
    return (day + datetime.timedelta(days=31)).replace(day=1) - datetime.timedelta(days=1)
