"""The WordPiece vocabulary: the words and word pieces of machine-learning papers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

UNKNOWN = "[UNK]"
PREFIX = "##"
LONGEST_WORD = 60


def new_tokenizer(vocabulary: dict[str, int] | None = None) -> Tokenizer:
    """A WordPiece tokenizer: NFKC, lower case, no accents, split at spaces and punctuation."""
    tokenizer = Tokenizer(
        models.WordPiece(
            vocab=vocabulary or {},
            unk_token=UNKNOWN,
            max_input_chars_per_word=LONGEST_WORD,
            continuing_subword_prefix=PREFIX,
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.BertNormalizer(
                clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=True
            ),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=PREFIX)
    return tokenizer


def train_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Train a WordPiece vocabulary of at most ``size`` tokens on ``texts``."""
    tokenizer = new_tokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=5,
        special_tokens=[UNKNOWN],
        limit_alphabet=400,
        continuing_subword_prefix=PREFIX,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def is_word(token: str) -> bool:
    """Whether a token holds a letter or digit, that is, may carry meaning."""
    bare = token.removeprefix(PREFIX)
    return token != UNKNOWN and any(unicodedata.category(ch)[0] in "LN" for ch in bare)
