"""Models for tests: no weights, no network, the same vectors on every machine."""

from __future__ import annotations

import hashlib
import re
import time

import numpy as np


class HashEmbeddings:
    """A bag of words, each word a fixed random direction; LangChain's two methods."""

    def __init__(
        self, dimension: int = 64, salt: str = "", delay: float = 0.0, fail_after: int | None = None
    ) -> None:
        self.dimension, self.salt, self.delay, self.fail_after = dimension, salt, delay, fail_after
        self.embedded: list[str] = []

    def _vector(self, text: str) -> np.ndarray:
        total = np.zeros(self.dimension)
        for word in re.findall(r"\w+", text.casefold()):
            seed = hashlib.blake2b((self.salt + word).encode(), digest_size=8).digest()
            total += np.random.default_rng(int.from_bytes(seed, "big")).standard_normal(
                self.dimension
            )
        return total

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        for text in texts:
            if self.fail_after is not None and len(self.embedded) >= self.fail_after:
                raise ConnectionError("the service went away")
            self.embedded.append(text)
            if self.delay:
                time.sleep(self.delay)
        return [self._vector(text).tolist() for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return list(map(float, self._vector(text)))
