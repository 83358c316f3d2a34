"""Which words are a manner of speaking: common in abstracts, hardly ever in a title.

    python training/common_words.py PAPERS.jsonl.gz swimmer/data/common_words.txt

A word is taken when at least one abstract in 600 has it and fewer than 4 titles for 100 such
abstracts; words are those of `swimmer.text.singular_words`. No words of any one paper are kept.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter

from swimmer.text import singular_words


def main() -> None:
    source, target = sys.argv[1:]
    titles: Counter[str] = Counter()
    abstracts: Counter[str] = Counter()
    papers = 0
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            if record.get("abstract"):
                papers += 1
                titles.update(singular_words(record["title"]))
                abstracts.update(singular_words(record["abstract"]))
    common = sorted(
        word
        for word, count in abstracts.items()
        if count >= papers / 600 and titles[word] < 0.04 * count
    )
    with open(target, "w", encoding="utf-8") as out:  # noqa: PTH123
        out.write("\n".join(common) + "\n")
    print(f"{len(common)} words from {papers:,} papers")


if __name__ == "__main__":
    main()
