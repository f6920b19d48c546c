"""What of a conversation is learned: the text that the model would have to write after the prompt.

The prompt is what the chat template writes before the turn, with the generation prompt; it is not learned. The target
follows it: the assistant's text byte for byte, and the token that closes the turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from libra_cli.records.messages import Message
from libra_cli.stream.rows import RowError
from libra_cli.tasks.thinking import MARKERS
from libra_cli.training.data.chat_format import ChatFormat

Learn = Literal["last", "all"]
Assistant = Literal["template", "verbatim"]

VERBATIM = "use --assistant verbatim, or another --chat-template"
INTO_CONTENT = "put it into the content, between <think> and </think>, or use another --chat-template"

THINKING_KEYS = ("reasoning_content", "reasoning", "thinking")

_LONGEST = 256
"""Characters at the end of a prompt in which it may open the thinking."""
_PAIRS = [(re.escape(opening), re.escape(closing)) for opening, closing in MARKERS.values()]
_AT_END = re.compile("|".join(f"(?:{opening}\\s*(?:{closing}\\s*)?)\\Z" for opening, closing in _PAIRS))
_EMPTY = re.compile("|".join(f"\\s*{opening}\\s*{closing}" for opening, closing in _PAIRS))


class Piece(NamedTuple):
    """Consecutive text of a sample."""

    text: str
    learned: bool


def pieces(chat: ChatFormat, messages: Sequence[Message], tools: Sequence[Any] | None, learn: Learn,
           assistant: Assistant) -> list[Piece]:  # fmt: skip
    """A sample's text in order, prompt and target by turns; raises RowError where the template does not serve it."""
    guarded, tools = chat.guarded(messages), chat.guarded_tools(tools)
    turns = [at for at, message in enumerate(messages) if message["role"] == "assistant"]
    if turns[0] == 0 and learn == "all":
        raise RowError("no_prompt", "nothing stands before the first answer; add a turn, or use --learn last")
    found: list[Piece] = []
    for at in turns if learn == "all" else turns[-1:]:
        found += _turn(chat, guarded, at, tools, assistant, "".join(piece.text for piece in found))
    return found


def _turn(chat: ChatFormat, messages: Sequence[Message], at: int, tools: Sequence[Any] | None, assistant: Assistant,
          before: str) -> tuple[Piece, Piece]:  # fmt: skip
    """The assistant's turn number `at`, and what stands between `before` and it."""
    prompt = chat.render(messages[:at], tools, prompt=True)
    if not prompt.startswith(before):
        reason = "the chat template writes an earlier turn differently once another follows (it may drop its thinking)"
        raise RowError("template_rewrites_turns", f"{reason}; use --learn last")
    if assistant == "verbatim":
        target = _verbatim(chat, messages[at], prompt)
    else:
        target = _by_template(chat, messages[at], prompt, chat.render(messages[: at + 1], tools, prompt=False))
    return Piece(prompt[len(before) :], False), Piece(target, True)


def _verbatim(chat: ChatFormat, message: Message, prompt: str) -> str:
    if message.get("tool_calls") or _thinking_beside(message):
        reason = "only the template can write an assistant's thinking or calls that are not in its content"
        raise RowError("not_in_content", f"{reason}; put them there, or leave --assistant verbatim out")
    return chat.lead + _written(message["content"], _opening(prompt)) + chat.closing_text


def _by_template(chat: ChatFormat, message: Message, prompt: str, whole: str) -> str:
    opening, content = _opening(prompt), message["content"]
    head = prompt[: len(prompt) - len(opening)]
    written = _written(content, opening)
    if not whole.startswith(head):
        reason = "the chat template writes what stands before the answer differently once that is there"
        raise RowError("template_changes_text", f"{reason}; {VERBATIM}")
    body = whole[len(head) :]
    start = _find(message, body, opening)
    if start is None:
        raise _changed(message, body)
    end = start + len(content)
    return (written if opening else body[:end]) + _closing(chat, message, body[end:])


def _closing(chat: ChatFormat, message: Message, after: str) -> str:
    """What is learned of the text `after` the answer: up to the token that closes the turn."""
    last = after.rfind(chat.closing_token) if message.get("tool_calls") else -1
    return after[: last + len(chat.closing_token)] if last >= 0 else chat.closed(after)


def _opening(prompt: str) -> str:
    """The thinking that the generation prompt has opened, or opened and closed, at its end."""
    found = _AT_END.search(prompt[-_LONGEST:])
    return found.group() if found else ""


def _written(content: str, opening: str) -> str:
    """What remains to be written of `content` after a prompt that ends with `opening`; raises RowError."""
    if not opening:
        return content
    mark, end = next(pair for pair in MARKERS.values() if opening.startswith(pair[0]))
    begun = content.lstrip()
    if end in opening:
        if begun.startswith(mark):
            reason = "the chat template's prompt says that there is no thinking, and the answer begins with it"
            raise RowError("thinking_switched_off", f"{reason}; leave out the template's argument that says so")
        return content
    if end not in content:
        reason = f"the chat template's prompt opens the thinking ({mark}) and the answer has none"
        raise RowError("no_thinking", f"{reason}; begin it with {mark}{end}, or use a template that does not open it")
    if not begun.startswith(mark):
        return content
    # The white space behind the mark is the prompt's as far as both have it.
    space, rest = opening[len(mark) :], begun[len(mark) :]
    return rest[len(space) :] if rest.startswith(space) else rest


def _find(message: Message, body: str, opening: str) -> int | None:
    """Where in `body` the content stands, behind nothing but white space or a thinking that the template writes."""
    begins = [0]
    if opening and body.startswith(opening):
        begins.append(len(opening))
    if empty := _EMPTY.match(body):
        begins.append(empty.end())
    if thinking := _thinking_beside(message):
        begins = _behind_thinking(body, thinking)
    found = (_behind_space(body, begin, message["content"]) for begin in begins)
    return next((at for at in found if at is not None), None)


def _thinking_beside(message: Message) -> str:
    """Thinking that a message keeps outside its content only, as servers return it."""
    beside = (message.get(name) for name in THINKING_KEYS)
    thinking = next((value.strip() for value in beside if isinstance(value, str) and value.strip()), "")
    return "" if thinking in message["content"] else thinking


def _behind_space(body: str, begin: int, content: str) -> int | None:
    """Where `content` begins at or after `begin`, with white space of the template's before it at most."""
    space = len(body[begin:]) - len(body[begin:].lstrip())
    own = len(content) - len(content.lstrip())
    at = begin + space - own
    return at if at >= begin and body.startswith(content, at) else None


def _behind_thinking(body: str, thinking: str) -> list[int]:
    marked = "|".join(f"\\s*(?:{opening})?\\s*{re.escape(thinking)}\\s*{closing}" for opening, closing in _PAIRS)
    found = re.match(marked, body)
    return [found.end()] if found else []


def _changed(message: Message, body: str) -> RowError:
    content, dropped = message["content"], bool(_thinking_beside(message))
    for begin, end in MARKERS.values():
        thinking, found, answer = content.rpartition(end)
        thought = thinking.rpartition(begin)[2].strip()
        dropped |= bool(found) and answer.strip() in body and thought not in body
    if dropped:
        cure = INTO_CONTENT if _thinking_beside(message) else VERBATIM
        return RowError("template_drops_thinking", f"the chat template drops the thinking of the answer; {cure}")
    what = "takes the white space off the answer's ends" if content.strip() in body else "changes the answer's text"
    return RowError("template_changes_text", f"the chat template {what}; {VERBATIM}")
