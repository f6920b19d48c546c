"""The devices of this machine."""

from __future__ import annotations


def has_gpu() -> bool:
    """Whether torch is installed and sees a GPU."""
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())
