"""Preference pairs and labelled responses as samples, and the responses to other prompts that KTO compares with."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from libra_cli.choices import PAIR_LOSSES
from libra_cli.plural import counted
from libra_cli.records.preference_rows import is_pair, labelled_response_of, preference_of
from libra_cli.records.training_rows import Example
from libra_cli.stream.rows import RowError
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.loss_mask import Assistant
from libra_cli.training.data.token_store import TokenStore
from libra_cli.training.data.tokenization import Encoded, Encoder
from libra_cli.training.preference_settings import PreferenceLossSettings

_SOFT = PAIR_LOSSES[-1]
_Response = tuple[Example, float]
"""A response after its prompt, and the value of the sample."""


class PreferenceEncoder:
    """Rows to samples whose targets are what the assistant says after the prompt; threads may share one.

    For a loss on pairs a row is two samples, the chosen response and the rejected one. For a loss on labelled responses
    it is one sample, or a pair is one desirable and one undesirable response.
    """

    def __init__(self, chat: TrainingChat, loss: PreferenceLossSettings, assistant: Assistant):
        self.chat, self._loss, self._assistant = chat, loss, assistant
        self._encoder = Encoder(
            chat, assistant=assistant, last_only='move the turns before the last answer into "prompt"'
        )
        self.forms = self._encoder.forms

    @property
    def about(self) -> dict[str, Any]:
        """Whether samples come in pairs, what is known of them, and how the assistant's text is written."""
        loss = self._loss
        return {"pairs": loss.on_pairs, "soft": loss.loss == _SOFT, "assistant": self._assistant}

    def many(self, batch: Sequence[Mapping[str, Any]]) -> list[list[Encoded] | RowError]:
        """The samples of rows, or why a row has none."""
        planned: list[list[_Response] | RowError] = []
        for fields in batch:
            forms: list[str] = []
            try:
                planned.append(self._responses(fields, forms))
            except RowError as error:
                planned.append(error)
            else:
                self.forms.add(forms)
        texts = [
            partial(self._encoder.response, example)
            for plan in planned
            if not isinstance(plan, RowError)
            for example, _ in plan
        ]
        encoded = iter(self._encoder.encode(texts))
        return [plan if isinstance(plan, RowError) else _valued(plan, encoded) for plan in planned]

    def _responses(self, fields: Mapping[str, Any], forms: list[str]) -> list[_Response]:
        if self._loss.on_pairs:
            if not is_pair(fields) and any(fields.get(name) is not None for name in ("completion", "kto_tag")):
                cure = "give pairs, or use --loss kto, bco or ce"
                raise RowError(
                    "no_pair", f"--loss {self._loss.loss} learns from pairs, this is a single response; {cure}"
                )
            pair = preference_of(fields, forms)
            value = _probability(fields) if self._loss.loss == _SOFT else math.nan
            return [(response, value) for response in pair]
        if is_pair(fields):
            chosen, rejected = preference_of(fields, forms)
            return [(chosen, 1.0), (rejected, 0.0)]
        response, is_desirable = labelled_response_of(fields, forms)
        return [(response, float(is_desirable))]


def _valued(plan: Sequence[_Response], encoded: Any) -> list[Encoded] | RowError:
    """The samples of a row, or the error of the first that has none."""
    samples = []
    error = None
    for _, value in plan:
        each = next(encoded)
        if isinstance(each, RowError):
            error = error or each
        else:
            samples.append(each._replace(value=value))
    return error or samples


def win_probability(chosen: float, rejected: float) -> float:
    """How likely the chosen response is the better one, by the win rates of both: sigmoid of the difference.

    Source: DNO, arXiv:2404.03715, algorithm 2.
    """
    return float(0.5 * (1 + np.tanh((chosen - rejected) / 2)))  # the sigmoid, without overflow


def _probability(fields: Mapping[str, Any]) -> float:
    """`win_probability` of the values of a row. Raises RowError."""
    rates = [fields.get(name) for name in ("chosen_value", "rejected_value")]
    if not all(isinstance(rate, (int, float)) and math.isfinite(rate) for rate in rates):
        cure = "libra dpo-pairs writes them; or use another --loss"
        raise RowError("no_win_rates", f'"chosen_value" and "rejected_value" are not both numbers; {cure}')
    return win_probability(*map(float, rates))  # type: ignore[arg-type]


class PreferenceStore(TokenStore):
    """Samples of preference learning on disk; those of a pair are neighbours, the chosen one first."""

    def __init__(self, folder: str | os.PathLike[str], pairs: bool):
        super().__init__(folder)
        self.unit_size = 2 if pairs else 1
        """Samples that are learned from together."""

    @property
    def n_units(self) -> int:
        """Pairs, or labelled responses."""
        return len(self) // self.unit_size

    def unit(self, number: int) -> tuple[int, ...]:
        """The samples of a pair, or of one labelled response."""
        first = number * self.unit_size
        return tuple(range(first, first + self.unit_size))

    def summary(self) -> str:
        """Pairs or labelled responses, and tokens, for people."""
        what = counted(self.n_units, "pair")
        if self.unit_size == 1:
            desirable = int(self.values.sum()) if self.values is not None else 0
            what = f"{counted(self.n_units, 'response')}, {desirable:,} of them desirable"
        return f"{what}, {int(self.lengths.sum()):,} tokens"


class OtherResponses:
    """Prompts of a store with the responses of other samples, for the divergence that KTO estimates.

    Each response of a batch follows a prompt that is not its own, once: with samples of one prompt side by side, that
    of the sample as many places further (around the end) as the most frequent prompt has samples. Where all prompts
    differ that is the next one (as in TRL); where no prompt has more than half of them, each has one response.
    A prompt that is the response's own, or with which it has more than `longest` tokens, is passed over for the next; a
    response without any is left out.
    """

    RULE = "each response once"
    """Names how responses are chosen: what was measured of others is not of these."""

    def __init__(self, store: TokenStore, batches: Sequence[Sequence[int]], longest: int):
        self._store = store
        self._starts: dict[int, tuple[int, int]] = {}
        self._couples: list[tuple[int, int]] = []
        self._ends = [0]
        for batch in batches:
            self._couples += self._of_batch(batch, longest)
            self._ends.append(len(self._couples))
        starts = [self._start(couple[0])[0] for couple in self._couples]
        responses = [int(store.lengths[j]) - self._start(j)[0] for _, j in self._couples]
        self.lengths = np.array(starts, np.int64) + np.array(responses, np.int64)
        self.n_targets = np.array([int(store.n_targets[j]) for _, j in self._couples], np.int64)

    def __len__(self) -> int:
        return len(self._couples)

    def of_batch(self, number: int) -> range:
        """The samples of one of the batches."""
        return range(self._ends[number], self._ends[number + 1])

    def sample(self, index: int) -> Encoded:
        i, j = self._couples[index]
        prompt, response = self._store.sample(i), self._store.sample(j)
        n, m = self._start(i)[0], self._start(j)[0]
        return Encoded(
            np.concatenate([prompt.ids[:n], response.ids[m:]]),
            np.concatenate([np.zeros(n, bool), response.loss_mask[m:]]),
        )

    def name(self, index: int) -> str:
        i, j = self._couples[index]
        return f"{self._store.name(i)} with the response of {self._store.name(j)}"

    def _start(self, index: int) -> tuple[int, int]:
        """Tokens of the prompt of a sample, and a hash of them."""
        if index not in self._starts:
            sample = self._store.sample(index)
            n = int(sample.loss_mask.argmax())
            self._starts[index] = n, hash(sample.ids[:n].tobytes())
        return self._starts[index]

    def _of_batch(self, batch: Sequence[int], longest: int) -> list[tuple[int, int]]:
        by_prompt: dict[int, list[int]] = {}
        for index in batch:
            by_prompt.setdefault(self._start(index)[1], []).append(index)
        ring = [index for group in by_prompt.values() for index in group]
        largest = max(map(len, by_prompt.values()), default=0)
        couples = []
        for at, j in enumerate(ring):
            m, own = self._start(j)
            n_response = int(self._store.lengths[j]) - m
            for place in range(at + largest, at + largest + len(ring)):
                i = ring[place % len(ring)]
                n, prompt = self._start(i)
                if prompt != own and n + n_response <= longest:
                    couples.append((place % len(ring), i, j))
                    break
        return [(i, j) for _, i, j in sorted(couples)]
