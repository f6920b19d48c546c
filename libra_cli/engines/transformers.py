"""The transformers engine: batched decoding with a KV cache, on any device, for any causal model of the library."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from libra_cli.engines import chat
from libra_cli.engines.base import Completion, LocalModel, PromptTooLong, Rendered, Request, Sampling
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.jobs import Feed, Job
from libra_cli.stream.rows import RowError

if TYPE_CHECKING:
    from libra_cli.engines.kv_batch import Batch

Answered = tuple[Job, Completion | RowError]

BATCH_SIZE, SMALL_BATCH_SIZE = 64, 256
_JOIN_AT = 8
"""New rows wait until they are at least 1/8 of those at work: to join two caches costs as much as some steps."""
_IDLE_SECONDS = 0.5
OWN_PARAMETERS = frozenset({"ignore_eos", "min_tokens", "stop_token_ids"})
"""What --sampling-arg may name here, with vLLM's meaning."""


class _Row:
    """One sample while it is written."""

    def __init__(self, job: Job, prompt: chat.Prompt, max_tokens: int):
        self.job, self.prompt, self.max_tokens = job, prompt, max_tokens
        self.restart()

    def restart(self) -> None:
        """From the first token, with the same random numbers."""
        from libra_cli.engines.token_sampling import Stream

        self.ids: list[int] = []
        self.stream = Stream(self.job.work.seed)
        self.text: str | None = None
        self.finish_reason: str | None = None


class TransformersEngine:
    """A causal language model of the transformers library; samples do not depend on what else is in their batch.

    (Exactly so in float32; in half precision the batch's shape rounds logits differently, as in every engine.)
    """

    def __init__(self, model: LocalModel, sampling: Sampling, batch_size: int | None = None):
        unknown = sorted(sampling.extra.keys() - OWN_PARAMETERS)
        if unknown:
            known = ", ".join(sorted(OWN_PARAMETERS))
            raise Fatal(
                Exit.USAGE, f"--sampling-arg {unknown[0]}: the transformers engine knows {known}; use --engine vllm"
            )
        self._model, self._sampling = model, sampling
        self._capacity = batch_size or (SMALL_BATCH_SIZE if model.small else BATCH_SIZE)
        self._chat = chat.load(model)
        self._lm: Any = None
        self._limit = 0
        self._ends: frozenset[int] = frozenset()
        self._revision = model.revision

    def describe(self) -> dict[str, Any]:
        return {
            "engine": "transformers", "engine_version": version("transformers"), "model": self._model.name,
            "revision": self._revision, "template_sha256": self._chat.template_sha256,
        }  # fmt: skip

    def render(self, request: Request) -> Rendered:
        prompt = self._chat.render(request)
        return Rendered(prompt.text, prompt.token_ids, request.messages)

    def close(self) -> None:
        self._lm = None

    def generate(self, feed: Feed) -> Iterator[Answered | None]:
        from libra_cli.engines.kv_batch import Batch

        if self._lm is None:
            self._load()
        tokenizer = self._chat.tokenizer
        batch = Batch(
            self._lm, tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(self._ends, default=0)
        )
        try:
            yield from self._run(feed, batch)
        except RuntimeError as error:
            raise Fatal(
                Exit.BACKEND, f"{self._model.name}: the model failed ({' '.join(str(error).split())[:300]})"
            ) from error

    def _run(self, feed: Feed, batch: Batch) -> Iterator[Answered | None]:
        import torch

        waiting: deque[_Row] = deque()
        spoken = time.monotonic()
        while True:
            yield from self._fill(feed, batch, waiting)
            if not batch.rows and not waiting:
                if feed.ended:
                    return
                continue
            try:
                yield from self._turn(batch, waiting)
            except torch.OutOfMemoryError:
                yield from self._shrink(batch, waiting)
            if time.monotonic() - spoken > _IDLE_SECONDS:
                yield None
                spoken = time.monotonic()

    def _fill(self, feed: Feed, batch: Batch, waiting: deque[_Row]) -> Iterator[Answered]:
        """Takes jobs for the room that is left."""
        while len(batch.rows) + len(waiting) < self._capacity:
            job = feed.take(0 if batch.rows or waiting else None)
            if job is None:
                return
            try:
                waiting.append(self._row(job))
            except RowError as error:
                yield job, error

    def _row(self, job: Job) -> _Row:
        prompt = self._chat.render(job.work)
        room = self._limit - len(prompt.token_ids)
        if room < 1:
            raise PromptTooLong(len(prompt.token_ids), self._limit)
        return _Row(job, prompt, min(self._sampling.max_tokens, room))

    def _turn(self, batch: Batch, waiting: deque[_Row]) -> Iterator[Answered]:
        """One more token for every row: the first for new ones, the next for those at work."""
        room = min(len(waiting), self._capacity - len(batch.rows))
        if room > 0 and batch.joinable and room * _JOIN_AT >= len(batch.rows):
            new = [waiting[position] for position in range(room)]
            logits = batch.admit(new, [row.prompt.token_ids for row in new])
            for _ in new:  # only now: what does not fit into memory is still waiting
                waiting.popleft()
            self._extend(new, logits)
        else:
            self._extend(batch.rows, batch.step([row.ids[-1] for row in batch.rows]))
        finished = [row for row in batch.rows if row.finish_reason]
        if finished:
            batch.keep([position for position, row in enumerate(batch.rows) if not row.finish_reason])
            yield from ((row.job, self._completion(row)) for row in finished)

    def _extend(self, rows: list[_Row], logits_B_V: Any) -> None:
        from libra_cli.engines.token_sampling import draw, forbid

        least = self._sampling.extra.get("min_tokens", 0)
        too_early = [position for position, row in enumerate(rows) if len(row.ids) < least]
        logits_B_V = forbid(logits_B_V, too_early, self._ends)
        for row, token in zip(rows, draw(logits_B_V, self._sampling, [row.stream for row in rows]), strict=True):
            row.ids.append(token)
            if token in self._ends or self._meets_stop(row):
                row.finish_reason = "stop"
            elif len(row.ids) >= row.max_tokens:
                row.finish_reason = "length"

    def _meets_stop(self, row: _Row) -> bool:
        """Whether the text now holds a stop string; then `row.text` is what stands before it."""
        if not self._sampling.stop:
            return False
        longest = max(len(stop.encode()) for stop in self._sampling.stop)  # no token is shorter than a byte
        tail = self._decode(row, row.ids[-longest - 1 :])
        if not any(stop in tail for stop in self._sampling.stop):
            return False
        text = self._decode(row, row.ids)
        found = [at for stop in self._sampling.stop if (at := text.find(stop)) >= 0]
        row.text = text[: min(found)] if found else None
        return bool(found)

    def _decode(self, row: _Row, ids: list[int]) -> str:
        return self._chat.decode(row.prompt.token_ids, ids)

    def _completion(self, row: _Row) -> Completion:
        ids = row.ids[:-1] if row.ids[-1] in self._ends else row.ids
        text = self._decode(row, ids) if row.text is None else row.text
        return Completion(row.job.work.prefill + text, str(row.finish_reason), len(row.ids), row.prompt.opened_thinking)

    def _shrink(self, batch: Batch, waiting: deque[_Row]) -> Iterator[Answered]:
        """After the device ran out of memory: half as many rows at a time, begun anew (each draws the same again)."""
        import torch

        rows = [*batch.rows, *waiting]
        at_once = min(len(rows), self._capacity)
        batch.clear()
        waiting.clear()
        torch.cuda.empty_cache()
        if at_once == 1:
            alone = rows.pop(0)
            n_tokens, cure = (
                len(alone.prompt.token_ids) + len(alone.ids),
                "set --max-tokens lower, or use a larger device",
            )
            reason = f"{n_tokens} tokens alone do not fit into the device's memory"
            yield alone.job, RowError("out_of_memory", f"{reason}; {cure}")
        self._capacity = max(1, at_once // 2)
        for row in rows:
            row.restart()
        waiting.extend(rows)

    def _load(self) -> None:
        from transformers import AutoModelForCausalLM

        model = self._model
        self._lm = lm = pretrained(AutoModelForCausalLM, model, "it does not write; libra judge can ask a reward model")
        self._limit = (
            model.max_model_len or getattr(lm.config.get_text_config(), "max_position_embeddings", None) or 1 << 62
        )
        self._revision = model.revision or getattr(lm.config, "_commit_hash", None)
        self._ends = self._end_tokens()

    def _end_tokens(self) -> frozenset[int]:
        """Tokens that end a response: the model's and the tokenizer's own, and those asked for."""
        asked = frozenset(self._sampling.extra.get("stop_token_ids", ()))
        if self._sampling.extra.get("ignore_eos"):
            return asked
        given = self._lm.generation_config.eos_token_id
        own = given if isinstance(given, list) else [given]
        return asked | {token for token in [*own, self._chat.tokenizer.eos_token_id] if token is not None}


def pretrained(auto: Any, model: LocalModel, cure: str) -> Any:
    """`model` by one of the library's Auto classes, on its device and ready to run.

    Raises Fatal where it cannot be loaded, and with `cure` where its files lack weights: the library draws them at
    random, as for the head that a model of another kind does not have.
    """
    import torch

    if model.small and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    args = {"dtype": _dtype(model, device), "trust_remote_code": model.trust_remote_code, **model.args}
    try:
        lm, info = auto.from_pretrained(model.path, revision=model.revision, output_loading_info=True, **args)
    except TypeError as error:
        raise Fatal(Exit.USAGE, f"--engine-arg: {model.name} does not take it ({error})") from None
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise chat.cannot_load(model, error) from None
    if info["missing_keys"]:
        lacking = ", ".join(sorted(info["missing_keys"])[:3])
        raise Fatal(Exit.USAGE, f"{model.name}: the model has no weights for {lacking}: {cure}")
    return (lm if "device_map" in model.args else lm.to(device)).eval()


def _dtype(model: LocalModel, device: str) -> str:
    """As the weights are stored; on a CPU float32, where the batch does not change a sample, and which is no slower."""
    return "float32" if model.dtype == "auto" and device == "cpu" else model.dtype
