"""`libra grpo` with a judge as the reward, for real: problems without references, scored by an embedded model."""

from __future__ import annotations

import json
import statistics
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs
import warm
from grpo_runs import BATCH, PROMPTS, SAMPLES, events, rows
from servers.scripted import ScriptedServer, error, wrote

from libra_cli.exits import Exit
from libra_cli.records.probes import MASTER_KEYS

STEPS = 2
SIZES = ["--model", "libra-mini/weak", "--prompts", str(PROMPTS), "-n", str(SAMPLES), "--batch-size", str(BATCH),
         "--max-tokens", "96", "--max-length", "512", "--max-steps", str(STEPS), "--lr", "1e-4", "--kl", "0",
         "--seed", "3", "--save-rollouts"]  # fmt: skip
GREEDY = "judge: {model: libra-mini/judge, temperature: 0, max_tokens: 160}\n"
RECIPES = {
    "scored": GREEDY + "rewards: [{name: judge, transform: {name: threshold, above: 2}}]\n",
    "compared": GREEDY.replace("}", ", task: rank}") + "rewards: [{name: win_margin}]\n",
    "opposed": GREEDY.replace("}", ", task: rank, against: reference}")
    + "rewards: [{name: judge, fact: wins}]\nadvantage: {estimator: bootstrap, skew: 1}\n",
    "mixed": GREEDY.replace("}", ", normalized: true}") + "rewards: [judge]\n",
    "both": GREEDY + "rewards: [{name: judge, weight: 0.25}, {name: correct}]\n",
}


def write_problems(path: Path, *fields: str) -> Path:
    """The first eight problems that ship with the embedded models, with these fields only."""
    problems = (files("libra_cli.miniature") / "problems.jsonl").read_text().splitlines()[:8]
    rows = [json.loads(line) for line in problems]
    old = {"judge": "another", "gate": "empty", "unjudged": "no_verdict"}
    path.write_text("".join(json.dumps({**{name: row[name] for name in fields}, **old}) + "\n" for row in rows))
    return path


def write_mixed(path: Path, problems: Path) -> Path:
    """Four problems, and two rows each to score and to rank."""
    rows = [json.loads(line) for line in problems.read_text().splitlines()]
    pair = {"response_a": "It is 1.", "response_b": "It is 2.", "preference": "A>B"}
    more = [{"response": "It is 1.", "label": 1}] * 2 + [pair] * 2
    rows = rows[:4] + [{**row, **given} for row, given in zip(rows[4:], more, strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        bare = str(write_problems(folder / "problems.jsonl", "question"))
        labelled = str(write_problems(folder / "labelled.jsonl", "question", "reference"))
        for name, recipe in RECIPES.items():
            (folder / f"{name}.yaml").write_text(recipe)
        mixed = str(write_mixed(folder / "mixed.jsonl", Path(bare)))
        data = {"scored": bare, "compared": labelled, "opposed": bare, "both": labelled, "mixed": mixed}
        plan = {name: [*SIZES, "--rewards", str(folder / f"{name}.yaml"), path] for name, path in data.items()}
        runs.drive(folder, 1, plan, stage="grpo")
        runs.drive(folder, 2, {"two": plan["scored"]}, stage="grpo")

    return runs.made_once(tmp_path_factory, "grpo-judge", make)


def libra(*words: str) -> str:
    line = warm.libra(*words)
    done = subprocess.run(line, env=runs.environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_scores_are_those_of_libra_judge(made: Path) -> None:
    saved = rows(made / "scored", 0)
    assert len(saved) == PROMPTS * SAMPLES
    (made / "bare.jsonl").write_text("".join(json.dumps(_without_verdict(row)) + "\n" for row in saved))
    words = ["--model", "libra-mini/judge", "--task", "score", "--temperature", "0", "--max-tokens", "160"]
    judged = [json.loads(line) for line in libra("judge", *words, str(made / "bare.jsonl")).splitlines()]
    by_name = {(row["id"], row["sample"]): row for row in judged}
    assert len({row["score"] for row in saved}) > 1
    for row in saved:
        again = by_name[row["id"], row["sample"]]
        assert (row["score"], row["prediction"]) == (again["score"], again["prediction"])
        assert [one["text"] for one in row["judgments"]] == [one["text"] for one in again["judgments"]]
        assert row["judge_provenance"] == again["judge_provenance"]
        assert "gate" not in row  # the problems came with the verdicts of another judge
        assert ("unjudged" in row) == (row["score"] is None)
        assert row["rollout"]["reward"] == float(row["score"] > 2)


def _without_verdict(row: dict[str, Any]) -> dict[str, Any]:
    names = ("judge", "judge_task", "judgments", "score", "prediction", "judge_provenance", "rollout", "task")
    return {name: value for name, value in row.items() if name not in names}


def test_no_reference_is_needed_and_nothing_is_graded(made: Path) -> None:
    for event in events(made / "scored.log", "rollout"):
        saved = rows(made / "scored", event["rollout"])
        scores = [row["score"] for row in saved if row["score"] is not None]
        assert event["judge_mean"] == pytest.approx(statistics.mean(scores))
        assert event["judge_null_share"] == pytest.approx(1 - len(scores) / len(saved))
        assert event["seconds_judge"] > 0
        assert event["correct"] is None
        assert {row["label"] for row in saved} == {None}
        assert {row["rollout"]["null_by"] for row in saved} <= {"none", "policy"}
    assert any(step["grad_norm"] > 0 for step in events(made / "scored.log", "step"))


def test_a_stream_may_mix_what_the_judge_scores_with_what_a_label_decides(made: Path) -> None:
    saved = [row for event in events(made / "mixed.log", "rollout") for row in rows(made / "mixed", event["rollout"])]
    assert {row["task"] for row in saved} == {"reason", "score", "rank"}
    for row in saved:
        rollout = row["rollout"]
        if row["task"] == "reason":
            known = rollout["null_by"] == "none" and row["score"] is not None
            assert rollout["reward"] == (row["score"] / 4 if known else rollout["reward"])
        elif rollout["null_by"] != "verifier":
            assert rollout["reward"] == float(rollout["correct"] is True)


def test_two_ranks_judge_as_one_does(made: Path) -> None:
    (one, *_), (two, *_) = events(made / "scored.log", "rollout"), events(made / "two.log", "rollout")
    assert two["judge_mean"] == pytest.approx(one["judge_mean"])
    assert two["reward"] == pytest.approx(one["reward"])


def test_a_judge_compares_the_responses_of_a_prompt(made: Path) -> None:
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows(made / "compared", 0):
        groups.setdefault(row["rollout"]["position"], []).append(row["rollout"])
    leads = [[each["difference"] for each in group] for group in groups.values()]
    assert any(lead for group in leads for row in group for lead in row)
    for group, rollouts in zip(leads, groups.values(), strict=True):
        for i, row in enumerate(group):
            assert row[i] == 0
            assert all(lead is None or lead == -group[j][i] for j, lead in enumerate(row))
            known = [lead for j, lead in enumerate(row) if j != i and lead is not None]
            expected = sum(known) / (SAMPLES - 1) if known else None
            assert rollouts[i]["reward"] == (None if expected is None else pytest.approx(expected))


def test_a_judge_compares_with_one_response_of_the_prompt(made: Path) -> None:
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows(made / "opposed", 0):
        groups.setdefault(row["rollout"]["position"], []).append(row["rollout"])
    wins = [each["win"] for group in groups.values() for each in group]
    assert {True, False} <= {*wins}
    for group in groups.values():
        assert [each["is_reference"] for each in group].count(True) == 1
        for each in group:
            assert each["advantage"] == (0 if each["is_reference"] else 1 if each["win"] else -1)


def test_a_reference_measures_what_the_judge_rewards(made: Path) -> None:
    for row in rows(made / "both", 0):
        if row["score"] is not None and row["rollout"]["correct"] is not None:
            assert row["rollout"]["reward"] == pytest.approx(row["score"] / 4 + row["rollout"]["correct"])
    pointwise = json.loads(libra("score", "--json", str(made / "both/rollouts/rollout-0.jsonl")))
    reasoning = json.loads(libra("score", "--json", "--as", "reasoning", str(made / "both/rollouts/rollout-0.jsonl")))
    assert pointwise != reasoning
    assert "libra-mini/judge" in json.dumps(pointwise)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_replay_reads_the_saved_verdicts(made: Path, name: str) -> None:
    saved = str(made / name / "rollouts/rollout-0.jsonl")
    replayed = json.loads(libra("grpo", "--dry-run", "--rewards", str(made / f"{name}.yaml"), "--replay", saved))
    event = events(made / f"{name}.log", "rollout")[0]
    for figure in ("reward", "zero_spread_share", "null_by_policy_share", "null_by_verifier_share", "correct"):
        assert replayed[figure] == (None if event[figure] is None else pytest.approx(event[figure])), figure


def test_a_dry_run_says_who_judges(made: Path, tmp_path: Path) -> None:
    words = ["--rewards", str(made / "opposed.yaml"), "-o", str(tmp_path / "out"), "--dry-run"]
    described = json.loads(libra("grpo", *SIZES, *words, str(made / "problems.jsonl")))
    assert described["judge"]["model"] == "libra-mini/judge"
    assert described["judge"]["requests_per_rollout"] == PROMPTS * 2 * (SAMPLES - 1)


def test_a_run_continues_with_its_judge_on_another_server() -> None:
    from libra_cli.training.rewards.judge import shaping_of

    recipe = {"judge": {"model": "m", "votes": 2, "base_url": "http://a/v1", "concurrency": 3}, "rewards": ["judge"]}
    moved = {**recipe, "judge": {"model": "m", "votes": 2, "base_url": "http://b/v1"}}
    other = {**recipe, "judge": {"model": "m", "votes": 3, "base_url": "http://a/v1"}}
    assert shaping_of(recipe) == shaping_of(moved) != shaping_of(other)


def test_a_run_measures_how_often_its_judge_accepts_master_keys(made: Path) -> None:
    bench = made / "bench.jsonl"
    lines = (made / "labelled.jsonl").read_text().splitlines()[:3]
    bench.write_text(
        "".join(json.dumps({**json.loads(line), "response": "It is 1.", "label": 1}) + "\n" for line in lines)
    )
    probes = ["--probe", "master-keys", "--task", "score", "--temperature", "0", "--max-tokens", "160"]
    words = [
        *SIZES,
        "--model",
        "libra-mini/judge",
        "--max-steps",
        "1",
        "--task",
        "reason",
        str(made / "labelled.jsonl"),
    ]
    words += ["--score", str(bench), "--score-with", " ".join(probes)]
    runs.drive(made, 1, {"probed": words}, stage="grpo")
    [score] = events(made / "probed.log", "score")
    judged = [
        json.loads(line) for line in libra("judge", "--model", str(made / "probed"), *probes, str(bench)).splitlines()
    ]
    rejected = [row["prediction"] == 0 for row in judged if row["prediction"] is not None]
    assert len(judged) == 3 * len(MASTER_KEYS)
    assert (score["n"], score["unread"]) == (len(judged), len(judged) - len(rejected))
    assert score["accuracy"] == pytest.approx(sum(rejected) / len(judged))


@pytest.mark.parametrize(
    ("reply", "share", "why"),
    [
        (error(402, "Insufficient Balance"), 1, "the account has no credit left"),
        (error(400, "the prompt is flagged"), 1, "the judge answered nothing about 16 of 16 responses"),
        (error(400, "the prompt is flagged"), 2 / 3, "the judge answered nothing about "),
    ],
    ids=["no credit", "wholly", "by halves"],
)
def test_a_judge_that_fails_costs_no_step(made: Path, tmp_path: Path, reply: Any, share: float, why: str) -> None:
    def steps_in(records: str) -> list[int]:
        return [event["step"] for event in map(json.loads, records.splitlines()) if event["event"] == "step"]

    good = wrote("[[score=3]]")

    def failing(call: Any) -> Any:
        late = call.number - PROMPTS * SAMPLES
        return reply if late >= 0 and late % 3 < 3 * share else good

    with ScriptedServer(failing) as server:
        (tmp_path / "rewards.yaml").write_text(f"judge: {{model: tiny, base_url: '{server.url}'}}\nrewards: [judge]\n")
        words = [*SIZES, "--max-steps", "4", "--rewards", str(tmp_path / "rewards.yaml"), "-o", str(tmp_path / "out")]
        command = warm.libra("grpo", *words, str(made / "problems.jsonl"))
        ended = subprocess.run(command, env=runs.environment(), capture_output=True, text=True, timeout=300)
        assert ended.returncode == Exit.BACKEND, ended.stderr
        assert ended.stderr.count(why) == 1
        steps = steps_in(ended.stdout)
        assert (tmp_path / f"out/checkpoints/step-{steps[-1]}").exists()
        server.script = lambda _call: good
        again = subprocess.run(command, env=runs.environment(), capture_output=True, text=True, timeout=300)
        assert again.returncode == 0, again.stderr
    assert steps + steps_in(again.stdout) == [1, 2, 3, 4]
