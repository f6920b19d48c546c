"""Reward models in the transformers library: a classification head scores a whole conversation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from libra_cli.engines import chat_template
from libra_cli.engines.base import LocalModel, Pending, PromptTooLong, Rendered, RequestError, Requests
from libra_cli.engines.reward.base import Reward, RewardRequest, check_head, reward_of, score_index
from libra_cli.engines.transformers import BATCH_SIZE, load_pretrained
from libra_cli.exits import Exit, Fatal

Answered = tuple[Pending, Reward | RequestError]

TOKENS_AT_ONCE = {"cuda": 16384, "cpu": 2048}
"""Tokens per batch, padding included: enough to fill the device, few enough for answers every second or so."""
_POOL = 16
"""Batches read before they are sorted by length, so that each holds conversations of about one length."""


@dataclass(frozen=True)
class _TokenizedRequest:
    """A request whose conversation is token ids."""

    pending: Pending
    ids: list[int]


class RewardHead:
    """A model of AutoModelForSequenceClassification; a score does not depend on what else is in its batch.

    (Exactly so up to rounding: 1e-5 in float32; in half precision the batch's shape rounds differently.)
    """

    def __init__(self, model: LocalModel, index: int | None = None, batch_size: int | None = None):
        self._model, self._index = model, index
        self._most = batch_size or BATCH_SIZE
        self._chat = chat_template.load_chat_template(model)
        check_head(model, index)
        self._lm: Any = None
        self._limit = self._budget = 0
        self._n_labels: int | None = None
        self._revision = model.revision

    def describe(self) -> dict[str, Any]:
        return {
            "engine": "transformers",
            "engine_version": version("transformers"),
            "model": self._model.name,
            "revision": self._revision,
            "template_sha256": self._chat.template_sha256,
            "num_labels": self._n_labels,
            **({} if self._index is None else {"score_index": self._index}),
        }

    def render(self, request: RewardRequest) -> Rendered:
        text, ids = self._chat.conversation(request.messages)
        return Rendered(text, ids, request.messages)

    def close(self) -> None:
        self._lm = None

    def generate(self, requests: Requests) -> Iterator[Answered | None]:
        if self._lm is None:
            self._load()
        while not (requests.ended or requests.stopping):
            pool: list[_TokenizedRequest] = []
            yield from self._fill(requests, pool)
            pool.sort(key=lambda read: len(read.ids))
            yield from self._empty(requests, pool)

    def _fill(self, requests: Requests, pool: list[_TokenizedRequest]) -> Iterator[Answered]:
        """Takes the requests that are there, up to _POOL batches; waits only while there is none."""
        n_tokens = 0
        while n_tokens < _POOL * self._budget:
            pending = requests.take(0 if pool else None)
            if pending is None:
                return
            try:
                ids = self._chat.conversation(pending.request.messages)[1]
                if len(ids) > self._limit:
                    raise PromptTooLong(len(ids), self._limit)
            except RequestError as error:
                yield pending, error
            else:
                pool.append(_TokenizedRequest(pending, ids))
                n_tokens += len(ids)

    def _empty(self, requests: Requests, pool: list[_TokenizedRequest]) -> Iterator[Answered]:
        """Answers the requests of a pool sorted by length, the longest first: these show first if memory is short."""
        import torch

        while pool and not requests.stopping:
            # As many of the longest as fit into the budget of tokens, padded; at least one.
            n_rows = max(1, min(self._most, self._budget // len(pool[-1].ids)))
            batch = pool[-n_rows:]
            del pool[-n_rows:]
            try:
                values = self._scores([read.ids for read in batch])
            except torch.OutOfMemoryError:
                torch.cuda.empty_cache()
                n_tokens = len(batch[-1].ids)
                self._budget = max(1, len(batch) * n_tokens // 2)
                if len(batch) == 1:
                    reason = f"{n_tokens} tokens alone do not fit into the device's memory"
                    cure = "leave the row out, or use a larger device"
                    yield batch[0].pending, RequestError("out_of_memory", f"{reason}; {cure}")
                else:
                    pool.extend(batch)
                continue
            except (RuntimeError, ValueError, IndexError) as error:
                reason = " ".join(str(error).split())[:300]
                raise Fatal(Exit.BACKEND, f"{self._model.name}: the model failed ({reason})") from error
            for read, value in zip(batch, values, strict=True):
                yield read.pending, reward_of(value, len(read.ids))

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
        self._limit = model.max_model_len or _max_positions(self._lm) or 1 << 62
        self._budget = TOKENS_AT_ONCE["cpu" if self._lm.device.type == "cpu" else "cuda"]
        self._revision = model.revision or getattr(self._lm.config, "_commit_hash", None)


def _max_positions(lm: Any) -> int | None:
    """The longest sequence that the model has positions for; RoBERTa and its kin lose those up to the padding's."""
    import torch

    longest = getattr(lm.config.get_text_config(), "max_position_embeddings", None)
    if longest is None:
        return None
    tables = (module for name, module in lm.named_modules() if name.endswith("position_embeddings"))
    lost = [table.padding_idx + 1 for table in tables if isinstance(table, torch.nn.Embedding) and table.padding_idx]
    return longest - max(lost, default=0)
