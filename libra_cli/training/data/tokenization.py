"""Rows to token ids, and which of them the loss is taken on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from libra_cli.exits import Exit, Fatal
from libra_cli.records.messages import messages_of, plain_text, tools_of
from libra_cli.stream.rows import RowError
from libra_cli.tasks.control_tokens import SPLIT_MARK
from libra_cli.training.data.chat_format import Chat
from libra_cli.training.data.loss_mask import Assistant, Learn, Piece, pieces

Tokenize = Callable[[list[str]], list[list[int]]]

CONTEXT = 64
"""Characters of a prompt's end that are tokenized with the text after it: longer than any special token."""


class Encoded(NamedTuple):
    """One sample."""

    ids: np.ndarray
    """int32 [T]"""
    learned: np.ndarray
    """bool [T]: tokens that the loss is taken on, as targets; the first never is one."""


class _Span(NamedTuple):
    """Text that is tokenized at once: what was `before` it decides how it begins, and is not part of it."""

    before: str
    text: str
    learned: bool


class Encoder:
    """Rows to samples. `learn`: the last turn of the assistant or all of them; `assistant`: who writes its text.

    `template` takes it from the chat template, and refuses rows whose text that changes; `verbatim` puts the text
    behind the template's prompt as it is. Threads may share one Encoder.
    """

    def __init__(self, chat: Chat, *, learn: Learn = "last", assistant: Assistant = "template"):
        self.chat, self._learn, self._assistant = chat, learn, assistant
        if learn == "all" and chat.has_template and not chat.closes_turns:
            reason = "the chat template closes no turn with a token, so that --learn all could not teach where one ends"
            raise Fatal(Exit.USAGE, f"{reason}; use --learn last, or a template that does (--chat-template chatml)")
        self._tokenize = _tokenizing(chat.tokenizer)
        self._newline = self._tokenize(["\n"])[0]

    def __call__(self, fields: Mapping[str, Any]) -> Encoded:
        """One row's sample; raises RowError."""
        encoded = self.many([fields])[0]
        if isinstance(encoded, RowError):
            raise encoded
        return encoded

    def many(self, batch: Sequence[Mapping[str, Any]]) -> list[Encoded | RowError]:
        """The samples of rows, or why a row has none; faster than one by one."""
        planned = [self._plan(fields) for fields in batch]
        ids = self._encode([span for plan in planned if not isinstance(plan, RowError) for span in plan])
        return [plan if isinstance(plan, RowError) else self._sample(plan, ids) for plan in planned]

    def _plan(self, fields: Mapping[str, Any]) -> list[_Span] | RowError:
        try:
            text = plain_text(fields)
            return list(_spans(self._pieces(fields) if text is None else self._plain(text), self.chat))
        except Fatal:
            raise
        except RowError as error:
            return error
        except Exception as error:  # noqa: BLE001 -- one row's failure, as in a template, is that row's; it is counted
            return RowError(type(error).__name__, str(error) or repr(error))

    def _pieces(self, fields: Mapping[str, Any]) -> list[Piece]:
        return pieces(self.chat, messages_of(fields), tools_of(fields), self._learn, self._assistant)

    def _plain(self, text: str) -> list[Piece]:
        found = self.chat.forged(text)
        if found is not None:
            cure = 'give the conversation as "messages", or take it out'
            raise RowError("control_token", f'"text" spells out the control token {found}; {cure}')
        return [Piece(text + self.chat.eos, True)]

    def _encode(self, spans: Sequence[_Span]) -> Iterator[list[int]]:
        """The token ids of each span, in order."""
        befores = list({span.before for span in spans})
        ids = self._tokenize([*befores, *(span.before + span.text for span in spans)])
        ids_before = dict(zip(befores, ids, strict=False))
        for span, joint in zip(spans, ids[len(befores) :], strict=True):
            n_before = len(ids_before[span.before])
            yield joint[n_before:] if joint[:n_before] == ids_before[span.before] else self._apart(span.text)

    def _apart(self, text: str) -> list[int]:
        """Tokens of a text that would grow together with what stands before it, which generation never lets happen.

        After a newline: a tokenizer that begins every text with a space (SentencePiece) must not do so here.
        """
        joint, alone = self._tokenize(["\n" + text, text])
        n = len(self._newline)
        return joint[n:] if joint[:n] == self._newline else alone

    def _sample(self, plan: Sequence[_Span], ids: Iterator[list[int]]) -> Encoded | RowError:
        parts = [next(ids) for _ in plan]
        learned = np.repeat([span.learned for span in plan], [len(part) for part in parts])
        tokens = list(chain.from_iterable(parts))
        own, known = self.chat.bos, self.chat.tokenizer.bos_token_id
        # One BOS where the tokenizer begins plain text with it, whatever the template does; never two.
        n_bos = 0 if known is None else next((at for at, token in enumerate(tokens) if token != known), len(tokens))
        first = [known] if own is not None or n_bos else []
        flags = np.concatenate([np.zeros(len(first), bool), learned[n_bos:]])
        flags[:1] = False
        if not flags.any():
            return RowError("nothing_learned", "no token of the row would be learned; leave it out")
        return Encoded(np.array(first + tokens[n_bos:], np.int32), flags)


def _spans(found: Sequence[Piece], chat: Chat) -> Iterator[_Span]:
    """The text of pieces, cut where control tokens were."""
    before = ""
    for piece in found:
        first, *others = piece.text.split(SPLIT_MARK)
        yield _Span(before, first, piece.learned)
        for text in others:  # it must not grow together with what stands before it
            yield _Span("\n" if piece.learned else "", text, piece.learned)
        before = chat.context(piece.text.rpartition(SPLIT_MARK)[2][-CONTEXT:])


def _tokenizing(tokenizer: Any) -> Tokenize:
    """Texts to ids without special tokens of the tokenizer's own; several threads may call it at a time."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:  # one that is written in Python
        return lambda texts: [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    backend.no_truncation()
    backend.no_padding()
    return lambda texts: [encoding.ids for encoding in backend.encode_batch_fast(texts, add_special_tokens=False)]
