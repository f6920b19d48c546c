"""A tokenizer's chat format as training needs it: the text before an answer, and the token that closes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from libra_cli.engines import chat_template as format
from libra_cli.engines.base import LocalModel, RequestError
from libra_cli.exits import Exit, Fatal
from libra_cli.records.messages import Message
from libra_cli.stream.rows import RowError
from libra_cli.tasks.template import read_template
from libra_cli.tasks.thinking import DEFAULT, MARKERS

BUILT_IN = {
    "chatml": (
        "{%- for message in messages -%}"
        "{{- '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>' ~ '\\n' -}}"
        "{%- endfor -%}"
        "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
    ),
}
"""Chat templates for models that have none, by name; they keep every text as it is, the thinking included."""

_PROBE = ("Which word is it?", "libraprobe")


def template_text(given: str) -> str:
    """The chat template that `--chat-template` names: a built-in one, else the text of a file; raises Fatal(2)."""
    if given in BUILT_IN:
        return BUILT_IN[given]
    try:
        return read_template(given)
    except ValueError as error:
        known = ", ".join(BUILT_IN)
        raise Fatal(Exit.USAGE, f"--chat-template {given}: {error}; name a file or {known}") from None


class TrainingChat:
    """Tokenizer and chat template of one model; `template` replaces its own, `kwargs` are the template's variables.

    A tokenizer without a chat template serves rows of plain text; the first conversation then raises Fatal(2).
    """

    def __init__(self, tokenizer: Any, template: str | None = None, kwargs: Mapping[str, Any] | None = None):
        self.tokenizer, self.template, self.kwargs = tokenizer, template, dict(kwargs or {})
        self.bos = format.own_bos(tokenizer)
        """The BOS, where the tokenizer begins plain text with it."""
        special = {token for token in format.special_tokens(tokenizer) if len(token) > 1}
        marks = {mark for pair in MARKERS.values() for mark in pair}
        known = {token.content for token in tokenizer.added_tokens_decoder.values()}
        self.special = format.any_of(special)
        self._control = format.any_of(special | (marks & known) | set(DEFAULT))
        self._forging = format.any_of({token for token in special if not any(token in mark for mark in marks)})

    @cached_property
    def _format(self) -> format.ChatTemplate:
        name = str(self.tokenizer.name_or_path) or "the tokenizer"
        if (self.template or self.tokenizer.chat_template) is None:
            cure = f"give one with --chat-template, a file or {', '.join(BUILT_IN)}"
            raise Fatal(Exit.USAGE, f"{name}: the model has no chat template; {cure}")
        return format.ChatTemplate(
            self.tokenizer, LocalModel(name, name, chat_template=self.template, chat_args=self.kwargs)
        )

    @property
    def has_template(self) -> bool:
        return (self.template or self.tokenizer.chat_template) is not None

    @property
    def template_sha256(self) -> str | None:
        """12 hex digits that name the chat template and its variables; None where there is none."""
        return self._format.template_sha256 if self.has_template else None

    @property
    def eos(self) -> str:
        """The text of the EOS token; raises Fatal where the tokenizer has none."""
        if self.tokenizer.eos_token is None:
            raise Fatal(Exit.USAGE, "the tokenizer has no EOS token to end a text with; set eos_token in its config")
        return str(self.tokenizer.eos_token)

    # -- conversations to text ----------------------------------------------------------------------------------------

    def render(self, messages: Sequence[Message], tools: Sequence[Any] | None, *, prompt: bool) -> str:
        """What the chat template writes, up to where the assistant begins if `prompt`; of `guarded` messages.

        Raises RowError where the template refuses them.
        """
        try:
            return self._format.apply(list(messages), prompt, tools)
        except RequestError as error:
            cure = ""
            if any(message["role"] == "system" for message in messages):
                cure = ", or if it has no system role, put that text into the first user's turn"
            raise RowError(error.kind, f"{error}{cure}") from None

    def guarded(self, messages: Sequence[Message]) -> list[Message]:
        """The messages with every control token that a text spells out cut in two, so that it stays text.

        What marks the thinking is kept as it is in the assistant's own turns, as at generation.
        """
        return [self._guarded_message(message) for message in messages]

    def _guarded_message(self, message: Message) -> Message:
        pattern = self._forging if message["role"] == "assistant" else self._control
        return {name: value if name == "role" else _guarded(value, pattern) for name, value in message.items()}

    def guarded_tools(self, tools: Sequence[Any] | None) -> Sequence[Any] | None:
        """The same for tools."""
        return _guarded(tools, self._control)

    def forged(self, text: str) -> str | None:
        """The first control token that an assistant's text spells out, thinking marks aside."""
        found = self._forging.search(text) if self._forging else None
        return found.group() if found else None

    def context(self, text: str) -> str:
        """As much of the end of `text` as decides how a text behind it begins: from its last special token on."""
        found = list(self.special.finditer(text)) if self.special else []
        return text[found[-1].start() :] if found else text

    # -- how a turn ends ----------------------------------------------------------------------------------------------

    @cached_property
    def _around(self) -> tuple[str, str]:
        """What the template writes between its prompt and an answer, and after it."""
        question, answer = {"role": "user", "content": _PROBE[0]}, {"role": "assistant", "content": _PROBE[1]}
        try:
            prompt = self.render([question], None, prompt=True)
            whole = self.render([question, answer], None, prompt=False)
        except RowError as error:
            raise Fatal(Exit.USAGE, str(error)) from None
        before, found, after = whole.rpartition(_PROBE[1])
        if not found:
            cure = "use another --chat-template"
            raise Fatal(Exit.USAGE, f"the chat template leaves out what the assistant says; {cure}")
        return before[len(prompt) :] if before.startswith(prompt) else "", after

    @property
    def lead(self) -> str:
        """White space that the template writes between its prompt and the answer (Llama 2: a space)."""
        before = self._around[0]
        return before if before.isspace() else ""

    @cached_property
    def closing_text(self) -> str:
        """What follows an answer up to and including the token that closes the turn."""
        return self.closed(self._around[1])

    def closed(self, after: str) -> str:
        """`after`, which the template writes behind an answer, up to the first token that can close a turn.

        Where it holds none, EOS is put there.
        """
        found = self.special.search(after) if self.special else None
        return after[: found.end()] if found else after.rstrip() + self.eos

    @cached_property
    def closing_token(self) -> str:
        """The text of the token that closes an assistant's turn."""
        if not self.has_template or self.special is None:
            return self.eos
        return self.special.findall(self.closing_text)[-1]

    @property
    def closes_turns(self) -> bool:
        """Whether the template itself closes an assistant's turn with a token."""
        return self.special is not None and self.special.search(self._around[1]) is not None

    @property
    def closing(self) -> tuple[int, ...]:
        """Id of the token that closes an assistant's turn, to stand beside EOS among the ids that end a generation."""
        return (int(self.tokenizer.convert_tokens_to_ids(self.closing_token)),)


def _guarded(value: Any, pattern: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        return format.split_tokens(value, pattern)
    if isinstance(value, Mapping):
        return {name: _guarded(item, pattern) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_guarded(item, pattern) for item in value]
    return value
