"""Calls to Milvus: bounded in time, their failures as errors of swimmer."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import time
from typing import TYPE_CHECKING, Any

from swimmer.errors import (
    MissingExtraError,
    StoreBusyError,
    StoreError,
    StoreNotFoundError,
    StoreUnavailableError,
)
from swimmer.store.milvus_address import TOKEN, MilvusAddress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BATCH = 500
"""Papers that are sent or read in one call."""

MOST_FOUND = 16_000
"""Papers that one search may find; Milvus' own limit is 16,384."""


WAITS = (1.0, 4.0)
"""Seconds before a write that had no answer is tried again."""

OLDEST = (2, 5)
"""The version of a server from which it has BM25 functions."""

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})")
_log = logging.getLogger(__name__)


def check_version(said: str, where: str) -> None:
    """Check that a server is new enough; one that says no version is tried as it is.

    Raises:
        StoreError: it is older than OLDEST.
    """
    found = _VERSION.match(said)
    if found and (int(found[1]), int(found[2])) < OLDEST:
        raise StoreError(
            f"{where}: the server is Milvus {said[:30]}, which has no BM25 functions",
            hint=f"it has to be {'.'.join(map(str, OLDEST))} or later",
        )


class MilvusConnection:
    """An open connection to Milvus, and the collection that an address names.

    Each call takes at most the address's `timeout`, with the retries that pymilvus makes itself.
    """

    def __init__(self, address: MilvusAddress) -> None:
        needed = ("pymilvus", "milvus_lite") if address.local else ("pymilvus",)
        if any(importlib.util.find_spec(name) is None for name in needed):
            raise MissingExtraError("a store on Milvus", "milvus")
        # gRPC writes to the terminal what it says of a connection; its errors are raised.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        from pymilvus import MilvusClient

        # It writes the traceback of every error that it raises to the terminal.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL + 1)
        self.address = address
        # Else all stores of one address share a channel. When one more store is opened after a
        # pause, pymilvus closes it and opens another, though queries may be waiting.
        options: dict[str, Any] = {"timeout": address.timeout, "dedicated": True}
        if address.token:
            options["token"] = address.token
        if address.database:
            options["db_name"] = address.database
        try:
            self._client = MilvusClient(address.uri, **options)
            if not address.local:
                check_version(str(self._client.get_server_version()), address.shown)
        except _failures() as error:
            raise self._error(error) from None

    @property
    def name(self) -> str:
        """The name of the collection."""
        return self.address.collection

    def call(self, method: str, **arguments: Any) -> Any:
        """Call a method of pymilvus' client for the collection.

        Raises:
            StoreError: the server is down, slow, full or refuses.
        """
        try:
            return getattr(self._client, method)(
                collection_name=self.name, timeout=self.address.timeout, **arguments
            )
        except _failures() as error:
            raise self._error(error) from None

    def exists(self) -> bool:
        """Return whether the collection is there."""
        return bool(self.call("has_collection"))

    def properties(self) -> dict[str, str]:
        """Return the properties of the collection.

        Raises:
            StoreNotFoundError: there is no such collection.
        """
        if not self.exists():
            raise StoreNotFoundError(
                f"{self.address.shown}: there is no such collection",
                hint=f"push a store to it: swimmer push NAME {self.address.shown}",
            )
        found = self.call("describe_collection").get("properties")
        return {str(name): str(value) for name, value in dict(found or {}).items()}

    def write(self, rows: list[dict[str, Any]], moved: Sequence[str] = ()) -> None:
        """Write rows, in place of those of the same keys; tried again while no answer comes.

        Writing the same rows twice changes nothing, so an answer that was lost does no harm.
        `moved` are keys that may lie in another part of the collection: they are deleted first.

        Raises:
            StoreError: as `call` does, after TRIES times.
        """
        if moved:
            self.again("delete", ids=list(moved))
        self.again("upsert", data=rows)

    def again(self, method: str, **arguments: Any) -> Any:
        """Call a method that may be called twice, up to TRIES times while no answer comes."""
        for wait in [*WAITS, None]:
            try:
                return self.call(method, **arguments)
            except StoreUnavailableError:
                if wait is None:
                    raise
                _log.info("%s: no answer; tried again in %s s", self.address.shown, wait)
                time.sleep(wait)
        raise AssertionError

    def create(
        self, fields: Any, indexes: Any, properties: dict[str, str], partitions: int = 0
    ) -> None:
        """Create the collection, in so many parts, 0 for one."""
        more = {"num_partitions": partitions} if partitions else {}
        try:
            self._client.create_collection(
                self.name,
                schema=fields,
                index_params=indexes,
                properties=properties,
                consistency_level="Strong",
                timeout=self.address.timeout,
                **more,
            )
        except _failures() as error:
            raise self._error(error) from None

    def rows(self, output: list[str], expression: str = "") -> Iterator[list[dict[str, Any]]]:
        """Yield what is in the collection, in batches of at most BATCH."""
        try:
            reader = self._client.query_iterator(
                self.name,
                batch_size=BATCH,
                filter=expression,
                output_fields=output,
                timeout=self.address.timeout,
            )
        except _failures() as error:
            raise self._error(error) from None
        try:
            while True:
                try:
                    batch = reader.next()
                except _failures() as error:
                    raise self._error(error) from None
                if not batch:
                    return
                yield [dict(one) for one in batch]
        finally:
            reader.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _error(self, error: Exception) -> StoreError:
        shown = self.address.shown
        said = str(getattr(error, "message", None) or getattr(error, "details", str)() or error)
        said = " ".join(said.replace(self.address.token or "\0", "…").split())[:200]
        lower = said.lower()
        if any(word in lower for word in ("auth", "permission", "privilege", "unauthenticated")):
            return StoreError(
                f"{shown}: the server refuses: {said}", hint=f"set {TOKEN} to its token"
            )
        if self.address.local and any(word in lower for word in ("lock", "in use", "opened by")):
            return StoreBusyError(
                f"{shown}: another process has it open ({said})", hint="end that process first"
            )
        if any(word in lower for word in ("fail connecting", "unavailable", "deadline", "timeout")):
            return StoreUnavailableError(
                f"{shown}: no answer within {self.address.timeout:g} s",
                hint="see that the server runs and its address is right, or give ?timeout=SECONDS",
            )
        if "quota" in lower or "rate limit" in lower or "memory limit" in lower:
            return StoreError(
                f"{shown}: the server is full or limits the rate: {said}",
                hint="make room, then give the same command again; it goes on where it ended",
            )
        return StoreError(
            f"{shown}: Milvus could not do it: {said}",
            hint="see that the server is of version 2.5 or later, and its log",
        )


def _failures() -> tuple[type[Exception], ...]:
    import grpc
    from pymilvus.exceptions import MilvusException

    return MilvusException, grpc.RpcError, OSError, ValueError, RuntimeError
