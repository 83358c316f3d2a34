"""Tables with a header: CSV and TSV, Excel workbooks, Parquet files."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from swimmer.errors import MissingExtraError, SourceError
from swimmer.sources.formats.blanks import is_blank
from swimmer.sources.formats.fields import could_be_title, field_name, slot_of
from swimmer.sources.formats.json_lists import LINE_LIMIT, lines_of
from swimmer.sources.formats.records import NotAPaper
from swimmer.sources.formats.tagged import WOS_COLUMNS

Columns = Mapping[str, str]
"""What the user says about columns: the name of the column of a field, by field."""

_DELIMITERS = (",", "\t", ";", "|")
_SHEET_ROWS = 2_000_000
_SEARCHED_ROWS = 20
_WORKBOOK_ERRORS = (
    OSError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    SyntaxError,
    NotImplementedError,
    zipfile.BadZipFile,
)


def table_delimiter(first_line: str, columns: Columns | None = None) -> str:
    """Return what separates the columns of a header line, "" when no column holds titles."""
    if first_line.lstrip().startswith("\\"):
        return ""
    found = ""
    width = 0
    for delimiter in _DELIMITERS:
        header = header_of(first_line, delimiter)
        if len(header) > width and title_column(header, columns) is not None:
            found, width = delimiter, len(header)
    return found


def header_of(first_line: str, delimiter: str) -> list[str]:
    """Return the names of the columns in a line, none when it cannot be read."""
    try:
        return next(csv.reader([first_line], delimiter=delimiter), [])
    except csv.Error:
        return []


def title_column(header: Sequence[str], columns: Columns | None = None) -> int | None:
    """Return the place of the column with titles, None when no name of a column says it."""
    names = [field_name(name) for name in untagged(header)]
    if columns and "title" in columns:
        wanted = field_name(columns["title"])
        return names.index(wanted) if wanted in names else None
    ranked = [
        (slot[1], at)
        for at, name in enumerate(names)
        if (slot := slot_of(name)) and slot[0] == "title"
    ]
    if ranked:
        return min(ranked)[1]
    return next((at for at, name in enumerate(names) if could_be_title(name)), None)


def untagged(header: Sequence[str]) -> list[str]:
    """Return a header with names for Web of Science's two-letter tags, where it has those."""
    names = [str(name).strip().lstrip("\ufeff") for name in header]
    if "TI" in names and "AU" in names:
        return [WOS_COLUMNS.get(name, name) for name in names]
    return [str(name) for name in header]


def delimited_records(
    head: str, stream: IO[str], name: str, columns: Columns | None = None
) -> Iterator[tuple[str, Any]]:
    """Yield (place, record) of CSV, TSV or the like that begins with `head`.

    Raises:
        SourceError: a row cannot be read, or the header lacks a column that the user named.
    """
    start = head.lstrip()
    first_line = (start.splitlines() or [""])[0]
    delimiter = table_delimiter(first_line, columns)
    if not delimiter and columns:
        raise _no_column(name, header_of(first_line, ","), columns)
    body = ((line + "\n").replace("\x00", "") for line in lines_of(start, stream))
    previous = csv.field_size_limit(LINE_LIMIT)
    try:
        reader = csv.reader(body, delimiter=delimiter or ",", strict=False)
        header = next(reader, [])
        named = _renamed(header, name, columns)
        while True:
            place = f"line {reader.line_num + 1}"
            row = next(reader, None)
            if row is None:
                return
            if not row:
                continue
            if len(named) == 1:
                # Hand-made: a title with a comma in it, without quotation marks.
                row = [(delimiter or ",").join(row)]
            if any(cell.strip() for cell in row[len(named) :]):
                # A stray separator shifts every field after it: such a row cannot be trusted.
                yield place, NotAPaper("more fields than the header")
                continue
            yield place, {key: value for key, value in zip(named, row, strict=False) if value}
    except csv.Error as error:
        raise SourceError(
            f"{name}: line {reader.line_num}: {error}",
            hint="open the file in a spreadsheet and save it as CSV again",
        ) from None
    finally:
        csv.field_size_limit(previous)


def _renamed(header: Sequence[str], name: str, columns: Columns | None) -> list[str]:
    """Return the header with the columns that the user named under the names of their fields."""
    named = untagged(header)
    for field, column in (columns or {}).items():
        wanted = field_name(column)
        at = next((i for i, text in enumerate(header) if field_name(str(text)) == wanted), None)
        if at is None:
            raise _no_column(name, header, {field: column})
        # Another column of the field's own name stays, but must not count before this one.
        named = [f"{text} (other)" if field_name(text) == field else text for text in named]
        named[at] = field
    return named


def _no_column(name: str, header: Sequence[str], columns: Columns) -> SourceError:
    field, column = next(iter(columns.items()))
    known = ", ".join(repr(str(text)[:30]) for text in header[:12])
    return SourceError(
        f"{name}: no column {column!r} for the field {field!r}", hint=f"the columns are {known}"
    )


def workbook_records(
    path: Path | IO[bytes], name: str, columns: Columns | None = None
) -> Iterator[tuple[str, Any]]:
    """Yield (place, record) of an Excel workbook: of each sheet with a header that names titles.

    Raises:
        SourceError: it cannot be read, or no sheet has such a header.
        MissingExtraError: openpyxl is not installed.
    """
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise MissingExtraError(f"{name}: an Excel file; reading it", "tables") from None
    sheets: list[_Sheet] = []
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        for worksheet in book.worksheets:
            sheets.append(sheet := _Sheet(str(worksheet.title), name, columns))
            yield from sheet.records(worksheet.iter_rows(values_only=True))
        book.close()
    except _WORKBOOK_ERRORS as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(
            f"{name}: cannot be read as an Excel file ({error})",
            hint="open it in a spreadsheet and save it as .xlsx or CSV again",
        ) from None
    if not any(sheet.named for sheet in sheets):
        headers = next((sheet.first_row for sheet in sheets if sheet.first_row), [])
        shown = ", ".join(repr(text[:30]) for text in headers[:12])
        raise SourceError(
            f"{name}: no sheet has a column title (found: {shown or 'nothing'})",
            hint="name the column of titles: --columns title=NAME",
        )


class _Sheet:
    """A sheet of a workbook: its header is the first row that names a column of titles."""

    def __init__(self, title: str, name: str, columns: Columns | None) -> None:
        self.title = title
        self.named: list[str] = []
        self.first_row: list[str] = []
        self._name, self._columns = name, columns

    def records(self, rows: Iterable[Sequence[Any]]) -> Iterator[tuple[str, Any]]:
        for number, row in enumerate(rows, 1):
            cells = [_cell(value) for value in row]
            if number > (_SHEET_ROWS if self.named else _SEARCHED_ROWS):
                return
            if self.named:
                if any(not is_blank(cell) for cell in cells):
                    yield f"{self.title}, row {number}", _row(self.named, cells)
                continue
            header = [str(cell) for cell in cells]
            self.first_row = self.first_row or [text for text in header if text]
            if title_column(header, self._columns) is not None:
                self.named = _renamed(header, self._name, self._columns)


def _row(named: Sequence[str], cells: Sequence[Any]) -> dict[str, Any]:
    return {key: cell for key, cell in zip(named, cells, strict=False) if key and cell != ""}


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def parquet_records(
    path: Path, name: str, columns: Columns | None = None
) -> Iterator[tuple[str, Any]]:
    """Yield (place, record) of a Parquet file, read by blocks.

    Raises:
        SourceError: it cannot be read, or no column holds titles.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise MissingExtraError(f"{name}: a Parquet file; reading it", "tables") from None
    try:
        with parquet.ParquetFile(path) as file:
            header = list(file.schema_arrow.names)
            if title_column(header, columns) is None:
                shown = ", ".join(repr(text[:30]) for text in header[:12])
                raise SourceError(
                    f"{name}: no column holds titles (the columns are {shown})",
                    hint="name the column of titles: --columns title=NAME",
                )
            named = _renamed(header, name, columns)
            number = 0
            for batch in file.iter_batches(batch_size=1_000):
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", dict(zip(named, map(_value, row.values()), strict=True))
    except (ArrowException, OSError, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        reason = " ".join(str(error).split())[:160]
        raise SourceError(
            f"{name}: cannot be read as a Parquet file ({reason})",
            hint="write the file again, or export the table as CSV",
        ) from None


def _value(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool, list, dict)) or value is None:
        return value
    return str(value)
