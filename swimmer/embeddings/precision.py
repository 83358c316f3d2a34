"""The device that a model runs on, and whether half precision is faster there."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from swimmer.errors import ModelError

HALF = "SWIMMER_HALF"
"""The environment variable that chooses the precision in place of the probe: 0 or 1."""


def torch_device(wanted: str | None) -> str:
    """Return a device by its name, the fastest one for None; ModelError where there is none."""
    import torch

    if wanted is None or wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        # A device exists when it can hold a number; its name alone says little.
        torch.zeros(1, device=wanted)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        reason = str(error).splitlines()[0][:160]
        raise ModelError(
            f"the device {wanted!r:.40} is not available ({reason})",
            hint="give cpu, cuda or mps, or leave it out for the fastest one here",
        ) from None
    return wanted


def torch_dtype(device: str, half: bool) -> Any:
    """Return the type of a model's weights on a device."""
    import torch

    if not half:
        return torch.float32
    if device.startswith("cuda") and not torch.cuda.is_bf16_supported():
        return torch.float16
    return torch.bfloat16


def half_of_environment() -> bool | None:
    """Return what the environment says of half precision, None where it says nothing."""
    value = os.environ.get(HALF, "")
    if value not in ("", "0", "1"):
        raise ModelError(
            f"{HALF} is {value!r:.40}",
            hint=(
                "set it to 1 (half precision) or 0 (float32), or unset it: swimmer then takes "
                "the faster one"
            ),
        )
    return value == "1" if value else None


def gains_by_half(device: str) -> bool:
    """Return whether half precision is faster on a device."""
    if device.startswith("cuda"):
        return True
    return device == "cpu" and has_amx() and _bfloat16_is_faster()


def has_amx() -> bool:
    """Whether this processor has AMX, and the system lets it be used."""
    import torch

    probe = getattr(torch.cpu, "_is_amx_tile_supported", None)
    if probe is not None:
        return bool(probe())
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False


def _bfloat16_is_faster() -> bool:
    """Whether a product of matrices of a transformer's size is quicker in half precision.

    A library built without AMX, or a virtual machine that emulates it, would be slower.
    """
    import torch

    def fastest(dtype: Any) -> float:
        left, right = torch.ones(512, 768, dtype=dtype), torch.ones(768, 3072, dtype=dtype)
        best = float("inf")
        for _ in range(5):
            start = time.perf_counter()
            torch.mm(left, right)
            best = min(best, time.perf_counter() - start)
        return best

    return fastest(torch.float32) > 1.3 * fastest(torch.bfloat16)
