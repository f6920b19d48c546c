"""The judge of a rollout: who is asked, what a non-answer gets, and what becomes of verdicts that are missing."""

from __future__ import annotations

import json
import math
import re
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from reward_models import reward_model
from servers.scripted import Call, Reply, ScriptedServer, error, wrote

from libra_cli.exits import Exit, Fatal, InvalidOptions
from libra_cli.records.probes import PROBES
from libra_cli.stages.judge.command import command as judge_command
from libra_cli.stream.rows import RowError
from libra_cli.stream.signals import StopRequest
from libra_cli.training.data.prompts import PromptReader, VerifiablePrompt
from libra_cli.training.rewards import NullBy, RewardPlan
from libra_cli.training.rewards.judge import RewardJudge
from libra_cli.training.rollouts.judge_model import choose_judge, item_check
from libra_cli.training.rollouts.judging import RolloutJudge, judge_figures, refuse_failing_judge
from libra_cli.training.rollouts.rollout import GradedResponse, facts_of

READER = PromptReader(None, {}, None, 0, graded=False)
PROMPT: VerifiablePrompt = READER("p", {"question": "Working left to right modulo 1000, what is 14+25?"})


def test_its_options_have_the_defaults_of_libra_judge() -> None:
    """What a recipe leaves out is as on the command line; only the task is `score`, whatever the rows are."""
    of_judge = judge_command.make_context("judge", [], resilient_parsing=True).params
    own = {each.name: each.default for each in fields(RewardJudge) if each.default is not MISSING}
    assert own.pop("task") == "score"
    assert own.pop("against") == "all"
    assert own.pop("references") is None
    assert own.pop("normalized") is False
    assert {name: of_judge[name] or None for name in own} == {name: value or None for name, value in own.items()}


@pytest.fixture
def stop() -> StopRequest:
    return StopRequest("grpo", 1.0, 1.0)


def response(sample: int, text: str, finish_reason: str = "stop", outcome: Any = "39") -> GradedResponse:
    return GradedResponse(
        sample, 5, 0, sample, (), np.zeros(3, np.int32), text=text, response=text, outcome=outcome,
        finish_reason=finish_reason,
    )  # fmt: skip


def judged(stop: StopRequest, responses: list[GradedResponse], **config: Any) -> list[GradedResponse]:
    judge = RolloutJudge(RewardJudge.from_config(config), 0, print)
    try:
        return judge.judge([("5 p", PROMPT, responses)], stop)
    finally:
        judge.close()


def rewarded(responses: list[GradedResponse], config: dict[str, Any]) -> Any:
    plan = RewardPlan.from_config(config)
    return plan.apply(facts_of([[each.measured for each in responses]], ["p"], [{"subset": "s"}], plan))


SCORE: VerifiablePrompt = PromptReader(None, {}, None, 0, rules=True, check_item=lambda _: None)(
    "s", {"question": "What is 14+25?", "response": "39", "label": 1}
)


def test_rows_with_a_label_keep_their_rule(stop):
    """The judge is not asked about verdicts of the policy: a right one has its highest score, any other the lowest."""
    verdicts = [
        replace(response(number, text), correct=correct, null_by=null_by)
        for number, (text, correct, null_by) in enumerate(
            [("[[score=4]]", True, NullBy.NONE), ("[[score=0]]", False, NullBy.NONE), ("none", None, NullBy.POLICY),
             ("slow", None, NullBy.VERIFIER)]
        )
    ]  # fmt: skip
    for config, high in (({"task": "score"}, 4), ({"task": "rate"}, 10), ({"task": "verify"}, 1)):
        judge = RolloutJudge(RewardJudge.from_config({"model": "libra-mini/judge", **config}), 0, print)
        done = judge.judge([("5 s", SCORE, verdicts)], stop)
        low = 1 if high == 10 else 0
        assert [each.judged.score for each in done] == [high, low, low, None]
        assert judge_figures(done) == {}
        asked = {"model": "libra-mini/judge", "normalized": True, **config}
        plan = {"judge": asked, "rewards": ["judge"], "advantage": {"estimator": "group_norm", "scale": "none"}}
        batch = rewarded(done, plan)
        assert batch.rewards_P_G.tolist()[0][:3] == [1, 0, 0]
        assert np.isnan(batch.rewards_P_G[0, 3])
        assert batch.counts.null_by_verifier == 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"task": "rank", "normalized": True}, "normalized: a judge of the task rank scores no response"),
        ({"normalized": "yes"}, "normalized"),
    ],
)
def test_a_judge_without_bounds_is_not_normalized(config, message, tmp_path):
    with pytest.raises(InvalidOptions, match=message):
        RewardJudge.from_config({"model": "libra-mini/judge", **config})
    reward_model(tmp_path / "rm")
    judge = RewardJudge.from_config({"model": str(tmp_path / "rm"), "normalized": True})
    with pytest.raises(InvalidOptions, match="a number that has no bounds"):
        item_check(judge, 0)


def test_no_master_key_reaches_the_judge_or_wins(stop):
    keys = [probe.text for probe in PROBES["master-keys"]]
    with ScriptedServer(lambda _: wrote("[[score=4]]")) as server:  # a judge that every response fools
        texts = [*keys, "The answer is 40."]
        responses = [response(number, text) for number, text in enumerate(texts)]
        done = judged(stop, responses, model="tiny", base_url=server.url)
        assert len(server.calls) == 1
    assert [each.judged.score for each in done] == [0] * len(keys) + [4]
    assert all(each.judged.gate for each in done[:-1])
    batch = rewarded(done, {"judge": "tiny", "rewards": ["judge"]})
    assert max(batch.advantages_P_G[0, :-1]) < 0 < batch.advantages_P_G[0, -1]


def test_a_response_that_was_cut_is_no_answer_unless_it_gave_one(stop):
    with ScriptedServer(lambda _: wrote("[[score=4]]")) as server:
        cut, answered = response(0, "39 and", "length", None), response(1, "So 39. And", "length")
        done = judged(stop, [cut, answered], model="tiny", base_url=server.url)
    assert [(each.judged.score, each.judged.gate) for each in done] == [(0, "truncated"), (4, None)]
    batch = rewarded(done, {"judge": "tiny", "rewards": ["judge"]})
    assert batch.counts.null_by_policy == 1


def test_a_missing_verdict_is_the_judge_s_null_not_the_policy_s(stop):
    def script(call: Call) -> Reply:
        return wrote(
            "I cannot say." if "unclear" in call.prompt else "[[score=4]]" if "39" in call.prompt else "[[score=0]]"
        )

    with ScriptedServer(script) as server:
        texts = ["The answer is 39.", "unclear", "The answer is 40."]
        responses = [response(number, text) for number, text in enumerate(texts)]
        done = judged(stop, responses, model="tiny", base_url=server.url)
    assert [each.judged.score for each in done] == [4, None, 0]
    assert done[1].judged.fields["unjudged"] == "no_verdict"
    batch = rewarded(done, {"judge": "tiny", "rewards": ["judge"]})
    assert batch.counts.null_by_verifier == 1
    assert batch.advantages_P_G[0].tolist() == pytest.approx([0.70708, 0, -0.70708], abs=1e-4)  # by the mean of two


def test_a_response_that_was_never_sampled_is_not_judged(stop):
    with ScriptedServer(lambda _: wrote("[[score=4]]")) as server:
        done = judged(stop, [response(0, "", "error"), response(1, "39")], model="tiny", base_url=server.url)
        assert len(server.calls) == 1
    assert [each.judged.score for each in done] == [None, 4]
    assert rewarded(done, {"judge": "tiny", "rewards": ["judge"]}).counts.null_by_verifier == 1


def test_requests_that_fail_are_counted_and_a_dead_server_ends_the_run(stop):
    with ScriptedServer(lambda _: error(400)) as server:
        done = judged(stop, [response(0, "39"), response(1, "40")], model="tiny", base_url=server.url)
        assert all(each.judged.failed for each in done)
        with pytest.raises(Fatal, match="the judge answered nothing about 2 of 2 responses") as raised:
            refuse_failing_judge(done)
        assert raised.value.status == Exit.BACKEND
        url = server.url
    with pytest.raises(Fatal, match=r"the judge: .*cannot be reached") as raised:
        judged(stop, [response(0, "39")], model="tiny", base_url=url, retry_budget=0.5)
    assert raised.value.status == Exit.BACKEND


def test_seeds_follow_from_the_run_the_prompt_and_the_sample(stop):
    seen: list[list[int]] = []
    for seed, number in ((0, 0), (0, 0), (1, 0), (0, 1)):
        with ScriptedServer(lambda _: wrote("[[score=4]]")) as server:
            judge = RolloutJudge(
                RewardJudge.from_config({"model": "tiny", "base_url": server.url, "votes": 2}), seed, print
            )
            judge.judge([("5 p", PROMPT, [response(number, "39")])], stop)
            judge.close()
            seen.append(sorted(call.body["seed"] for call in server.calls))
    assert seen[0] == seen[1]
    assert len({seed for seeds in seen for seed in seeds}) == 6


def test_votes_are_aggregated_as_libra_judge_does(stop):
    said = iter(["[[score=4]]", "no verdict", "[[score=1]]", "[[score=1]]"])
    with ScriptedServer(lambda _: wrote(next(said))) as server:
        asked = {"model": "tiny", "base_url": server.url, "votes": 4, "concurrency": 1}
        (mean,) = judged(stop, [response(0, "39")], **asked)
    assert mean.judged.score == 2
    assert sum("reason" in one for one in mean.judged.fields["judgments"]) == 1


def test_non_answers_lose_every_comparison_without_being_asked(stop):
    with ScriptedServer(lambda _: wrote("[[A=B]]")) as server:
        responses = [response(0, "Solution:"), response(1, "39"), response(2, "40"), response(3, "", "error")]
        done = judged(stop, responses, model="tiny", base_url=server.url, task="rank")
        assert len(server.calls) == 2  # one pair, in both orders
    none = None
    assert [each.judged.difference for each in done] == [
        (0.0, -2, -2, none), (2, 0.0, 0, none), (2, 0, 0.0, none), (none, none, none, 0.0)
    ]  # fmt: skip
    assert [each.judged.gate for each in done] == ["opener_only", None, None, None]
    assert [each.judged.score for each in done] == [None] * 4
    batch = rewarded(done, {"judge": {"model": "tiny", "task": "rank"}, "rewards": ["win_margin"]})
    assert batch.rewards_P_G[0, :3].tolist() == pytest.approx([-4 / 3, 2 / 3, 2 / 3])
    assert np.isnan(batch.rewards_P_G[0, 3])


def test_a_response_wins_all_votes_against_one_of_its_group_or_loses(stop):
    """This judge prefers the text that comes first in the alphabet; about one it says nothing in one order."""

    def script(call: Call) -> Reply:
        texts = sorted(re.findall(r"text [a-z]+", call.prompt), key=call.prompt.index)
        if "text odd" in texts and texts[0] != "text odd":
            return wrote("I cannot say.")
        if "text down" in texts:
            return error(400)
        return wrote("[[A>B]]" if texts[0] < texts[1] else "[[B>A]]")

    texts = ["text m", "text a", "text z", "text odd", "text down", "Solution:", ""]
    responses = [response(number, text, "stop" if text else "error", "39") for number, text in enumerate(texts)]
    recipe = {"model": "tiny", "task": "rank", "against": "reference", "votes": 2}
    seen = set()
    for name in "abcdefghijklmnop":
        with ScriptedServer(script) as server:
            judge = RolloutJudge(RewardJudge.from_config({**recipe, "base_url": server.url}), 0, print)
            done = judge.judge([(name, PROMPT, responses)], stop)
            judge.close()
            asked = len(server.calls)
        (reference,) = (number for number, one in enumerate(done) if one.judged.is_reference)
        seen.add(texts[reference])
        won = {text: one.judged.win for text, one in zip(texts, done, strict=True)}
        assert won[""] is None
        if texts[reference] == "text m":
            assert asked == 4 * 4  # the non-answer and the failed response are not shown
            wanted = {"text m": None, "text a": True, "text z": False, "text odd": False, "text down": None}
            assert won == {**wanted, "Solution:": False, "": None}
            assert judge_figures(done) == {"judge_null_share": 3 / 7, "judge_gated_share": 1 / 7}
            plan = {"judge": recipe, "rewards": [{"name": "judge", "fact": "wins"}], "advantage": "bootstrap"}
            batch = rewarded(done, plan)
            assert batch.advantages_P_G[0].tolist() == [0, 1, -1, -1, 0, -1, 0]
        if texts[reference] == "Solution:":
            assert asked == 0
            assert [text for text, win in won.items() if win] == texts[:5]
    assert {"text m", "Solution:"} < seen
    assert "" not in seen


def test_a_reward_model_gives_its_number_and_the_lowest_of_the_group_to_non_answers(stop, tmp_path: Path):
    reward_model(tmp_path / "rm")
    responses = [response(0, "Solution:"), response(1, "39"), response(2, "The answer is 40.")]
    done = judged(stop, responses, model=str(tmp_path / "rm"))
    scores = [each.judged.score for each in done]
    assert scores[1] != scores[2]
    assert scores[0] == min(scores[1:])


def test_a_reward_model_is_asked_once_about_equal_responses_of_a_step(stop):
    """This server never gives the same number twice; a judge that writes is asked about each."""

    def script(call):
        if "temperature" in call.body:
            return wrote("[[score=4]]")
        return Reply(body={"model": "rm", "data": [{"probs": [call.number]}], "usage": {"prompt_tokens": 7}})

    responses = [response(number, text) for number, text in enumerate(["39", "40", "39"])]
    with ScriptedServer(script) as server:
        done = judged(stop, responses, model="rm", base_url=server.url, scalar=True)
        assert len(server.calls) == 2
        scores = [each.judged.score for each in done]
        assert scores[0] == scores[2] != scores[1]
        judged(stop, responses, model="rm", base_url=server.url)
        assert len(server.calls) == 2 + 3


def test_a_judge_is_asked_about_problems_only():
    judging = replace(READER, check_item=lambda _: None)
    row = {"question": "1+1?", "response": "2", "label": 1}
    with pytest.raises(RowError, match="a judge rewards answers to problems"):
        judging("p", row)
    assert replace(judging, task="reason")("p", row).task.name == "reason"
    with pytest.raises(RowError, match='no "reference"'):
        PromptReader(None, {}, None, 0)("p", {"question": "1+1?"})


def test_a_judge_that_sees_the_reference_needs_one():

    _, judge = choose_judge(RewardJudge.from_config({"model": "libra-mini/judge", "task": "verify"}), 0, print)
    reader = replace(READER, check_item=judge.check)
    with pytest.raises(RowError, match='no "reference"'):
        reader("p", {"question": "1+1?"})
    assert reader("p", {"question": "1+1?", "reference": "2"}).record["reference"] == "2"


QUESTION = PROMPT.record["question"]
SCORED = {"question": QUESTION, "response": "38", "judge": "tiny", "judge_task": "score"}


def references(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps({**SCORED, **row}) + "\n" for row in rows))
    return str(path)


def test_a_score_is_compared_with_those_of_reference_responses(stop, tmp_path):
    other = {"question": "1+1?", "score": 0}
    file = references(tmp_path / "r.jsonl", {"score": 1}, other, {"score": None}, {"score": 3})
    with ScriptedServer(lambda call: wrote("[[score=4]]" if "39" in call.prompt else "[[score=2]]")) as server:
        asked = {"model": "tiny", "base_url": server.url, "references": file}
        done = judged(stop, [response(0, "39"), response(1, "40")], **asked)
    assert [each.judged.references for each in done] == [(1, 3), (1, 3)]
    preset = Path(__file__).parents[2] / "examples/recipes/rewards/par.yaml"
    batch = rewarded(done, {**yaml.safe_load(preset.read_text()), "judge": asked})
    beats = lambda score, of: 1 / (1 + math.exp(of - score))  # noqa: E731
    assert batch.rewards_P_G[0].tolist() == pytest.approx(
        [(beats(4, 1) + beats(4, 3)) / 2, (beats(2, 1) + beats(2, 3)) / 2]
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"label": 1}, r'references: \S+r.jsonl:1: no "score"; give what libra judge wrote'),
        ({"score": True}, r':1: no "score"'),
        ({"score": 1, "judge": "large"}, r":1: the judge is large with the task score, that of the recipe tiny with"),
        ({"score": 1, "judge_task": "rate"}, r":1: the judge is tiny with the task rate"),
        ({"score": 1, "question": None}, r":1: .*question"),
    ],
)
def test_what_is_no_score_of_a_reference_response_is_refused(row, message, tmp_path):
    file = references(tmp_path / "r.jsonl", row)
    with pytest.raises(Fatal, match=message) as raised:
        item_check(RewardJudge.from_config({"model": "tiny", "base_url": "http://a/v1", "references": file}), 0)
    assert raised.value.status == Exit.USAGE


def test_a_problem_without_a_score_of_a_reference_response_is_refused(tmp_path):
    file = references(tmp_path / "r.jsonl", {"score": 1}, {"question": "1+1?", "score": None})
    config = {"model": "tiny", "base_url": "http://a/v1", "references": file}
    reader = replace(READER, check_item=item_check(RewardJudge.from_config(config), 0))
    reader("p", {"question": QUESTION})
    for question in ("1+1?", "1+2?"):
        with pytest.raises(RowError, match=r"no score of a reference response in .*r\.jsonl"):
            reader("p", {"question": question})
    with pytest.raises(Fatal, match="there are no rows"):
        item_check(RewardJudge.from_config({**config, "references": references(tmp_path / "none.jsonl")}), 0)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model": "m", "task": "best"}, "judge.task: expected a word of score, rate, verify, rank, got 'best'"),
        ({}, "judge: judge needs 'model'"),
        ({"model": "m", "votes": 0}, "judge.votes: expected a whole number 1 or more, got 0"),
        ({"model": "m", "base_url": [3]}, "judge.base_url: expected an address"),
        ({"model": "m", "engine_arg": 3}, "judge.engine_arg: expected keys and values, got 3"),
        ({"model": "m", "task": "rank", "reduce": "max"}, "judge.reduce: a comparison has no highest vote"),
        (
            {"model": "m", "task": "rank", "references": "x"},
            "judge.references: a judge of the task rank scores no response",
        ),
        ({"model": "m", "against": "reference"}, "judge.against: only a judge of the task rank compares responses"),
        (
            {"model": "m", "task": "rank", "against": "reference"},
            "judge: nothing reads what the task rank measures: add {name: judge, fact: wins} to rewards",
        ),
        ("m", "judge: nothing reads what the task score measures: add {name: judge} to rewards"),
    ],
)
def test_wrong_options_are_named(config: Any, message: str):
    with pytest.raises(InvalidOptions) as raised:
        RewardPlan.from_config({"judge": config, "rewards": ["correct"]})
    assert str(raised.value).startswith(message)


def test_a_request_to_stop_leaves_the_rest_unjudged(stop):
    def script(_: Call) -> Reply:
        stop.status = Exit.TERMINATED
        return wrote("[[score=4]]")

    with ScriptedServer(script) as server:
        responses = [response(number, "39") for number in range(6)]
        done = judged(stop, responses, model="tiny", base_url=server.url, concurrency=1)
        assert len(server.calls) < 6
    assert [each.number for each in done] == list(range(6))
    assert sum(each.judged.score is not None for each in done) < 6
