"""A model's own chat format: messages to token ids, generated ids back to text, for the engines that load the model."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from libra_cli.engines.base import LocalModel, Messages, Request
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.rows import RowError

CUT = "\ufdd0"
"""Stands where a control token is cut in two: Unicode reserves it for programs, no interchanged text holds it."""
_CONTEXT = 4
"""Prompt tokens decoded before the generated ones: a first token's leading space depends on what stands before it."""


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt; `opened_thinking` says that the chat template left the thinking open at its end."""

    text: str
    token_ids: list[int]
    opened_thinking: bool


class Chat:
    """Tokenizer and chat template of one model."""

    def __init__(self, tokenizer: Any, model: LocalModel):
        self.tokenizer, self._markers = tokenizer, model.markers
        self._template, self._args = model.chat_template, dict(model.chat_args)
        if (self._template or tokenizer.chat_template) is None:
            raise Fatal(Exit.USAGE, f"{model.name}: the model has no chat template; give one with --chat-template FILE")
        special = special_tokens(tokenizer)
        kept = {token for token in special if any(token in marker for marker in self._markers)}
        self.marker_is_special = bool(kept)
        """Decoding must not skip special tokens, or the thinking could not be cut."""
        self._unwanted = any_of(special - kept)
        self._control = any_of({token for token in special | set(self._markers) if len(token) > 1})
        self._last: tuple[Messages, str, Prompt] | None = None

    @cached_property
    def _own_bos(self) -> int | None:
        """The BOS, where the tokenizer itself begins every text with it."""
        return own_bos(self.tokenizer)

    @property
    def template_sha256(self) -> str:
        """12 hex digits that name the chat template and its arguments."""
        template = self._template or self.tokenizer.chat_template
        named = json.dumps([template, self._args], sort_keys=True, default=str)
        return hashlib.sha256(named.encode()).hexdigest()[:12]

    def render(self, request: Request) -> Prompt:
        """The prompt of `request` with its prefill; the samples of one record share one rendering.

        Raises RowError where the chat template refuses the messages.
        """
        if self._last is None or self._last[0] is not request.messages or self._last[1] != request.prefill:
            self._last = (request.messages, request.prefill, self._render(request.messages, request.prefill))
        return self._last[2]

    def conversation(self, messages: Messages) -> tuple[str, list[int]]:
        """Text and token ids of a conversation that ends with the response, as a reward model reads it.

        The response too is plain text here: no control token that it spells out is one. A tokenizer that begins every
        text with a BOS has it once, whether or not the chat template writes it. Raises RowError as `render` does.
        """
        text = self.apply([self._guard(message) for message in messages], add_generation_prompt=False)
        ids, bos = self._encode(text), self._own_bos
        if bos is not None and ids[:1] != [bos]:
            ids = [bos, *ids]
        if not ids:
            raise RowError("chat_template", "the chat template makes nothing of the messages; use another one")
        return text.replace(CUT, ""), ids

    def _render(self, messages: Messages, prefill: str) -> Prompt:
        guarded = [message if message["role"] == "assistant" else self._guard(message) for message in messages]
        text = self.apply(guarded, add_generation_prompt=True)
        opened = ends_inside(text, guarded[-1]["content"].strip(), self._markers)
        return Prompt(text.replace(CUT, "") + prefill, self._encode(text + prefill), opened)

    def apply(self, messages: Messages, add_generation_prompt: bool, tools: Sequence[Any] | None = None) -> str:
        """What the chat template writes; raises RowError where it refuses the messages."""
        import jinja2

        given = {"add_generation_prompt": add_generation_prompt, "chat_template": self._template, **self._args}
        try:
            return self.tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, **given)
        except (jinja2.TemplateError, TypeError, ValueError) as error:  # the latter two from what it does with a value
            reason = f"the chat template refuses the messages ({error})"
            raise RowError("chat_template", f"{reason}; use another --chat-template") from None

    def _encode(self, text: str) -> list[int]:
        # The template writes the special tokens, a BOS among them; the tokenizer must not add its own once more.
        pieces = text.split(CUT)
        return [token for piece in pieces for token in self.tokenizer.encode(piece, add_special_tokens=False)]

    def _guard(self, message: Mapping[str, str]) -> dict[str, str]:
        """The message with every control token that its content spells out cut in two, so that it stays plain text."""
        return {**message, "content": cut(message["content"], self._control)}

    def decode(self, prompt_ids: Sequence[int], ids: Sequence[int]) -> str:
        """The text of generated `ids` that followed `prompt_ids`, without special tokens."""
        before = list(prompt_ids[-_CONTEXT:])
        prefix, whole = self._text_of(before), self._text_of([*before, *ids])
        return self.clean(whole[len(prefix) :] if whole.startswith(prefix) else self._text_of(ids))

    def _text_of(self, ids: Sequence[int]) -> str:
        return self.tokenizer.decode(ids, clean_up_tokenization_spaces=False)

    def clean(self, text: str) -> str:
        """`text` without special tokens, except those that mark the thinking."""
        return text if self._unwanted is None else self._unwanted.sub("", text)


def load(model: LocalModel) -> Chat:
    """The chat format of `model`; raises Fatal where there is no such model or it cannot be read."""
    from transformers import AutoTokenizer

    if os.path.isdir(model.path) and not os.path.exists(os.path.join(model.path, "config.json")):
        raise Fatal(Exit.USAGE, f"{model.name}: no model in this directory (no config.json); name one that holds it")
    quieten()
    name, trust = str(model.args.get("tokenizer", model.path)), model.trust_remote_code
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, revision=model.revision, trust_remote_code=trust)
    except (OSError, ValueError, KeyError) as error:
        raise cannot_load(model, error) from None
    return Chat(tokenizer, model)


def quieten() -> None:
    """Leaves stderr to the stage: no advice, no bars and no counting of retries by the libraries."""
    from transformers.utils import logging as transformers_logging

    if "TRANSFORMERS_VERBOSITY" not in os.environ:
        transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    if "HF_HUB_VERBOSITY" not in os.environ:
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def cannot_load(model: LocalModel, error: BaseException) -> Fatal:
    """The Fatal for a model that does not load, in one line that names the cure."""
    reason = " ".join(str(error).split()) or type(error).__name__
    hint = ""
    if "trust_remote_code" in reason:
        hint = "; --trust-remote-code runs the code that comes with it, if you trust it"
    elif isinstance(error, OSError):
        hint = "; name a directory that holds the model, or one that a hub has and that this machine can reach"
    return Fatal(Exit.BACKEND, f"{model.name}: cannot be loaded ({reason[:300]}){hint}")


def special_tokens(tokenizer: Any) -> set[str]:
    """The texts of its special tokens, those that it was given later included."""
    added = tokenizer.added_tokens_decoder.values()
    return {*tokenizer.all_special_tokens, *(token.content for token in added if token.special)}


def own_bos(tokenizer: Any) -> int | None:
    """The BOS, where the tokenizer itself begins every text with it."""
    bos = tokenizer.bos_token_id
    return bos if bos is not None and tokenizer.encode("")[:1] == [bos] else None


def cut(text: str, control: re.Pattern[str] | None) -> str:
    """`text` with every token that `control` finds in it cut in two, so that it stays plain text."""
    if control is None or control.search(text) is None:
        return text
    return control.sub(lambda found: found.group()[0] + CUT + found.group()[1:], text)


def any_of(tokens: set[str]) -> re.Pattern[str] | None:
    """A pattern that finds each of `tokens`, the longest first; None where there are none."""
    longest_first = sorted(tokens, key=lambda token: (-len(token), token))
    return re.compile("|".join(map(re.escape, longest_first))) if tokens else None


def ends_inside(text: str, last_content: str, markers: tuple[str, str]) -> bool:
    """Whether what the template wrote after the last message opens the thinking and does not close it."""
    tail = text.rpartition(last_content)[2] if last_content and last_content in text else text
    return tail.rfind(markers[0]) > tail.rfind(markers[1])
