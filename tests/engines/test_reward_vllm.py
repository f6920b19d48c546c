"""Reward models in real vLLM on the CPU: the same scores as the transformers library gives, without any activation."""

from __future__ import annotations

import os
from dataclasses import replace

import installed
import pytest
from reward_models import EOS, LENGTHS, conversation, of_all_lengths, reward_model, rewards, scores
from safetensors.torch import load_file, save_file

from libra_cli import miniature
from libra_cli.engines.base import PromptTooLong
from libra_cli.engines.reward.base import RewardRequest
from libra_cli.engines.reward.head import RewardHead
from libra_cli.engines.vllm import RESTARTS
from libra_cli.exits import Exit, Fatal

pytestmark = [pytest.mark.engine, installed.needs("vllm")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Its pad token is the one that ends every text, where vLLM and transformers pool differently."""
    made = reward_model(tmp_path_factory.mktemp("qwen2"), pad_token_id=EOS, num_labels=2)
    return replace(made, dtype="float32", small=True, args={"max_num_seqs": 4})


@pytest.fixture(scope="module")
def engine(model):
    from libra_cli.engines.reward.vllm import VllmRewards

    before = dict(os.environ)
    made = VllmRewards(model, notes.append, 1)
    yield made
    made.close()
    os.environ.clear()
    os.environ.update(before)


notes: list[str] = []


def in_transformers(model, texts):
    return scores(RewardHead(replace(model, args={}), 1), texts)


def test_scores_are_those_of_transformers_and_no_probabilities(engine, model):
    texts = of_all_lengths()
    expected = in_transformers(model, texts)
    assert scores(engine, texts) == pytest.approx(expected, abs=1e-4)
    assert scores(engine, texts, at_most=3) == pytest.approx(expected, abs=1e-4)
    assert min(expected) < 0
    assert max(expected) > 1
    assert len({round(score, 2) for score in expected}) == len(LENGTHS)


def test_it_reads_what_transformers_reads_and_says_what_it_is(engine, model):
    scores(engine, ["2"])
    request = RewardRequest(conversation("2<|im_end|>"), "r0", 0)
    head = RewardHead(replace(model, args={}), 1)
    assert engine.render(request) == head.render(request)
    scores(head, ["2"])
    said, other = engine.describe(), head.describe()
    assert {**said, "engine": "", "engine_version": ""} == {**other, "engine": "", "engine_version": ""}
    assert (said["engine"], said["num_labels"], said["score_index"]) == ("vllm", 2, 1)


def test_a_conversation_beyond_the_context_is_refused_alone(engine, model):
    around = len(engine.render(RewardRequest(conversation(""), "r0", 0)).token_ids)
    texts = ["12", "1" * (512 - around), "1" * (513 - around), "3"]
    found = rewards(engine, texts)
    assert isinstance(found[2], PromptTooLong)
    expected = in_transformers(model, [texts[0], texts[1], texts[3]])
    assert [found[at].value for at in (0, 1, 3)] == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_a_broken_engine_costs_the_row_that_breaks_it_only(engine, model, monkeypatch):
    scores(engine, ["2"])
    notes.clear()
    driver, texts = type(engine._driver), of_all_lengths()
    step = driver.step

    def breaking(self):
        if any(active.pending.request.record_id == "r5" for active in engine._active.values()):
            raise RuntimeError("injected")
        return step(self)

    monkeypatch.setattr(driver, "step", breaking)
    found = rewards(engine, texts)
    assert found[5].kind == "poison"
    others = [reward.value for number, reward in enumerate(found) if number != 5]
    assert others == pytest.approx(in_transformers(model, texts[:5] + texts[6:]), abs=1e-4)
    assert len(notes) == 2
    monkeypatch.undo()
    assert scores(engine, texts[5:6]) == pytest.approx(in_transformers(model, texts[5:6]), abs=1e-4)


def test_an_engine_that_breaks_again_and_again_ends_the_run(engine, monkeypatch):
    scores(engine, ["2"])

    def breaking(_self):
        raise RuntimeError("injected")

    monkeypatch.setattr(type(engine._driver), "step", breaking)
    monkeypatch.setattr(engine, "_restarts", RESTARTS)
    with pytest.raises(Fatal, match="vLLM broke 4 times") as caught:
        rewards(engine, ["2", "3"])
    assert caught.value.status == Exit.BACKEND


def test_a_head_that_is_none_or_not_clear_is_refused_before_vllm_starts(model, tmp_path):
    from libra_cli.engines.reward.vllm import VllmRewards

    with pytest.raises(Fatal, match="2 outputs; say which of them is the score") as caught:
        VllmRewards(model, notes.append)
    assert caught.value.status == Exit.USAGE
    writer = replace(model, path=str(miniature.resolve("libra-mini/strong")))
    with pytest.raises(Fatal, match="names Qwen2ForCausalLM, which has no reward head"):
        VllmRewards(writer, notes.append)


def test_a_head_without_weights_is_refused_though_vllm_takes_it(engine, model, tmp_path):
    """vLLM itself starts with whatever is in memory, so the weights are checked after loading."""
    from libra_cli.engines.reward.vllm import _check_weights

    _check_weights(model)
    headless = reward_model(tmp_path)
    path = str(tmp_path / "model.safetensors")
    save_file({name: value for name, value in load_file(path).items() if name != "score.weight"}, path)
    with pytest.raises(Fatal, match=r"no weights for score\.weight: it is no reward model") as caught:
        _check_weights(headless)
    assert caught.value.status == Exit.USAGE
