"""The cache that grows in place, and the attention of heads that share keys, beside those of transformers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from engine_requests import answers, requests_of

from libra_cli import miniature
from libra_cli.engines.base import LocalModel, Sampling

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import Qwen2Config, Qwen2ForCausalLM  # noqa: E402 -- only where they are
from transformers.cache_utils import DynamicLayer  # noqa: E402
from transformers.integrations import sdpa_attention  # noqa: E402

from libra_cli.engines import kv_cache  # noqa: E402
from libra_cli.engines.kv_batch import KvBatch  # noqa: E402
from libra_cli.engines.transformers import TransformersEngine  # noqa: E402

LENGTHS = (9, 4, 6)


@pytest.fixture
def lm():
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=50, hidden_size=48, intermediate_size=64, num_hidden_layers=2, num_attention_heads=6,
        num_key_value_heads=2, max_position_embeddings=512,
    )  # fmt: skip
    kv_cache.register()
    model = Qwen2ForCausalLM(config).eval()
    model.set_attn_implementation(kv_cache.SHARED_KEYS)
    return model


def batch_of(lm) -> tuple[KvBatch, list[list[int]]]:
    prompts = [[(7 * row + place) % 50 for place in range(length)] for row, length in enumerate(LENGTHS)]
    batch = KvBatch(lm, 0, trained=True)
    batch.admit(list(range(len(prompts))), prompts)
    return batch, prompts


def alone(lm, ids: list[int]) -> torch.Tensor:
    """Logits after these tokens, by attention as transformers has it and without a cache."""
    lm.set_attn_implementation("eager")
    with torch.no_grad():
        logits = lm(torch.tensor([ids]), use_cache=False).logits[0, -1]
    lm.set_attn_implementation(kv_cache.SHARED_KEYS)
    return logits


@pytest.mark.parametrize("name", ["cache", "past_key_values"])
def test_the_cache_goes_under_the_name_that_the_model_has_for_it(lm, name):
    """Versions of transformers differ: newer ones warn of the older name, and older ones do not know the newer one."""
    batch, _ = batch_of(lm)
    wanted, own, before = batch.step([1, 2, 3]), batch._cache_name, lm.forward

    def asked(given, **inputs):
        output = before(**inputs, **{own: given})
        return SimpleNamespace(**{"logits": output.logits, name: output[own]})

    def with_newer(position_ids, logits_to_keep, cache, **inputs):
        return asked(cache, position_ids=position_ids, logits_to_keep=logits_to_keep, **inputs)

    def with_older(position_ids, logits_to_keep, past_key_values, **inputs):
        return asked(past_key_values, position_ids=position_ids, logits_to_keep=logits_to_keep, **inputs)

    lm.forward = with_newer if name == "cache" else with_older
    batch, _ = batch_of(lm)
    assert torch.equal(batch.step([1, 2, 3]), wanted)


def test_rows_that_decode_together_have_the_logits_of_each_alone(lm):
    batch, texts = batch_of(lm)
    for step in range(100):  # beyond the room that is made at first
        if step == 40:
            batch.keep([1, 2])
            texts = texts[1:]
        if step == 70:
            texts.append([3, 1, 4, 1, 5])
            batch.admit([9], texts[-1:])
        tokens = [(step + row) % 50 for row in batch.rows]
        for text, token in zip(texts, tokens, strict=True):
            text.append(token)
        logits_B_V = batch.step(tokens)
    assert [len(text) for text in texts] == [104, 106, 35]
    for logits, text in zip(logits_B_V, texts, strict=True):
        assert torch.allclose(logits, alone(lm, text), atol=2e-6)


def test_a_token_is_added_without_a_copy_of_those_before_it(lm):
    batch, _ = batch_of(lm)
    batch.step([1, 2, 3])
    places = [layer.keys.data_ptr() for layer in batch._cache.layers]
    batch.step([1, 2, 3])
    assert [layer.keys.data_ptr() for layer in batch._cache.layers] == places
    assert batch._cache.layers[0].keys.shape[2] == max(LENGTHS) + 2


def test_a_full_layer_makes_more_room():
    states = torch.arange(2 * 3 * 5 * 4.0).view(2, 3, 5, 4)
    plain = DynamicLayer()
    plain.update(states, -states)
    roomy = kv_cache.RoomyLayer(plain)
    for step in range(200):
        new = torch.full((2, 3, 1, 4), float(step))
        expected, found = plain.update(new, -new), roomy.update(new, -new)
        assert torch.equal(found[0], expected[0])
        assert torch.equal(found[1], expected[1])
    roomy.drop_first(3)
    roomy.batch_select_indices(torch.tensor([1]))
    assert torch.equal(roomy.keys, plain.keys[1:, :, 3:])


def test_keys_are_not_repeated_for_the_heads_that_share_them(lm, monkeypatch):
    batch, _ = batch_of(lm)

    def repeat(*_):
        raise AssertionError("keys were repeated")

    monkeypatch.setattr(sdpa_attention, "repeat_kv", repeat)
    batch.step([1, 2, 3])
    lm.set_attn_implementation("sdpa")
    with pytest.raises(AssertionError, match="keys were repeated"):  # the prompts differ in length: there is a mask
        batch.step([1, 2, 3])


def test_the_engine_decodes_so_and_leaves_the_model_as_it_was(monkeypatch):
    model = LocalModel("libra-mini/weak", str(miniature.resolve("libra-mini/weak")), small=True)
    engine, step, used = TransformersEngine(model, Sampling(1.0, 1.0, 5)), KvBatch.step, set()

    def watched(self, tokens):
        used.add(self._model.config._attn_implementation)
        return step(self, tokens)

    monkeypatch.setattr(KvBatch, "step", watched)
    answers(engine, requests_of(["What is 1+2?"]))
    assert used == {kv_cache.SHARED_KEYS}
    assert engine._lm.config._attn_implementation == "sdpa"
