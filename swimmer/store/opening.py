"""Opening a store by its name, its folder or its address."""

from __future__ import annotations

from pathlib import Path

from swimmer.store.default import default_store
from swimmer.store.names import find_store, is_milvus
from swimmer.store.store import PaperStore


def open_store(
    store: str | Path | None = None, *, trust_model: bool = False, refresh: bool = True
) -> PaperStore:
    """Open a store by name or path; without one, the default: the one set, else the newest.

    Args:
        store: a name, the path of a folder, or the address of a store on Milvus:
            `milvus://host:19530/NAME`, `milvus+file:PATH.db` (`docs/scale.md`).
        trust_model: load the model that the store names, also when you have not named or used it
            before; it is remembered. Only for a store whose maker you trust.
        refresh: follow what other processes commit: each query looks whether the manifest was
            replaced, and is answered from the newest state. False keeps to the state of now.

    Raises:
        StoreNotFoundError: there is no such store.
        StoreDamagedError: its manifest cannot be read, or its files are not those named in it.
        StoreError: a server does not answer or refuses.
    """
    if is_milvus(store):
        from swimmer.store.milvus import MilvusStore

        return MilvusStore.connect(str(store), trust_model=trust_model)
    folder = default_store() if store is None else find_store(store)
    return PaperStore.open(folder, trust_model=trust_model, refresh=refresh)
