"""What `libra doctor` prints: one JSON object, or aligned lines under headings."""

from __future__ import annotations

import json
from typing import Any

from libra_cli.packages import PACKAGES


def as_json(state: dict[str, Any]) -> str:
    """The state of the machine as JSON."""
    return json.dumps(state, indent=2)


def as_text(state: dict[str, Any]) -> str:
    """The state of the machine as aligned lines under headings, then the problems."""
    memory, slurm = state["memory_bytes"], state["slurm"]
    machine = [(name, str(state[name])) for name in ("libra", "python", "platform", "cpus")]
    machine += [
        ("memory", f"{memory / 2**30:.1f} GiB" if memory else "unknown"),
        ("slurm", _slurm(slurm)),
        ("verifier", state["verifier"]),
    ]
    extras = {package.name: f"extra {package.extra}" if package.extra else "base install" for package in PACKAGES}
    gpus = []
    for number, gpu in enumerate(state["devices"]):
        size = f"{gpu['memory_mib']} MiB" if gpu["memory_mib"] else "memory unknown"
        gpus.append(
            (str(number), ", ".join([gpu["name"], size, *([f"driver {gpu['driver']}"] if gpu["driver"] else [])]))
        )
    blocks = {
        "Machine": machine,
        "Packages": [
            (name, version or f"not installed ({extras[name]})") for name, version in state["packages"].items()
        ],
        "Engines": [(name, engine["why"] or "available") for name, engine in state["engines"].items()],
        "GPUs": gpus or [("none", "models run on the CPU")],
        "Embedded models": [(name, "") for name in state["models"]],
    }
    lines = []
    for title, entries in blocks.items():
        width = max((len(name) for name, _ in entries), default=0)
        lines += [title, *(f"  {name:{width}}  {value}".rstrip() for name, value in entries), ""]
    problems = [f"broken: {problem}" for problem in state["problems"]]
    seen = "Each installed package was imported." if state["probed"] else "No package was imported; --probe does that."
    return "\n".join([*lines, seen, *(problems or ["Nothing that is installed is broken."])])


def _slurm(slurm: dict[str, Any]) -> str:
    if slurm["job"]:
        return f"job {slurm['job']}"
    if not slurm["sbatch"]:
        return "not here"
    return "sbatch is here" + (
        "; its controller does not answer (scontrol ping)" if slurm["controller"] is False else ""
    )
