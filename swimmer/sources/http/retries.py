"""Which failures are tried again, and after how long; what the others mean."""

from __future__ import annotations

import socket
import time
from email.utils import parsedate_to_datetime

RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses that may pass."""

STATUS_HINTS = {
    401: "it needs credentials; docs/sources.md names the variables that hold them",
    403: "it may need credentials (docs/sources.md), or fewer requests a minute; try again later",
    404: "check the address; the page may not be published yet, or have moved",
    410: "the page was removed; look for its new address",
}


class RetryableError(Exception):
    """A failure that may pass.

    Attributes:
        status: the HTTP status, None without an answer.
        wait: the seconds that the host asks to wait, None where it does not.
        unnamed: whether the name of the host has no address.
    """

    def __init__(
        self,
        what: str,
        status: int | None = None,
        wait: float | None = None,
        unnamed: bool = False,
    ) -> None:
        super().__init__(what)
        self.status, self.wait, self.unnamed = status, wait, unnamed


def retry_after(value: str) -> float | None:
    """Return the seconds that a `Retry-After` header asks to wait, None when it is no number."""
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return float(value[:12])
    try:
        return max(0.0, parsedate_to_datetime(value[:100]).timestamp() - time.time())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def has_no_address(error: BaseException) -> bool:
    """Return whether an error comes from a name of a host that has no address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
