"""Devices of this machine, as the engines that load models see them."""

from __future__ import annotations


def has_gpu() -> bool:
    """Whether torch is installed and sees a GPU."""
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())
