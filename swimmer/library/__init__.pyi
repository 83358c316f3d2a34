"""The names that other packages may use."""

from .reading_list import (
    NOTE_LIMIT as NOTE_LIMIT,
    ListEntry as ListEntry,
    ReadingList as ReadingList,
    entry_key as entry_key,
)
