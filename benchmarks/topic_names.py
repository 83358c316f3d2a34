"""Are the names of a map's topics right, and apart? Against labels, and read by eye.

    python -m benchmarks.topic_names [SET …] [--read STORE …] [--each]

SET is `topics_iclr2024` or `ijcai`, folders of `../shared/bench` (or of --data). The map of each
is made with the bundled model; its topics are named by swimmer and, as the baseline, by class-based
TF-IDF over phrases of one to three words (Grootendorst, 2022), both from titles and abstracts. Of
each topic the label that most of its papers have is looked up: the conference's own topic
(`topics_iclr2024`), or the sub-area of IJCAI whose papers (those relevant to one query) overlap
most with the topic's. The sub-areas of those queries were written down by hand, in AREAS.

| printed | is |
| --- | --- |
| right | names that share a word (its stem) with the label, or with its line in SYNONYMS |
| of | topics whose label says something; "Theory" and "Everything Else" do not |
| alike | names that are the same as another |
| shared | content words that two names or more have |
| in titles | names that stand in a title of their topic, as they are |
| covers | median share of a topic's papers with the name in title or abstract |
| own | median share of the papers with the name in the title that are the topic's |

`--read` prints all names of a store's map, for reading.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swimmer import Paper, PaperStore, build_store, open_store, paper_map
from swimmer.analysis import PaperMap
from swimmer.analysis.map.topic_names import topic_names
from swimmer.analysis.map.topics import paper_text
from swimmer.store import stems

DATA = Path(__file__).parents[2] / "shared" / "bench"
SETS = ("topics_iclr2024", "ijcai")

GENERIC = frozenset(
    "and of the for in to with on etc deep learning machine neural network networks model models "
    "general other methods techniques systems system theory algorithms analysis data approach "
    "aspects everything else applications theory miscellaneous social probabilistic".split()
)
"""Words that do not tell one topic from another."""

AREAS = {
    "multi-agent reinforcement learning": (162, 226, 363, 362, 102),
    "reinforcement learning": (399, 311, 142),
    "3D computer vision": (88, 31),
    "object detection": (135, 195, 81),
    "recognition and localization of objects": (217,),
    "heuristic search": (348, 192, 108, 194),
    "combinatorial optimization and routing": (364, 170),
    "answer set programming and logic": (288, 72, 395),
    "satisfiability": (156,),
    "description logics and ontologies": (290, 203),
    "AI ethics, trust, fairness": (380, 344, 281, 230),
    "explainability": (283, 46, 2, 15, 233, 350, 96),
    "domain adaptation and transfer": (316, 133, 343),
    "weakly supervised and noisy labels": (143, 253),
    "matching of images": (23,),
    "image synthesis and restoration": (85, 260, 300, 313, 66),
    "dataset condensation": (36,),
    "graphs": (298, 167, 185, 52, 345, 65),
    "federated learning": (341, 33, 276, 225, 359, 76),
    "fair division": (396, 267, 166, 151, 63, 43),
    "planning and verification": (377, 346, 201, 59),
    "multi-agent planning": (47, 42),
    "vision and language": (320, 356, 70, 17, 333),
    "text and character recognition": (0,),
    "video generation": (57,),
    "time series": (28, 86, 234, 204, 241, 131),
    "language models": (186, 198, 306, 308, 373, 29),
    "adversarial attacks and robustness": (37, 334, 132, 163, 95, 254),
    "question answering, reasoning": (50, 176, 259, 360, 56, 148),
    "spatial and temporal data": (242, 238, 98, 291),
    "music and audio": (245, 287, 158, 91, 237),
    "game theory": (252, 347, 191, 114),
    "social choice": (172, 229, 354, 25, 278, 150),
    "recommender systems": (284, 18, 261, 215, 5),
    "neuroscience, spiking networks": (200, 39, 139, 179, 352),
    "causality": (286, 62, 182, 128),
    "information extraction": (171, 330, 353),
    "anomaly detection": (357, 293, 246, 312, 392),
    "clustering": (317, 280, 187, 389, 74),
    "bioinformatics and medicine": (94, 175, 367, 178),
}
"""Sub-areas of IJCAI, and numbers of queries of `ijcai` whose papers have it in common."""

SYNONYMS = {
    "Large Language Models": (
        "llm instruction prompt in-context reasoning retrieval-augmented preference alignment rlhf "
        "chain-of-thought decoding fine-tuning low-rank code jailbreak mathematical text feedback"
    ),
    "Language, Speech and Dialog": "translation audio text voice music",
    "Generative Models and Autoencoders": (
        "diffusion flow score-based gan generation synthesis editing sampling text-to-image"
    ),
    "Computer Vision": (
        "image visual object scene video segmentation 3d radiance rendering pose point detection "
        "vision-language multimodal clip"
    ),
    "Graph Neural Networks": "gnn node link message",
    "Robustness": "adversarial out-of-distribution shift attack backdoor generalization",
    "Trustworthy Machine Learning": "attack adversarial backdoor privacy watermark robust",
    "Neuroscience, Cognitive Science": "brain spiking neuron cortex cognition",
    "Time Series": "forecasting temporal sequence",
    "Learning Theory": "generalization sample complexity bound kernel infinite feature",
    "Optimization": "sgd gradient descent convergence bilevel minimization optimizer",
    "Batch/Offline": "offline reinforcement",
    "Deep RL": "reinforcement policy",
    "Robotics": "robot manipulation embodied control planning",
    "Attention Mechanisms": "transformer self-attention",
    "Large Scale, Parallel and Distributed": "federated decentralized client",
    "Self-Supervised Learning": "masked contrastive pretraining pre-training unsupervised",
    "Causality": "causal treatment counterfactual",
    "Chemistry and Drug Discovery": "molecule molecular protein docking ligand material",
    "Game Theory": "nash equilibrium regret zero-sum",
    "Privacy-preserving Statistics and Machine Learning": "private federated anonymous",
    "Sampling and Optimization": "monte langevin mcmc",
    "multi-agent reinforcement learning": "policy cooperative exploration",
    "reinforcement learning": "policy reward exploration",
    "3D computer vision": "point cloud lidar depth scene",
    "object detection": "point cloud segmentation tracking",
    "heuristic search": "algorithm solver clique combinatorial",
    "combinatorial optimization and routing": "vehicle solver",
    "answer set programming and logic": "reasoning argumentation logical epistemic description",
    "satisfiability": "sat boolean solver",
    "AI ethics, trust, fairness": "bias ethical responsible human social",
    "explainability": "explanation interpretable interpretability attribution recourse",
    "domain adaptation and transfer": "few-shot shift cross-domain",
    "weakly supervised and noisy labels": "semi-supervised pseudo long-tailed",
    "image synthesis and restoration": "super-resolution diffusion generation face style editing",
    "graphs": "node gnn hypergraph",
    "federated learning": "client privacy",
    "fair division": "allocation goods chores envy envy-free auction",
    "planning and verification": "plan temporal logic strategy",
    "multi-agent planning": "path finding pathfinding",
    "vision and language": "image captioning visual retrieval cross-modal multimodal person",
    "time series": "forecasting temporal",
    "language models": "llm prompt instruction text",
    "adversarial attacks and robustness": "backdoor deepfake black-box",
    "question answering, reasoning": "knowledge llm",
    "spatial and temporal data": "trajectory traffic urban spatio-temporal spatial-temporal",
    "music and audio": "speech sound",
    "game theory": "nash equilibrium regret auction",
    "social choice": "voting election budgeting multi-winner",
    "recommender systems": "recommendation collaborative user",
    "neuroscience, spiking networks": "brain neuron snn",
    "causality": "causal counterfactual confounder treatment",
    "information extraction": "entity relation ner text sentiment",
    "anomaly detection": "outlier",
    "clustering": "multi-view",
    "bioinformatics and medicine": "molecule molecular drug protein cell gene",
}
"""Words that name a label, or a part of it that researchers give a name of its own."""

EMPTY = ("Theory", "Everything Else", "Deep Learning", "Algorithms", "Applications")
"""Labels that no name could be right or wrong about."""


@dataclass
class Measured:
    """A set: its papers, the map's labels of the papers, and the label of each topic ("": none)."""

    papers: list[Paper]
    drawn: PaperMap
    labels: list[str]


def read_set(folder: Path, work: Path) -> Measured:
    """Build a set's store in a folder of its own, and its map."""
    lines = (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    listed = [Paper(row["title"], row["abstract"], id=str(n)) for n, row in enumerate(rows)]
    with build_store(listed, work / folder.name) as store:
        papers, drawn = list(store), paper_map(store)
    members: list[set[int]] = [set() for _ in drawn.topics]
    for paper, label in zip(papers, drawn.labels.tolist(), strict=True):
        members[label].add(int(paper.id))
    if (folder / "queries.json").is_file():
        labels = [_nearest_area(folder, own) for own in members]
    else:
        labels = [_commonest([rows[n]["topic"] for n in own]) for own in members]
    return Measured(papers, drawn, labels)


def _commonest(topics: Sequence[str]) -> str:
    leaves = Counter(topic.rpartition("->")[2] for topic in topics)
    for label, _ in leaves.most_common():
        if label not in EMPTY:
            return label
    return ""


def _nearest_area(folder: Path, members: set[int]) -> str:
    queries = json.loads((folder / "queries.json").read_text(encoding="utf-8"))["queries"]
    found = ("", 0.0)
    for area, numbers in AREAS.items():
        for number in numbers:
            query = queries[number]
            group = {query["own"], *map(int, query["rel"])}
            overlap = 2 * len(group & members) / (len(group) + len(members))
            found = max(found, (area, overlap), key=lambda one: one[1])
    return found[0]


def content(text: str) -> set[str]:
    """Return the stems of the content words of a name; a compound counts whole and in parts."""
    words = re.findall(r"\w+(?:-\w+)*", text.casefold())
    parts = {part for word in words for part in (word, *word.split("-"))}
    found = stems(part for part in parts if part not in GENERIC)
    return {stem for stem in found.values() if len(stem) > 1} - GENERIC


def folded(text: str) -> str:
    """Return a text as words in singular, for finding phrases."""
    words = re.findall(r"\w+", text.casefold())
    return " " + " ".join(word.removesuffix("s") for word in words) + " "


def by_tf_idf(texts: Sequence[Sequence[str]], labels: Any) -> list[str]:
    """Name topics by class-based TF-IDF over phrases, the baseline."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    joined = [
        " ".join(" ".join(text) for text, own in zip(texts, labels, strict=True) if own == number)
        for number in range(int(labels.max()) + 1)
    ]
    counter = CountVectorizer(ngram_range=(1, 3), stop_words="english")
    counts = counter.fit_transform(joined).toarray().astype(float)
    within = counts / counts.sum(axis=1, keepdims=True)
    scores = within * np.log(1 + counts.sum() / len(counts) / counts.sum(axis=0))
    words = counter.get_feature_names_out()
    return [str(words[row.argmax()]) for row in scores]


def by_swimmer(texts: Sequence[Sequence[str]], labels: Any) -> list[str]:
    """Name topics as `swimmer map` does."""
    return [name for name, _ in topic_names(texts, labels)]


def measure(
    one: Measured, names_of: Callable[[Sequence[Sequence[str]], Any], list[str]], each: bool
) -> str:
    """Return the figures of one way of naming, as the cells of a row."""
    texts = [paper_text(paper) for paper in one.papers]
    started = time.process_time()
    names = names_of(texts, one.drawn.labels)
    seconds = time.process_time() - started
    right = of = 0
    for name, label in zip(names, one.labels, strict=True):
        if label:
            good = bool(content(name) & (content(label) | content(SYNONYMS.get(label, ""))))
            right, of = right + good, of + 1
            if each:
                print(f"  {'right' if good else 'WRONG'}: {name}  ({label})")
    words = Counter(word for name in names for word in content(name))
    titles = [folded(text[0]) for text in texts]
    bodies = [folded(" . ".join(text)) for text in texts]
    labels = one.drawn.labels.tolist()
    covers, own, standing = [], [], 0
    for number, name in enumerate(names):
        phrase = folded(name)
        inside = [n for n, label in enumerate(labels) if label == number]
        with_name = [n for n, title in enumerate(titles) if phrase in title]
        covers.append(sum(phrase in bodies[n] for n in inside) / len(inside))
        own.append(sum(labels[n] == number for n in with_name) / max(1, len(with_name)))
        standing += any(labels[n] == number for n in with_name)
    return (
        f"{right} | {of} | {len(names) - len(set(names))} "
        f"| {sum(count > 1 for count in words.values())} | {standing} of {len(names)} "
        f"| {statistics.median(covers):.2f} | {statistics.median(own):.2f} | {seconds:.1f}"
    )


def read_names(store: PaperStore) -> None:
    """Print the topics of a store's map, named anew."""
    drawn = paper_map(store)
    found = topic_names([paper_text(paper) for paper in store], drawn.labels)
    print(f"\n{store.name}: {len(store):,} papers, {len(found)} topics")
    for topic, (name, phrases) in zip(drawn.topics, found, strict=True):
        more = ", ".join(phrase for phrase in phrases if phrase != name)
        print(f"{topic.papers:6d}  {name:38s} {more}")


def main() -> None:
    """Measure the sets, and print the names of stores."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the sets")
    parser.add_argument("--read", nargs="+", default=[], metavar="STORE")
    parser.add_argument("--each", action="store_true", help="print each name and its label")
    options = parser.parse_args()
    sets = options.sets or ([] if options.read else SETS)
    if sets:
        heads = "set | names | right | of | alike | shared | in titles | covers | own | seconds"
        rows = [f"| {heads} |", "| --- " * 10 + "|"]
        with tempfile.TemporaryDirectory() as work:
            for name in sets:
                one = read_set(options.data / name, Path(work))
                for method in (by_tf_idf, by_swimmer):
                    told = options.each and method is by_swimmer
                    cells = measure(one, method, told)
                    rows.append(f"| {name} | {method.__name__[3:].replace('_', '-')} | {cells} |")
        print("\n".join(rows))
    for name in options.read:
        with open_store(name) as store:
            read_names(store)


if __name__ == "__main__":
    main()
