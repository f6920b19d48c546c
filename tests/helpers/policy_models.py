"""Policies to test engines with: a miniature's weights with noise, and log-probabilities from a plain forward pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from libra_cli import miniature
from libra_cli.engines.base import Completion, LocalModel, Request, Sampling
from libra_cli.engines.token_sampling import processed

WEAK = str(miniature.resolve("libra-mini/weak"))


def load(path: str = WEAK, dtype: str = "float32") -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(path, dtype=dtype)


def untied(folder: Path) -> str:
    """The miniature with a head of its own, in `folder`."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    config = AutoConfig.from_pretrained(WEAK)
    config.tie_word_embeddings = False
    tied = load()
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(tied.state_dict())
    assert model.lm_head.weight is not model.model.embed_tokens.weight
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(WEAK).save_pretrained(folder)
    return str(folder)


def add_noise(model: Any, seed: int, scale: float = 0.05) -> Any:
    """`model` with noise on every weight, in proportion to its size."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator).to(parameter.dtype)
            parameter.add_(scale * parameter.std() * noise if parameter.numel() > 1 else 0)
    return model


def begin_anew(model: Any, seed: int) -> Any:
    """`model` with random matrices as training begins with: its logits are small, and half precision rounds little."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.copy_(0.02 * torch.randn(parameter.shape, generator=generator))
    return model


def plain_logprobs(model: Any, prompt_ids: list[int], completion: Completion, sampling: Sampling) -> list[float]:
    """The log-probability of each token of a completion, by one forward pass over the whole text."""
    assert completion.token_ids is not None
    ids = torch.tensor([[*prompt_ids, *completion.token_ids]])
    with torch.no_grad():
        logits_T_V = model(input_ids=ids, use_cache=False).logits[0, len(prompt_ids) - 1 : -1]
    logprobs_T_V = torch.log_softmax(processed(logits_T_V, sampling), -1)
    return logprobs_T_V.gather(-1, torch.tensor(completion.token_ids)[:, None])[:, 0].tolist()


def largest_difference(engine: Any, model: Any, answered: dict, requests: list[Request], sampling: Sampling) -> float:
    """The largest difference between the engine's log-probabilities and those of a plain forward pass of `model`."""
    return max(differences(engine, model, answered, requests, sampling))


def differences(engine: Any, model: Any, answered: dict, requests: list[Request], sampling: Sampling) -> list[float]:
    """The difference at each token."""
    found: list[float] = []
    for request in requests:
        completion = answered[request.record_id, request.sample]
        expected = plain_logprobs(model, engine.render(request).token_ids, completion, sampling)
        assert len(completion.logprobs) == len(completion.token_ids) == completion.n_tokens == len(expected)
        found += [abs(one - other) for one, other in zip(completion.logprobs, expected, strict=True)]
    return found


def assert_rounding(found: ArrayLike) -> None:
    """Differences at each token between two passes of a trained miniature are what rounding to float32 makes of them.

    Over 21,000 tokens of three miniatures, before updates and after them, vLLM's pass differs from transformers' by
    1e-6 on average, by 1e-5 or more at one token of a hundred, and by 6e-5 at most. So does each of them from the same
    pass in float64 (5e-5 at most). No operation of vLLM stands out: on the inputs that it had, each is as near to
    float64 as torch's own (2e-7 of its output), and the tables of rotary positions are equal. The weights amplify
    that: with those that training begins with, the largest difference is 8e-7.
    """
    gaps = np.asarray(found)
    assert gaps.mean() < 3e-6
    assert np.quantile(gaps, 0.95) < 1e-5
    assert gaps.max() < 1e-4


def local(path: str = WEAK, **more: Any) -> LocalModel:
    return LocalModel("policy", path, dtype="float32", small=True, **more)
