"""Implicit reward models (arXiv:2412.01981): two language models, whose log-ratio rewards each token of a response."""

from __future__ import annotations

import bisect
import math
import os
from collections.abc import Sequence
from typing import Any

from libra_cli.engines import chat_template
from libra_cli.engines.architectures import check_writes
from libra_cli.engines.base import LocalModel, Rendered, RequestError
from libra_cli.engines.reward.base import ImplicitReward, Reward, RewardRequest
from libra_cli.engines.reward.batches import BatchedRewards, TokenizedConversation
from libra_cli.engines.transformers import load_pretrained
from libra_cli.exits import Exit, Fatal

_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
"""One of them at least is in a folder with a tokenizer."""
_CURE = "an implicit reward model and its reference are language models; name two, or leave --implicit out"


class ImplicitRewards(BatchedRewards):
    """Rewards of the steps of a response, and their sum; they do not depend on what else is in the batch.

    The response's tokens are those that training takes the loss on, the one that closes the turn among them (in the
    last step). (arXiv:2412.01981, equation 3 and proposition 3.1: a step's reward is the difference of two q's.)
    """

    def __init__(
        self, model: LocalModel, reference: LocalModel, implicit: ImplicitReward, batch_size: int | None = None
    ):
        for each in (model, reference):
            check_writes(each, _CURE)
        super().__init__(model, batch_size)
        self._reference, self._implicit = reference, implicit
        if not self._chat.tokenizer.is_fast:
            reason = "its tokenizer does not say where in a text its tokens are"
            raise Fatal(Exit.USAGE, f"{model.name}: {reason}; add a tokenizer.json")
        self._lms: list[Any] = []

    def describe(self) -> dict[str, Any]:
        return {
            **super().describe(),
            "reference": self._implicit.reference,
            "beta": self._implicit.beta,
            "step_separator": self._implicit.separator,
        }

    def render(self, request: RewardRequest) -> Rendered:
        ids = self._read(request).ids
        return Rendered(self._chat.tokenizer.decode(ids), ids, request.messages)

    def close(self) -> None:
        self._lms = []

    def _load(self) -> None:
        from transformers import AutoModelForCausalLM

        if self._lms:
            return
        lms = [load_pretrained(AutoModelForCausalLM, model, _CURE) for model in (self._model, self._reference)]
        self._check_vocabulary(lms[1])
        self._adopt(*lms)
        self._lms = lms

    def _check_vocabulary(self, reference: Any) -> None:
        """Raises Fatal(2) if the reference knows other tokens. A folder without a tokenizer must know as many."""
        size, ours, what = reference.get_input_embeddings().num_embeddings, self._chat.tokenizer, ""
        folder = self._reference.path
        has_tokenizer = not os.path.isdir(folder) or any(os.path.exists(os.path.join(folder, name)) for name in _FILES)
        if len(ours) > size:
            what = f"it knows {size} tokens, and the tokenizer of {self._model.name} has more"
        elif has_tokenizer:
            same = chat_template.load_tokenizer(self._reference).get_vocab() == ours.get_vocab()
            what = "" if same else f"its tokenizer is not that of {self._model.name}"
        if what:
            raise Fatal(Exit.USAGE, f"--reference {self._reference.name}: {what}; use one with that tokenizer")

    def _read(self, request: RewardRequest) -> TokenizedConversation:
        messages = request.messages
        if messages[-1].get("tool_calls"):
            cure = "write its calls of tools into its text, as the model did"
            raise RequestError("calls_in_response", f"the steps of a response are parts of its text; {cure}")
        args = self._chat.known(request.template_args)
        prompt, ids, places = self._chat.response_tokens(messages, request.tools, args)
        if not prompt:
            raise RequestError("chat_template", "the chat template writes nothing before the response; use another one")
        ends = step_ends(messages[-1]["content"], self._implicit.separator)
        steps = [min(bisect.bisect_right(ends, place), len(ends) - 1) for place in places]
        return TokenizedConversation(prompt + ids, steps)

    def _answers(self, batch: Sequence[TokenizedConversation]) -> list[Reward | RequestError]:
        policy, reference = (self._log_probs(lm, batch) for lm in self._lms)
        return [self._answer(*each) for each in zip(batch, policy, reference, strict=True)]

    def _answer(
        self, read: TokenizedConversation, policy: list[float], reference: list[float]
    ) -> Reward | RequestError:
        assert read.step_of_token is not None
        of_step: list[list[float]] = [[] for _ in range(read.step_of_token[-1] + 1)]
        for step, log_prob, reference_log_prob in zip(read.step_of_token, policy, reference, strict=True):
            of_step[step].append(log_prob - reference_log_prob)
        rewards = tuple(self._implicit.beta * math.fsum(ratios) for ratios in of_step)
        if not all(map(math.isfinite, rewards)):
            return RequestError("not_finite", "the log-ratio of a step is not finite; use --dtype bfloat16 or float32")
        return Reward(math.fsum(rewards), len(read.ids), rewards)

    def _log_probs(self, lm: Any, batch: Sequence[TokenizedConversation]) -> list[list[float]]:
        """Log-probabilities of the tokens of each response, in float32."""
        import torch

        longest = max(len(read.ids) for read in batch)
        padded = [read.ids + [0] * (longest - len(read.ids)) for read in batch]
        real = [[1] * len(read.ids) + [0] * (longest - len(read.ids)) for read in batch]
        ids_B_T, mask_B_T = torch.tensor(padded, device=lm.device), torch.tensor(real, device=lm.device)
        found = []
        with torch.inference_mode():
            logits_B_T_V = lm(input_ids=ids_B_T, attention_mask=mask_B_T, use_cache=False).logits
            for ids_T, logits_T_V, read in zip(ids_B_T, logits_B_T_V, batch, strict=True):
                end, n = len(read.ids), len(read.step_of_token or ())
                logp_N_V = logits_T_V[end - n - 1 : end - 1].float().log_softmax(-1)
                found.append(logp_N_V.gather(1, ids_T[end - n : end, None])[:, 0].tolist())
        return found


def step_ends(text: str, separator: str) -> list[int]:
    """The index behind the last character of each step; the last step ends with the text, and none is blank."""
    ends, begin, at = [], 0, text.find(separator)
    while at >= 0:
        end = at + len(separator)
        if text[begin:at].strip():  # else one more separator, which belongs to the next step
            ends.append(end)
            begin = end
        at = text.find(separator, end)
    if not ends or text[begin:].strip():
        ends.append(len(text))
    ends[-1] = len(text)
    return ends
