"""Pairs and labelled responses as sequences that a reward model scores at their last token."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from libra_cli.records.preference_rows import is_pair, labelled_response_of, preference_of
from libra_cli.records.training_rows import Example, PlainText
from libra_cli.stream.rows import RowError, content_hash
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.tokenization import Encoded, Encoder
from libra_cli.training.model.policy import pad_id_of


class RewardEncoder:
    """Rows to samples with one target, the token at which the sequence is scored; threads may share one.

    For the loss on pairs a row is two samples, the chosen response, whose value is the margin, and the rejected one.
    For the loss on labels it is one sample whose value is the label, or a pair is a right and a wrong response. A
    conversation is the tokens that `libra judge` gives to a reward model.
    """

    def __init__(self, chat: TrainingChat, on_pairs: bool):
        self.chat, self._on_pairs = chat, on_pairs
        self._encoder = Encoder(chat)
        self.forms = self._encoder.forms
        self._pad_id = pad_id_of(chat.tokenizer)

    @property
    def about(self) -> dict[str, Any]:
        """That the last token is the target, and what is known of samples."""
        return {"scored": "last", "pairs": self._on_pairs}

    def many(self, batch: Sequence[Mapping[str, Any]]) -> list[list[Encoded] | RowError]:
        """The samples of rows, or why a row has none."""
        samples: list[list[Encoded] | RowError] = []
        for fields in batch:
            forms: list[str] = []
            try:
                row = [self._sample(example, value) for example, value in self._responses(fields, forms)]
                if len(row) > 1 and np.array_equal(row[0].ids, row[1].ids):
                    raise RowError(
                        "same_responses", "the chat template makes one text of both responses; leave the row out"
                    )
            except RowError as error:
                samples.append(error)
            else:
                samples.append(row)
                self.forms.add(forms)
        return samples

    def _responses(self, fields: Mapping[str, Any], forms: list[str]) -> list[tuple[Example, float]]:
        """The responses of a row with what is known of them."""
        if not self._on_pairs and not is_pair(fields):
            response, is_right = labelled_response_of(fields, forms)
            return [(response, float(is_right))]
        if not is_pair(fields) and any(fields.get(name) is not None for name in ("completion", "kto_tag")):
            raise RowError(
                "no_pair", "--loss bt learns from pairs, this is a single response; give pairs, or use --loss bce"
            )
        chosen, rejected = preference_of(fields, forms)
        return [(chosen, margin_of(fields) if self._on_pairs else 1.0), (rejected, 0.0)]

    def _sample(self, example: Example, value: float) -> Encoded:
        """The tokens of a response after its prompt. Raises RowError."""
        if isinstance(example, PlainText):
            prompt = example.prompt.encode("utf-8", "replace")
            plain = self._encoder.encode([partial(self._encoder.response, example)])[0]
            if isinstance(plain, RowError):
                raise plain
            ids = plain.ids
        else:
            prompt = content_hash(example.messages[: example.n_prompt]).encode()
            ids = np.array(self.chat.scored(example), np.int32)
        # Models of transformers score the last token that is not their padding, which may be the one that ends a text.
        at = np.flatnonzero(ids != self._pad_id)
        if not len(at) or not at[-1]:
            raise RowError("nothing_learned", "the row has too few tokens to be scored; leave it out")
        is_scored = np.zeros(len(ids), bool)
        is_scored[at[-1]] = True
        return Encoded(ids, is_scored, value, prompt)


def margin_of(fields: Mapping[str, Any]) -> float:
    """By how much the chosen response should be scored above the rejected one: `margin`, or 0. Raises RowError."""
    margin = fields.get("margin")
    if margin is None:
        return 0.0
    if isinstance(margin, bool) or not isinstance(margin, (int, float)) or not math.isfinite(margin):
        raise RowError("no_margin", '"margin" is no finite number; mend it, or leave the field out')
    return float(margin)
