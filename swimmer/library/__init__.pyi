"""The names that other packages may use."""

from .reading_list import (
    NOTE_LIMIT as NOTE_LIMIT,
    Entry as Entry,
    ReadingList as ReadingList,
    entry_key as entry_key,
)
