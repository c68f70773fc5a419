"""The machine a thing runs on: processor, threads, graphics card, and the versions of the libraries."""

import platform
from importlib.metadata import version
from pathlib import Path

import torch


def machine() -> dict:
    """The kind of processor, its threads, and the graphics card if there is one."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"processor": _processor(), "threads": torch.get_num_threads(), "gpu": gpu}


def versions() -> dict[str, str]:
    """The versions of the libraries that a figure may depend on."""
    return {name: version(name) for name in ("torch", "transformers", "datasets", "accelerate")} | {
        "python": platform.python_version()
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def computes_bf16() -> bool:
    """Whether bfloat16 is computed in hardware here; elsewhere it would only be slow."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
