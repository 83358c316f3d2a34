"""Building on Ray: a real cluster of several node processes, one of them killed; bad clusters."""

from __future__ import annotations

import functools
import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, build_store, load_model, open_store, run_build
from swimmer.build.ray_cluster import places_of
from swimmer.build.ray_workers import RayWorkers
from swimmer.build.vectors import Chunk, Made
from swimmer.embeddings import Model
from swimmer.errors import ClusterError, InputError, MissingExtraError, ModelError
from swimmer.store import PaperStore

from .conftest import REPOSITORY, Outcome
from .models import HashEmbeddings
from .random_models import WORDS, bge_layout

pytest.importorskip("grpc", reason="needs the extra 'ray'")
ray = pytest.importorskip("ray", reason="needs the extra 'ray'")

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own: of its threads, sockets, settings
COUNT = 1_700
BAD = [
    "",
    "remote",
    "LOCAL",
    "head:10001",
    "http://head:10001",
    "ray://",
    "ray://head",
    "ray://head:0",
]
BAD += [
    "ray://head:99999",
    "ray://head:10001/x",
    "ray://me@head:10001",
    "ray://-x:1",
    "ray://a b:1",
]


def some_papers(count: int = COUNT) -> list[Paper]:
    """Papers of different lengths, each with a text of its own."""
    random = np.random.default_rng(7)
    papers = []
    for number in range(count):
        words = random.choice(WORDS, 4 + int(random.integers(0, 60)))
        papers.append(
            Paper(f"{words[0]} {words[1]} {number}", " ".join(words[2:]), id=f"p{number}")
        )
    return papers


class Nodes:
    """A cluster: a head that computes nothing, and nodes of one core each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.port = free_port()
        self.address = f"ray://127.0.0.1:{self.port}"
        self._cluster: Any = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "include_dashboard": False,
                "object_store_memory": 100 << 20,
                "ray_client_server_port": self.port,
            },
        )

    def add(self, **environment: str) -> Any:
        """Add a node, which takes some variables of the environment besides those of the tests."""
        return self._cluster.add_node(
            num_cpus=1, object_store_memory=100 << 20, env_vars=environment or None
        )

    def kill(self, node: Any) -> None:
        """Kill the processes of a node."""
        self._cluster.remove_node(node, allow_graceful=False)

    def close(self) -> None:
        self._cluster.shutdown()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def without_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray writes a token into the home folder, which is another one in each test."""
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A cluster with two nodes of one core each."""
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "PYTHONPATH": str(REPOSITORY),
        "SWIMMER_HALF": "0",
        "HF_HUB_OFFLINE": "1",
        "RAY_AUTH_MODE": "disabled",
        "GRPC_ENABLE_FORK_SUPPORT": "0",  # with it, the server that Ray forks for a client may crash
    }
    # The path of a socket has at most 107 characters, which pytest's own folders leave no room for.
    folder = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    settings["RAY_TMPDIR"] = str(folder)
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        cluster = Nodes()
        try:
            cluster.add()
            cluster.add()
            yield cluster
        finally:
            cluster.close()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(folder, ignore_errors=True)


def same_stores(one: PaperStore, other: PaperStore) -> None:
    """Assert that two stores hold the same, but for when they were written."""
    assert one.database.ids() == other.database.ids()
    assert [*one] == [*other]
    rows = np.arange(len(one))
    mine, theirs = one.index.vectors(rows), other.index.vectors(rows)
    assert mine.any(axis=1).all()
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)
    # Kept in half precision, whose last digit may turn.
    np.testing.assert_allclose(one.own_vectors()[0], other.own_vectors()[0], atol=5e-4)
    left, right = facts(one), facts(other)
    assert left.keys() == right.keys()
    for name, value in left.items():
        if isinstance(value, dict) and name in ("thresholds", "recall"):
            assert value == pytest.approx(right[name], abs=1e-3)
        else:
            assert value == right[name], name


def facts(store: PaperStore) -> dict[str, Any]:
    """What a manifest says, without the time and what is made of the bytes of the vectors."""
    assert store.folder is not None
    manifest: dict[str, Any] = json.loads((store.folder / "manifest.json").read_text())
    for name in ("created", "digest", "generation", "database", "index"):
        manifest.pop(name)
    return manifest


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small transformer that takes some tenths of a second for a chunk."""
    return bge_layout(tmp_path_factory.mktemp("ray"), hidden=128, layers=3)


# ---------------------------------------------------------------------- the same store


def test_a_node_is_killed_in_the_middle_and_nothing_is_lost(
    nodes: Nodes, transformer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWIMMER_HALF", "0")
    papers = some_papers()
    third = nodes.add()
    killed: list[int] = []

    def kill(stage: str, done: int, total: int | None) -> None:
        if stage == "embedding" and not killed:
            killed.append(done)
            nodes.kill(third)

    on_ray, report = run_build(
        papers, "ray", model=str(transformer), on=nodes.address, progress=kill
    )
    here = build_store(papers, "here", model=str(transformer))
    assert killed and killed[0] < COUNT
    assert report.embedded == COUNT and report.resumed == 0
    same_stores(on_ray, here)


def test_a_build_on_this_machine_alone(
    swimmer: Callable[..., Outcome],
    corpus_file: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A short path, in which no other run of the suite makes folders.
    own = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    done = swimmer("build", corpus_file, "--name", "ray", "--on", "local", "--quiet")
    assert done.code == 0, done.err
    assert done.err == ""
    assert swimmer("build", corpus_file, "--name", "here", "--quiet").code == 0
    with open_store("ray") as one, open_store("here") as other:
        same_stores(one, other)
        assert one.own_vectors()[0].tobytes() == other.own_vectors()[0].tobytes()
    assert not list(own.glob("sw*"))
    shutil.rmtree(own)


def test_an_update_embeds_only_what_is_new(nodes: Nodes) -> None:
    papers = some_papers(700)
    build_store(papers[:600], "ray").close()
    seen: list[str] = []
    store, report = run_build(
        papers, "ray", on=nodes.address, progress=lambda stage, *_: seen.append(stage)
    )
    assert (report.embedded, report.added, report.unchanged) == (100, 100, 600)
    same_vectors = build_store(papers, "here").own_vectors()[0]
    np.testing.assert_allclose(store.own_vectors()[0], same_vectors, atol=1e-6)
    seen.clear()
    _, report = run_build(
        papers, "ray", on=nodes.address, progress=lambda stage, *_: seen.append(stage)
    )
    assert report.embedded == 0
    assert "starting workers" not in seen


# ---------------------------------------------------------------------- interrupted


def test_an_interrupted_build_resumes_with_what_was_embedded(nodes: Nodes) -> None:
    papers = some_papers()

    def stop(stage: str, done: int, total: int | None) -> None:
        if stage == "embedding":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_build(papers, "ray", on=nodes.address, progress=stop)
    # One chunk was kept; the rest is embedded here, then all is compared.
    store, report = run_build(papers, "ray", on=nodes.address)
    assert report.resumed == 512
    assert report.resumed + report.embedded == COUNT
    same_stores(store, build_store(papers, "here"))


def test_a_build_on_ray_goes_on_without_ray(nodes: Nodes) -> None:
    papers = some_papers()

    def stop(stage: str, done: int, total: int | None) -> None:
        if stage == "embedding":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_build(papers, "ray", on=nodes.address, progress=stop)
    store, report = run_build(papers, "ray")
    assert report.resumed == 512
    same_stores(store, build_store(papers, "here"))


def test_ctrl_c_ends_the_build_and_its_cluster(home: Path) -> None:
    papers = [{"title": paper.title, "abstract": paper.abstract} for paper in some_papers(15_000)]
    (home / "many.json").write_text(json.dumps(papers), encoding="utf-8")
    # Every step of the progress is a line, so that the first chunk is seen at once.
    program = (
        "import sys; from swimmer.cli import main, progress\n"
        "progress.ProgressLine.__init__.__kwdefaults__['seconds'] = 0\n"
        "main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", program, "build", "many.json", "--name", "ray"]
    command += ["--plain", "--no-neighbours", "--on", "local"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "SWIMMER_HALF": "0"}
    environment.pop("RAY_TMPDIR", None)
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as build:
        assert build.stderr is not None
        lines = []
        for line in build.stderr:
            lines.append(line)
            if line.startswith("embedding"):
                break
        build.send_signal(signal.SIGINT)
        rest = build.stderr.read()
        assert build.wait(60) == 130, (lines, rest)
    assert "interrupted; the same command resumes" in rest
    assert "Traceback" not in rest
    left = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True).stdout
    assert not [line for line in left.splitlines() if line.split()[0] == str(build.pid)]
    store, report = run_build("many.json", "vectorstores/ray", plain=True, neighbours=False)
    assert report.resumed >= 512
    assert len(store) == 15_000


# ---------------------------------------------------------------------- workers that are lost


@dataclass(eq=False)
class SimpleReference:
    """What stands for an answer that is to come."""

    method: str
    arguments: tuple[Any, ...]


class ScriptedRay:
    """What a build asks of Ray; of the answers, those that a script says are lost."""

    exceptions = ray.exceptions

    def __init__(self, losses: Iterable[bool], nodes: int = 2) -> None:
        self._losses = iter(losses)
        self._nodes = nodes

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {"Alive": True, "NodeID": f"{n:056x}", "Resources": {"CPU": 1.0}}
            for n in range(self._nodes)
        ]

    def remote(self, kind: type) -> Any:
        methods = {name: self._method(name) for name in ("load", "embed")}
        actor = SimpleNamespace(**methods)
        made = SimpleNamespace(remote=lambda: actor)
        return SimpleNamespace(options=lambda **_: made)

    def _method(self, name: str) -> Any:
        def call(*arguments: Any) -> SimpleReference:
            return SimpleReference(name, arguments)

        return SimpleNamespace(remote=call)

    def wait(self, asked: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        return asked[-1:], asked[:-1]

    def get(self, ref: SimpleReference) -> Any:
        if next(self._losses, False):
            raise ray.exceptions.ActorDiedError
        if ref.method == "load":
            return None
        texts = ref.arguments[0]
        return Made(np.array([[float(text)] for text in texts], np.float32), [b""] * len(texts))

    def kill(self, actor: Any) -> None:
        pass


@functools.cache
def static() -> Model:
    return load_model("static")


def fit(_: Any, nodes: Iterable[str], __: str) -> dict[str, str]:
    return dict.fromkeys(nodes, "")


def embedded(script: ScriptedRay, chunks: list[Chunk]) -> list[tuple[Chunk, Any]]:
    """Return what workers on a scripted cluster make of chunks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("swimmer.build.ray_workers.connected", lambda _: nullcontext(script))
        patch.setattr("swimmer.build.ray_workers.fitness_of", fit)
        workers = RayWorkers("ray://head:10001", lambda *_: None)
        model = static()
        return list(workers.embed(model, iter(chunks), weighing=False, named_by_store=False))


def numbered_chunks(count: int) -> list[Chunk]:
    return [Chunk(np.array([n]), [b""], {}, [0], [str(n)]) for n in range(count)]


@settings(deadline=None)
@given(st.integers(0, 12), st.lists(st.booleans(), max_size=60))
def test_whatever_is_lost_each_chunk_comes_once(count: int, losses: list[bool]) -> None:
    chunks = numbered_chunks(count)
    try:
        made = embedded(ScriptedRay(losses), chunks)
    except ClusterError as error:
        # Two places, each with three workers lost; or one chunk lost again and again.
        assert sum(losses) >= 3
        assert error.hint.startswith("start the same build again")
        return
    assert sorted(int(chunk.rows[0]) for chunk, _ in made) == list(range(count))
    assert all(float(one.vectors[0, 0]) == chunk.rows[0] for chunk, one in made)


def test_without_any_worker_left_the_build_ends() -> None:
    with pytest.raises(ClusterError, match="no worker is left on ray://head:10001"):
        embedded(ScriptedRay([True] * 6), numbered_chunks(3))
    made = embedded(ScriptedRay([True] * 5), numbered_chunks(3))
    assert len(made) == 3


def test_chunks_are_taken_as_workers_have_time_for_them() -> None:
    taken = 0

    def counted() -> Iterator[Chunk]:
        nonlocal taken
        for chunk in numbered_chunks(100):
            taken += 1
            yield chunk

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("swimmer.build.ray_workers.connected", lambda _: nullcontext(ScriptedRay([])))
        patch.setattr("swimmer.build.ray_workers.fitness_of", fit)
        workers = RayWorkers("ray://head:10001", lambda *_: None)
        made = workers.embed(static(), counted(), weighing=False, named_by_store=False)
        for done, _ in enumerate(made, 1):
            # Two workers with two chunks each, and the next one.
            assert taken <= done + 5


def test_places_of_workers() -> None:
    def node(name: str, alive: bool = True, **resources: float) -> dict[str, Any]:
        return {"Alive": alive, "NodeID": name, "NodeManagerAddress": name, "Resources": resources}

    def sizes(nodes: list[dict[str, Any]], use_gpus: bool) -> list[tuple[str, int, int]]:
        places = places_of(nodes, use_gpus=use_gpus)
        return [(place.node, place.cores, place.gpus) for place in places]

    small, large = node("a", CPU=2.0), node("b", CPU=40.0)
    gpus, gone = node("c", CPU=8.0, GPU=2.0), node("d", alive=False, CPU=8.0)
    head = node("e", memory=1e9)
    everything = [small, large, gpus, gone, head]
    assert sizes(everything, True) == [("c", 1, 1), ("c", 1, 1)]
    by_core = [("a", 2, 0), ("b", 14, 0), ("b", 13, 0), ("b", 13, 0), ("c", 8, 0)]
    assert sizes(everything, False) == by_core
    assert sizes([small, large], True) == by_core[:4]
    assert sizes([gone, head], True) == []


# ---------------------------------------------------------------------- bad clusters


@pytest.mark.parametrize("on", BAD)
def test_a_bad_address_is_refused_before_anything_is_read(on: str, home: Path) -> None:
    with pytest.raises(InputError, match="is no address of a Ray cluster"):
        build_store("missing.json", "ray", on=on)
    assert not list(home.iterdir())


def test_a_cluster_that_is_not_there(swimmer: Callable[..., Outcome], corpus_file: Path) -> None:
    done = swimmer("build", corpus_file, "--name", "ray", "--on", f"ray://127.0.0.1:{free_port()}")
    assert done.code == 2
    assert "nobody answers (Connection refused)" in done.err
    assert "hint: see that the cluster runs" in done.err


def test_a_server_that_is_no_cluster(corpus_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = importlib.import_module("ray.util.client.worker")
    monkeypatch.setattr(worker, "INITIAL_TIMEOUT_SEC", 1)
    monkeypatch.setattr(worker, "MAX_TIMEOUT_SEC", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=refuse, args=(server,), daemon=True).start()
        port = server.getsockname()[1]
        with pytest.raises(ClusterError, match="is no Ray Client server"):
            build_store(corpus_file, "ray", on=f"ray://127.0.0.1:{port}")


def refuse(server: socket.socket) -> None:
    """Answer as a web server does that is asked something else."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def test_without_ray_the_install_line_is_shown(
    swimmer: Callable[..., Outcome], corpus_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = swimmer("build", corpus_file, "--on", "local")
    assert done.code == 2
    assert 'hint: pip install "swimmer[ray]"' in done.err
    with pytest.raises(MissingExtraError):
        build_store(corpus_file, on="local")


def test_a_model_in_python_cannot_be_sent(papers: list[Paper]) -> None:
    with pytest.raises(InputError, match="takes the name of a model"):
        build_store(papers, "ray", model=HashEmbeddings(), on="local")


def test_a_node_with_another_version(
    nodes: Nodes, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swimmer.build.ray_workers.__version__", "9.9.9")
    with pytest.raises(ClusterError, match=r"it has swimmer 0\.1\.0, here it is 9\.9\.9") as failed:
        build_store(papers, "ray", on=nodes.address)
    assert 'pip install "swimmer==9.9.9"' in failed.value.hint


def test_a_node_without_swimmer(nodes: Nodes, papers: list[Paper], tmp_path: Path) -> None:
    # As if it were not there: whoever imports it is told so.
    (tmp_path / "swimmer").mkdir()
    (tmp_path / "swimmer" / "__init__.py").write_text("raise ModuleNotFoundError('swimmer')")
    bare = nodes.add(PYTHONPATH=str(tmp_path))
    try:
        with pytest.raises(ClusterError, match="swimmer is not installed there"):
            build_store(papers, "ray", on=nodes.address)
    finally:
        nodes.kill(bare)


def test_a_worker_without_the_model_says_so(
    nodes: Nodes, papers: list[Paper], transformer: Path, tmp_path: Path
) -> None:
    # The folder is on this machine only: gone when the workers look for it.
    folder = shutil.copytree(transformer, tmp_path / "own")

    def remove(stage: str, done: int, total: int | None) -> None:
        if stage == "reading":
            shutil.rmtree(folder, ignore_errors=True)

    with pytest.raises(ModelError, match=r"the worker on .*own") as failed:
        build_store(papers, "ray", model=str(folder), on=nodes.address, progress=remove)
    assert failed.value.hint
