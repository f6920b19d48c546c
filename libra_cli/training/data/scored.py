"""Pairs and labelled responses as sequences that a reward model scores at their last token."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from libra_cli.records.items import shown_response, shown_turn
from libra_cli.records.preference_rows import PAIR_OF_TEXTS, is_pair, labelled_response_of, preference_of
from libra_cli.records.training_rows import COMPLETION, PROMPT_TRANSCRIPT, Conversation, Example, PlainText
from libra_cli.records.transcripts import asked_in_transcript, talks_of_transcripts
from libra_cli.stream.rows import RowError, content_hash
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.loss_mask import THINKING_KEYS
from libra_cli.training.data.tokenization import Encoded, Encoder
from libra_cli.training.model.policy import pad_id_of

WITHOUT_THINKING = "responses without their thinking, as libra judge gives them to a reward model"
AS_TURNS = "plain text as turns of the user and the assistant, as libra judge gives it to a reward model"


class RewardEncoder:
    """Rows to samples with one target, the token at which the sequence is scored; threads may share one.

    For the loss on pairs a row is two samples, the chosen response, whose value is the margin, and the rejected one.
    For the loss on labels it is one sample whose value is the label, or a pair is a right and a wrong response. A
    sample is the tokens that `libra judge` gives to a reward model: the thinking of the response is left out, and plain
    text becomes turns, unless there is no chat template.
    """

    def __init__(self, chat: TrainingChat, on_pairs: bool):
        self.chat, self._on_pairs = chat, on_pairs
        self._encoder = Encoder(chat)
        self.forms = self._encoder.forms
        self._pad_id = pad_id_of(chat.tokenizer)

    @property
    def about(self) -> dict[str, Any]:
        """That the last token is the target, what is known of samples, and that they are those of `libra judge`."""
        return {"scored": "last", "pairs": self._on_pairs, "shown": "as judged"}

    def many(self, batch: Sequence[Mapping[str, Any]]) -> list[list[Encoded] | RowError]:
        """The samples of rows, or why a row has none."""
        samples: list[list[Encoded] | RowError] = []
        for fields in batch:
            forms: list[str] = []
            try:
                row = [self._sample(example, value) for example, value in self._as_judged(fields, forms)]
                if len(row) > 1 and np.array_equal(row[0].ids, row[1].ids):
                    without = ", without their thinking" if WITHOUT_THINKING in forms else ""
                    what = f"a reward model is given one text for both responses{without}"
                    raise RowError("same_responses", f"{what}; leave the row out")
            except RowError as error:
                samples.append(error)
            else:
                samples.append(row)
                self.forms.add(forms)
        return samples

    def _as_judged(self, fields: Mapping[str, Any], forms: list[str]) -> list[tuple[Example, float]]:
        """The responses of a row as a judge is shown them, with what is known of them. Raises RowError."""
        talks = talks_of_transcripts(fields) if self.chat.has_template else {}
        given = self._responses({**fields, **talks}, forms)
        texts = [response for response, _ in given if isinstance(response, PlainText)]
        if talks or (texts and self.chat.has_template):
            forms[:] = [*(form for form in forms if form not in (PAIR_OF_TEXTS, COMPLETION)), AS_TURNS]
            forms += [PROMPT_TRANSCRIPT] if any(asked_in_transcript(text.prompt) for text in texts) else []
            given = [(_as_turns(response), value) for response, value in given]
        if any(_thinks(response) for response, _ in given):
            forms.append(WITHOUT_THINKING)
        return [(_shown(response), value) for response, value in given]

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
            asked = example.messages[: example.n_prompt]
            prompt = content_hash(asked).encode() if any(turn.get("content") for turn in asked) else b""
            ids = np.array(self.chat.scored(example), np.int32)
        # Models of transformers score the last token that is not their padding, which may be the one that ends a text.
        at = np.flatnonzero(ids != self._pad_id)
        if not len(at) or not at[-1]:
            raise RowError("nothing_learned", "the row has too few tokens to be scored; leave it out")
        is_scored = np.zeros(len(ids), bool)
        is_scored[at[-1]] = True
        return Encoded(ids, is_scored, value, prompt)


def _as_turns(response: Example) -> Conversation:
    if isinstance(response, Conversation):
        return response
    asked = asked_in_transcript(response.prompt) or [{"role": "user", "content": response.prompt}]
    return Conversation([*asked, {"role": "assistant", "content": response.completion}], n_prompt=len(asked))


def _shown(response: Example) -> Example:
    """A response with its last turn as a judge is shown it. Raises RowError if nothing of that is left."""
    if isinstance(response, PlainText):
        text = shown_response(response.completion)
        changed: Example = response._replace(completion=text) if _thinks(response) else response
    else:
        turn = shown_turn(response.messages[-1])
        text = turn["content"] or turn.get("tool_calls", "")
        changed = response._replace(messages=[*response.messages[:-1], turn])
    if not text:
        what = "a response has no text after its thinking, and so nothing that libra judge shows a reward model"
        raise RowError("no_response", f"{what}; leave the row out")
    return changed


def _thinks(response: Example) -> bool:
    """Whether a judge is not shown all of a response."""
    if isinstance(response, PlainText):
        return shown_response(response.completion) != response.completion.strip()
    turn = response.messages[-1]
    return shown_response(turn["content"]) != turn["content"].strip() or not turn.keys().isdisjoint(THINKING_KEYS)


def margin_of(fields: Mapping[str, Any]) -> float:
    """By how much the chosen response should be scored above the rejected one: `margin`, or 0. Raises RowError."""
    margin = fields.get("margin")
    if margin is None:
        return 0.0
    if isinstance(margin, bool) or not isinstance(margin, (int, float)) or not math.isfinite(margin):
        raise RowError("no_margin", '"margin" is no finite number; mend it, or leave the field out')
    return float(margin)
