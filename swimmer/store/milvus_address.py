"""Addresses of stores on Milvus: `milvus://host:19530/NAME`, `milvus+file:PATH.db`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from swimmer.errors import StoreError

TOKEN = "SWIMMER_MILVUS_TOKEN"
"""The environment variable with the token, or USER:PASSWORD, of a server."""

TIMEOUT = 30.0
"""Seconds that one call to a server may take, its retries included."""

_PREFIX = re.compile(r"milvus(\+tls|\+file)?:", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}", re.ASCII)
_FORMS = (
    "milvus://HOST:19530/NAME, milvus://HOST:19530/DATABASE/NAME, milvus+tls://HOST:19530/NAME or "
    "milvus+file:PATH.db#NAME"
)


@dataclass(frozen=True)
class MilvusAddress:
    """Where a store on Milvus is.

    `uri` is what pymilvus takes, `shown` the address without its token, `timeout` the seconds
    that one call may take. `local` is True for a file of milvus-lite.
    """

    uri: str
    collection: str
    shown: str
    database: str = ""
    token: str = field(default="", repr=False)
    timeout: float = TIMEOUT
    local: bool = False

    @classmethod
    def read(cls, address: str) -> MilvusAddress:
        """Return the parts of an address.

        Raises:
            StoreError: it is none.
        """
        form = _PREFIX.match(address)
        if form is None:
            raise StoreError(f"{address[:80]!r} is no address of Milvus", hint=f"give {_FORMS}")
        try:
            if (form[1] or "").lower() == "+file":
                return _file(address[form.end() :])
            return _server(address, tls=(form[1] or "").lower() == "+tls")
        except ValueError as error:
            raise StoreError(
                f"the address of Milvus cannot be read: {error}", hint=f"give {_FORMS}"
            ) from None


def _file(rest: str) -> MilvusAddress:
    name, _, collection = rest.partition("#")
    if not name.endswith(".db"):
        raise ValueError(f"the file {name[:80]!r} does not end in .db")
    path = Path(name).expanduser().absolute()
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent}")
    collection = _checked_name(collection or "papers")
    shown = f"milvus+file:{name}#{collection}"
    return MilvusAddress(str(path), collection, shown, local=True)


def _server(address: str, *, tls: bool) -> MilvusAddress:
    parts = urlsplit(address)
    if not parts.hostname:
        raise ValueError("it names no host")
    options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    if unknown := options.keys() - {"timeout"}:
        raise ValueError(f"its option {min(unknown)[:40]!r} is not known; there is timeout")
    timeout = float(options.get("timeout", TIMEOUT))
    if not 0.1 <= timeout <= 3600:
        raise ValueError("its timeout is not a number of seconds from 0.1 to 3600")
    *database, collection = parts.path.strip("/").split("/")
    if len(database) > 1:
        raise ValueError("it names more than a database and a collection")
    port = parts.port or 19530
    token = ":".join(unquote(one) for one in (parts.username, parts.password) if one)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = f"{host}:{port}"
    shown = "/".join([f"milvus{'+tls' * tls}://{place}", *database, _checked_name(collection)])
    return MilvusAddress(
        f"http{'s' * tls}://{place}",
        collection,
        shown,
        _checked_name(database[0]) if database else "",
        token or os.environ.get(TOKEN, ""),
        timeout,
    )


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"the name {name[:60]!r} is not one of letters, digits and _, a letter or _ first"
        )
    return name
