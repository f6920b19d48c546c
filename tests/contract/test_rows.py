"""The keys, in their order, of all that stages write: rows, refused rows, manifests, reports, scores.

Each command below runs in a folder of its own, where CASES are the inputs of tests/cases; every JSON file that it
leaves there is compared with its place in rows.json. Values are compared by their type alone.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pins
import pytest

CASES = pins.HERE.parent / "cases"
KEPT = "--errors errors.jsonl --manifest manifest.json -o out.jsonl"
COMMANDS = {
    "collect": f"""libra collect {KEPT} $CASES/collect/near-duplicates/rows.jsonl
        libra collect --decontaminate $CASES/collect/decontaminate/bench.jsonl --report report.jsonl -o clean.jsonl \\
            $CASES/collect/decontaminate/train.jsonl""",
    "rollout": f"""cases=$CASES/rollout/replay-without-an-answer
        libra rollout --replay $cases/recorded.jsonl -n 2 --top-k 5 {KEPT} $cases/problems.jsonl""",
    "rollout-sampling": """libra rollout --replay $CASES/rollout/replay/recorded.jsonl --model a --no-thinking \\
        --top-k 5 --min-p 0.1 --stop x --sampling-arg repetition_penalty=1.1 -o out.jsonl \\
        $CASES/rollout/replay/problems.jsonl""",
    "verify": f"libra verify {KEPT} $CASES/verify/missing-fields/rows.jsonl",
    "verify-panel": f"""libra verify --replay $CASES/verify/panel-row/recorded.jsonl --annotator deep \\
        --review review.jsonl --report report.json {KEPT} $CASES/verify/panel-row/rows.jsonl""",
    "judge-score": f"""libra judge --replay $CASES/judge/gate/votes.jsonl --report report.json {KEPT} \\
        $CASES/judge/gate/rows.jsonl""",
    "judge-rank": f"""libra judge --replay $CASES/judge/rank/votes.jsonl --report report.json -k 2 {KEPT} \\
        $CASES/judge/rank/pairs.jsonl""",
    "judge-best": f"libra judge --replay $CASES/judge/best/votes.jsonl -k 3 {KEPT} $CASES/judge/best/lists.jsonl",
    "judge-probe": f"""libra judge --probe master-keys --replay $CASES/judge/probe/votes.jsonl {KEPT} \\
        $CASES/judge/probe/rows.jsonl""",
    "balance": f"""libra balance --per-cell 2 --report report.json {KEPT} $CASES/balance/per-cell/labelled.jsonl
        libra balance --published -o published.jsonl $CASES/balance/published/*.jsonl""",
    "rs-filter": f"""libra rs-filter --report report.json {KEPT} $CASES/rs-filter/score/rows.jsonl
        libra rs-filter -o reason.jsonl $CASES/rs-filter/choice/rows.jsonl""",
    "dpo-pairs": f"""libra dpo-pairs --report report.json {KEPT} $CASES/dpo-pairs/pairs/judged.jsonl
        libra dpo-pairs --unpaired -o single.jsonl $CASES/dpo-pairs/pairs/judged.jsonl""",
    "mix": f"""libra mix --source-key source -n 6 {KEPT} $CASES/mix/proportions/score.jsonl:0.4 \\
        $CASES/mix/proportions/reason.jsonl:0.6""",
    "score": """cases=$CASES/score
        libra score --json --resamples 100 $cases/libra_bench/judged.jsonl > judged.json
        libra score --json --resamples 100 $cases/two_judges/a.jsonl $cases/two_judges/b.jsonl > judges.json
        libra score --as reasoning --json --resamples 100 --at 1,2 $cases/reasoning/labelled.jsonl > reasoning.json
        libra score --as pointwise --json --resamples 100 --folds 2 --threshold cross-fit \\
            $cases/thresholds/rewards.jsonl > pointwise.json
        libra score correlate --json --resamples 100 --x judge_accuracy --y aime24 --group policy \\
            $cases/correlate/downstream.jsonl > correlate.json""",
    "rollout-transformers": """libra collect --preset libra-mini --limit 1 -q > one.jsonl
        libra rollout --model libra-mini/weak --max-tokens 4 -o out.jsonl one.jsonl && rm one.jsonl""",
    "sft-score": """head -n 2 $CASES/judge/score/rows.jsonl > labelled.jsonl
        libra sft --model $CONTINUED/sft/model --tokenizer libra-mini/weak -o run --max-steps 1 \\
            --score labelled.jsonl --score-with "--max-tokens 2" $CONTINUED/sft/rows.jsonl > events.jsonl""",
}
"""Name: bash."""
MARKS = {"rollout-transformers": [pytest.mark.engine], "sft-score": [pytest.mark.engine, pytest.mark.slow]}
"""Those that load a model; a run of sft that scores loads several."""


def found(names: tuple[str, ...] = tuple(COMMANDS)) -> dict[str, Any]:
    """What each command leaves: file by file, the shapes of its rows."""
    made = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            made[name] = left(COMMANDS[name], Path(folder))
    return made


def left(command: str, work: Path) -> dict[str, Any]:
    """The JSON files that a command leaves in `work`."""
    ended = pins.run(["bash", "-c", command], work, CASES=str(CASES), CONTINUED=str(pins.CONTINUED))
    assert ended.returncode in (0, 3), ended.stderr.decode()
    paths = [*sorted(work.glob("*.jsonl")), *sorted(work.glob("*.json"))]
    assert paths
    return {path.name: contents(path) for path in paths}


def contents(path: Path) -> Any:
    """The shapes of the rows of a file, or the shape of its only object."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return pins.shapes([json.loads(line) for line in text.splitlines()])
    return pins.shape(json.loads(text))


PINNED = {"rows": found}


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, ())) for name in COMMANDS])
def test_a_stage_writes_the_same_keys(name: str) -> None:
    assert not (differs := pins.difference("rows", found((name,)), only=name)), differs
