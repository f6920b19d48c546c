"""Checkpoints go on with another number of ranks and at another ZeRO stage, as if nothing had changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import dpo_runs
import grpo_runs
import pytest
import reshard_ranks
import sft_runs as runs
import torch
import warm
from continued_runs import Call, cut, layout

from libra_cli.training.distributed.saved_state import WEIGHT, SavedState
from libra_cli.training.distributed.world import import_deepspeed

KINDS = {
    "full": ["--zero", "0"],
    "lora": ["--lora-rank", "2", "--zero", "2"],
    "bf16": ["--dtype", "bf16", "--save-dtype", "fp32", "--zero", "1"],
}
"""Runs of `libra sft` that others go on with, on one rank."""
STAGES = {"bco": "dpo", "grpo": "grpo"}
"""Runs of others: a mean over all steps so far, and rollouts of four steps."""
WITHIN = "grpo-2x3"
"""Goes on within a rollout, where a run on one rank was stopped."""
OFFLOADED = "bf16-1x1"
"""Goes on with the optimizer in the host's memory."""
THERE = ["full-2x2", "full-2x3", "lora-2x3", "bf16-1x3", OFFLOADED, "bco-2x3", WITHIN]
"""KIND-RANKSxSTAGE: goes on after step 2."""
BACK = ["full-2x2-1x3", "full-2x3-1x0", "lora-2x3-1x2", "bf16-1x3-1x1", "bf16-1x1-1x2", "bco-2x3-1x1", "grpo-2x3-1x0"]
"""... and from there again, after step 4."""
ALL_THERE = [f"{kind}-{ranks}x{stage}" for kind in KINDS for ranks in (1, 2) for stage in range(4)
             if (kind, stage) != ("bf16", 0)]  # fmt: skip
ALL_BACK = [f"{name}-1x{stage}" for name in ALL_THERE for stage in range(4) if "bf16" not in name or stage]
LIMITS = {"bf16": (1e-3, 1e-2)}
"""Of differences of losses, and of weights; bf16 rounds otherwise where ranks see other rows together."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of each kind, undisturbed, those that go on, and those that cannot."""
    return runs.made_once(tmp_path_factory, "resharding", on_one_rank_and_two)


def on_one_rank_and_two(folder: Path) -> None:
    runs.write_model(folder / "model")
    runs.write_rows(folder / "rows.jsonl")
    runs.write_rows(folder / "held-out.jsonl", n=3, seed=9)
    dpo_runs.write_jsonl(folder / "pairs.jsonl", dpo_runs.pairs(seed=1))
    grpo_runs.write_tasks(folder / "tasks.jsonl")
    (folder / "deepspeed.json").write_text(json.dumps({"optimizer": {"type": "Adafactor"}}))
    first = {name: arguments(folder, name) for name in (*KINDS, *STAGES)}
    runs.drive(folder, 1, {**first, "factored": factored(folder, "1")}, stage=stages([*first, "factored"]))
    stop_within(folder)
    cut(folder, "full", "chosen", step=4)
    choose(folder / "chosen", step=2)
    cut(folder, "full", "finished", step=runs.STEPS)
    concluded = {"chosen": ["--final", "best"], "finished": ["--save-dtype", "bf16"]}
    more = {name: [*arguments(folder, "full-2x3"), *words] for name, words in concluded.items()}
    go_on(folder, folder, THERE, 2, {2: more})
    for how in DAMAGED:
        spoil(folder, how)
    for name in FACTORED:
        cut(folder, "factored", name, step=4)
    more = {how: arguments(folder, "full-2x2") for how in DAMAGED}
    more |= {name: factored(folder, stage) for name, stage in FACTORED.items()}
    go_on(folder, folder, BACK, 4, {1: more})


def arguments(folder: Path, name: str) -> list[str]:
    kind, *layouts = name.split("-")
    stage = ["--zero", layouts[-1][-1]] if layouts else []
    if kind == "grpo":
        base = [*grpo_runs.COMMON, "--batch-size", "4", str(folder / "tasks.jsonl")]
    else:
        base = ["--model", str(folder / "model"), *runs.COMMON]
        base += ["--loss", "bco", str(folder / "pairs.jsonl")] if kind == "bco" else [str(folder / "rows.jsonl")]
    if kind == "full":
        base += ["--eval-data", str(folder / "held-out.jsonl"), "--eval-every", "2"]
    stage += ["--offload", "optimizer"] if name == OFFLOADED else []
    return [*base, "--save-every", "2", "--keep", "9", *KINDS.get(kind, []), *stage]


def factored(folder: Path, stage: str) -> list[str]:
    """A run whose optimizer keeps a number for each row and column."""
    return [*arguments(folder, "full")[:-2], "--deepspeed", str(folder / "deepspeed.json"), "--zero", stage]


def stages(names: list[str]) -> dict[str, str]:
    return {name: STAGES.get(name.partition("-")[0], "sft") for name in names}


def stop_within(folder: Path) -> None:
    """Stops a run on one rank in the first of the four steps that learn from a rollout, or soon after."""
    line = warm.libra("grpo", *arguments(folder, "grpo"), "-o", str(folder / WITHIN))
    with open(folder / f"{WITHIN}.log", "w") as log:
        process = subprocess.Popen(line, env=runs.environment(), stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for event in process.stdout:
            log.write(event)
            if json.loads(event)["event"] == "step" and json.loads(event)["step"] == 1:
                process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=120) == 143


def choose(run: Path, step: int) -> None:
    """Has the last checkpoint say that `step` was the best so far."""
    path = max(run.glob("checkpoints/step-*")) / "libra.json"
    marker = json.loads(path.read_text())
    path.write_text(json.dumps({**marker, "best": {**marker["best"], "step": step, "loss": -1.0}}))


def go_on(
    made: Path, folder: Path, names: list[str], step: int, more: Mapping[int, dict[str, list[str]]] | None = None
) -> None:
    """Has each run of `folder` go on after `step`, in processes for each number of ranks, with `more` of their own."""
    for ranks in (1, 2):
        others = (more or {}).get(ranks, {})
        plan = {name: arguments(made, name) for name in names if f"-{ranks}x" in name[-4:]}
        for name in plan:
            if name != WITHIN:
                cut(folder, name.rpartition("-")[0], name, step)
        plan |= others
        if plan:
            runs.drive(folder, ranks, plan, may_fail=True, stage=stages([*plan]))
        assert [name for name in plan if name not in others and ended(folder, name)[0]] == []


def ended(folder: Path, name: str) -> tuple[int, str]:
    status, said = json.loads((folder / f"{name}.ended").read_text())
    return status, said


# -- the state itself -------------------------------------------------------------------------------------------------

SAVED = {"full": "full", "lora": "lora", "bf16": "bf16", "two-2": "full-2x2", "two-3": "full-2x3"}
"""Checkpoints of these runs, of step 4."""


@pytest.fixture(scope="module")
def moved(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the state of each checkpoint as two ranks have saved it again: SOURCE-STAGE."""
    return runs.made_once(tmp_path_factory, "moved", lambda folder: move(made, folder, ranks=2))


def move(made: Path, folder: Path, ranks: int) -> None:
    full = arguments(made, "full")
    cases = [{"args": full, "zero": 1, "sources": [], "target": str(folder / "new")}]
    cases += [
        {"args": full, "zero": stage, "sources": [str(folder / "new")], "target": str(folder / f"new-{stage}")}
        for stage in range(4)
    ]
    for source, run in SAVED.items():
        sources = [str(made / run / f"checkpoints/step-{step}") for step in (2, 4)]
        for stage in range(int(source == "bf16"), 4):
            case = {"args": arguments(made, run), "zero": stage, "sources": sources}
            cases.append({**case, "target": str(folder / f"{source}-{stage}")})
    (folder / "cases.json").write_text(json.dumps(cases))
    runs.run_ranks(Path(reshard_ranks.__file__), [str(folder / "cases.json")], ranks)


def tensors(folder: Path, names: list[str]) -> dict[tuple[str, str], torch.Tensor]:
    """Everything that a saved state holds of each parameter, and its number of steps."""
    saved = SavedState.open(folder / "state", names)
    found = {("", "step"): torch.tensor([-1 if saved.step is None else saved.step])}
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


@pytest.mark.parametrize("stage", range(4))
def test_a_state_without_a_step_has_the_same_bits(made: Path, moved: Path, stage: int) -> None:
    import_deepspeed()
    names = in_order(made / "full-2x2/checkpoints/step-4")
    before, after = tensors(moved / "new", names), tensors(moved / f"new-{stage}", names)
    assert before.keys() == after.keys()
    assert len(before) == 1 + len(names)
    assert [key for key in before if not torch.equal(before[key], after[key])] == []


# -- runs -------------------------------------------------------------------------------------------------------------


def assert_undisturbed(folder: Path, name: str) -> None:
    base = name.partition("-")[0]
    of_losses, of_weights = LIMITS.get(base, (1e-5, 1e-5))
    expected, found = runs.steps(folder / f"{base}.log"), runs.steps(folder / f"{name}.log")
    assert [step["step"] for step in found] == list(range(1, runs.STEPS + 1))
    for before, after in zip(expected, found, strict=True):
        assert after["loss"] == pytest.approx(before["loss"], abs=of_losses), before["step"]
        assert after["grad_norm"] == pytest.approx(before["grad_norm"], abs=10 * of_losses), before["step"]
        for name_of in ("lr", "learned", "samples", "epoch"):
            assert after[name_of] == before[name_of], before["step"]
    assert runs.difference(folder / base, folder / name) < of_weights
    if base == "grpo":
        assert [event["step"] for event in grpo_runs.events(folder / f"{name}.log", "rollout")] == [0, 4]
    ranks, stage = map(int, name.rpartition("-")[2].split("x"))
    place = "cpu" if name == OFFLOADED else "none"
    expected_layout = {"ranks": ranks, "zero": stage, "sequence_parallel": 1, "optimizer_on": place}
    assert layout(folder, name, 6) == expected_layout


@pytest.mark.parametrize("name", [*THERE, *BACK])
def test_a_run_goes_on_with_other_ranks_and_another_stage(made: Path, name: str) -> None:
    assert_undisturbed(made, name)


def test_the_best_step_is_exported_from_another_layout(made: Path) -> None:
    """By an engine that has trained since."""
    assert ended(made, "chosen") == (0, "")
    assert layout(made, "chosen", 6)["ranks"] == 2
    import_deepspeed()
    saved = SavedState.open(made / "full/checkpoints/step-2/state", in_order(made / "full-2x2/checkpoints/step-4"))
    for name, weight in runs.weights(made / "chosen").items():
        expected = torch.empty(weight.numel())
        saved.copy(f"model.{name}", WEIGHT, 0, expected)
        assert torch.equal(weight.flatten(), expected), name


def test_a_finished_run_is_exported_again_by_other_ranks_and_its_checkpoint_stays_as_it_is(made: Path) -> None:
    assert ended(made, "finished") == (0, "")
    assert runs.weights(made / "finished")["model.norm.weight"].dtype == torch.bfloat16
    assert runs.difference(made / "full", made / "finished") < 1e-2
    assert layout(made, "finished", 6) == layout(made, "full", 6)


@pytest.mark.slow
def test_a_run_goes_on_from_every_layout_with_every_other(made: Path, tmp_path: Path) -> None:
    for name in KINDS:
        (tmp_path / name).symlink_to(made / name)
        (tmp_path / f"{name}.log").symlink_to(made / f"{name}.log")
    go_on(made, tmp_path, ALL_THERE, step=2)
    go_on(made, tmp_path, ALL_BACK, step=4)
    for name in [*ALL_THERE, *ALL_BACK]:
        assert_undisturbed(tmp_path, name)


@pytest.mark.slow
def test_a_run_goes_on_with_ranks_that_share_rows(made: Path, tmp_path: Path) -> None:
    """In processes of their own: DeepSpeed divides ranks into groups once."""
    for name in ("full", "full.log"):
        (tmp_path / name).symlink_to(made / name)
    cut(tmp_path, "full", "full-2x3", step=2)
    runs.drive(tmp_path, 2, {"full-2x3": [*arguments(made, "full-2x3"), "--sequence-parallel", "2"]})
    assert layout(tmp_path, "full-2x3", 6)["sequence_parallel"] == 2
    cut(tmp_path, "full-2x3", "full-2x3-2x3", step=4)
    runs.drive(tmp_path, 2, {"full-2x3-2x3": arguments(made, "full-2x3-2x3")})
    assert_undisturbed(tmp_path, "full-2x3-2x3")


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


def spoil(folder: Path, how: str) -> None:
    """Makes FOLDER/HOW a run of two ranks whose last checkpoint is damaged; who did it wrote its marker, too."""
    cut(folder, "full-2x2", how, step=4)
    place = folder / how / "checkpoints/step-4"
    marker = json.loads((place / "libra.json").read_text())
    (place / "libra.json").write_text(json.dumps({name: marker[name] for name in marker if name != "files"}))
    first, second = (place / f"state/zero_pp_rank_{rank}_mp_rank_00_optim_states.pt" for rank in (0, 1))
    content = torch.load(second, weights_only=False)
    if how == "code":
        torch.save({**content, "more": Call(os.mkdir, str(folder / "mark"))}, second)
    elif how == "half":
        second.write_bytes(second.read_bytes()[:5000])
    elif how == "missing":
        first.unlink()
    elif how == "fewer":
        second.unlink()
    elif how == "nothing":
        torch.save({"optimizer_state_dict": {"partition_count": 2}}, second)
    else:
        place_of_norm = content["optimizer_state_dict"]["param_slice_mappings"][1]["model.model.norm.weight"]
        place_of_norm.numel -= 1
        torch.save(content, second)


@pytest.mark.parametrize("how", DAMAGED)
def test_a_state_that_is_not_whole_is_refused_and_its_code_does_not_run(made: Path, how: str) -> None:
    status, said = ended(made, how)
    assert (status, "\n" in said) == (2, False), said
    assert "/checkpoints/step-4: cannot be continued from (" in said
    assert DAMAGED[how] in said
    assert not (made / "mark").exists()


FACTORED = {"moved": "2", "same": "1"}
"""Runs that go on from one at stage 1, by their stage."""


def test_an_optimizer_whose_state_cannot_be_cut_goes_on_with_its_own_layout_only(made: Path) -> None:
    status, said = ended(made, "moved")
    what = "step-4 was saved by 1 process, --zero 1, and the optimizer Adafactor ties the state to them"
    assert (status, said.endswith(f"{what}; continue with these, or begin anew with --overwrite")) == (2, True), said
    assert ended(made, "same") == (0, "")
    assert runs.difference(made / "factored", made / "same") == 0.0
