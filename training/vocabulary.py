"""The WordPiece vocabulary: the words and word pieces of machine-learning papers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

UNKNOWN = "[UNK]"
PREFIX = "##"
LONGEST_WORD = 60
GREEK = {
    chr(letter): name
    for letter in range(0x3B1, 0x3CA)
    for name in [unicodedata.name(chr(letter)).split()[-1].lower().replace("lamda", "lambda")]
}


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


def build_tokenizer(texts: Iterable[str], size: int, general: Iterable[str]) -> Tokenizer:
    """A vocabulary of at most ``size`` tokens of ``texts``, and what ``general`` has beyond them.

    ``general`` is the teacher's vocabulary: words that machine-learning papers seldom use keep
    a token of their own. Greek letters always have one, which ``greek_twins`` explains.
    """
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
    own = tokens_of(tokenizer)
    extra = [token for token in general if token.isascii() and is_word(token)]
    extra = [token for token in extra if not token.startswith("[")]
    tokens = dict.fromkeys([*own, *extra, *GREEK, *GREEK.values()])
    return new_tokenizer({token: place for place, token in enumerate(tokens)})


def tokens_of(tokenizer: Tokenizer) -> list[str]:
    """The tokens of a tokenizer in the order of their ids."""
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)


def greek_twins(tokenizer: Tokenizer) -> list[tuple[int, int]]:
    """Ids of each Greek letter and of its name, which mean the same: LaTeX spells the name."""
    ids = ((tokenizer.token_to_id(a), tokenizer.token_to_id(b)) for a, b in GREEK.items())
    return [(letter, name) for letter, name in ids if letter is not None and name is not None]


def is_word(token: str) -> bool:
    """Whether a token holds a letter or digit, that is, may carry meaning."""
    bare = token.removeprefix(PREFIX)
    return token != UNKNOWN and any(unicodedata.category(ch)[0] in "LN" for ch in bare)
