"""Reward models in the transformers library: a classification head scores a whole conversation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from libra_cli.engines import chat_template
from libra_cli.engines.base import LocalModel, Rendered, RequestError
from libra_cli.engines.reward.base import Reward, RewardRequest, check_head, conversation, reward_of, score_index
from libra_cli.engines.reward.batches import BatchedRewards, TokenizedConversation
from libra_cli.engines.transformers import load_pretrained
from libra_cli.exits import Exit, Fatal


class RewardHead(BatchedRewards):
    """A model of AutoModelForSequenceClassification; a score does not depend on what else is in its batch.

    (Exactly so up to rounding: 1e-5 in float32; in half precision the batch's shape rounds differently. Equal
    conversations get one score.)
    """

    def __init__(self, model: LocalModel, index: int | None = None, batch_size: int | None = None):
        super().__init__(model, batch_size)
        check_head(model, index)
        self._index = index
        self._lm: Any = None
        self._n_labels: int | None = None

    def describe(self) -> dict[str, Any]:
        named = {} if self._index is None else {"score_index": self._index}
        return {**super().describe(), "num_labels": self._n_labels, **named}

    def render(self, request: RewardRequest) -> Rendered:
        text, ids = conversation(self._chat, request)
        return Rendered(text, ids, request.messages)

    def close(self) -> None:
        self._lm = None

    def _read(self, request: RewardRequest) -> TokenizedConversation:
        return TokenizedConversation(conversation(self._chat, request)[1])

    def _answers(self, batch: Sequence[TokenizedConversation]) -> list[Reward | RequestError]:
        values = self._scores([read.ids for read in batch])
        return [reward_of(value, len(read.ids)) for read, value in zip(batch, values, strict=True)]

    def _scores(self, sequences: Sequence[list[int]]) -> list[float]:
        """The score of each sequence of token ids."""
        import torch

        pad_id, longest = self._pad_id(sequences), max(map(len, sequences))
        padded = [ids + [pad_id] * (longest - len(ids)) for ids in sequences]
        real = [[1] * len(ids) + [0] * (longest - len(ids)) for ids in sequences]
        device = self._lm.device
        ids_B_T, mask_B_T = torch.tensor(padded, device=device), torch.tensor(real, device=device)
        with torch.inference_mode():
            output = self._lm(input_ids=ids_B_T, attention_mask=mask_B_T)
        logits_B_L = output.logits if hasattr(output, "logits") else output[0]
        if logits_B_L.dim() != 2 or len(logits_B_L) != len(sequences):
            shape, cure = tuple(logits_B_L.shape), "it is no reward model of a form known here"
            raise Fatal(Exit.USAGE, f"{self._model.name}: the model gives numbers of shape {shape}; {cure}")
        self._n_labels = logits_B_L.shape[1]
        return logits_B_L[:, score_index(self._model.name, self._n_labels, self._index)].float().tolist()

    def _pad_id(self, sequences: Sequence[list[int]]) -> int:
        """The padding token, used on the right: positions count from 0 as in a sequence that is alone.

        A model pools at the last token that is not its pad token, so its own must be used, even if it is the EOS that
        ends a text. A model without one pools at the last token: any id serves that ends none of these sequences.
        """
        configs = [self._lm.config, self._lm.config.get_text_config()]
        if self._has_pad_id:
            return int(configs[1].pad_token_id)
        last = {ids[-1] for ids in sequences}
        free = next(token for token in range(len(last) + 1) if token not in last)
        for config in configs:
            config.pad_token_id = free
        return free

    def _load(self) -> None:
        if self._lm is not None:
            return
        from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

        model = self._model
        try:
            trust = model.trust_remote_code
            config = AutoConfig.from_pretrained(model.path, revision=model.revision, trust_remote_code=trust)
        except Exception as error:  # noqa: BLE001 -- a damaged file raises any exception
            raise chat_template.cannot_load(model, error) from None
        own = getattr(config, "auto_map", None) or {}
        is_custom = "AutoModel" in own and "AutoModelForSequenceClassification" not in own
        if is_custom and not model.trust_remote_code:  # the library would load its own model, without the head
            cure = "--trust-remote-code runs it, if you trust it"
            raise Fatal(Exit.USAGE, f"{model.name}: the reward head is Python code that comes with the model; {cure}")
        auto = AutoModel if is_custom else AutoModelForSequenceClassification
        self._lm = load_pretrained(auto, model, "it is no reward model; name one, or use --generative")
        text_config = self._lm.config.get_text_config()
        text_config.use_cache = False
        pad_id, n_tokens = getattr(text_config, "pad_token_id", None), getattr(text_config, "vocab_size", math.inf)
        self._has_pad_id = pad_id is not None and 0 <= pad_id < n_tokens
        self._adopt(self._lm)
