"""ONNX Runtime with threads that are bounded, started as the number of texts asks for it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from swimmer.embeddings.onnx_graph import AGAIN
from swimmer.errors import ModelError

REPEATED = 4
"""Uses with few texts after which the weights are laid out for speed, which takes seconds."""

_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"


def provider(device: str | None, available: list[str]) -> str:
    """Return ONNX Runtime's name of a device: the GPU for None where there is one.

    Raises:
        ModelError: the device is none of cpu and cuda, or ONNX Runtime cannot use it here.
    """
    if device in (None, "auto"):
        return _CUDA if _CUDA in available else _CPU
    if device == "cpu":
        return _CPU
    if device == "cuda" and _CUDA in available:
        return _CUDA
    raise ModelError(
        f"the device {device!r:.40} is not available to ONNX Runtime",
        hint="give cpu, or cuda with onnxruntime-gpu in place of onnxruntime; --backend torch "
        "knows others",
    )


class Sessions:
    """The sessions of one ONNX file: one for few texts at once, one for many.

    Laying the weights out for a fast product of matrices takes as long as reading some twenty
    texts, and memory for a copy of them. So a program that asks one question maps the file and
    begins, and one that embeds a corpus has the weights laid out first.

    Args:
        path: the ONNX file.
        device: `cpu`, `cuda`, None for the faster one there is.
        cores: how many threads may compute at once.

    Raises:
        ModelError: the device is not available, or, from each method, ONNX Runtime refuses the
            file.
    """

    def __init__(self, path: Path, device: str | None, cores: int) -> None:
        import onnxruntime

        self.path, self.cores = path, cores
        self.provider = provider(device, onnxruntime.get_available_providers())
        self._lock = threading.Lock()
        self._few: Any = None
        self._many: Any = None
        self._uses = 0

    @property
    def on_gpu(self) -> bool:
        """Whether the texts are embedded by a GPU."""
        return self.provider == _CUDA

    def few(self) -> Any:
        """Return a session that puts all cores to one batch."""
        with self._lock:
            if self._many is not None:
                return self._many
            self._uses += 1
            if self._few is None:
                self._few = self._open(self.cores, packed=self.on_gpu)
            elif self._uses == REPEATED and not self.on_gpu:
                self._few = self._open(self.cores, packed=True)
            return self._few

    def many(self) -> Any:
        """Return a session whose every call computes in the thread that makes it."""
        with self._lock:
            if self._many is None:
                self._few = None
                self._many = self._open(1, packed=True)
            return self._many

    def _open(self, threads: int, *, packed: bool) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that wait in a loop take the cores from whatever else runs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not packed:
            options.add_session_config_entry("session.disable_prepacking", "1")
        try:
            return onnxruntime.InferenceSession(
                str(self.path), options, providers=list(dict.fromkeys((self.provider, _CPU)))
            )
        except runtime_errors() as error:
            raise ModelError(
                f"{self.path}: ONNX Runtime cannot load it ({one_line(error)})",
                hint=f"{AGAIN}, or use --backend torch",
            ) from None


def runtime_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that ONNX Runtime raises; it has no common class for them."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = (
        "EPFail",
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoModel",
        "NoSuchFile",
        "NotImplemented",
        "RuntimeException",
    )
    own = [getattr(state, name) for name in names if hasattr(state, name)]
    return (*own, RuntimeError, ValueError)


def one_line(error: Exception) -> str:
    """Return what an error says, in one line of bounded length."""
    return " ".join(str(error).split())[:300]
