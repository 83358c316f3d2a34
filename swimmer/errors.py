"""The errors of swimmer, one small tree.

    SwimmerError
    ├── InputError          a paper, a list or an argument is not what was expected
    │   ├── SourceError     a list of papers cannot be read or fetched
    │   │   ├── FetchError       an address cannot be fetched
    │   │   └── IncompleteError  an answer ended too early
    │   └── QueryError      a question cannot be asked (blank, k below 1, unknown field …)
    ├── StoreError          a store cannot be found, opened, written or trusted
    │   ├── StoreNotFoundError
    │   ├── StoreBusyError  another process is writing to it
    │   └── StoreDamagedError
    └── ModelError          an embedding model cannot be loaded, or answers wrongly
        ├── ModelMismatchError   it is not the model that a store was built with
        ├── UntrustedModelError  only a store names it, and the user has not allowed it
        └── MissingExtraError    an optional package is not installed

Every message says what was met, what was expected and what to do next; the command line
prints it as it stands and exits with 2.
"""

from __future__ import annotations


class SwimmerError(Exception):
    """Base of every error that swimmer raises on purpose."""


class InputError(SwimmerError, ValueError):
    """A paper, a list or an argument is not what was expected."""


class SourceError(InputError):
    """A list of papers cannot be read or fetched."""


class FetchError(SourceError):
    """An address could not be fetched; `status` is the HTTP status, or None without an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class IncompleteError(SourceError):
    """An answer ended too early; the client asks once more."""


class QueryError(InputError):
    """A question cannot be asked as it stands."""


class StoreError(SwimmerError):
    """A store cannot be found, opened, written or trusted."""


class StoreNotFoundError(StoreError, LookupError):
    """No store has the name or the path that was given."""


class StoreBusyError(StoreError):
    """Another process is writing to the store."""


class StoreDamagedError(StoreError):
    """The files of a store are not those that its manifest names."""


ANEW = "delete the store's folder and build it again"
"""What to do about a damaged store: a build alone would update it, and needs what it holds."""


class ModelError(SwimmerError):
    """An embedding model cannot be loaded, or answers wrongly."""


class ModelMismatchError(ModelError):
    """A model is not the one that a store was built with."""


class UntrustedModelError(ModelError):
    """A model that only a store names was not loaded: the user has not allowed it."""


class MissingExtraError(ModelError, ImportError):
    """An optional package is not installed; the message is the line that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs an extra: pip install "swimmer[{extra}]"')
        self.extra = extra
