"""The page of reward plans has every key, function, option and fact."""

from __future__ import annotations

from libra_cli.cli.reward_reference import SECTIONS, page
from libra_cli.training.rewards import DEFAULTS, FACTS, key_of


def test_the_page_describes_everything_that_a_plan_may_hold():
    lines = page().splitlines()
    names = [*DEFAULTS, *map(key_of, FACTS), *(name for _, registry, _ in SECTIONS for name in registry.names)]
    for name in names:
        assert [line for line in lines if line.startswith(f"| `{name}` | ") and len(line) > len(name) + 10], name


def test_options_are_shown_with_their_range_and_default():
    text = page()
    assert "Options: `expected`: a number above 0 (16384); `longest`: a number above 0 (32768). |" in text
    assert "`keep`: a whole number 1 or more (required)" in text
    assert "`phrases`: a word or null (null)" in text
    assert "| `advantage` | `{estimator: group_norm}` |" in text
    assert "Reads `correct`, `confidence`, `format`. |" in text
    assert "Raises" not in text
