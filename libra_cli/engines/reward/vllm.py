"""Reward models in vLLM: its pooling models; the score is the head's output before any activation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from libra_cli.engines.base import LocalModel, PromptTooLong, Rendered, RequestError
from libra_cli.engines.reward.base import Reward, RewardRequest, check_head, conversation, reward_of, score_index
from libra_cli.engines.vllm import ActiveRequest, VllmRunner, refused
from libra_cli.exits import Exit, Fatal


class VllmRewards(VllmRunner):
    """A reward model in vLLM: a sequence classifier, or a class of its own whose last token's output is the score."""

    _suspects_at_once = 1
    """A conversation takes one step: after a break each is retried alone, so that none is given up for another."""

    def __init__(self, model: LocalModel, note: Callable[[str], None], index: int | None = None):
        super().__init__(model, note)
        if "hf_overrides" not in model.args:  # they may make a reward model of one that generates text
            check_head(model, index)
        self._index = index
        self._task = ""
        self._pad_id: int | None = None
        self._n_labels: int | None = None

    def describe(self) -> dict[str, Any]:
        named = {} if self._index is None else {"score_index": self._index}
        return {**super().describe(), "num_labels": self._n_labels, **named}

    def render(self, request: RewardRequest) -> Rendered:
        text, ids = conversation(self._chat, request)
        return Rendered(text, ids, request.messages)

    def _engine_args(self) -> dict[str, Any]:
        return {"runner": "pooling", **super()._engine_args()}

    def _start(self) -> None:
        super()._start()
        if "hf_overrides" not in self._model.args:
            _check_weights(self._model)
        tasks = self._driver.tasks()  # type: ignore[union-attr]
        self._task = "classify" if "classify" in tasks else "token_classify"
        config = self._driver.config.model_config  # type: ignore[union-attr]
        by_last = self._task != "classify" or config.pooler_config.seq_pooling_type == "LAST"
        self._pad_id = getattr(config.hf_text_config, "pad_token_id", None) if by_last else None

    def _prepare(self, request: RewardRequest) -> tuple[list[int], Any]:
        from vllm import PoolingParams

        ids = conversation(self._chat, request)[1]
        if len(ids) > self._limit:
            raise PromptTooLong(len(ids), self._limit)
        # The transformers library takes the output at the last token that is not the pad token, vLLM at the very last.
        # They differ for a model whose pad token is the EOS that ends a text.
        n_tokens = len(ids)
        while n_tokens > 1 and ids[n_tokens - 1] == self._pad_id:
            n_tokens -= 1
        return ids[:n_tokens], PoolingParams(task=self._task, use_activation=False)

    def _answer(self, active: ActiveRequest, output: Any) -> Reward | RequestError:
        if isinstance(output, Exception):
            return refused(output)
        numbers = output.data.float()
        numbers = numbers if self._task == "classify" else numbers[-1]
        self._n_labels = numbers.numel()
        value = numbers.flatten()[score_index(self._model.name, self._n_labels, self._index)].item()
        return reward_of(value, active.n_tokens)


def _check_weights(model: LocalModel) -> None:
    """Raises Fatal(2) if the model's files lack its head: vLLM 0.32 would use whatever happens to be in memory.

    Checks classes of the transformers library only, whose heads have known names.
    """
    import torch
    from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, AutoConfig, AutoModelForSequenceClassification

    config = AutoConfig.from_pretrained(model.path, revision=model.revision, trust_remote_code=model.trust_remote_code)
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        return
    with torch.device("meta"):
        whole = AutoModelForSequenceClassification.from_config(config)
    head = {name for name, _ in whole.named_parameters() if not name.startswith(f"{whole.base_model_prefix}.")}
    held = _weight_names(model)
    if held and (lacking := sorted(head - held)):
        cure = "it is no reward model; name one, or use --generative"
        raise Fatal(Exit.USAGE, f"{model.name}: the model has no weights for {', '.join(lacking)}: {cure}")


def _weight_names(model: LocalModel) -> set[str]:
    """The names of the weights in the model's safetensors files; empty if it has no such files."""
    from huggingface_hub import snapshot_download
    from safetensors import safe_open

    folder = Path(model.path)
    if not folder.is_dir():  # vLLM has downloaded it into the hub's cache
        folder = Path(snapshot_download(model.path, revision=model.revision, local_files_only=True))
    names: set[str] = set()
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            names.update(file.keys())
    return names
