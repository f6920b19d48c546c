"""`libra doctor` on this machine, and on one where something is missing or broken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pseudo_terminal import PseudoTerminal

from libra_cli import __version__, miniature
from libra_cli.engines.requirements import REQUIREMENTS
from libra_cli.exits import Exit
from libra_cli.packages import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
RUN = "import sys; from libra_cli.main import run; "
"""Runs libra after something was done to this Python."""


@pytest.fixture
def doctor(shell):
    """`doctor("--probe")`: (status, what it found)."""

    def run(options="", **kwargs):
        ended = shell(f"libra doctor --json {options}", **kwargs)
        assert ended.err == b""
        return ended.status, json.loads(ended.out)

    return run


def test_a_healthy_machine(doctor):
    status, found = doctor(env={"SLURM_JOB_ID": "17"})
    assert (status, found["problems"], found["verifier"]) == (Exit.DONE, [], "works")
    assert (found["libra"], found["slurm"]["job"]) == (__version__, "17")
    assert found["models"] == list(miniature.MODELS)
    assert set(found["engines"]) == set(REQUIREMENTS)
    assert found["engines"]["replay"] == {"available": True, "why": None}
    assert found["packages"]["orjson"]
    assert found["cpus"] >= 1
    assert found["memory_bytes"] > 1 << 28


@pytest.mark.parametrize(
    ("says", "status", "controller"),
    [("Slurmctld(primary) at a is DOWN", 1, False), ("a is DOWN\nSlurmctld(backup) at b is UP", 0, True)],
)
def test_a_controller_of_slurm_that_does_not_answer_is_named(shell, environment, tmp_path, says, status, controller):
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, body in (("sbatch", "exit 1"), ("scontrol", f"echo '{says}'; exit {status}")):
        (bin_folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (bin_folder / name).chmod(0o755)
    ended = shell("libra doctor --json; libra doctor", env={"PATH": f"{bin_folder}:{environment['PATH']}"})
    end = ended.out.decode().index("\n}") + 2
    assert json.loads(ended.out[:end])["slurm"] == {"sbatch": True, "job": None, "controller": controller}
    assert ("controller does not answer" in ended.out.decode()[end:]) is not controller


def test_the_text_says_the_same(shell, doctor):
    _, found = doctor()
    ended = shell("libra doctor")
    text = ended.out.decode()
    assert (ended.status, ended.err) == (Exit.DONE, b"")
    assert re.search(rf"^  libra +{re.escape(__version__)}$", text, re.MULTILINE)
    for name, version in found["packages"].items():
        assert re.search(rf"^  {name} +{re.escape(version or 'not installed')}", text, re.MULTILINE)
    assert text.endswith("Nothing that is installed is broken.\n")


def test_a_missing_extra_is_no_fault_and_is_named(shell):
    code = RUN + "sys.modules['httpx'] = None; sys.argv = ['libra', 'doctor', '--json']; run()"
    ended = shell(["python", "-c", code])
    assert ended.status == Exit.DONE
    engine = json.loads(ended.out)["engines"]["openai"]
    assert engine == {"available": False, "why": "needs httpx: install libra-cli with the extra openai"}


@pytest.mark.parametrize("words", ["sft", "dpo", "grpo", "train-rm", "grpo --dry-run"])
def test_a_trainer_names_the_extra_that_it_lacks(shell, tmp_path, words):
    (tmp_path / "rows.jsonl").write_text("{}\n")
    argv = [*words.split(), "--model", "libra-mini/weak", "-o", "trained", "rows.jsonl"]
    ended = shell(["python", "-c", f"{RUN}sys.modules['transformers'] = None; sys.argv[1:] = {argv}; run()"])
    assert ended.status == Exit.BACKEND
    cure = "install libra-cli with the extra deepspeed; libra doctor says more"
    assert ended.err.decode() == f"libra {words.split()[0]}: transformers is not installed here: {cure}\n"
    assert not (tmp_path / "trained").exists()


def test_a_package_that_is_missed_late_is_named_with_its_extra(shell):
    code = "import libra_cli.stages.doctor.run as stage\ndef examine(*_): import wandb\nstage.examine = examine\n"
    ended = shell(["python", "-c", f"{RUN}sys.modules['wandb'] = None\n{code}sys.argv[1:] = ['doctor']; run()"])
    assert ended.status == Exit.BACKEND
    cure = "install libra-cli with the extra wandb; libra doctor says more"
    assert ended.err.decode() == f"libra doctor: wandb is not installed here: {cure}\n"


def test_a_package_that_does_not_import_is_broken(doctor, tmp_path):
    (tmp_path / "zstandard.py").write_text("raise ImportError('libzstd.so.1: no such file')\n")
    status, found = doctor(env={"PYTHONPATH": str(tmp_path)})
    assert status == Exit.BACKEND
    assert found["problems"] == ["zstandard cannot be imported: libzstd.so.1: no such file"]


def test_a_verifier_that_does_not_work_is_broken(doctor, tmp_path):
    (tmp_path / "sympy.py").write_text("raise ImportError('sympy is damaged')\n")
    status, found = doctor(env={"PYTHONPATH": str(tmp_path)})
    assert status == Exit.BACKEND
    assert len(found["problems"]) == 1
    assert "the answer verifier does not work here" in found["problems"][0]
    assert found["verifier"] == found["problems"][0]


@pytest.mark.parametrize(("version", "is_refused"), [("4.57.6", True), ("7.0", False)])
def test_a_package_that_is_too_old_is_named_and_refused_and_a_newer_one_is_not(
    doctor, shell, tmp_path, version, is_refused
):
    (tmp_path / f"transformers-{version}.dist-info").mkdir()
    (tmp_path / f"transformers-{version}.dist-info/METADATA").write_text(f"Name: transformers\nVersion: {version}\n")
    said = f"transformers {version} is installed, libra needs <6,>=5: pip install 'transformers<6,>=5'"
    environment = {"PYTHONPATH": str(tmp_path)}
    status, found = doctor(env=environment)
    assert (status == Exit.BACKEND, found["problems"]) == (is_refused, [said] * is_refused)
    why = f"needs transformers<6,>=5, this is {version}" if is_refused else None
    assert found["engines"]["transformers"] == {"available": not is_refused, "why": why}
    for line in (
        "rollout --engine transformers --model libra-mini/strong",
        "sft --model libra-mini/base --dry-run -o o",
    ):
        ended = shell(f"libra {line}", input=b'{"question": "1+1?", "response": "2"}\n', env=environment)
        assert (ended.status == Exit.BACKEND) is is_refused, ended.err
        assert (said.encode() in ended.err) is is_refused, ended.err


@pytest.fixture
def stubs(tmp_path):
    """The environment in which empty modules stand in for heavy ones, which take half a minute; two are broken."""
    heavy = [package.module for package in PACKAGES if package.heavy and package.extra]
    for module in heavy:
        (tmp_path / f"{module}.py").write_text("")
    (tmp_path / "transformers.py").write_text("AutoModelForCausalLM = AutoTokenizer = None\n")
    (tmp_path / "vllm.py").write_text("EngineArgs = None\n")
    (tmp_path / "httpx.py").write_text("import no_such_module\n")
    (tmp_path / "torchaudio.py").write_text("")
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    (tmp_path / "torch.py").write_text("class cuda:\n    device_count = staticmethod(lambda: 0)\n")
    return {"PYTHONPATH": str(tmp_path)}


def test_a_probe_shows_what_it_does(stubs, environment, tmp_path):
    with PseudoTerminal(["libra", "doctor", "--probe"], tmp_path, {**environment, **stubs}, (100, 80)) as terminal:
        terminal.wait_for("libra doctor: importing ", f" of {len(PACKAGES)})")
        assert terminal.end() == Exit.BACKEND
        assert "importing" not in terminal.text, "the line goes away"


def test_probing_imports_what_is_heavy(doctor, stubs):
    here = stubs
    assert doctor(env=here)[1]["problems"] == []
    status, found = doctor("--probe", env=here)
    assert (status, found["devices"]) == (Exit.BACKEND, [])
    httpx, torchvision = found["problems"]
    assert httpx == "httpx cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"
    assert torchvision.startswith("torchvision cannot be imported: RuntimeError: operator torchvision::nms does not")
    assert found["engines"]["openai"] == {"available": False, "why": "httpx is broken"}


@pytest.mark.parametrize(
    ("script", "devices", "problem"),
    [
        (
            "echo 'NVIDIA H200, 143771, 570.1'; echo 'Card, with a comma, [N/A], 1'",
            [
                {"name": "NVIDIA H200", "memory_mib": 143771, "driver": "570.1"},
                {"name": "Card, with a comma", "memory_mib": None, "driver": "1"},
            ],
            None,
        ),
        ("exit 9", [], "the GPU driver does not answer"),
    ],
)
def test_gpus_are_listed_by_their_driver(doctor, tmp_path, environment, script, devices, problem):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    status, found = doctor(env={"PATH": f"{tmp_path}:{environment['PATH']}"})
    assert found["devices"] == devices
    assert status == (Exit.BACKEND if problem else Exit.DONE)
    assert [line.startswith(str(problem)) for line in found["problems"]] == [True] * bool(problem)


def test_the_packages_are_those_of_the_project():
    tomllib = pytest.importorskip("tomllib")  # Python 3.11
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    known = {package.name: package.extra for package in PACKAGES}
    assert {name for name, extra in known.items() if extra is None} == set(map(_name, project["dependencies"]))
    for name, extra in known.items():
        assert extra is None or name in map(_name, extras[extra]), f"{name} is not in the extra {extra}"
    assert set(extras) - set(known.values()) == {"test"}


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=!~ ]", requirement)[0]
