"""What `libra grpo` advises where prompts and responses do not fit the model: following it, they do."""

from __future__ import annotations

import re

import numpy as np
import pytest

from libra_cli.training.data.prompts import _cure_for_long


@pytest.mark.parametrize(
    ("lengths", "max_tokens", "cure"),
    [
        ([20, 30, 1612], 32768, "leave 1 of 3 prompts out with --max-tokens 256 --max-length 512"),
        ([20, 30, 40], 32768, "lower --max-tokens to 472 or less"),
        ([20, 500], 400, "lower --max-tokens to 12 or less, or leave 1 of 2 prompts out with --max-length 512"),
        ([300, 600], 400, "leave 1 of 2 prompts out with --max-tokens 212 --max-length 512"),
        ([512, 600], 64, "no prompt leaves room for a response (the shortest has 512 tokens); use a longer context"),
    ],
)
def test_the_advice_for_long_prompts_is_true(lengths: list[int], max_tokens: int, cure: str) -> None:
    found = _cure_for_long(np.array(lengths), 512, max_tokens, "drop")
    assert found == cure
    for lowered in map(int, re.findall(r"lower --max-tokens to (\d+)", found)):
        assert max(lengths) + lowered == 512
    for n_out, of in re.findall(r"leave (\d+) of (\d+)", found):
        named = re.search(r"with --max-tokens (\d+)", found)
        room = int(named[1]) if named else max_tokens
        assert sum(length + room > 512 for length in lengths) == int(n_out) < int(of) == len(lengths)


def test_rows_that_are_refused_for_their_length_need_another_option_too() -> None:
    assert _cure_for_long(np.array([20, 600]), 512, 64, "refuse").endswith("with --max-length 512 --too-long drop")
