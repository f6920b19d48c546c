"""Rows of every kind that libra reads, and what becomes of them when each value is replaced by one it must not be."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]
NASTY: tuple[Any, ...] = (
    None, True, -1, 2**63, 10**19, 10**400, -(10**400), 1e308, -0.5, "", "text", "A>B", "１", [], [[]], [None], {},
    {"a": []}, ["a", 1, {}], [10**400], DEEP,
)  # fmt: skip
"""What takes the place of a value; the key is taken out as well."""

_OWN = {"question": "What is 1 + 1?", "reference": "2", "id": "p", "index": 3, "model": "m", "sample": 0}
RESPONSE = {
    **_OWN, "subset": "AIME 2024", "response": "so \\boxed{2}", "response_with_cot": "<think>hm</think>so \\boxed{2}",
    "finish_reason": "stop", "n_tokens": 7, "provenance": {"engine": "replay", "sampling": {"temperature": 0.5}},
}  # fmt: skip
_VOTES = [
    {"annotator": "rule", "verdict": "correct", "by": "number"},
    {"annotator": "j", "verdict": "wrong", "reason": None, "text": "No.", "provenance": {"engine": "replay"}},
]
VERIFIED = {**RESPONSE, "label": 1, "verification": {"by": "number", "answer": "2", "votes": _VOTES}, "task": "score"}


def judged(task: str, judgment: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What libra judge adds to a row."""
    vote = {"vote": 0, "text": "I think so.", "text_with_cot": "<think>hm</think>I think so.", "finish_reason": "stop"}
    return {
        "judge": "j", "judge_task": task, "judgments": [{**judgment, **vote, "n_tokens": 5, "seed": 1}], **fields,
        "judge_provenance": {"engine": "replay", "votes": 1, "sampling": {"temperature": 0.5}},
    }  # fmt: skip


_SCORED = judged("score", {"outcome": 3}, score=1, prediction=0)
_RANKED = judged(
    "rank",
    {"outcome": "B>A", "order": "BA", "pair": [0, 1], "said": "A>B"},
    score=-1,
    prediction="B>A",
    gates=[None, None],
)
_CHAT = [{"role": "user", "content": "What is 1 + 1?"}]
_ANSWERED = [[*_CHAT, {"role": "assistant", "content": text}] for text in ("2", "3")]
PAIR = {
    "id": "p",
    "question": "What is 1 + 1?",
    "subset": "s",
    "response_a": "2",
    "response_b": "3",
    "preference": "A>B",
}
SCORED: dict[str, dict[str, Any]] = {
    "libra-bench": {**VERIFIED, **_SCORED, "unjudged": "tied"},
    "pointwise": {**VERIFIED, **_SCORED, "subset": "s"},
    "reasoning": {**VERIFIED, **_SCORED},
    "pairs": {**PAIR, **_RANKED},
    "judgebench": {
        **PAIR, **_RANKED, "pair_id": "1", "source": "livecodebench", "label": "A>B", "original_id": "7",
    },
    "rmb": {
        "category_path": "BoN_set/Helpfulness", "bon_uid": "1", "conversation_input": _CHAT,
        "bon_best": {"llm_name": "a", "answer": "2"}, "loser_list": [{"llm_name": "b", "answer": "3"}],
        "scores": [1, 2], "gates": [None, "empty"], "judge": "j", "judge_task": "score",
    },
    "ppe-correctness": {
        "question_id": "1", "prompt": "What is 1 + 1?", "subset": "MATH", "correct": [True, False],
        "sampled_conflict_pairs": [[0, 1]], "response_1": "2", "response_2": "3", "scores": [1.5, 2],
        "judge": "j", "judge_task": "score",
    },
    "ppe-preference": {"prompt": "1 + 1?", "winner": "model_a", "response_1": "2", "response_2": "3", **_RANKED},
    "rewardmath": {
        "problem": "1 + 1?", "solution_reference": ["human_to_GPT-4", *"abcdefghi"], "score": [2, *[1] * 8, 3],
        "judge": "j",
    },
    "rm-bench": {
        "prompt": "1 + 1?", "domain": "math", "chosen": ["2", "2.", "**2**"], "rejected": ["3", "3.", "**3**"],
        "scores": [1, 2, 3, 4, 5, 6], "judge": "j", "judge_task": "score", "id": "7",
    },
    "rewardbench2": {
        "id": "tied:1", "prompt": "1 + 1?", "subset": "Ties", "num_correct": 1, "chosen": ["2"], "rejected": ["3", "4"],
        "scores": [1, 2.5, 3], "gates": [None, None, None], "judge": "j",
    },
    "rewardbench": {
        "id": "1", "prompt": "1 + 1?", "subset": "math-prm", "chosen": "2", "rejected": "3", "score_chosen": 1.5,
        "score_rejected": [2.5], "judge": "j",
    },
}  # fmt: skip
"""Kind of `libra score` -> a row of it whose verdict is wrong, so that the page shows it."""
CONVERSATION = {
    "id": "p", "task": "score", "messages": _ANSWERED[0], "label": "1", "model": "m", "source": "p/m/0",
    "provenance": "{}",
}  # fmt: skip
CHOSEN = {"id": "p", "chosen": _ANSWERED[0], "rejected": _ANSWERED[1], "subset": "s"}
LIST = {"id": "p", "question": "What is 1 + 1?", "responses": ["2", "3", "4"], "best": 0, "subset": "s"}
LISTED = {**LIST, **judged("best", {"outcome": 2, "order": [1, 0, 2]}, score=1, prediction=1)}
LABEL = {
    "id": "p", "model": "m", "sample": 0, "response_sha256": "0" * 16, "label": 1, "note": "x", "reviewer": "ann",
    "time": "2025-01-01T00:00:00",
}  # fmt: skip
READ: dict[str, dict[str, Any]] = {
    "response": RESPONSE, "verified": VERIFIED, "pair": PAIR, "chosen": CHOSEN, "list": LIST, "listed": LISTED,
    "messages": CONVERSATION, "label": LABEL, **SCORED,
}  # fmt: skip
"""Kind -> a valid row, of all kinds."""


def crafted(row: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Copies of `row`, in each of which one value, at any depth, is replaced or taken out; with a name for each."""
    for path in _paths(row):
        for value in (*NASTY, ...):
            changed = copy.deepcopy(row)
            inner: Any = changed
            for step in path[:-1]:
                inner = inner[step]
            if value is ...:
                del inner[path[-1]]
            else:
                inner[path[-1]] = value
            yield f"{'.'.join(map(str, path))}={str(value)[:40]}", changed


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of all values inside `value`; of a list only the first and the last."""
    if path:
        yield path
    keys = (
        list(value)
        if isinstance(value, dict)
        else sorted({0, len(value) - 1})
        if isinstance(value, list) and value
        else ()
    )
    for key in keys:
        yield from _paths(value[key], (*path, key))
