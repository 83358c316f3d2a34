"""The interactive prompt at a real terminal, and the shell's completion."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swimmer import Paper, PaperStore, build_store, open_store
from swimmer.cli import VERBS
from swimmer.cli.output import FORMATS
from swimmer.cli.prompt import COMMANDS, Prompt
from swimmer.export import WRITERS
from swimmer.retrieval.completion import complete_titles

from .conftest import Outcome

TITLE = "Preference Optimization without a Reference Model"


@pytest.fixture
def conf(papers: list[Paper]) -> Iterator[PaperStore]:
    """A store named `conf` in this test's working folder."""
    build_store(papers, "conf").close()
    with open_store("conf") as store:
        yield store


def test_titles_are_completed_as_they_are_typed(conf: PaperStore) -> None:
    assert complete_titles(conf, "prefer")[0] == TITLE
    assert complete_titles(conf, "PREFERENCE opt", anywhere=False) == [TITLE]
    assert TITLE in complete_titles(conf, "reference model")
    assert complete_titles(conf, "reference model", anywhere=False) == []
    assert complete_titles(conf, "preference ") == [TITLE]
    assert complete_titles(conf, "prefer ") == []
    assert len(complete_titles(conf, "re", 3)) == 3


@pytest.mark.parametrize(
    "typed", ["", "p", " ", '"', "*", "^ pref* OR", "a AND", "NEAR(", "x" * 9_999]
)
def test_no_typing_breaks_the_completion(conf: PaperStore, typed: str) -> None:
    assert isinstance(complete_titles(conf, typed), list)


def said(capsys: pytest.CaptureFixture[str], prompt: Prompt, line: str) -> str:
    assert prompt.say(line)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return out + err


def test_a_conversation(
    conf: PaperStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    prompt = Prompt(conf)
    assert "3 papers" in said(capsys, prompt, ":k 3")
    answer = said(capsys, prompt, TITLE.lower())
    assert "similar to" in answer
    assert "shares " in answer
    assert prompt.answer is not None
    first, second = (hit.paper for hit in prompt.answer.hits[:2])
    assert first.title in " ".join(answer.split())
    assert len(prompt.answer.hits) == 3
    said(capsys, prompt, ":open 2")
    assert opened == [second.url]
    assert first.abstract[-30:] in " ".join(said(capsys, prompt, ":show 1").split())
    said(capsys, prompt, ":like 1")
    assert prompt.answer.matched == first
    said(capsys, prompt, f":text {TITLE}")
    assert prompt.answer.matched is None
    assert "3 papers in list.bib" in said(capsys, prompt, ":save list.bib")
    assert Path("list.bib").read_text().count("@inproceedings{") == 3
    assert "conf" in said(capsys, prompt, ":store")
    assert "94 papers" in said(capsys, prompt, ":store sample")
    assert prompt.store.name == "sample"
    assert all(name in said(capsys, prompt, ":help") for name in COMMANDS)
    assert not prompt.say(":quit")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (":open 1", "no results yet"),
        (":save x.bib", "nothing to save"),
        (":k many", "a number from 1"),
        (":k 0", "a number from 1"),
        (":k 99999999999999999999", "a number from 1"),
        (":stroe", "did you mean :store"),
        (":store cnof", "did you mean conf"),
        (":text", "blank"),
        (":\x1b[31m", "no command"),
    ],
)
def test_what_cannot_be_done_is_said_and_the_conversation_goes_on(
    conf: PaperStore, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    prompt = Prompt(conf)
    heard = said(capsys, prompt, line)
    assert re.search(message, heard), heard
    assert "\x1b[31m" not in heard
    assert prompt.store.name == "conf"


def test_numbers_beyond_the_answer_and_files_that_cannot_be(
    conf: PaperStore, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = Prompt(conf)
    said(capsys, prompt, TITLE)
    assert "give a number from 1 to 5" in said(capsys, prompt, ":show 6")
    assert "does not name a format" in said(capsys, prompt, ":save list.xyz")
    assert "cannot be written" in said(capsys, prompt, ":save missing/list.bib")


def test_what_a_line_may_become(conf: PaperStore) -> None:
    prompt = Prompt(conf)
    assert prompt.completions("Preference O") == [TITLE]
    assert prompt.completions(":st") == [":store"]
    assert prompt.completions(":store c") == [":store conf"]
    assert prompt.completions(":nothing") == []


class Terminal:
    """A terminal of its own with `swimmer` in it."""

    def __init__(self) -> None:
        import pty

        env = {**os.environ, "TERM": "dumb", "XDG_STATE_HOME": str(Path.cwd() / "state")}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # pragma: no cover
            os.execve(sys.executable, [sys.executable, "-m", "swimmer"], env)
        self.seen = ""

    def read_until(self, wanted: str, seconds: float = 30) -> str:
        import select

        end = time.monotonic() + seconds
        while wanted not in self.seen:
            left = end - time.monotonic()
            assert left > 0, f"{wanted!r} not in {self.seen!r}"
            if select.select([self.fd], [], [], left)[0]:
                try:
                    self.seen += os.read(self.fd, 4096).decode("utf-8", "replace")
                except OSError:
                    raise AssertionError(f"{wanted!r} not in {self.seen!r}") from None
        before, _, self.seen = self.seen.partition(wanted)
        return before

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def close(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX terminal")
def test_at_a_terminal(conf: PaperStore) -> None:
    pytest.importorskip("readline", reason="this Python has no readline")
    terminal = Terminal()
    terminal.read_until("Ctrl-D quits")
    terminal.read_until("> ")
    terminal.type("Preference Opt\t")
    terminal.read_until("without a Reference Model")
    terminal.type("\n")
    terminal.read_until("similar to")
    terminal.read_until("> ")
    terminal.type("half a line")
    terminal.read_until("half a line")
    # Python misses an interrupt in the moment between showing a letter and waiting for the next.
    time.sleep(1)
    terminal.type("\x03")
    terminal.read_until("> ")
    terminal.type(":k 2\n")
    terminal.read_until("showing 2 papers")
    terminal.read_until("> ")
    terminal.type("\x04")
    assert terminal.close() == 0
    history = (Path("state") / "swimmer" / "history").read_text()
    assert TITLE in history
    assert (Path("state") / "swimmer" / "history").stat().st_mode & 0o077 == 0


def test_without_a_terminal_it_prints_its_help(swimmer: Callable[..., Outcome]) -> None:
    result = swimmer()
    assert result.code == 2
    assert "swimmer search" in result.err
    assert result.out == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_ones_that_the_shell_reads(
    swimmer: Callable[..., Outcome], shell: str, tmp_path: Path
) -> None:
    result = swimmer("completion", shell)
    assert result.code == 0
    assert "_SWIMMER_COMPLETE" in result.out
    if not shutil.which(shell):
        pytest.skip(f"no {shell} on this machine to read the script")
    script = tmp_path / "script"
    script.write_text(result.out)
    checked = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def completed(words: str, index: int) -> list[str]:
    env = {
        **os.environ,
        "_SWIMMER_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(index),
    }
    code = "from swimmer.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60
    )
    return [line.split(",", 1)[1] for line in run.stdout.splitlines()]


def test_the_shell_completes_verbs_stores_and_formats(conf: PaperStore) -> None:
    assert completed("swimmer ", 1) == list(VERBS)
    assert completed("swimmer sh", 1) == ["show"]
    assert completed("swimmer search --store c", 3) == ["conf"]
    assert completed("swimmer show c", 2) == ["conf"]
    assert completed("swimmer search --format bib", 3) == ["bibtex"]
    assert "--allow-build" in completed("swimmer mcp --", 2)


def test_completing_verbs_loads_none_of_them() -> None:
    code = (
        "import sys, click; from swimmer.cli import cli; "
        "print(len(cli.shell_complete(click.Context(cli), '')), "
        "[m for m in sys.modules if m.startswith('swimmer.cli.') and m != 'swimmer.cli.commands'])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == [str(len(VERBS)), "[]"]


def test_every_format_is_offered_by_name(
    conf: PaperStore, swimmer: Callable[..., Outcome], tmp_path: Path
) -> None:
    assert set(FORMATS) == set(WRITERS)
    for name in FORMATS:
        result = swimmer("search", TITLE, "--store", "conf", "--format", name)
        assert result.code == 0
        assert result.out
    target = tmp_path / "found.ris"
    assert swimmer("search", TITLE, "--store", "conf", "-o", target).out == ""
    assert target.read_text().startswith("TY  - CONF")
    assert swimmer("search", TITLE, "-o", tmp_path / "none" / "x.ris").code == 2
    assert "add --format" in swimmer("search", TITLE, "-o", "x.unknown").err
