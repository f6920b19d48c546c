"""A tokenizer's chat format as training needs it: the text before an answer, and the token that closes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from libra_cli.engines import chat_template as format
from libra_cli.engines.base import LocalModel, RequestError
from libra_cli.exits import Exit, Fatal
from libra_cli.records.messages import Message
from libra_cli.records.training_rows import Conversation
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
"""Chat templates for models without one, by name; they keep every text as it is, including the thinking."""

_PROBE = ("Which word is it?", "libraprobe")


def template_text(given: str, tokenizer: Any) -> str:
    """The chat template that `--chat-template` names: a built-in one, or the text of a file. Raises Fatal(2).

    A built-in one begins with the BOS of a tokenizer that begins plain text with it: a pretrained model knows no other.
    """
    if given in BUILT_IN:
        return BUILT_IN[given] if _own_bos(tokenizer) is None else "{{- bos_token -}}" + BUILT_IN[given]
    try:
        return read_template(given)
    except ValueError as error:
        known = ", ".join(BUILT_IN)
        raise Fatal(Exit.USAGE, f"--chat-template {given}: {error}; name a file or {known}") from None


def _own_bos(tokenizer: Any) -> int | None:
    """Id of the BOS if the tokenizer itself begins plain text with it."""
    bos = tokenizer.bos_token_id
    return bos if bos is not None and tokenizer.encode("")[:1] == [bos] else None


class TrainingChat:
    """Tokenizer and chat template of one model; `template` replaces its own, `kwargs` are variables of the template.

    Without a chat template it can encode plain text only; the first conversation raises Fatal(2).
    """

    def __init__(self, tokenizer: Any, template: str | None = None, kwargs: Mapping[str, Any] | None = None):
        self.tokenizer, self.template, self.kwargs = tokenizer, template, dict(kwargs or {})
        self.bos = _own_bos(tokenizer)
        """Id of BOS if the tokenizer begins plain text with it, else None. Only the template begins conversations."""
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
        """12 hex digits of a hash of the chat template and its variables; None without a template."""
        return self._format.template_sha256 if self.has_template else None

    @property
    def left_out_bos(self) -> str | None:
        """The BOS with which the tokenizer begins plain text, and the chat template no conversation; None if none."""
        if self.bos is None or not self.has_template:
            return None
        try:
            text = self.render([{"role": "user", "content": _PROBE[0]}], None, prompt=True)
        except RowError:  # no conversation at all begins so
            return None
        return None if text.lstrip().startswith(self.tokenizer.bos_token) else str(self.tokenizer.bos_token)

    @property
    def eos(self) -> str:
        """The text of the EOS token. Raises Fatal if the tokenizer has none."""
        if self.tokenizer.eos_token is None:
            raise Fatal(Exit.USAGE, "the tokenizer has no EOS token to end a text with; set eos_token in its config")
        return str(self.tokenizer.eos_token)

    # -- conversations to text ----------------------------------------------------------------------------------------

    def fitted(self, talk: Conversation) -> list[Message]:
        """The messages of a conversation as the chat template takes them: calls of tools may need another spelling.

        Raises RowError if the template leaves out a part of the conversation.
        """
        try:
            return self._format.coverage.fitted(talk.messages, talk.tools, talk.template_args)
        except RequestError as error:
            raise RowError(error.kind, str(error)) from None

    def scored(self, talk: Conversation) -> list[int]:
        """Token ids of a conversation that ends with the response, as a reward model reads it. Raises RowError."""
        try:
            return self._format.conversation(talk.messages, talk.tools, talk.template_args)[1]
        except RequestError as error:
            raise RowError(error.kind, str(error)) from None

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[Any] | None,
        args: Mapping[str, Any] | None = None,
        *,
        prompt: bool,
    ) -> str:
        """The text that the chat template writes for `guarded` messages, with the generation prompt if `prompt`.

        `args` are variables of the template that go before those of the chat. Raises RowError if the template refuses.
        """
        try:
            return self._format.apply(list(messages), prompt, tools, args)
        except RequestError as error:
            cure = ""
            if any(message["role"] == "system" for message in messages):
                cure = ", or if it has no system role, put that text into the first user's turn"
            raise RowError(error.kind, f"{error}{cure}") from None

    def guarded(self, messages: Sequence[Message]) -> list[Message]:
        """The messages with each control token that a text spells out split in two, so that it stays text.

        In the assistant's own turns the marks of thinking stay whole, as in generation.
        """
        guarded = []
        for message in messages:
            pattern = self._forging if message["role"] == "assistant" else self._control
            guarded.append(
                {key: value if key == "role" else format.split_all(value, pattern) for key, value in message.items()}
            )
        return guarded

    def guarded_tools(self, tools: Sequence[Any] | None) -> Sequence[Any] | None:
        """The same for the descriptions of tools."""
        return format.split_all(tools, self._control)

    def forged(self, text: str) -> str | None:
        """The first control token that an assistant's text spells out, marks of thinking excepted."""
        match = self._forging.search(text) if self._forging else None
        return match.group() if match else None

    def context(self, text: str) -> str:
        """The end of `text`, from its last special token on, which decides how the text after it is tokenized."""
        matches = list(self.special.finditer(text)) if self.special else []
        return text[matches[-1].start() :] if matches else text

    # -- how a turn ends ----------------------------------------------------------------------------------------------

    @cached_property
    def _around(self) -> tuple[str, str]:
        """The text that the template writes between its prompt and an answer, and after the answer."""
        question, answer = {"role": "user", "content": _PROBE[0]}, {"role": "assistant", "content": _PROBE[1]}
        try:
            prompt = self.render([question], None, prompt=True)
            whole = self.render([question, answer], None, prompt=False)
        except RowError as error:
            raise Fatal(Exit.USAGE, str(error)) from None
        before, probe, after = whole.rpartition(_PROBE[1])
        if not probe:
            cure = "use another --chat-template"
            raise Fatal(Exit.USAGE, f"the chat template leaves out the text of the assistant; {cure}")
        return before[len(prompt) :] if before.startswith(prompt) else "", after

    @property
    def lead(self) -> str:
        """White space that the template writes between its prompt and the answer (Llama 2: a space)."""
        before = self._around[0]
        return before if before.isspace() else ""

    @cached_property
    def closing_text(self) -> str:
        """The text after an answer, up to and including the token that closes the turn."""
        return self.closed(self._around[1])

    def closed(self, after: str) -> str:
        """The template's text `after` an answer, up to the first token that closes a turn; with EOS if it has none."""
        match = self.special.search(after) if self.special else None
        return after[: match.end()] if match else after.rstrip() + self.eos

    @cached_property
    def closing_token(self) -> str:
        """The text of the token that closes an assistant's turn."""
        if not self.has_template or self.special is None:
            return self.eos
        return self.special.findall(self.closing_text)[-1]

    @property
    def closes_turns(self) -> bool:
        """The template itself closes an assistant's turn with a token."""
        return self.special is not None and self.special.search(self._around[1]) is not None

    @cached_property
    def unclosed(self) -> str | None:
        """Why the template cannot teach where each of several answers ends; None if a token closes the last one.

        A template may close an answer only once another turn follows (`{% if not loop.last %}`).
        """
        if self.closes_turns:
            return None
        question, answer = {"role": "user", "content": _PROBE[0]}, {"role": "assistant", "content": _PROBE[1]}
        try:
            before = self.render([question], None, prompt=False).partition(_PROBE[0])[0]
            talk = self.render([question, answer, question], None, prompt=False)
        except RowError:  # a template that takes no further turn closes none
            before = talk = ""
        between = talk.rpartition(_PROBE[0])[0].rpartition(_PROBE[1])[2]
        opening, tokens = (self.special.findall(text) if self.special else [] for text in (before, between))
        while tokens and opening[-1:] == tokens[-1:]:  # what opens the user's turn closes nothing
            opening.pop()
            tokens.pop()
        if not tokens:
            return "the chat template closes no turn with a token, so the model could not learn where a turn ends"
        reason = f"the chat template closes an answer with {tokens[0]} only where another turn follows"
        return f"{reason}, so the last one would teach no end of a turn"

    @property
    def closing(self) -> tuple[int, ...]:
        """Id of the token that closes an assistant's turn, to end generation along with EOS."""
        return (int(self.tokenizer.convert_tokens_to_ids(self.closing_token)),)
