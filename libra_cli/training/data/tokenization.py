"""Rows to token ids, with the mask of those that the loss is taken on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, Protocol

import numpy as np

from libra_cli.exits import Exit, Fatal
from libra_cli.records.training_rows import Conversation, Example, FormTally, PlainText, Segments, example_of
from libra_cli.stream.rows import RowError
from libra_cli.tasks.control_tokens import SPLIT_MARK
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.loss_mask import CLOSING, Assistant, Learn, Piece, conversation_pieces

Tokenize = Callable[[list[str]], list[list[int]]]

CONTEXT = 64
"""Characters at the end of a prompt that are tokenized with the text after it: longer than any special token."""


class Encoded(NamedTuple):
    """One sample."""

    ids: np.ndarray
    """int32 [T]"""
    loss_mask: np.ndarray
    """bool [T]: tokens that the loss is taken on, as targets; never the first."""
    value: float = math.nan
    """What the row says of the sample, such as its label; nan for nothing."""
    prompt: bytes | None = None
    """What stands before the response, if `loss_mask` does not say where that begins."""


class RowEncoder(Protocol):
    """Rows to samples; threads may share one."""

    chat: TrainingChat
    forms: FormTally
    """What fields of the rows were taken for."""

    @property
    def about(self) -> dict[str, Any]:
        """What decides, besides the chat, how a row becomes samples (JSON)."""

    def many(self, batch: Sequence[Mapping[str, Any]]) -> Sequence[Encoded | list[Encoded] | RowError]:
        """The sample or samples of each row, or why it has none."""


class _Span(NamedTuple):
    """A text to tokenize; `before`, which precedes it, decides how it begins and is not part of it."""

    before: str
    text: str
    is_target: bool
    begins_text: bool = False
    """As of a Piece."""


class Encoder:
    """Rows to samples; threads may share one Encoder.

    `learn`: the last turn of the assistant is the target, or all of them. `assistant`: `template` takes the text of a
    turn from the chat template, and refuses rows if that changes it; `verbatim` puts the text itself after the
    template's prompt. `last_only`: how messages advise to learn from the last turn only.
    """

    def __init__(
        self,
        chat: TrainingChat,
        *,
        learn: Learn = "last",
        assistant: Assistant = "template",
        last_only: str = "learn from the last turn only",
    ):
        self.chat, self.learn, self.assistant, self._last_only = chat, learn, assistant, last_only
        self.forms = FormTally()
        if learn == "all" and chat.has_template and chat.unclosed is not None:
            raise Fatal(Exit.USAGE, f"{chat.unclosed}; {last_only}, or {CLOSING}")
        self._tokenize = _tokenize_function(chat.tokenizer)
        self._newline = self._tokenize(["\n"])[0]

    def __call__(self, fields: Mapping[str, Any]) -> Encoded:
        """The sample of one row. Raises RowError."""
        encoded = self.many([fields])[0]
        if isinstance(encoded, RowError):
            raise encoded
        return encoded

    @property
    def about(self) -> dict[str, Any]:
        """The turns that are targets, and how their text is written."""
        return {"learn": self.learn, "assistant": self.assistant}

    def many(self, batch: Sequence[Mapping[str, Any]]) -> list[Encoded | RowError]:
        """The samples of rows, or why a row has none; faster than one by one."""
        return self.encode([partial(self._pieces, fields) for fields in batch])

    def response(self, example: Example) -> list[Piece]:
        """The text of a response after its prompt, whose targets are all turns of the assistant in it."""
        if isinstance(example, PlainText):
            return self._plain(example)
        answers = sum(message["role"] == "assistant" for message in example.messages[example.n_prompt :])
        return self._turns(example, "all" if answers > 1 else "last")

    def encode(self, batch: Sequence[Callable[[], list[Piece]]]) -> list[Encoded | RowError]:
        """The samples of texts, or why one cannot be made (its RowError)."""
        planned = [self._plan(pieces) for pieces in batch]
        ids = self._token_ids([span for plan in planned if not isinstance(plan, RowError) for span in plan])
        return [plan if isinstance(plan, RowError) else self._sample(plan, ids) for plan in planned]

    def _plan(self, pieces_of: Callable[[], list[Piece]]) -> list[_Span] | RowError:
        """The texts of a sample, cut where control tokens were spelled out."""
        try:
            pieces = pieces_of()
        except Fatal:
            raise
        except RowError as error:
            return error
        except Exception as error:  # noqa: BLE001 -- such as a template's own failure: it concerns this row, and is counted
            return RowError(type(error).__name__, str(error) or repr(error))
        spans, before = [], ""
        for piece in pieces:
            first, *others = piece.text.split(SPLIT_MARK)
            spans.append(_Span(before, first, piece.is_target, piece.begins_text))
            # The other texts must not merge with the text before them.
            spans += [_Span("\n" if piece.is_target else "", text, piece.is_target) for text in others]
            before = self.chat.context(piece.text.rpartition(SPLIT_MARK)[2][-CONTEXT:])
        return spans

    def _pieces(self, fields: Mapping[str, Any]) -> list[Piece]:
        forms: list[str] = []
        example = example_of(fields, forms)
        if isinstance(example, Segments):
            pieces = [Piece(text, is_learned, at == 0) for at, (text, is_learned) in enumerate(example.parts)]
        else:
            pieces = self._plain(example) if isinstance(example, PlainText) else self._turns(example, self.learn)
        self.forms.add(forms)
        return pieces

    def _turns(self, talk: Conversation, learn: Learn) -> list[Piece]:
        return conversation_pieces(self.chat, talk, learn, self.assistant, self._last_only)

    def _plain(self, text: PlainText) -> list[Piece]:
        """Text without turns; the EOS behind it, which the text may have already, is learned."""
        completion = text.completion.removesuffix(self.chat.eos)
        for part, name in ((text.prompt, "prompt"), (completion, text.field)):
            token = self.chat.forged(part)
            if token is not None:
                cure = 'give the conversation as "messages", or take it out'
                raise RowError("control_token", f'"{name}" spells out the control token {token}; {cure}')
        target = Piece(completion + self.chat.eos, True, not text.prompt)
        return [Piece(text.prompt, False, True), target] if text.prompt else [target]

    def _token_ids(self, spans: Sequence[_Span]) -> Iterator[list[int]]:
        """The token ids of each span, in order."""
        befores = list({span.before for span in spans})
        ids = self._tokenize([*befores, *(span.before + span.text for span in spans)])
        ids_before = dict(zip(befores, ids, strict=False))
        for span, joint in zip(spans, ids[len(befores) :], strict=True):
            n_before = len(ids_before[span.before])
            if joint[:n_before] == ids_before[span.before]:
                yield joint[n_before:]
                continue
            # The text would merge with the text before it, which generation never lets happen. After a newline, a
            # tokenizer that begins every text with a space (SentencePiece) does not do so.
            after_newline, alone = self._tokenize(["\n" + span.text, span.text])
            n = len(self._newline)
            yield after_newline[n:] if after_newline[:n] == self._newline else alone

    def _sample(self, plan: Sequence[_Span], ids: Iterator[list[int]]) -> Encoded | RowError:
        parts = [next(ids) for _ in plan]
        is_target = np.repeat([span.is_target for span in plan], [len(part) for part in parts])
        tokens = list(chain.from_iterable(parts))
        n_bos, first = 0, []
        if plan[0].begins_text and (bos := self.chat.tokenizer.bos_token_id) is not None:
            # One BOS if the tokenizer begins plain text with it, never two. Of a conversation the template writes it.
            n_bos = next((at for at, token in enumerate(tokens) if token != bos), len(tokens))
            first = [bos] if self.chat.bos is not None or n_bos else []
        loss_mask = np.concatenate([np.zeros(len(first), bool), is_target[n_bos:]])
        loss_mask[:1] = False
        if not loss_mask.any():
            return RowError("nothing_learned", "no token of the row would be learned; leave it out")
        return Encoded(np.array(first + tokens[n_bos:], np.int32), loss_mask)


def _tokenize_function(tokenizer: Any) -> Tokenize:
    """Texts to ids, without special tokens that the tokenizer adds; threads may call it at the same time."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:  # a tokenizer written in Python
        return lambda texts: [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    backend.no_truncation()
    backend.no_padding()
    return lambda texts: [encoding.ids for encoding in backend.encode_batch_fast(texts, add_special_tokens=False)]
