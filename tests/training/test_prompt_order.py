"""How many rollouts and steps passes over the prompts are, and which prompts they ask."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from libra_cli.training.rollouts.prompt_order import PromptOrder
from libra_cli.training.settings import BatchSettings, GrpoRunSettings, RolloutSettings


def settings(epochs: float, prompts: int, samples: int, batch_size: int) -> GrpoRunSettings:
    unused = dict.fromkeys(("model", "data", "optimizer", "engine", "save", "watch"))
    batch, rollout = BatchSettings(batch_size, epochs), RolloutSettings(prompts, samples)
    return GrpoRunSettings(batch=batch, rollout=rollout, **unused)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("in_data", "epochs", "prompts", "sizes", "steps"),
    [
        (8, 2, 4, [4, 4, 4, 4], 8),  # even: 4 x 2 responses in steps of 4
        (10, 1, 8, [8, 2], 5),
        (10, 1, 4, [4, 4, 2], 5),
        (10, 2, 4, [4, 4, 4, 4, 4], 10),
        (10, 0.3, 8, [3], 2),
        (3, 1, 256, [3], 2),
        (2, 8, 16, [2] * 8, 8),
        (3, 2.4, 2, [2, 2, 2, 1], 4),
    ],
)
def test_a_run_asks_each_prompt_once_per_pass(
    in_data: int, epochs: float, prompts: int, sizes: list[int], steps: int
) -> None:
    given = settings(epochs, prompts, 2, 4).for_data(in_data)
    order = PromptOrder(in_data, given.asked(in_data), 3)
    taken, found = [], []
    while part := order.after(len(taken), given.rollout.prompts):
        taken += part
        found.append(len(part))
    assert found == sizes
    assert given.steps_of(order.total) == steps == sum(-(-size * 2 // 4) for size in sizes)
    assert [position for position, _ in taken] == list(range(round(in_data * epochs)))
    counts = Counter(prompt for _, prompt in taken)
    assert all(int(epochs) <= counts[prompt] <= int(epochs) + (epochs % 1 > 0) for prompt in range(in_data))


def test_the_order_does_not_depend_on_rollouts_and_can_be_that_of_the_files() -> None:
    order = PromptOrder(5, 12, 0)
    assert order.after(0, 12) == [*order.after(0, 7), *order.after(7, 2), *order.after(9, 99)]
    assert [prompt for _, prompt in replace(order, shuffle=False).after(3, 4)] == [3, 4, 0, 1]
