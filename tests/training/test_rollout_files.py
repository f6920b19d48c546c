"""The rollout that a run is to learn from after a stop: read back as it was saved, or refused with the cure."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.training.data.trajectories import Trajectory
from libra_cli.training.rollouts.rollout import Rollout


def made(number: int, advantage: float = 0.5) -> Rollout:
    logp = np.array([-0.5, -0.25], np.float32)
    given = [
        Trajectory.of_response([1, 2, 3], [4, 5], "problem 1", sampler_logp=logp, advantage=advantage),
        Trajectory.of_response([1], [6, 7], "problem ä", sampler_logp=logp, advantage=-advantage),
    ]
    return Rollout(number, given, np.array([True, False]))


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, Rollout]:
    rollout = made(3)
    rollout.save(tmp_path / "3.npz")
    return tmp_path / "3.npz", rollout


@pytest.mark.parametrize("noted", [True, False])
def test_a_rollout_is_read_as_it_was_saved(saved: tuple[Path, Rollout], noted: bool) -> None:
    path, rollout = saved
    again = Rollout.load(path, 3, rollout.sha256 if noted else None)
    assert again.sha256 == rollout.sha256
    assert again.learned.tolist() == [True, False]
    for before, after in zip(rollout.trajectories, again.trajectories, strict=True):
        assert after.name == before.name
        assert after.encoded.ids.tolist() == before.encoded.ids.tolist()
        assert after.encoded.loss_mask.tolist() == before.encoded.loss_mask.tolist()
        assert np.allclose(after.advantage, before.advantage)


def cut(path: Path, share: float) -> None:
    os.truncate(path, int(path.stat().st_size * share))


DAMAGE = {
    **{f"cut at {share}": lambda path, share=share: cut(path, share) for share in (0.0, 0.3, 0.99)},
    "of another number": lambda path: made(4).save(path),
    "of other responses": lambda path: made(3, 0.25).save(path),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "missing": lambda path: path.unlink(),
    "an array": lambda path: np.save(open(path, "wb"), np.zeros(3)),  # noqa: SIM115
    "text": lambda path: path.write_text("of the user's\n"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_what_is_not_that_rollout_is_refused_with_the_cure(saved: tuple[Path, Rollout], damage) -> None:
    path, rollout = saved
    damage(path)
    with pytest.raises(Fatal, match=r"3\.npz: this rollout cannot be read \(.+\); delete the newest") as caught:
        Rollout.load(path, 3, rollout.sha256)
    assert caught.value.status == Exit.USAGE


def test_a_changed_byte_is_noticed_or_changes_nothing(saved: tuple[Path, Rollout]) -> None:
    path, rollout = saved
    data, statuses = path.read_bytes(), []
    for place in range(0, len(data), 29):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            assert Rollout.load(path, 3, rollout.sha256).sha256 == rollout.sha256  # of a time, say
        except Fatal as error:
            statuses.append(error.status)
    assert set(statuses) == {Exit.USAGE}
    assert len(statuses) > len(data) // 29 // 2


def test_a_checkpoint_that_noted_no_hash_still_knows_the_number(saved: tuple[Path, Rollout], tmp_path: Path) -> None:
    path, _ = saved
    shutil.copy(path, tmp_path / "4.npz")
    with pytest.raises(Fatal, match="it is not the one that the checkpoint was made with"):
        Rollout.load(tmp_path / "4.npz", 4, None)
