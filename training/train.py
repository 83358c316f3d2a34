"""Train the static model that swimmer ships, from a list of papers to the model folder.

    python -m training.train PAPERS MODEL_FOLDER --teacher TEACHER_FOLDER --work CACHE_FOLDER

Two lessons at once: a title belongs to its abstract and one half of an abstract to the other
(contrast), and what lies near a paper, by title or by text, is what lies near it for the teacher,
whose vectors are first drawn towards their neighbours (imitation). Vocabulary and teacher vectors
are kept in the cache folder, so that a second run starts at the training. The same command, seed
and cache give the same model.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from training.bags import Ints, PaperBags, View, thinned
from training.data import TrainingPaper, held_out_keys, read_papers
from training.export import export
from training.losses import contrast, imitate, neighbourhood
from training.neighbours import smoothed
from training.teacher import SHARD, shuffled_order, taught, teach
from training.vocabulary import (
    PREFIX,
    build_tokenizer,
    greek_twins,
    is_word,
    tokens_of,
)

Floats = NDArray[np.float32]
Log = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """What may be changed about a training; the defaults made the shipped model, but for bfloat16.

    ``taught`` papers are read by the teacher, 0 for all; ``bfloat16`` 1 lets it do so in half
    precision.
    """

    seed: int = 13
    vocabulary: int = 32_000
    dimension: int = 256
    taught: int = 0
    bfloat16: int = 0
    epochs: float = 3.0
    batch: int = 2048
    tokens: int = 1024
    rate: float = 0.005
    sif: float = 1e-2
    keep: float = 0.7
    neighbours: int = 30
    neighbour_power: float = 6.0
    neighbour_share: float = 1.0
    scale: float = 20.0
    imitate_scale: float = 40.0
    contrast: float = 0.25
    imitate_document: float = 1.0
    imitate_title: float = 0.5
    emphasis: float = 0.0
    common: float = 0.4


def first_rows(teacher: Floats, dimension: int) -> Floats:
    """Start of the table: the teacher's vector of each token, reduced by PCA, as unit rows."""
    centred = teacher - teacher.mean(axis=0)
    rows = centred @ principal_axes(centred)[0][:, :dimension]
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def principal_axes(rows: Floats) -> tuple[Floats, Floats]:
    """Axes (as columns) of the second moment of ``rows`` and the moment along each, descending."""
    moments, axes = np.linalg.eigh((rows.T @ rows / len(rows)).astype(np.float64))
    return axes[:, ::-1].astype(np.float32), moments[::-1].astype(np.float32)


def emphasise(table: Floats, documents: Floats, power: float, common: float) -> Floats:
    """Turn the table to the documents' principal axes, each scaled by its moment to ``power`` / 2.

    The contrast spreads papers evenly over all axes; topics live on the first ones. The very first
    is what all papers share and is scaled by ``common`` besides. After the turn a prefix of a
    vector is the best one of its length.
    """
    axes, moments = principal_axes(documents)
    scales = (moments / moments[0]) ** (power / 2)
    scales[0] *= common
    return np.asarray(table @ (axes * scales), dtype=np.float32)


def pool(table: Tensor, view: tuple[Ints, Ints]) -> Tensor:
    """Unit vectors (texts, dimension) of the bags of a view."""
    ids, starts = (torch.from_numpy(part) for part in view)
    return F.normalize(F.embedding_bag(ids, table, starts, mode="sum"), dim=1)


def train(
    bags: PaperBags,
    tokenizer: Tokenizer,
    token_vectors: Floats,
    document_vectors: Floats,
    settings: Settings,
    log: Log,
) -> Floats:
    """Learn the table (tokens, dimension): weighted token vectors whose sum is a text.

    ``token_vectors`` and ``document_vectors`` are the targets, unit rows; the documents are the
    first papers of ``bags``.
    """
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    meant = np.array([is_word(token) for token in tokens_of(tokenizer)])
    counts = bags.token_counts(len(meant)) + 1.0
    weight = settings.sif / (settings.sif + counts / counts.sum()) * meant
    weights = torch.from_numpy(weight.astype(np.float32))[:, None]
    rows = torch.nn.Parameter(
        torch.from_numpy(first_rows(token_vectors, settings.dimension).astype(np.float32))
    )
    token_teacher = torch.from_numpy(token_vectors)
    words = np.flatnonzero(meant)
    papers, batch = len(bags.titles.starts) - 1, settings.batch
    steps = int(settings.epochs * papers / batch)
    optimizer = torch.optim.Adam([rows], lr=settings.rate, betas=(0.9, 0.99), fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / 50, max(0.02, 1 - step / steps))
    )
    order, place = random.permutation(papers), 0
    means = np.zeros(4)
    start = time.monotonic()
    for step in range(1, steps + 1):
        if place + batch > papers:
            order, place = random.permutation(papers), 0
        chosen = np.sort(order[place : place + batch])
        place += batch
        table = rows * weights

        def vectors(which: Ints, view: View, table: Tensor = table) -> Tensor:
            return pool(table, bags.view(which, view))

        known = random.choice(len(document_vectors), batch, replace=False)
        some = random.choice(words, settings.tokens, replace=False)
        token_rows = F.normalize(table[torch.from_numpy(some)], dim=1)
        target = neighbourhood(
            torch.cat([torch.from_numpy(document_vectors[known]), token_teacher[some]]),
            settings.imitate_scale,
        )
        # A text must read alike with its title said once, as anybody writes it, and twice.
        seen = bags.view(known, "document" if step % 2 else "paper")
        documents = torch.cat([pool(table, thinned(seen, settings.keep, random)), token_rows])
        titles = torch.cat([vectors(known, "title"), token_rows])
        losses = [
            contrast(vectors(chosen, "title"), vectors(chosen, "abstract"), settings.scale),
            contrast(vectors(chosen, "first half"), vectors(chosen, "second half"), settings.scale),
            imitate(documents, documents, target, settings.imitate_scale),
            imitate(titles, documents, target, settings.imitate_scale),
        ]
        shares = [settings.contrast] * 2 + [settings.imitate_document, settings.imitate_title]
        loss = torch.stack([w * x for w, x in zip(shares, losses, strict=True)]).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        means = means + (np.array([x.item() for x in losses]) - means) * max(0.02, 1 / step)
        if step % 20 == 0 or step == steps:
            shown = " ".join(f"{mean:.3f}" for mean in means)
            log(f"step {step}/{steps}, {time.monotonic() - start:.0f} s, losses {shown}")
    learnt = (rows * weights).detach()
    sample = random.choice(papers, min(papers, 20_000), replace=False)
    turned = emphasise(
        learnt.numpy(),
        pool(learnt, bags.view(sample, "paper")).numpy(),
        settings.emphasis,
        settings.common,
    )
    for letter, name in greek_twins(tokenizer):
        turned[letter] = turned[name]
    return turned


def prepare(
    papers: list[TrainingPaper], teacher: Path, work: Path, settings: Settings, log: Log
) -> tuple[Tokenizer, Floats, Floats]:
    """Tokenizer, and the targets of its tokens and of the first papers; all are kept."""
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"tokenizer-{settings.vocabulary}.json"
    if not path.exists():
        general = Tokenizer.from_file(str(teacher / "tokenizer.json"))
        whole = (f"{paper.title}\n{paper.abstract}" for paper in papers)
        build_tokenizer(whole, settings.vocabulary, tokens_of(general)).save(str(path))
    tokenizer = Tokenizer.from_file(str(path))
    tokens = [token.removeprefix(PREFIX) for token in tokens_of(tokenizer)]
    log(f"{len(tokens)} tokens")
    texts = [paper.text for paper in papers[: settings.taught or None]]
    found = []
    kind = "-bfloat16" if settings.bfloat16 else ""
    for name, taught_texts in (("token" + kind, tokens), ("document" + kind, texts)):
        teach(
            taught_texts,
            str(teacher),
            work / name,
            threads=torch.get_num_threads(),
            bfloat16=bool(settings.bfloat16),
        )
        vectors = taught(taught_texts, work / name).astype(np.float32)
        found.append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        log(f"the teacher's vectors of {len(vectors)} {name}s")
    targets = smoothed(
        found[1],
        work,
        neighbours=settings.neighbours,
        power=settings.neighbour_power,
        share=settings.neighbour_share,
        log=log,
    )
    return tokenizer, found[0], targets


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("papers", type=Path, help="a .jsonl or .jsonl.gz of title and abstract")
    parser.add_argument("folder", type=Path, help="the model folder to write")
    parser.add_argument("--teacher", type=Path, required=True, help="folder of the teacher model")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is kept")
    parser.add_argument("--hold-out", type=Path, nargs="*", default=[], help="titles to leave out")
    parser.add_argument("--log", type=Path, help="also write the log to this file")
    parser.add_argument("--threads", type=int, default=2)
    for field in fields(Settings):
        kind = type(field.default)
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=field.default)
    options = vars(parser.parse_args())
    settings = Settings(**{field.name: options[field.name] for field in fields(Settings)})
    if settings.taught % SHARD:
        parser.error(f"--taught must be a multiple of {SHARD}")
    torch.set_num_threads(options["threads"])
    lines: list[str] = []

    def log(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    log(json.dumps(asdict(settings)))
    papers = read_papers(options["papers"], held_out_keys(options["hold_out"]))
    papers = [papers[i] for i in shuffled_order(len(papers), settings.seed)]
    log(f"{len(papers)} papers")
    tokenizer, token_vectors, document_vectors = prepare(
        papers, options["teacher"], options["work"], settings, log
    )
    bags = PaperBags(tokenizer, papers)
    table = train(bags, tokenizer, token_vectors, document_vectors, settings, log)
    card = Path(__file__).with_name("card.md").read_text(encoding="utf-8")
    export(table, tokenizer, options["folder"], card)
    if options["log"]:
        options["log"].write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
