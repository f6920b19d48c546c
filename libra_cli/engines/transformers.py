"""The transformers engine: batched decoding with a KV cache, on any device, for any causal model of the library."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from libra_cli.engines import chat_template
from libra_cli.engines.architectures import check_writes
from libra_cli.engines.base import (
    Completion,
    LocalModel,
    Pending,
    PromptTooLong,
    Rendered,
    Request,
    RequestError,
    Requests,
    Sampling,
)
from libra_cli.engines.chat_template import ChatTemplate, RenderedPrompt
from libra_cli.engines.weight_digest import HeldWeight, digest
from libra_cli.exits import Exit, Fatal

if TYPE_CHECKING:
    import torch

    from libra_cli.engines.kv_batch import KvBatch

BATCH_SIZE, SMALL_BATCH_SIZE = 64, 256
OWN_PARAMETERS = frozenset({"ignore_eos", "min_tokens", "stop_token_ids"})
"""What --sampling-arg may name here, with vLLM's meaning."""
_JOIN_AT = 8
"""New sequences wait until they are at least 1/8 of those at work: joining two caches costs as much as some steps."""
_IDLE_SECONDS = 0.5


class _Sequence:
    """One sample while it is generated."""

    def __init__(self, pending: Pending, prompt: RenderedPrompt, max_tokens: int):
        self.pending, self.prompt, self.max_tokens = pending, prompt, max_tokens
        self.request: Request = pending.request
        self.restart()

    def restart(self) -> None:
        """Begins again at the first token, with the same random numbers."""
        from libra_cli.engines.token_sampling import RandomStream

        self.ids: list[int] = []
        self.logprobs: list[float] = []
        self.stream = RandomStream(self.request.seed)
        self.text: str | None = None
        self.finish_reason: str | None = None


class TransformersEngine:
    """A causal language model of the transformers library; a sample does not depend on what else is in its batch.

    (Exactly so in float32; in half precision the batch's shape rounds logits differently, as in every engine.)
    It is a PolicyEngine: see `on` for generating with the module that a trainer trains.
    """

    def __init__(
        self,
        model: LocalModel,
        sampling: Sampling,
        batch_size: int | None = None,
        *,
        template: ChatTemplate | None = None,
    ):
        unknown = sorted(sampling.extra.keys() - OWN_PARAMETERS)
        if unknown:
            known = ", ".join(sorted(OWN_PARAMETERS))
            raise Fatal(
                Exit.USAGE, f"--sampling-arg {unknown[0]}: the transformers engine knows {known}; use --engine vllm"
            )
        self._model, self._sampling = model, sampling
        self._capacity = batch_size or (SMALL_BATCH_SIZE if model.small else BATCH_SIZE)
        if template is None:
            check_writes(model)
        self._chat = template or chat_template.load_chat_template(model)
        self._lm: Any = None
        self._trained = False
        self._attention: str | None = None
        self._limit = 0
        self._ends: frozenset[int] = frozenset()
        self._revision = model.revision

    @classmethod
    def on(
        cls,
        module: Any,
        template: ChatTemplate,
        sampling: Sampling,
        batch_size: int | None = None,
        attention: str | None = None,
    ) -> TransformersEngine:
        """An engine that generates with `module` itself, which a trainer may train between calls of `generate`.

        `module` is the causal model of the transformers library, without a wrapper, and holds all its weights: under
        ZeRO-3 gather them around the call. There is no copy of the weights, so that `update_weights` has nothing to
        do. While `generate` runs, the module is in evaluation mode and uses the `attention` implementation (None: its
        own, which must then support a KV cache); afterwards every submodule is as it was.
        """
        engine = cls(template.model, sampling, batch_size, template=template)
        engine._adopt(module)
        engine._trained, engine._attention = True, attention
        return engine

    def describe(self) -> dict[str, Any]:
        return describe(self._model, self._revision, self._chat)

    def render(self, request: Request) -> Rendered:
        prompt = self._chat.render(request)
        return Rendered(prompt.text, prompt.token_ids, request.messages)

    def close(self) -> None:
        self._lm = None

    # -- weights ------------------------------------------------------------------------------------------------------

    def _load(self) -> Any:
        from transformers import AutoModelForCausalLM

        if self._lm is None:
            cure = "it does not write; libra judge can ask a reward model"
            self._adopt(load_pretrained(AutoModelForCausalLM, self._model, cure))
        return self._lm

    def _adopt(self, lm: Any) -> None:
        """Takes `lm` as the model that generates."""
        self._lm = lm
        positions = getattr(lm.config.get_text_config(), "max_position_embeddings", None)
        self._limit = self._model.max_model_len or positions or 1 << 62
        self._revision = self._model.revision or getattr(lm.config, "_commit_hash", None)
        # Tokens that end a response: the model's and the tokenizer's own, and those given as parameters.
        ends = set(self._sampling.extra.get("stop_token_ids", ()))
        if not self._sampling.extra.get("ignore_eos"):
            own = lm.generation_config.eos_token_id
            own = own if isinstance(own, list) else [own]
            ends |= {token for token in [*own, self._chat.tokenizer.eos_token_id] if token is not None}
        self._ends = frozenset(ends)

    def update_weights(self, named: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Copies weights into the model by name; does nothing if the model is the trainer's own.

        Raises KeyError for a name that the model does not have, RuntimeError for another shape.
        """
        import torch

        lm = self._load()
        if self._trained:
            return
        weights = dict(lm.named_parameters(remove_duplicate=False)) | dict(lm.named_buffers(remove_duplicate=False))
        with torch.no_grad():
            for name, tensor in named:
                weights[name].copy_(tensor)

    def held_weights(self, draw: int) -> dict[str, list[list[HeldWeight]]]:
        named = {} if self._trained else dict(self._load().named_parameters())
        dtype = lambda tensor: str(tensor.dtype).removeprefix("torch.")  # noqa: E731
        return {"": [[HeldWeight([name], None, dtype(tensor), digest(tensor)) for name, tensor in named.items()]]}

    def sleep(self) -> None:
        """Moves the engine's own weights from a GPU to the host; does nothing on a CPU, or if a trainer owns them."""
        import torch

        if self._lm is not None and not self._trained and self._lm.device.type == "cuda":
            self._lm.to("cpu")
            torch.cuda.empty_cache()

    def wake(self) -> None:
        import torch

        if self._lm is not None and not self._trained and torch.cuda.is_available():
            self._lm.to("cuda")

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """Switches dropout and gradient checkpointing off, and afterwards leaves every submodule as it was."""
        from libra_cli.engines import kv_cache

        lm = self._lm
        modes = {module: module.training for module in lm.modules()}
        before = lm.config._attn_implementation
        attention = self._attention or before
        if attention == "sdpa":
            kv_cache.register()
            attention = kv_cache.SHARED_KEYS
        lm.eval()
        if attention != before:
            lm.set_attn_implementation(attention)
        try:
            yield
        finally:
            for module, training in modes.items():
                module.training = training
            if attention != before:
                lm.set_attn_implementation(before)

    # -- generation ---------------------------------------------------------------------------------------------------

    def generate(self, requests: Requests) -> Iterator[tuple[Pending, Completion | RequestError] | None]:
        from libra_cli.engines.kv_batch import KvBatch

        self._load()
        pad_id = self._chat.tokenizer.pad_token_id
        batch = KvBatch(self._lm, min(self._ends, default=0) if pad_id is None else pad_id, self._trained)
        try:
            with self._evaluating():
                yield from self._run(requests, batch)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:300]
            raise Fatal(Exit.BACKEND, f"{self._model.name}: the model failed ({reason})") from error

    def _run(self, requests: Requests, batch: KvBatch) -> Iterator[tuple[Pending, Completion | RequestError] | None]:
        import torch

        waiting: deque[_Sequence] = deque()
        yielded = time.monotonic()
        while True:
            while len(batch.rows) + len(waiting) < self._capacity:
                pending = requests.take(0 if batch.rows or waiting else None)
                if pending is None:
                    break
                try:
                    waiting.append(self._sequence(pending))
                except RequestError as error:
                    yield pending, error
            if not batch.rows and not waiting:
                if requests.ended:
                    return
                continue
            try:
                finished = self._step(batch, waiting)
            except torch.OutOfMemoryError:
                hopeless = self._shrink(batch, waiting)
                if hopeless is not None:
                    n_tokens = len(hopeless.prompt.token_ids) + len(hopeless.ids)
                    reason = f"{n_tokens} tokens alone do not fit into the device's memory"
                    cure = "set --max-tokens lower, or use a larger device"
                    yield hopeless.pending, RequestError("out_of_memory", f"{reason}; {cure}")
            else:
                for sequence in finished:
                    yield sequence.pending, self._completion(sequence)
            if time.monotonic() - yielded > _IDLE_SECONDS:
                yield None
                yielded = time.monotonic()

    def _sequence(self, pending: Pending) -> _Sequence:
        prompt = self._chat.render(pending.request)
        room = self._limit - len(prompt.token_ids)
        if room < 1:
            raise PromptTooLong(len(prompt.token_ids), self._limit)
        return _Sequence(pending, prompt, min(self._sampling.max_tokens, room))

    def _step(self, batch: KvBatch, waiting: deque[_Sequence]) -> list[_Sequence]:
        """Generates one token: the first of waiting sequences, or the next of all at work. Returns the finished ones.

        Raises OutOfMemoryError with every sequence still in the batch or waiting.
        """
        room = min(len(waiting), self._capacity - len(batch.rows))
        if room > 0 and batch.joinable and room * _JOIN_AT >= len(batch.rows):
            new = [waiting[position] for position in range(room)]
            logits_B_V = batch.admit(new, [sequence.prompt.token_ids for sequence in new])
            for _ in new:
                waiting.popleft()
            self._extend(new, logits_B_V)
        else:
            self._extend(batch.rows, batch.step([sequence.ids[-1] for sequence in batch.rows]))
        finished = [sequence for sequence in batch.rows if sequence.finish_reason]
        if finished:
            batch.keep([position for position, row in enumerate(batch.rows) if not row.finish_reason])
        return finished

    def _extend(self, sequences: list[_Sequence], logits_B_V: torch.Tensor) -> None:
        """Samples the next token of each sequence, and notes which of them end."""
        from libra_cli.engines import token_sampling

        min_tokens = self._sampling.extra.get("min_tokens", 0)
        too_early = [position for position, row in enumerate(sequences) if len(row.ids) < min_tokens]
        logits_B_V = token_sampling.forbid(logits_B_V, too_early, self._ends)
        logits_B_V = token_sampling.processed(logits_B_V, self._sampling)
        streams = [row.stream for row in sequences]
        if any(sequence.request.logprobs for sequence in sequences):
            tokens, logprobs = token_sampling.sample_with_logprobs(logits_B_V, self._sampling, streams)
            for sequence, logprob in zip(sequences, logprobs, strict=True):
                sequence.logprobs.append(logprob)
        else:
            tokens = token_sampling.sample(logits_B_V, self._sampling, streams)
        for sequence, token in zip(sequences, tokens, strict=True):
            sequence.ids.append(token)
            if token in self._ends or self._meets_stop(sequence):
                sequence.finish_reason = "stop"
            elif len(sequence.ids) >= sequence.max_tokens:
                sequence.finish_reason = "length"

    def _meets_stop(self, sequence: _Sequence) -> bool:
        """Whether the text now holds a stop string; if so, `sequence.text` becomes the text before it."""
        stops = self._sampling.stop
        if not stops:
            return False
        longest = max(len(stop.encode()) for stop in stops)  # no token is shorter than a byte
        tail = self._chat.decode(sequence.prompt.token_ids, sequence.ids[-longest - 1 :])
        if not any(stop in tail for stop in stops):
            return False
        text = self._chat.decode(sequence.prompt.token_ids, sequence.ids)
        begins = [begin for stop in stops if (begin := text.find(stop)) >= 0]
        sequence.text = text[: min(begins)] if begins else None
        return bool(begins)

    def _completion(self, sequence: _Sequence) -> Completion:
        request, text = sequence.request, sequence.text
        if text is None:
            ids = sequence.ids[:-1] if sequence.ids[-1] in self._ends else sequence.ids
            text = self._chat.decode(sequence.prompt.token_ids, ids)
        return Completion(
            request.prefill + text,
            str(sequence.finish_reason),
            len(sequence.ids),
            sequence.prompt.opened_thinking,
            token_ids=tuple(sequence.ids) if request.logprobs else None,
            logprobs=tuple(sequence.logprobs) if request.logprobs else None,
        )

    def _shrink(self, batch: KvBatch, waiting: deque[_Sequence]) -> _Sequence | None:
        """After the device ran out of memory: halves the batch and restarts its sequences (the samples stay the same).

        Returns a sequence that was alone and did not fit.
        """
        import torch

        sequences = [*batch.rows, *waiting]
        at_once = min(len(sequences), self._capacity)
        batch.clear()
        waiting.clear()
        torch.cuda.empty_cache()
        hopeless = sequences.pop(0) if at_once == 1 else None
        self._capacity = max(1, at_once // 2)
        for sequence in sequences:
            sequence.restart()
        waiting.extend(sequences)
        return hopeless


def describe(model: LocalModel, revision: str | None, chat: ChatTemplate) -> dict[str, Any]:
    """As Engine.describe, for a model that the transformers library runs."""
    return {
        "engine": "transformers",
        "engine_version": version("transformers"),
        "model": model.name,
        "revision": revision,
        "template_sha256": chat.template_sha256,
    }


def load_pretrained(auto: Any, model: LocalModel, cure: str) -> Any:
    """Loads `model` by one of the library's Auto classes, onto its device and in evaluation mode.

    dtype `auto` is that of the stored weights; on a CPU float32, in which a batch does not change a sample, and which
    is no slower. Raises Fatal if the model cannot be loaded, and with `cure` if its files lack weights: the library
    would draw them at random, as for the head that a model of another kind does not have.
    """
    import torch

    if model.small and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = "float32" if model.dtype == "auto" and device == "cpu" else model.dtype
    args = {"dtype": dtype, "trust_remote_code": model.trust_remote_code, **model.args}
    try:
        lm, info = auto.from_pretrained(model.path, revision=model.revision, output_loading_info=True, **args)
    except TypeError as error:
        if not model.args:
            raise chat_template.cannot_load(model, error) from None
        raise Fatal(Exit.USAGE, f"--engine-arg: {model.name} does not take it ({error})") from None
    except Exception as error:  # noqa: BLE001 -- damaged weights raise any exception
        raise chat_template.cannot_load(model, error) from None
    if info["missing_keys"]:
        lacking = ", ".join(sorted(info["missing_keys"])[:3])
        raise Fatal(Exit.USAGE, f"{model.name}: the model has no weights for {lacking}: {cure}")
    return (lm if "device_map" in model.args else lm.to(device)).eval()
