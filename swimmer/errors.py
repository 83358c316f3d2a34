"""The exceptions of swimmer.

    SwimmerError
    ├── InputError               a paper, a list or an argument is not valid
    │   ├── SourceError          a list of papers cannot be read or downloaded
    │   │   ├── FetchError       an address cannot be downloaded
    │   │   └── IncompleteError  an answer ended too early
    │   └── QueryError           a query is not valid: empty, k below 1, an unknown field
    │       └── UnreadableQueryError   it is blank, or holds nothing that the model can read
    ├── StoreError               a store cannot be opened, written or trusted
    │   ├── StoreNotFoundError   no store has this name or path
    │   ├── StoreBusyError       another process is writing to the store
    │   └── StoreDamagedError    the files are not those that the manifest names
    ├── ClusterError             a Ray cluster cannot be reached, or its workers are lost
    └── ModelError               an embedding model cannot be loaded, or returns wrong vectors
        ├── ModelMismatchError   it is not the model that the store was built with
        ├── UntrustedModelError  only the store names it, and the user has not allowed it
        └── MissingExtraError    an optional package is not installed

Every message says what is wrong with which value, and `hint` what to do. The command line prints
them as `error: …` and `hint: …`, and exits with code 2.
"""

from __future__ import annotations

# The hints that errors of several modules share.
CHECK_FILE = "see that the file is there and that you may read it"
TRY_LATER = "run the command again later; what was fetched is kept"
SITE_CHANGED = "run the command again later; if it stays so, the site has changed: please report it"


class SwimmerError(Exception):
    """The base class of every exception that swimmer raises on purpose.

    `str(error)` says what is wrong with which value; `hint` says what to do, "" for nothing. A
    traceback shows both.
    """

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        if hint:
            # What `add_note` does, which Python 3.10 lacks.
            self.__notes__ = [f"hint: {hint}"]

    @property
    def full_text(self) -> str:
        """The message and the hint in one line, for a place that has only one."""
        return f"{self}; {self.hint}" if self.hint else str(self)


class InputError(SwimmerError, ValueError):
    """A paper, a list or an argument is not valid."""


class SourceError(InputError):
    """A list of papers cannot be read or downloaded."""


class FetchError(SourceError):
    """An address cannot be downloaded; `status` is the HTTP status, or None without an answer."""

    def __init__(self, message: str, status: int | None = None, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class IncompleteError(SourceError):
    """An answer ended too early; the client asks once more."""


class QueryError(InputError):
    """A query is not valid."""


class UnreadableQueryError(QueryError):
    """A query is blank, or holds nothing that the model can read."""


class StoreError(SwimmerError):
    """A store cannot be opened, written or trusted."""


class StoreNotFoundError(StoreError, LookupError):
    """No store has this name or path."""


class RemoteStoreError(StoreError):
    """A store on a server has not what is asked for: that needs a store in a folder."""


class StoreUnavailableError(StoreError):
    """The server of a store does not answer in time; the same call may succeed later."""


class StoreBusyError(StoreError):
    """Another process is writing to the store."""


class StoreDamagedError(StoreError):
    """The files of a store are not those that its manifest names."""


REBUILD = "delete the store's folder and build it again"
"""The hint for a damaged store; a build alone would update it, and would read its files."""

UPGRADE = "upgrade with: pip install -U swimmer"
"""The hint for what a later swimmer can do."""

FORMAT_CHANGED = f"the publisher may have changed its format; {UPGRADE}"
"""The hint for an answer of a publisher that lacks what it should hold."""


class ClusterError(SwimmerError):
    """A Ray cluster cannot be reached, cannot embed, or has lost all its workers."""


class ModelError(SwimmerError):
    """An embedding model cannot be loaded, or returns wrong vectors."""


class ModelMismatchError(ModelError):
    """A model is not the one that the store was built with."""


class UntrustedModelError(ModelError):
    """A model that only a store names was not loaded: the user has not allowed it."""


class MissingExtraError(ModelError, ImportError):
    """An optional package is not installed; the hint is the line that installs it.

    `or_else` is another extra that would do.
    """

    def __init__(self, what: str, extra: str, or_else: str = "") -> None:
        other = f', or pip install "swimmer[{or_else}]"' if or_else else ""
        super().__init__(
            f"{what} needs a package that is not installed",
            hint=f'pip install "swimmer[{extra}]"{other}',
        )
        self.extra = extra
