"""A small corpus of our own, and stores of it, for the tests of questions."""

from __future__ import annotations

import numpy as np

from swimmer.embeddings import Embeddings, Model
from swimmer.papers.paper import Paper
from swimmer.store.store import PaperStore

TOPICS = {
    "reward": "Reinforcement learning agents maximise a reward by trial; policy gradients with "
    "variance reduction train them. We propose a baseline. Experiments on Atari show gains.",
    "graph": "Graph neural networks pass messages between nodes. Deep ones oversmooth. We "
    "introduce residual message passing. Results on citation graphs improve accuracy.",
    "diffusion": "Diffusion models denoise images step by step. Sampling is slow. Our method "
    "distils the sampler. It reaches the quality of a thousand steps in four.",
    "privacy": "Federated learning trains on phones without moving data. Gradients still leak. "
    "We present secure aggregation with differential privacy. The loss in accuracy is small.",
}
WORDS = ("adaptive", "robust", "sparse", "scalable", "causal", "hierarchical", "online", "linear")


def small_papers() -> list[Paper]:
    """Thirty-two papers on four topics, with authors, keywords, years, areas and odd fields."""
    papers = []
    for i, word in enumerate(WORDS):
        for j, (topic, abstract) in enumerate(TOPICS.items()):
            extra: dict[str, object] = {"area": f"{topic} methods", "score": i + j / 2}
            if i % 2:
                extra["oral"] = bool(j % 2)
            if i % 3 == 0:
                extra["tags"] = [word, topic, i]
            papers.append(
                Paper(
                    title=f"{word.title()} {topic} learning, part {i}",
                    abstract=f"{word.title()} ideas meet {topic}. {abstract}",
                    url=f"https://example.org/{topic}/{i}",
                    authors=(f"Ada {word.title()}", f"Bo {topic.title()}"),
                    venue="ICLR" if i % 2 else "NeurIPS",
                    year=2019 + i if i != 5 else None,
                    keywords=(word, f"{topic} learning") if j else (),
                    status="Oral" if i == 0 else "Poster",
                    extra=extra,
                )
            )
    return papers


class RandomEmbeddings:
    """A model for tests that need vectors and no meaning: one random vector for each text."""

    model_name = "random-for-tests"

    def embed_query(self, text: str) -> list[float]:
        seed = sum(ord(char) * (i + 1) for i, char in enumerate(text)) % 2**32
        return list(map(float, np.random.default_rng(seed).normal(size=8)))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]


def store_of(papers: list[Paper], model: str | Model | Embeddings = "static") -> PaperStore:
    """An uncommitted store of papers."""
    store = PaperStore.create(model if isinstance(model, (str, Model)) else Model(model, "random"))
    store.add(papers)
    return store
