"""Code in the files of a checkpoint never runs, whatever form it takes; states of every kind of run are read."""

from __future__ import annotations

import functools
import io
import json
import operator
import os
import pickle
import runpy
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs
import torch
from continued_runs import Call

from libra_cli.training.distributed.state_files import reading_data_only
from libra_cli.training.distributed.world import import_deepspeed

KINDS = {
    "zero0": ["--zero", "0"],
    "zero2": ["--zero", "2"],
    "zero3": ["--zero", "3"],
    "bf16": ["--dtype", "bf16"],
    "lora": ["--lora-rank", "2", "--zero", "1"],
}


def saved(value: Any, **how: Any) -> bytes:
    """What torch writes."""
    file = io.BytesIO()
    torch.save(value, file, **how)
    return file.getvalue()


def code(mark: Path) -> dict[str, Any]:
    """Objects that make `mark` when they are unpickled, in ways that no single blocked name stops."""
    script = mark.with_suffix(".py")
    script.write_text(f"open({str(mark)!r}, 'w')")
    make = Call(os.mkdir, str(mark))
    return {
        "os.mkdir": make,
        "os.system": Call(os.system, f"touch {mark}"),
        "eval": Call(eval, script.read_text()),
        "exec": Call(exec, script.read_text()),
        "open": Call(open, str(mark), "w"),
        "partial": Call(functools.partial(os.mkdir, str(mark))),
        "methodcaller": Call(operator.methodcaller("mkdir"), mark),
        "runpy": Call(runpy.run_path, str(script)),
        "pickle.loads": Call(pickle.loads, pickle.dumps(make)),
        "torch.storage": Call(torch.storage._load_from_bytes, saved(make)),
    }


def in_a_tar(value: Any) -> bytes:
    """The form that torch wrote before 2017."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name in ("sys_info", "storages", "tensors", "pickle"):
            content = pickle.dumps(value, 2)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


FORMS: dict[str, Callable[[Any, Any], bytes]] = {
    "pickle 0": lambda value, state: pickle.dumps(value, 0),
    "pickle 5": lambda value, state: pickle.dumps(value, 5),
    "torch": lambda value, state: saved(value),
    "old torch": lambda value, state: saved(value, _use_new_zipfile_serialization=False),
    "tar": lambda value, state: in_a_tar(value),
    "in the state": lambda value, state: saved({**state, "more": value}),
    "before the state": lambda value, state: saved({"first": [value], **state}),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.made_once(tmp_path_factory, "state-files", write_checkpoints)


def write_checkpoints(folder: Path) -> None:
    """A finished run of each kind, with the checkpoint of its last step."""
    runs.write_model(folder / "model")
    runs.write_rows(folder / "rows.jsonl")
    runs.drive(folder, 1, {name: arguments(folder, name) for name in KINDS})


def arguments(folder: Path, kind: str) -> list[str]:
    return [
        "--model",
        str(folder / "model"),
        str(folder / "rows.jsonl"),
        *runs.COMMON,
        "--max-steps",
        "2",
        *KINDS[kind],
    ]


def state_files(run: Path) -> list[Path]:
    return sorted((run / "checkpoints" / "step-2" / "state").glob("*.pt"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_file_is_read_as_data_only(made: Path, kind: str) -> None:
    """The three classes are all that it takes, beside tensors and plain data, and the state is whole."""
    from deepspeed.runtime.checkpoint_engine import TorchCheckpointEngine

    engine = TorchCheckpointEngine()
    files = state_files(made / kind)
    assert len(files) == (1 if kind == "zero0" else 2)
    for path in files:
        with reading_data_only(engine):
            state = engine.load(str(path))
        assert state.keys() == torch.load(path, weights_only=False).keys()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


@pytest.mark.parametrize("form", FORMS)
def test_no_code_in_a_state_file_runs(made: Path, tmp_path: Path, form: str) -> None:
    import_deepspeed()
    from deepspeed.runtime.checkpoint_engine import TorchCheckpointEngine

    engine, mark = TorchCheckpointEngine(), tmp_path / "mark"
    state = torch.load(state_files(made / "zero2")[0], weights_only=False)
    for name, value in code(mark).items():
        path = tmp_path / "state.pt"
        path.write_bytes(FORMS[form](value, state))
        with pytest.raises(ValueError, match=r"^state\.pt (names|is damaged)"), reading_data_only(engine):
            engine.load(str(path))
        assert not mark.exists(), name
        engine_alone(engine, path)  # it would have run
        assert mark.exists(), name
        mark.rmdir() if mark.is_dir() else mark.unlink()


def engine_alone(engine: Any, path: Path) -> None:
    """What DeepSpeed does without us."""
    try:
        engine.load(str(path))
    except Exception:  # noqa: BLE001 -- the code has run by then
        pass


BROKEN = {
    "empty": b"",
    "text": b"state",
    "zeros": bytes(4096),
    "half": None,
    "a list": saved([1]),
    "nothing": saved(None),
    "another state": saved({"module": {}}),
}


def test_a_run_refuses_code_and_damage_by_name_and_goes_on_from_what_is_whole(made: Path, tmp_path: Path) -> None:
    """Whole runs, of which each goes on from a checkpoint; whoever put the file there wrote its marker, too."""
    mark = tmp_path / "mark"
    value = code(mark)["os.mkdir"]
    plan = {}
    for kind in ("zero0", "zero2"):
        for path in state_files(made / kind):
            state = torch.load(path, weights_only=False)
            plan[f"{kind}-code-{path.name}"] = kind, path, FORMS["in the state"](value, state)
        plan[f"{kind}-whole"] = kind, path, path.read_bytes()
    for name, content in BROKEN.items():
        path = state_files(made / "zero2")[0]
        plan[f"zero2-{name}"] = "zero2", path, path.read_bytes()[:5000] if content is None else content
    for name, (kind, path, content) in plan.items():
        shutil.copytree(made / kind, tmp_path / name)
        unfinish(tmp_path / name)
        copy = tmp_path / name / path.relative_to(made / kind)
        copy.write_bytes(content)
    runs.drive(tmp_path, 1, {name: arguments(made, kind) for name, (kind, _, _) in plan.items()}, may_fail=True)
    assert not mark.exists()
    for name, (kind, path, _) in plan.items():
        status, said = json.loads((tmp_path / f"{name}.ended").read_text())
        if name.endswith("-whole"):
            assert (status, runs.difference(made / kind, tmp_path / name)) == (0, 0.0)
            continue
        assert (status, "\n" in said) == (2, False), said
        assert "/checkpoints/step-2: cannot be continued from (" in said, (name, said)
        assert "); delete it to continue from the one before, or begin anew with --overwrite" in said
        if "-code-" in name:
            assert f"{path.name} names {os.mkdir.__module__}.mkdir, which no training state needs" in said


def unfinish(run: Path) -> None:
    """Has the run as it was before its end, with a marker that holds no hashes, as earlier versions wrote it."""
    manifest = json.loads((run / "libra.json").read_text())
    (run / "libra.json").write_text(json.dumps({**manifest, "status": "running"}))
    marker = json.loads((run / "checkpoints" / "step-2" / "libra.json").read_text())
    assert marker.pop("files")
    (run / "checkpoints" / "step-2" / "libra.json").write_text(json.dumps(marker))
