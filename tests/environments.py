"""The suite as users run it: in a clone, in each of several environments, one after the other.

    python -m tests.environments                     every environment, the whole suite
    python -m tests.environments --only everything --only abroad    each of them, in two runs
    python -m tests.environments --only locale -- tests/test_cli.py tests/test_build.py

What is tested is the last commit of this checkout, with the interpreter that runs this. What
follows `--` goes to pytest. An environment that cannot be made on this machine is skipped, with the
reason. The exit code is 1 when a test failed anywhere.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
HIDDEN = re.compile(r"chrom(e|ium)|google-chrome")
LOOPBACK = "ip link set lo up && exec "


class UnavailableError(Exception):
    """An environment cannot be made on this machine."""


@dataclass
class Run:
    """A run of the suite before it starts: where, as whom, and with what environment."""

    folder: Path
    env: dict[str, str]
    clone: str = "swimmer"
    before: list[str] = field(default_factory=list)

    @property
    def checkout(self) -> Path:
        """The clone that is tested."""
        return self.folder / self.clone


def as_root(run: Run) -> Run:
    """Nothing is changed: the user is who runs this."""
    return run


def not_root(run: Run) -> Run:
    """Root takes the rights of another user; who is not root stays who they are."""
    if os.getuid() == 0:
        user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
        _check(user, "cannot run as another user")
        run.before += user
    return run


def no_network(run: Run) -> Run:
    """Nothing but the loopback interface."""
    apart = ["unshare", "--net", "--map-root-user"]
    # $0 is the first word of the command.
    apart += ["sh", "-c", LOOPBACK + '"$0" "$@"']
    _check(apart, "cannot make a network of its own")
    run.before[:0] = apart
    return run


def no_chromium(run: Run) -> Run:
    """A search path with every program but Chromium."""
    programs = run.folder / "programs"
    programs.mkdir()
    for folder in run.env["PATH"].split(os.pathsep):
        for program in Path(folder).iterdir() if Path(folder).is_dir() else ():
            link = programs / program.name
            if not HIDDEN.search(program.name) and not link.is_symlink():
                link.symlink_to(program)
    run.env["PATH"] = str(programs)
    run.env.pop("SWIMMER_CHROMIUM", None)
    return run


def read_only(run: Run) -> Run:
    """A checkout in which nothing can be written; root could."""
    for path in (run.checkout, *run.checkout.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    return run if run.before else not_root(run)


def c_locale(run: Run) -> Run:
    """Python's own choice of encodings under `LC_ALL=C`."""
    run.env |= {"LC_ALL": "C", "LANG": "C", "LANGUAGE": "C"}
    return run


def home_with_a_space(run: Run) -> Run:
    """A home, a checkout and a folder of temporary files with spaces in their names."""
    run.env |= {"HOME": str(run.folder), "TMPDIR": str(run.folder / "temporary files")}
    Path(run.env["TMPDIR"]).mkdir()
    return run


def west_of_greenwich(run: Run) -> Run:
    """Ten hours behind UTC."""
    run.env["TZ"] = "HST10"
    return run


def abroad(run: Run) -> Run:
    """Another locale, time zone and home at once, with network and Chromium."""
    for change in (c_locale, home_with_a_space, west_of_greenwich):
        run = change(run)
    return run


def everything(run: Run) -> Run:
    """All of the others but root's at once."""
    for change in (
        no_chromium,
        c_locale,
        home_with_a_space,
        west_of_greenwich,
        not_root,
        no_network,
        read_only,
    ):
        run = change(run)
    return run


ENVIRONMENTS: dict[str, Callable[[Run], Run]] = {
    "plain": as_root,
    "not-root": not_root,
    "no-network": no_network,
    "no-chromium": no_chromium,
    "read-only": read_only,
    "locale": c_locale,
    "space": home_with_a_space,
    "west": west_of_greenwich,
    "abroad": abroad,
    "everything": everything,
}
SPACED = {"space", "abroad", "everything"}


def _check(command: list[str], what: str) -> None:
    if shutil.which(command[0]) is None:
        raise UnavailableError(f"{what}: there is no {command[0]}")
    done = subprocess.run([*command, "true"], capture_output=True, text=True)
    if done.returncode:
        raise UnavailableError(f"{what}: {done.stderr.strip() or done.returncode}")


@contextmanager
def cloned(spaced: bool) -> Iterator[Run]:
    """A clone of the last commit in a folder of its own, which is deleted afterwards."""
    prefix = "a home with spaces " if spaced else "home-"
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        run = Run(folder, dict(os.environ))
        if spaced:
            run = replace(run, clone="my swimmer")
        command = ["git", "clone", "-q", "--no-hardlinks", str(REPOSITORY), str(run.checkout)]
        subprocess.run(command, check=True)
        # An editable install points to another checkout.
        run.env["PYTHONPATH"] = str(run.checkout)
        yield run
    finally:
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(folder)


def suite(name: str, arguments: list[str]) -> tuple[int, str]:
    """Run the suite in an environment; return pytest's exit code and its last line."""
    with cloned(name in SPACED) as run:
        run = ENVIRONMENTS[name](run)
        command = [*run.before, sys.executable, "-m", "pytest", "-q", "-rfEs", *arguments]
        with subprocess.Popen(
            command,
            cwd=run.checkout,
            env=run.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            last = ""
            for line in process.stdout:
                print(line, end="", flush=True)
                last = line.strip() or last
        return process.returncode, last


def main() -> int:
    """Run the suite in the environments that were named, all by default."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.environments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=list(ENVIRONMENTS),
        metavar="NAME",
        help=f"one of {', '.join(ENVIRONMENTS)}; may be given again",
    )
    parser.add_argument("pytest", nargs="*", help="after --: arguments of pytest")
    options = parser.parse_args()
    lines, failed = [], False
    for name in options.only or ENVIRONMENTS:
        print(f"== {name}: {ENVIRONMENTS[name].__doc__}", flush=True)
        started = time.monotonic()
        try:
            code, last = suite(name, options.pytest)
        except UnavailableError as reason:
            lines.append(f"{name:12} skipped: {reason}")
            continue
        failed = failed or code != 0
        verdict = "passed" if code == 0 else f"FAILED ({code})"
        lines.append(f"{name:12} {verdict} in {time.monotonic() - started:.0f} s: {last}")
    print("\n".join(["", *lines]))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
