"""Between reading and embedding: papers in a scratch database, their texts kept at hand."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile

from swimmer.build.merging import KnownPapers, merge_copies, with_distinct_id
from swimmer.build.report import BuildReport
from swimmer.embeddings import Model
from swimmer.papers import Paper
from swimmer.progress import Progress
from swimmer.store import PaperDatabase, text_hash

_IN_MEMORY = 32 << 20


class Texts:
    """The texts of rows 0, 1, 2 … until they are embedded; a file in `folder` once they are many.

    They are made anyway when papers are read: asking the database again would cost as much, and
    would have to wait while it makes its indexes.
    """

    def __init__(self, folder: Path) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY, dir=str(folder))  # noqa: SIM115
        self._starts, self._sizes = array("q"), array("q")
        self._end = 0

    def put(self, row: int, text: str) -> None:
        """Keep the text of the next row, or another one for a row that is there."""
        data = text.encode()
        self._file.write(data)
        if row == len(self._starts):
            self._starts.append(self._end)
            self._sizes.append(len(data))
        else:
            self._starts[row], self._sizes[row] = self._end, len(data)
        self._end += len(data)

    def of(self, rows: Sequence[int]) -> list[str]:
        """Return the texts of rows, in that order."""
        out = []
        for row in rows:
            self._file.seek(self._starts[row])
            out.append(self._file.read(self._sizes[row]).decode())
        self._file.seek(self._end)
        return out

    def close(self) -> None:
        """Forget the texts."""
        self._file.close()


def stage(
    papers: Iterable[Paper],
    database: PaperDatabase,
    model: Model,
    report: BuildReport,
    progress: Progress,
    texts: Texts | None = None,
) -> None:
    """Write papers to an empty database, copies of one merged into one; it is left unindexed.

    Args:
        papers: what a source yields.
        database: where they go.
        model: what will embed them.
        report: takes note of the copies.
        progress: called as papers are read.
        texts: where to keep what the model will read.
    """
    known = KnownPapers()
    with database.bulk(to_index=texts is not None):
        for paper in papers:
            row = known.find(paper, database)
            new = row is None
            if row is None:
                if known.has_id(paper.id):
                    paper = with_distinct_id(paper)
                    report.kept_apart += 1
                row, merged = known.count, paper
            else:
                kept = database.papers([row])[0]
                merged = merge_copies(kept, paper)
                report.merged += 1
                if len(report.merges) < 100:
                    report.merges.append((kept.title, paper.title))
            text = model.text_of(merged)
            if texts is not None:
                texts.put(row, text)
            database.put(row, merged, text_hash(text), new=new)
            known.learn(row, paper)
            if known.count % 1000 == 0:
                progress("reading", known.count, None)
    progress("reading", known.count, known.count)


@contextmanager
def indexing(database: PaperDatabase) -> Iterator[Callable[[], None]]:
    """Make the indexes of a database that was filled in bulk, in a thread beside the block.

    Until the block ends, whoever asks the database has to wait. The block is given a function
    that raises what the thread has met; an error in the block ends the thread.

    Raises:
        OSError: the disk is full.
    """
    with ThreadPoolExecutor(1, "swimmer-index") as pool:
        made = pool.submit(database.index)

        def check() -> None:
            if made.done():
                made.result()

        try:
            yield check
            made.result()
        except BaseException:
            # Between two statements there is nothing to interrupt: so until one was met.
            while not made.done():
                database.interrupt()
                wait([made], timeout=0.05)
            raise
