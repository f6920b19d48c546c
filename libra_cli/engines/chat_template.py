"""A model's chat format: messages to token ids, and generated ids back to text, for engines that load the model."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.engines.base import LocalModel, Messages, Request, RequestError
from libra_cli.engines.damage import damaged_file, no_model, refused_settings
from libra_cli.engines.template_coverage import TemplateCoverage
from libra_cli.exits import Exit, Fatal
from libra_cli.tasks.control_tokens import SPLIT_MARK

_CONTEXT = 4
"""Prompt tokens decoded before the generated ones: a first token's leading space depends on its predecessor."""
_CONTEXT_CHARS = 64
"""Characters of a prompt that are tokenized with the response: longer than any special token."""


@dataclass(frozen=True)
class RenderedPrompt:
    """A prompt as text and token ids."""

    text: str
    token_ids: list[int]
    opened_thinking: bool
    """The chat template ended the prompt inside the thinking."""


class ChatTemplate:
    """Tokenizer and chat template of one model. Raises Fatal(2) if there is no template."""

    def __init__(self, tokenizer: Any, model: LocalModel):
        self.tokenizer, self.model = tokenizer, model
        if (model.chat_template or tokenizer.chat_template) is None:
            raise Fatal(Exit.USAGE, f"{model.name}: the model has no chat template; give one with --chat-template FILE")
        special = special_tokens(tokenizer)
        in_markers = {token for token in special if any(token in marker for marker in model.markers)}
        self.marker_is_special = bool(in_markers)
        """Decoding must keep special tokens, or the thinking could not be cut."""
        self._dropped = any_of(special - in_markers)
        self._control = any_of({token for token in special | set(model.markers) if len(token) > 1})
        self._last: tuple[Messages, Any, RenderedPrompt] | None = None
        self.coverage = TemplateCoverage(self)
        """What of a conversation the template leaves out, and how it takes calls of tools."""

    @property
    def template_sha256(self) -> str:
        """12 hex digits of a hash of the chat template and its arguments."""
        template = self.model.chat_template or self.tokenizer.chat_template
        hashed = json.dumps([template, dict(self.model.chat_args)], sort_keys=True, default=str)
        return hashlib.sha256(hashed.encode()).hexdigest()[:12]

    def render(self, request: Request) -> RenderedPrompt:
        """The prompt of `request` with its prefill; the samples of one record share one rendering.

        Control tokens that a message of another role spells out stay plain text. Raises RequestError if the chat
        template refuses the messages, or leaves out one of them, the tools, or a variable.
        """
        messages, prefill, tools, args = request.messages, request.prefill, request.tools, request.template_args
        asked = (prefill, tools, args)
        if self._last is None or self._last[0] is not messages or self._last[1] != asked:
            fitted = self.coverage.fitted(messages, tools, args)
            guarded = [one if one["role"] == "assistant" else self._guard(one) for one in fitted]
            text = self.apply(guarded, True, split_all(tools, self._control), args)
            opened = ends_inside(text, guarded[-1]["content"].strip(), self.model.markers)
            prompt = RenderedPrompt(text.replace(SPLIT_MARK, "") + prefill, self._encode(text + prefill), opened)
            self._last = (messages, asked, prompt)
        return self._last[2]

    def conversation(
        self, messages: Messages, tools: Sequence[Any] | None = None, args: Mapping[str, Any] | None = None
    ) -> tuple[str, list[int]]:
        """Text and token ids of a conversation that ends with the response, as a reward model reads it.

        Control tokens stay plain text in the response too. Raises RequestError as `render` does.
        """
        guarded = [self._guard(message) for message in self.coverage.fitted(messages, tools, args)]
        text = self.apply(guarded, False, split_all(tools, self._control), args)
        ids = self._encode(text)
        if not ids:
            raise RequestError("chat_template", "the chat template makes nothing of the messages; use another one")
        return text.replace(SPLIT_MARK, ""), ids

    def response_tokens(
        self, messages: Messages, tools: Sequence[Any] | None = None, args: Mapping[str, Any] | None = None
    ) -> tuple[list[int], list[int], list[int]]:
        """Token ids of the prompt and of the response that ends `messages`, and where in its text each of these is.

        The response ends with the token that closes its turn, as training learns it; the marks of its thinking are
        those of generation, and other control tokens in it stay plain text. Places before the content are 0, those
        behind it its length. Raises RequestError as `render` does, and for a response that the template changes.
        """
        fitted, tools = self.coverage.fitted(messages, tools, args), split_all(tools, self._control)
        own = {**fitted[-1], "content": split_tokens(fitted[-1]["content"], self._dropped)}
        before = [one if one["role"] == "assistant" else self._guard(one) for one in fitted[:-1]]
        prompt = self.apply(before, True, tools, args)
        whole = self.apply([*before, own], False, tools, args)
        begin = whole.find(own["content"], len(prompt)) if whole.startswith(prompt) else -1
        if begin < 0:
            reason = "the chat template changes the text of the response, or of the prompt before it"
            raise RequestError("chat_template", f"{reason}; use another --chat-template")
        end = begin + len(own["content"])
        closing = self._dropped.search(whole, end) if self._dropped else None
        target = whole[len(prompt) : closing.end() if closing else end]
        if closing is None:
            target += whole[end:].rstrip() + (self.tokenizer.eos_token or "")
        ids, places = self._placed(prompt[-_CONTEXT_CHARS:].rpartition(SPLIT_MARK)[2], target)
        lead, length = begin - len(prompt), len(messages[-1]["content"])
        return self._encode(prompt), ids, [min(max(place - lead, 0), length) for place in places]

    def _placed(self, context: str, text: str) -> tuple[list[int], list[int]]:
        """Token ids of `text` behind `context`, and the place of each in `text` without its split marks.

        No token joins the two, since generation cannot write it.
        """
        ids, places, base = [], [], -len(context)
        for piece in (context + text).split(SPLIT_MARK):
            encoded = self.tokenizer(piece, add_special_tokens=False, return_offsets_mapping=True)
            for token, (first, last) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
                if base + first < 0 < base + last:
                    return self._placed("", text)
                if base + last > 0:
                    ids.append(token)
                    places.append(base + first - (first == last))  # white space alone may have no width
            base += len(piece)
        return ids, places

    def apply(
        self,
        messages: Messages,
        add_generation_prompt: bool,
        tools: Sequence[Any] | None = None,
        args: Mapping[str, Any] | None = None,
    ) -> str:
        """The text that the chat template makes of `messages`; raises RequestError if it refuses them.

        `args` are variables of the template that go before those of the model.
        """
        from libra_cli.engines import template_sandbox

        values = {"add_generation_prompt": add_generation_prompt, **self.model.chat_args, **(args or {})}
        try:
            if self._has_own_renderer:
                named = {"chat_template": self.model.chat_template, **values}
                return self.tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, **named)
            template = self.tokenizer.get_chat_template(self.model.chat_template, tools)
            return template_sandbox.render(self.tokenizer, template, messages, tools, values)
        except Exception as error:  # noqa: BLE001 -- a template computes, and can fail, as any program
            reason = f"the chat template refuses the messages ({error or type(error).__name__})"
            raise RequestError("chat_template", f"{reason}; use another --chat-template") from None

    def reads(self, variable: str) -> bool:
        """Whether the template has a variable of this name; taken for granted where a tokenizer renders by itself."""
        from libra_cli.engines import template_sandbox

        if self._has_own_renderer:
            return True
        template = self.model.chat_template or self.tokenizer.chat_template
        texts = template.values() if isinstance(template, dict) else (template,)
        return any(variable in template_sandbox.variables_of(text) for text in texts)

    def known(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Those of `args` that the template has variables for."""
        return {name: value for name, value in args.items() if self.reads(name)}

    @property
    def _has_own_renderer(self) -> bool:
        renderer = getattr(type(self.tokenizer), "apply_chat_template", None)
        return getattr(renderer, "__module__", "") != "transformers.tokenization_utils_base"

    def decode(self, prompt_ids: Sequence[int], ids: Sequence[int]) -> str:
        """The text of generated `ids` that followed `prompt_ids`, without special tokens."""
        before = list(prompt_ids[-_CONTEXT:])
        prefix, whole = self._text_of(before), self._text_of([*before, *ids])
        return self.clean(whole[len(prefix) :] if whole.startswith(prefix) else self._text_of(ids))

    def clean(self, text: str) -> str:
        """`text` without special tokens, except those that mark the thinking."""
        return text if self._dropped is None else self._dropped.sub("", text)

    def _guard(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value if key == "role" else split_all(value, self._control) for key, value in message.items()}

    def _encode(self, text: str) -> list[int]:
        # The template writes the special tokens, a BOS among them, and what it leaves out is not there: so do vLLM's
        # server, transformers and TRL.
        pieces = text.split(SPLIT_MARK)
        return [token for piece in pieces for token in self.tokenizer.encode(piece, add_special_tokens=False)]

    def _text_of(self, ids: Sequence[int]) -> str:
        return self.tokenizer.decode(ids, clean_up_tokenization_spaces=False)


def load_chat_template(model: LocalModel) -> ChatTemplate:
    """The chat format of `model`; raises Fatal if there is no such model or it cannot be read."""
    return ChatTemplate(load_tokenizer(model), model)


def load_tokenizer(model: LocalModel) -> Any:
    """The tokenizer of `model`; raises Fatal as `load_chat_template` does."""
    from transformers import AutoTokenizer

    if os.path.isdir(model.path) and (why := no_model(model.path)):
        raise Fatal(Exit.USAGE, f"{model.name}: {why}")
    silence_libraries()
    name, trust = str(model.args.get("tokenizer", model.path)), model.trust_remote_code
    try:
        return AutoTokenizer.from_pretrained(name, revision=model.revision, trust_remote_code=trust)
    except Exception as error:  # noqa: BLE001 -- a damaged file raises any exception
        raise cannot_load(model, error) from None


def silence_libraries() -> None:
    """Keeps advice, progress bars and retry messages of the libraries off stderr, which belongs to the stage."""
    from transformers.utils import logging as transformers_logging

    if "TRANSFORMERS_VERBOSITY" not in os.environ:
        transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    if "HF_HUB_VERBOSITY" not in os.environ:
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def cannot_load(model: LocalModel, error: BaseException) -> Fatal:
    """The Fatal for a model that does not load: one line with the cause and the cure."""
    reason = " ".join(str(error).split()) or type(error).__name__
    cure = ""
    if found := damaged_file(model.path):
        reason, cure = found, "; copy the model again"
    elif found := refused_settings(model.path):
        return Fatal(Exit.BACKEND, found)
    elif "trust_remote_code" in reason:
        cure = "; --trust-remote-code runs the code that comes with it, if you trust it"
    elif isinstance(error, OSError):
        cure = "; name a directory that holds the model, or one that a hub has and that this machine can reach"
    return Fatal(Exit.BACKEND, f"{model.name}: cannot be loaded ({reason[:300]}){cure}")


def special_tokens(tokenizer: Any) -> set[str]:
    """The texts of the tokenizer's special tokens, those added later included."""
    added = tokenizer.added_tokens_decoder.values()
    return {*tokenizer.all_special_tokens, *(token.content for token in added if token.special)}


def split_tokens(text: str, control: re.Pattern[str] | None) -> str:
    """`text` with a SPLIT_MARK inside every token that `control` matches, so that it stays plain text."""
    if control is None or control.search(text) is None:
        return text
    return control.sub(lambda match: match.group()[0] + SPLIT_MARK + match.group()[1:], text)


def split_all(value: Any, control: re.Pattern[str] | None) -> Any:
    """The same for all texts in a JSON value."""
    if isinstance(value, str):
        return split_tokens(value, control)
    if isinstance(value, Mapping):
        return {name: split_all(item, control) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [split_all(item, control) for item in value]
    return value


def any_of(tokens: set[str]) -> re.Pattern[str] | None:
    """A pattern that matches any of `tokens`, the longest first; None if there are none."""
    longest_first = sorted(tokens, key=lambda token: (-len(token), token))
    return re.compile("|".join(map(re.escape, longest_first))) if tokens else None


def ends_inside(text: str, last_content: str, markers: tuple[str, str]) -> bool:
    """Whether the template's text after the last message opens the thinking and does not close it."""
    tail = text.rpartition(last_content)[2] if last_content and last_content in text else text
    return tail.rfind(markers[0]) > tail.rfind(markers[1])
