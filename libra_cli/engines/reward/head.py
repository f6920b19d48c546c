"""Reward models in the transformers library: a classification head's number for a whole conversation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from libra_cli.engines import chat
from libra_cli.engines.base import LocalModel, PromptTooLong, Rendered
from libra_cli.engines.reward.base import Reward, RewardRequest, check_head, reward_of, score_index
from libra_cli.engines.transformers import BATCH_SIZE, pretrained
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.jobs import Feed, Job
from libra_cli.stream.rows import RowError

Answered = tuple[Job, Reward | RowError]

TOKENS_AT_ONCE = {"cuda": 16384, "cpu": 2048}
"""Tokens of a batch, padding included: enough to fill the device, few enough that answers come every second or so."""
_POOL = 16
"""Batches that are read before they are sorted by length, so that each holds conversations of about one length."""


@dataclass(frozen=True)
class _Read:
    """A job whose conversation is token ids."""

    job: Job
    ids: list[int]


class RewardHead:
    """A model of AutoModelForSequenceClassification; a score does not depend on what else is in its batch.

    (Exactly so up to rounding: 1e-5 in float32; in half precision the batch's shape rounds differently.)
    """

    def __init__(self, model: LocalModel, index: int | None = None, batch_size: int | None = None):
        self._model, self._index = model, index
        self._most = batch_size or BATCH_SIZE
        self._chat = chat.load(model)
        check_head(model, index)
        self._lm: Any = None
        self._limit = self._budget = 0
        self._n_labels: int | None = None
        self._revision = model.revision

    def describe(self) -> dict[str, Any]:
        return {
            "engine": "transformers", "engine_version": version("transformers"), "model": self._model.name,
            "revision": self._revision, "template_sha256": self._chat.template_sha256, "num_labels": self._n_labels,
            **({} if self._index is None else {"score_index": self._index}),
        }  # fmt: skip

    def render(self, request: RewardRequest) -> Rendered:
        text, ids = self._chat.conversation(request.messages)
        return Rendered(text, ids, request.messages)

    def close(self) -> None:
        self._lm = None

    def generate(self, feed: Feed) -> Iterator[Answered | None]:
        if self._lm is None:
            self._load()
        while not (feed.ended or feed.stopping):
            pool: list[_Read] = []
            yield from self._fill(feed, pool)
            pool.sort(key=lambda read: len(read.ids))
            yield from self._empty(feed, pool)

    def _fill(self, feed: Feed, pool: list[_Read]) -> Iterator[Answered]:
        """Takes the jobs that are there, up to some batches; waits only where none is."""
        n_tokens = 0
        while n_tokens < _POOL * self._budget:
            job = feed.take(0 if pool else None)
            if job is None:
                return
            try:
                ids = self._chat.conversation(job.work.messages)[1]
                if len(ids) > self._limit:
                    raise PromptTooLong(len(ids), self._limit)
            except RowError as error:
                yield job, error
            else:
                pool.append(_Read(job, ids))
                n_tokens += len(ids)

    def _empty(self, feed: Feed, pool: list[_Read]) -> Iterator[Answered]:
        """Answers the jobs of a pool that is sorted by length, the longest first: if any are too many, it is these."""
        import torch

        while pool and not feed.stopping:
            batch = self._cut_batch(pool)
            try:
                values = self._scores([read.ids for read in batch])
            except torch.OutOfMemoryError:
                torch.cuda.empty_cache()
                self._budget = max(1, len(batch) * len(batch[-1].ids) // 2)
                if len(batch) == 1:
                    yield batch[0].job, _too_large(batch[0])
                else:
                    pool.extend(batch)
                continue
            except (RuntimeError, ValueError, IndexError) as error:
                reason = " ".join(str(error).split())[:300]
                raise Fatal(Exit.BACKEND, f"{self._model.name}: the model failed ({reason})") from error
            for read, value in zip(batch, values, strict=True):
                yield read.job, reward_of(value, len(read.ids))

    def _cut_batch(self, pool: list[_Read]) -> list[_Read]:
        """Takes the longest from the end of `pool`: as many as fit into the budget of tokens, padded; one at least."""
        n_rows = max(1, min(self._most, self._budget // len(pool[-1].ids)))
        batch = pool[-n_rows:]
        del pool[-n_rows:]
        return batch

    def _scores(self, sequences: Sequence[list[int]]) -> list[float]:
        """The head's number for each sequence of token ids."""
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
        """What the sequences are padded with, on the right: positions count from 0 as in a sequence that is alone.

        Models pool at the last token that is not their pad token, so that theirs has to be taken even where it is the
        EOS that ends a text. A model that has none pools the last token: then any id does that ends none of these.
        """
        configs = [self._lm.config, self._lm.config.get_text_config()]
        if self._pads_itself:
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
            config = AutoConfig.from_pretrained(
                model.path, revision=model.revision, trust_remote_code=model.trust_remote_code
            )
        except (OSError, ValueError) as error:
            raise chat.cannot_load(model, error) from None
        own = getattr(config, "auto_map", None) or {}
        is_custom = "AutoModel" in own and "AutoModelForSequenceClassification" not in own
        if is_custom and not model.trust_remote_code:  # the library would load its own model, without the head
            cure = "--trust-remote-code runs it, if you trust it"
            raise Fatal(Exit.USAGE, f"{model.name}: the reward head is Python code that comes with the model; {cure}")
        auto = AutoModel if is_custom else AutoModelForSequenceClassification
        self._lm = pretrained(auto, model, "it is no reward model; name one, or use --generative")
        self._prepare()

    def _prepare(self) -> None:
        config = self._lm.config.get_text_config()
        config.use_cache = False
        pad_id, n_tokens = getattr(config, "pad_token_id", None), getattr(config, "vocab_size", math.inf)
        self._pads_itself = pad_id is not None and 0 <= pad_id < n_tokens
        self._limit = self._model.max_model_len or _positions(self._lm) or 1 << 62
        self._budget = TOKENS_AT_ONCE["cpu" if self._lm.device.type == "cpu" else "cuda"]
        self._revision = self._model.revision or getattr(self._lm.config, "_commit_hash", None)


def _positions(lm: Any) -> int | None:
    """The longest sequence that the model has positions for; RoBERTa's kin lose those up to their padding's."""
    import torch

    longest = getattr(lm.config.get_text_config(), "max_position_embeddings", None)
    if longest is None:
        return None
    tables = (module for name, module in lm.named_modules() if name.endswith("position_embeddings"))
    lost = [table.padding_idx + 1 for table in tables if isinstance(table, torch.nn.Embedding) and table.padding_idx]
    return longest - max(lost, default=0)


def _too_large(read: _Read) -> RowError:
    cure = "leave the row out, or use a larger device"
    return RowError("out_of_memory", f"{len(read.ids)} tokens alone do not fit into the device's memory; {cure}")
