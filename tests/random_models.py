"""Models with random weights in the layouts of real ones: small for tests, true-sized to time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

WORDS = (
    "preference optimization safety helpfulness language model diffusion image generation graph "
    "neural network reinforcement learning policy gradient attention transformer retrieval "
    "augmented benchmark dataset robustness privacy federated continual agent planning reasoning"
).split()


def bge_layout(
    folder: Path,
    *,
    texts: Iterable[str] = WORDS,
    hidden: int = 32,
    layers: int = 2,
    heads: int = 4,
    vocabulary: int = 400,
    seed: int = 0,
    initializer_range: float = 0.5,
    prompts: dict[str, str] | None = None,
    rows: int | None = None,
    layers_of_weights: bool = False,
) -> Path:
    """Save a model in bge-m3's own layout: XLM-RoBERTa, CLS pooling, normalisation, 8,192 tokens.

    `rows` is the number of rows of its table of tokens, if there are to be more than tokens.
    `layers_of_weights` adds the files of its lexical weights and of its vectors of tokens.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import XLMRobertaConfig, XLMRobertaModel

    try:
        from sentence_transformers.sentence_transformer.modules import (
            Normalize,
            Pooling,
            Transformer,
        )
    except ImportError:
        from sentence_transformers.models import (  # type: ignore[no-redef]
            Normalize,
            Pooling,
            Transformer,
        )

    torch.manual_seed(seed)
    raw = folder / "raw"
    tokenizer = _tokenizer(texts, vocabulary)
    tokenizer.save_pretrained(raw)
    config = XLMRobertaConfig(
        vocab_size=rows or len(tokenizer),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        max_position_embeddings=8194,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        layer_norm_eps=1e-5,
        initializer_range=initializer_range,
    )
    XLMRobertaModel(config).save_pretrained(raw)
    transformer = Transformer(str(raw), max_seq_length=8192)
    pooling = Pooling(hidden, pooling_mode="cls")
    whole = SentenceTransformer(
        modules=[transformer, pooling, Normalize()], device="cpu", prompts=prompts
    )
    whole.save(str(folder / "model"))
    if layers_of_weights:
        for name, size in (("sparse_linear", 1), ("colbert_linear", hidden)):
            layer = torch.nn.Linear(hidden, size)
            torch.save(layer.state_dict(), folder / "model" / f"{name}.pt")
    return folder / "model"


def _tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import XLMRobertaTokenizerFast  # type: ignore[attr-defined]

    inner = Tokenizer(models.Unigram())
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    inner.decoder = decoders.Metaspace()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary,
        special_tokens=specials,
        unk_token="<unk>",
        show_progress=False,
        initial_alphabet=[chr(code) for code in range(33, 127)],
    )
    inner.train_from_iterator(texts, trainer)
    pieces = json.loads(inner.to_str())["model"]["vocab"]
    return XLMRobertaTokenizerFast(vocab=[(piece, score) for piece, score in pieces])
