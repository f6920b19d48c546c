"""Reward requests in batches of about one length, for models of the transformers library."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from libra_cli.engines import chat_template
from libra_cli.engines.base import LocalModel, Pending, PromptTooLong, RequestError, Requests
from libra_cli.engines.reward.base import Reward, RewardRequest
from libra_cli.engines.transformers import BATCH_SIZE, describe
from libra_cli.exits import Exit, Fatal

_KNOWN = 16384
"""Answers that are kept for conversations that come again: some 5 MB, a few times as much with the steps of each."""
Answered = tuple[Pending, Reward | RequestError]

TOKENS_AT_ONCE = {"cuda": 16384, "cpu": 2048}
"""Tokens per batch, padding included: enough to fill the device, few enough for answers every second or so."""
_POOL = 16
"""Batches read before they are sorted by length, so that each holds conversations of about one length."""


@dataclass(frozen=True)
class TokenizedConversation:
    """What a model reads of one request."""

    ids: list[int]
    step_of_token: list[int] | None = None
    """Index of the step of each token of the response, which is the end of `ids`; None if steps do not matter."""

    @property
    def digest(self) -> bytes:
        """The same for what the model reads the same way."""
        steps = array("q", [] if self.step_of_token is None else self.step_of_token)
        return blake2b(array("q", [len(steps), *self.ids]) + steps, digest_size=16).digest()


@dataclass
class _Waiting:
    """A conversation of a pool, and the requests for its score."""

    read: TokenizedConversation
    pending: list[Pending]

    def __len__(self) -> int:
        return len(self.read.ids)


class BatchedRewards:
    """Answers requests in batches sorted by length; a subclass reads a conversation, and scores a batch.

    A conversation that comes again gets the answer that it had, as long as that is kept: in another batch the last bits
    would differ.
    """

    def __init__(self, model: LocalModel, batch_size: int | None):
        self._model, self._most = model, batch_size or BATCH_SIZE
        self._chat = chat_template.load_chat_template(model)
        self._revision = model.revision
        self._limit = self._budget = 0
        self._known: dict[bytes, Reward] = {}

    def describe(self) -> dict[str, Any]:
        return describe(self._model, self._revision, self._chat)

    def _adopt(self, *lms: Any) -> None:
        """Takes the limits of the models that were loaded, the first of which is the one that `describe` names."""
        limits = [self._model.max_model_len or max_positions(lms[0]), *map(max_positions, lms[1:])]
        self._limit = min([limit for limit in limits if limit is not None], default=1 << 62)
        self._budget = TOKENS_AT_ONCE["cpu" if lms[0].device.type == "cpu" else "cuda"]
        self._revision = self._model.revision or getattr(lms[0].config, "_commit_hash", None)

    def _load(self) -> None:
        """Loads the weights unless they are there, and calls `_adopt`."""
        raise NotImplementedError

    def _read(self, request: RewardRequest) -> TokenizedConversation:
        """Raises RequestError for a conversation that cannot be tokenized."""
        raise NotImplementedError

    def _answers(self, batch: Sequence[TokenizedConversation]) -> list[Reward | RequestError]:
        raise NotImplementedError

    def generate(self, requests: Requests) -> Iterator[Answered | None]:
        self._load()
        while not (requests.ended or requests.stopping):
            pool: dict[bytes, _Waiting] = {}
            yield from self._fill(requests, pool)
            yield from self._empty(requests, sorted(pool.values(), key=len))

    def _fill(self, requests: Requests, pool: dict[bytes, _Waiting]) -> Iterator[Answered]:
        """Takes the requests that are there, up to _POOL batches by digest; waits only while there is none."""
        n_tokens = 0
        while n_tokens < _POOL * self._budget:
            pending = requests.take(0 if pool else None)
            if pending is None:
                return
            try:
                read = self._read(pending.request)
                if len(read.ids) > self._limit:
                    raise PromptTooLong(len(read.ids), self._limit)
            except RequestError as error:
                yield pending, error
                continue
            digest = read.digest
            if digest in pool:
                pool[digest].pending.append(pending)
            elif digest in self._known:
                yield pending, self._known[digest]
            else:
                pool[digest] = _Waiting(read, [pending])
                n_tokens += len(read.ids)

    def _empty(self, requests: Requests, pool: list[_Waiting]) -> Iterator[Answered]:
        """Answers the requests of a pool sorted by length, the longest first: these show first if memory is short."""
        import torch

        while pool and not requests.stopping:
            # As many of the longest as fit into the budget of tokens, padded; at least one.
            n_rows = max(1, min(self._most, self._budget // len(pool[-1])))
            batch = pool[-n_rows:]
            del pool[-n_rows:]
            try:
                answers = self._answers([each.read for each in batch])
            except torch.OutOfMemoryError:
                torch.cuda.empty_cache()
                n_tokens = len(batch[-1])
                self._budget = max(1, min(self._budget, len(batch) * n_tokens) // 2)
                if len(batch) == 1:
                    reason = f"{n_tokens} tokens alone do not fit into the device's memory"
                    cure = "leave the row out, or use a larger device"
                    for pending in batch[0].pending:
                        yield pending, RequestError("out_of_memory", f"{reason}; {cure}")
                else:
                    pool.extend(batch)
                continue
            except (RuntimeError, ValueError, IndexError) as error:
                reason = " ".join(str(error).split())[:300]
                raise Fatal(Exit.BACKEND, f"{self._model.name}: the model failed ({reason})") from error
            for each, answer in zip(batch, answers, strict=True):
                self._remember(each.read, answer)
                for pending in each.pending:
                    yield pending, answer

    def _remember(self, read: TokenizedConversation, answer: Reward | RequestError) -> None:
        """Keeps an answer, and forgets the oldest of too many."""
        if isinstance(answer, Reward):
            self._known[read.digest] = answer
        if len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]


def max_positions(lm: Any) -> int | None:
    """The longest sequence that the model has positions for; RoBERTa and its kin lose those up to the padding's."""
    import torch

    longest = getattr(lm.config.get_text_config(), "max_position_embeddings", None)
    if longest is None:
        return None
    tables = (module for name, module in lm.named_modules() if name.endswith("position_embeddings"))
    lost = [table.padding_idx + 1 for table in tables if isinstance(table, torch.nn.Embedding) and table.padding_idx]
    return longest - max(lost, default=0)
