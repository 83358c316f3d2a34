"""The prompt of `swimmer` without a command: type a title or words, get papers, until Ctrl-D.

History, editing and completion come from the standard library's readline, which costs no start-up
time. Where Python has no readline (Windows), lines are read without them.
"""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable
from pathlib import Path

import click

from swimmer import __version__
from swimmer.cli.errors import show_error
from swimmer.errors import QueryError, SwimmerError
from swimmer.retrieval import Answer, Hit, ask
from swimmer.store import PaperStore, open_store
from swimmer.text import printable

COMMANDS = {
    ":k": "N           number of papers to show",
    ":store": "NAME    search another store; without NAME, list your stores",
    ":like": "N        find the papers most like paper N of the results",
    ":text": "WORDS    search the words even when they are a title",
    ":title": "TITLE   search a title, and nothing else",
    ":author": "NAME   list the papers of an author",
    ":open": "N        open paper N of the results in the browser",
    ":show": "N        show paper N of the results with its whole abstract",
    ":save": "FILE     write the results: .bib .ris .csv .json .md",
    ":help": "         show this help",
    ":quit": "         quit; Ctrl-D too",
}
_HISTORY = 1_000
_COMPLETIONS = 50


class Prompt:
    """One session: the store that is searched, the number of papers, and the last answer."""

    def __init__(self, store: PaperStore, k: int = 5) -> None:
        self.store = store
        self.k = k
        self.answer: Answer | None = None

    def say(self, line: str) -> bool:
        """Run one line; return False when the session ends."""
        line = line.strip()
        if not line:
            return True
        try:
            return self._say(line)
        except (SwimmerError, click.ClickException) as error:
            show_error(error)
            return True

    def _say(self, line: str) -> bool:
        if not line.startswith(":"):
            self._ask(line)
            return True
        name, _, rest = line.partition(" ")
        if name in (":quit", ":q", ":exit"):
            return False
        actions: dict[str, Callable[[str], None]] = {
            ":k": self._set_k,
            ":store": self._set_store,
            ":like": lambda rest: self._ask(self._hit(rest).paper.title),
            ":text": lambda rest: self._ask(rest, lookup="text"),
            ":title": lambda rest: self._ask(rest, lookup="title"),
            ":author": lambda rest: self._ask(rest, lookup="author"),
            ":open": self._open,
            ":show": self._show,
            ":save": self._save,
            ":help": self._help,
        }
        if name not in actions:
            from difflib import get_close_matches

            near = get_close_matches(name, actions, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise QueryError(f"no command {name[:40]!r}", hint=f"{hint}:help lists them")
        actions[name](rest.strip())
        return True

    def _ask(self, query: str, *, lookup: bool | str = True) -> None:
        from swimmer.cli.rendering import render

        (self.answer,) = ask(self.store, [query], self.k, lookup=lookup, explain=True)
        click.echo(render(self.answer, len(self.store), 2))

    def _hit(self, number: str) -> Hit:
        hits = self.answer.hits if self.answer is not None else []
        if not hits:
            raise QueryError("there are no results yet", hint="search for a title first")
        if not number.isdecimal() or not 1 <= int(number[:9]) <= len(hits):
            raise QueryError(
                f"{number[:20]!r} is not a paper of the last results",
                hint=f"give a number from 1 to {len(hits)}",
            )
        return hits[int(number) - 1]

    def _set_k(self, rest: str) -> None:
        if not rest.isdecimal() or not 1 <= int(rest[:9]) <= 1_000:
            raise QueryError(f":k takes a number from 1 to 1000, got {rest[:20]!r}")
        self.k = int(rest)
        click.echo(f"showing {self.k} papers")

    def _set_store(self, rest: str) -> None:
        if not rest:
            from swimmer.cli.stores import list_command

            list_command.main(args=[], standalone_mode=False)
            return
        store = open_store(rest)
        self.store.close()
        self.store, self.answer = store, None
        click.echo(f"{store.name}: {len(store):,} papers")

    def _open(self, rest: str) -> None:
        url = self._hit(rest).paper.url
        if not url:
            raise QueryError(f"paper {rest} has no address")
        import webbrowser

        click.echo(printable(url))
        if not webbrowser.open(url):
            raise QueryError("no browser could be opened", hint="open the address above yourself")

    def _show(self, rest: str) -> None:
        from swimmer.cli.rendering import render

        hit = self._hit(rest)
        assert self.answer is not None
        alone = Answer(self.answer.query, self.answer.store, self.answer.model, None, False, [hit])
        click.echo(render(alone, len(self.store), 1_000))

    def _save(self, rest: str) -> None:
        if self.answer is None or not rest:
            raise QueryError("there is nothing to save", hint="search first, then :save FILE")
        from swimmer.cli.output import chosen_format, emit

        format = chosen_format(None, rest)
        assert format is not None
        emit([self.answer], format, rest)
        click.echo(f"{len(self.answer.hits)} papers in {printable(rest)}")

    @staticmethod
    def _help(_: str) -> None:
        click.echo("type a title or any words to search; Tab completes titles")
        for name, what in COMMANDS.items():
            click.echo(f"{name} {what}")

    def completions(self, typed: str) -> list[str]:
        """Return the completions of a line: commands, stores or titles."""
        if typed.startswith(":store "):
            from swimmer.store import list_stores

            lines = [f":store {info.name}" for info in list_stores()]
        elif typed.startswith(":"):
            lines = list(COMMANDS)
        else:
            from swimmer.retrieval import complete, complete_titles

            # readline replaces what was typed by the common beginning of the completions, so only
            # titles that begin with it can be offered.
            found = complete_titles(self.store, typed, _COMPLETIONS, anywhere=False)
            people = [one.text for one in complete(self.store, typed) if one.kind != "paper"]
            begin = [one for one in people if one.casefold().startswith(typed.casefold())]
            return [printable(text) for text in dict.fromkeys([*begin, *found])]
        return [line for line in lines if line.startswith(typed)]


def run_prompt() -> None:
    """Read lines from the terminal and run them, until Ctrl-D."""
    prompt = Prompt(open_store())
    readline = _readline()
    if readline is not None:
        _with_readline(readline, prompt)
    store = prompt.store
    click.echo(f"swimmer {__version__}: {store.name}, {len(store):,} papers, {store.identity.name}")
    click.echo("type a title or any words; Tab completes, :help lists the commands, Ctrl-D quits")
    try:
        while True:
            try:
                line = input("> ")
            except KeyboardInterrupt:
                click.echo()
                continue
            except EOFError:
                click.echo()
                return
            try:
                if not prompt.say(line):
                    return
            except KeyboardInterrupt:
                click.echo("interrupted")
    finally:
        if readline is not None:
            _keep_history(readline)
        prompt.store.close()


def _readline() -> types.ModuleType | None:
    try:
        import readline
    except ImportError:
        return None
    return readline


def _with_readline(readline: types.ModuleType, prompt: Prompt) -> None:
    found: list[str] = []

    def complete(typed: str, state: int) -> str | None:
        if state == 0:
            try:
                found[:] = prompt.completions(typed)
            except SwimmerError:
                found.clear()
        return found[state] if state < len(found) else None

    # A title is one word to complete, with all its spaces.
    readline.set_completer_delims("")
    readline.set_completer(complete)
    if "libedit" in (readline.__doc__ or ""):
        readline.parse_and_bind("bind ^I rl_complete")
    else:
        readline.parse_and_bind("tab: complete")
        readline.parse_and_bind("set completion-ignore-case on")
        readline.parse_and_bind("set show-all-if-ambiguous on")
    with contextlib.suppress(OSError):
        readline.read_history_file(_history_file())
    readline.set_history_length(_HISTORY)


def _history_file() -> Path:
    from platformdirs import user_state_path

    return user_state_path("swimmer", appauthor=False) / "history"


def _keep_history(readline: types.ModuleType) -> None:
    # Without a writable home folder there is no history; the session goes on.
    with contextlib.suppress(OSError):
        path = _history_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        readline.write_history_file(path)
