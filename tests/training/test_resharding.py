"""Checkpoints go on with another number of ranks and at another ZeRO stage, as if nothing had changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import reshard_ranks
import sft_runs as runs
import torch
from continued_runs import Call, cut, layout

from libra_cli.training.distributed.saved_state import WEIGHT, SavedState
from libra_cli.training.distributed.world import import_deepspeed

KINDS = {
    "full": ["--zero", "0"],
    "lora": ["--lora-rank", "2", "--zero", "2"],
    "bf16": ["--dtype", "bf16", "--save-dtype", "fp32", "--zero", "1"],
}
"""The runs that others go on with, on one rank."""
THERE = ["full-2x2", "full-2x3", "lora-2x3", "bf16-1x3"]
"""KIND-RANKSxSTAGE: goes on after step 2."""
BACK = ["full-2x2-1x3", "full-2x3-1x0", "lora-2x3-1x2", "bf16-1x3-1x1"]
"""... and from there again, after step 4."""
ALL_THERE = [f"{kind}-{ranks}x{stage}" for kind in KINDS for ranks in (1, 2) for stage in range(4)
             if (kind, stage) != ("bf16", 0)]  # fmt: skip
ALL_BACK = [f"{name}-1x{stage}" for name in ALL_THERE for stage in range(4) if "bf16" not in name or stage]
LIMITS = {"full": (1e-5, 1e-5), "lora": (1e-5, 1e-5), "bf16": (1e-3, 1e-2)}
"""Of differences of losses, and of weights: bf16 rounds otherwise where ranks see other rows together."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of each kind, undisturbed, and those that go on."""
    return runs.made_once(tmp_path_factory, "resharding", on_one_rank_and_two)


def on_one_rank_and_two(folder: Path) -> None:
    runs.write_model(folder / "model")
    runs.write_rows(folder / "rows.jsonl")
    runs.drive(folder, 1, {kind: arguments(folder, kind) for kind in KINDS})
    go_on(folder, folder, THERE, step=2)
    go_on(folder, folder, BACK, step=4)


def arguments(folder: Path, name: str) -> list[str]:
    kind, *layouts = name.split("-")
    stage = ["--zero", layouts[-1][-1]] if layouts else []
    base = ["--model", str(folder / "model"), str(folder / "rows.jsonl"), *runs.COMMON, "--save-every", "2"]
    return [*base, "--keep", "9", *KINDS[kind], *stage]


def go_on(made: Path, folder: Path, names: list[str], step: int) -> None:
    """Has each run of `folder` go on after `step`, in processes for each number of ranks."""
    for ranks in (1, 2):
        plan = {name: arguments(made, name) for name in names if f"-{ranks}x" in name[-4:]}
        for name in plan:
            cut(folder, name.rpartition("-")[0], name, step)
        if plan:
            runs.drive(folder, ranks, plan)


# -- the state itself -------------------------------------------------------------------------------------------------

SAVED = {"full": "full", "lora": "lora", "bf16": "bf16", "two-2": "full-2x2", "two-3": "full-2x3"}
"""Checkpoints of these runs, of step 4."""


@pytest.fixture(scope="module")
def moved(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the state of each checkpoint as two ranks have saved it again: SOURCE-STAGE."""
    return runs.made_once(tmp_path_factory, "moved", lambda folder: move(made, folder, ranks=2))


def move(made: Path, folder: Path, ranks: int) -> None:
    cases = [{"args": arguments(made, run), "zero": stage, "source": str(made / run / "checkpoints/step-4"),
              "target": str(folder / f"{source}-{stage}")}
             for source, run in SAVED.items() for stage in range(int(source == "bf16"), 4)]  # fmt: skip
    (folder / "cases.json").write_text(json.dumps(cases))
    runs.run_ranks(Path(reshard_ranks.__file__), [str(folder / "cases.json")], ranks)


def tensors(folder: Path, names: list[str]) -> dict[tuple[str, str], torch.Tensor]:
    """Everything that a saved state holds of each parameter, and its number of steps."""
    saved = SavedState.open(folder / "state", names)
    found = {("", "step"): torch.tensor([saved.step])}
    for name, size in saved.sizes.items():
        for kind in (WEIGHT, *saved.moments):
            found[name, kind] = torch.empty(size)
            saved.copy(name, kind, 0, found[name, kind])
    return found


def in_order(folder: Path) -> list[str]:
    """The parameters of a checkpoint with ZeRO, in the order of its optimizer."""
    model = torch.load(next(folder.glob("state/*model_states.pt")), weights_only=False)
    return [name for group in model["param_shapes"] for name in group]


def assert_same_state(made: Path, moved: Path, source: str, stage: int) -> None:
    import_deepspeed()
    names = in_order(made / ("lora" if source == "lora" else "full-2x2") / "checkpoints/step-4")
    before = tensors(made / SAVED[source] / "checkpoints/step-4", names)
    after = tensors(moved / f"{source}-{stage}", names)
    assert before.keys() == after.keys()
    assert len(before) == 1 + 3 * len(names)
    assert [key for key in before if not torch.equal(before[key], after[key])] == []


@pytest.mark.parametrize("stage", range(4))
@pytest.mark.parametrize("source", SAVED)
def test_another_layout_has_the_same_bits(made: Path, moved: Path, source: str, stage: int) -> None:
    if (source, stage) != ("bf16", 0):
        assert_same_state(made, moved, source, stage)


# -- runs -------------------------------------------------------------------------------------------------------------


def assert_undisturbed(folder: Path, name: str) -> None:
    base = name.partition("-")[0]
    of_losses, of_weights = LIMITS[base]
    expected, found = runs.steps(folder / f"{base}.log"), runs.steps(folder / f"{name}.log")
    assert [step["step"] for step in found] == list(range(1, runs.STEPS + 1))
    for before, after in zip(expected, found, strict=True):
        assert after["loss"] == pytest.approx(before["loss"], abs=of_losses), before["step"]
        assert after["grad_norm"] == pytest.approx(before["grad_norm"], abs=10 * of_losses), before["step"]
        assert [after[name] for name in ("lr", "learned", "samples")] == [
            before[name] for name in ("lr", "learned", "samples")
        ]
    assert runs.difference(folder / base, folder / name) < of_weights
    ranks, stage = map(int, name.rpartition("-")[2].split("x"))
    assert layout(folder, name, 6) == {"ranks": ranks, "zero": stage, "sequence_parallel": 1}


@pytest.mark.parametrize("name", [*THERE, *BACK])
def test_a_run_goes_on_with_other_ranks_and_another_stage(made: Path, name: str) -> None:
    assert_undisturbed(made, name)


@pytest.mark.slow
def test_a_run_goes_on_from_every_layout_with_every_other(made: Path, tmp_path: Path) -> None:
    for name in KINDS:
        (tmp_path / name).symlink_to(made / name)
        (tmp_path / f"{name}.log").symlink_to(made / f"{name}.log")
    go_on(made, tmp_path, ALL_THERE, step=2)
    go_on(made, tmp_path, ALL_BACK, step=4)
    for name in [*ALL_THERE, *ALL_BACK]:
        assert_undisturbed(tmp_path, name)


# -- what cannot go on ------------------------------------------------------------------------------------------------

DAMAGED = {
    "code": "zero_pp_rank_1_mp_rank_00_optim_states.pt names posix.mkdir, which no training state needs",
    "half": "zero_pp_rank_1_mp_rank_00_optim_states.pt is damaged",
    "missing": "the state of a rank is missing",
    "fewer": "1 ranks of 2 have written their state",
    "nothing": "it is no state of DeepSpeed",
    "short": "the model 32)",
}
"""What befalls the state of two ranks, and what a run on one says about it."""


def damage(state: Path, how: str, mark: Path) -> None:
    first, second = (state / f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt" for rank in (0, 1))
    content = torch.load(second, weights_only=False)
    if how == "code":
        torch.save({**content, "more": Call(os.mkdir, str(mark))}, second)
    elif how == "half":
        second.write_bytes(second.read_bytes()[:5000])
    elif how == "missing":
        first.unlink()
    elif how == "fewer":
        second.unlink()
    elif how == "nothing":
        torch.save({"optimizer_state_dict": {"partition_count": 2}}, second)
    else:
        place = content["optimizer_state_dict"]["param_slice_mappings"][1]["model.model.norm.weight"]
        place.numel -= 1
        torch.save(content, second)


def test_a_state_that_is_not_whole_is_refused_and_its_code_does_not_run(made: Path, tmp_path: Path) -> None:
    """Whoever changed the files wrote the marker, too."""
    for name in ("full-2x2", "full-2x2.log"):
        (tmp_path / name).symlink_to(made / name)
    for how in DAMAGED:
        cut(tmp_path, "full-2x2", how, step=4)
        place = tmp_path / how / "checkpoints/step-4"
        damage(place / "state", how, tmp_path / "mark")
        marker = json.loads((place / "libra.json").read_text())
        (place / "libra.json").write_text(json.dumps({name: marker[name] for name in marker if name != "files"}))
    runs.drive(tmp_path, 1, {how: arguments(made, "full-2x2") for how in DAMAGED}, may_fail=True)
    assert not (tmp_path / "mark").exists()
    for how, reason in DAMAGED.items():
        status, said = json.loads((tmp_path / f"{how}.ended").read_text())
        assert (status, "\n" in said) == (2, False), said
        assert "/checkpoints/step-4: cannot be continued from (" in said
        assert reason in said


def test_an_optimizer_whose_state_cannot_be_cut_goes_on_with_its_own_layout_only(made: Path, tmp_path: Path) -> None:
    config = tmp_path / "deepspeed.json"
    config.write_text(json.dumps({"optimizer": {"type": "Adafactor"}}))
    words = [*arguments(made, "full")[:-2], "--deepspeed", str(config), "--zero"]
    runs.drive(tmp_path, 1, {"other": [*words, "1"]})
    for name in ("moved", "same"):
        cut(tmp_path, "other", name, step=4)
    runs.drive(tmp_path, 1, {"moved": [*words, "2"], "same": [*words, "1"]}, may_fail=True)
    status, said = json.loads((tmp_path / "moved.ended").read_text())
    what = "step-4 was saved by 1 process, --zero 1, and the optimizer Adafactor ties the state to them"
    assert (status, said.endswith(f"{what}; continue with these, or begin anew with --overwrite")) == (2, True), said
    assert json.loads((tmp_path / "same.ended").read_text()) == [0, ""]
    assert runs.difference(tmp_path / "other", tmp_path / "same") == 0.0
