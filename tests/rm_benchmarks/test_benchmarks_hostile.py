"""Whatever JSON a row holds, a benchmark's rule gives figures in range or says what to do; it does not break."""

from __future__ import annotations

import pytest
from benchmark_figures import points_of
from hypothesis import given, settings
from hypothesis import strategies as st

from libra_cli.rm_benchmarks import BENCHMARKS

WORDS = ["A>B", "B>>A", "", "m", "ref:1", "safety", "livebench-math", "human_to_GPT-4", "model_a", "A"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.floats(allow_nan=False) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["outcome", "pair", "order", "text", "scores"]), inner)
    ),
    max_leaves=8,
)
FIELDS = (
    "judgments",
    "scores",
    "score",
    "prediction",
    "gates",
    "unjudged",
    "judge_task",
    "subset",
    "id",
    "num_correct",
    "label",
    "preference",
    "chosen",
    "rejected",
    "category_path",
    "loser_list",
    "bon_uid",
    "domain",
    "pair_id",
    "source",
    "winner",
    "correct",
    "sampled_conflict_pairs",
    "solution_reference",
    "chosen_position",
    "score_chosen",
    "score_rejected",
)
OF = {
    "judgebench": {"pair_id": "1", "source": "livecodebench", "label": "A>B"},
    "rmb": {"category_path": "BoN_set/Helpfulness", "bon_uid": "1", "loser_list": [{}, {}]},
    "ppe-correctness": {"subset": "MATH", "correct": [1, 0, 1], "sampled_conflict_pairs": [[0, 1], [2, 1]]},
    "ppe-preference": {"winner": "model_a"},
    "rewardmath": {"problem": "p", "solution_reference": "human_to_GPT-4"},
    "rm-bench": {"domain": "code"},
    "rewardbench2": {"subset": "Ties", "num_correct": 1, "id": "tied:1"},
    "rewardbench": {"subset": "hep-go"},
    "pairs": {"preference": "A>B"},
    "lists": {"responses": ["a", "b", "c"], "best": 1},
}
"""What a row of each needs."""


@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name != "libra-bench"])  # which has no points
@given(row=st.dictionaries(st.sampled_from(FIELDS), JSON), whole=st.booleans())
@settings(max_examples=100, deadline=None)
def test_no_row_breaks_a_rule(name, row, whole):
    said, points = None, []
    try:
        points = points_of(name, [{**row, **OF[name]} if whole else row])
    except ValueError as error:
        said = str(error)
    assert said is None or ": " in said  # what is wrong, and the cure
    assert all(point.value is None or -1 <= point.value <= 1 for point in points)
