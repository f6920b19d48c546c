"""Splits a conversation into prompt and target, which decides the loss mask.

The prompt is the text that the chat template writes before a turn of the assistant, generation prompt included; no loss
is taken on it. The target is what the model has to write after it: the assistant's text byte for byte, and the token
that closes the turn.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from libra_cli.records.messages import WEIGHT, Message
from libra_cli.records.training_rows import Conversation
from libra_cli.stream.rows import RowError
from libra_cli.tasks.thinking import MARKERS
from libra_cli.training.data.chat_format import TrainingChat

Learn = Literal["last", "all"]
Assistant = Literal["template", "verbatim"]

CLOSING = "use a template that closes each turn with a token (--chat-template chatml)"
VERBATIM = "use --assistant verbatim, or another --chat-template"
INTO_CONTENT = "put it into the content, between <think> and </think>, or use another --chat-template"

_DROPS_THINKING = "drops the thinking of"

THINKING_KEYS = ("reasoning_content", "reasoning", "thinking")

_LONGEST = 256
"""Characters at the end of a prompt in which it may open the thinking."""
_PAIRS = [(re.escape(opening), re.escape(closing)) for opening, closing in MARKERS.values()]
_AT_END = re.compile("|".join(f"(?:{opening}\\s*(?:{closing}\\s*)?)\\Z" for opening, closing in _PAIRS))
_EMPTY = re.compile("|".join(f"\\s*{opening}\\s*{closing}" for opening, closing in _PAIRS))


class Piece(NamedTuple):
    """Consecutive text of a sample."""

    text: str
    is_target: bool
    begins_text: bool = False
    """The beginning of plain text, before which a tokenizer that has a BOS of its own puts it."""


def conversation_pieces(
    chat: TrainingChat, talk: Conversation, learn: Learn, assistant: Assistant, last_only: str
) -> list[Piece]:
    """The text of a conversation in order, prompt and target by turns. Raises RowError if the template cannot write it.

    `last_only` is the advice to learn from the last turn only.
    """
    guarded, tools, args = chat.guarded(chat.fitted(talk)), chat.guarded_tools(talk.tools), talk.template_args
    turns = _learned_turns(talk, learn)
    if turns[0] == 0 and learn == "all":
        raise RowError("no_prompt", f"nothing stands before the first answer; add a turn, or {last_only}")
    pieces, answers = list[Piece](), list[Message]()
    before = ""
    for at in turns:
        prompt = chat.render(guarded[:at], tools, args, prompt=True)
        if not prompt.startswith(before):
            raise RowError("template_rewrites_turns", f"{_rewriting(chat, pieces, answers, prompt)}; {last_only}")
        answer = {**guarded[at], "content": guarded[at]["content"] or ""}
        if assistant == "verbatim":
            target = _verbatim(chat, answer, prompt)
        else:
            target = _by_template(chat, answer, prompt, chat.render(guarded[: at + 1], tools, args, prompt=False))
        pieces += [Piece(prompt[len(before) :], False), Piece(target, True)]
        answers.append(answer)
        before = prompt + target
    return pieces


def _rewriting(chat: TrainingChat, pieces: list[Piece], answers: list[Message], prompt: str) -> str:
    """What the template does to one of `answers`, whose text is `pieces`, in a `prompt` that goes on after them."""
    begin = at = 0
    while prompt.startswith(pieces[at].text + pieces[at + 1].text, begin):
        begin += len(pieces[at].text + pieces[at + 1].text)
        at += 2
    answer, before = answers[at // 2], pieces[at].text
    opening = _opening(before)
    head = before.removesuffix(opening)
    if not prompt.startswith(head, begin):
        return "the chat template writes what stands before an answer differently once a turn follows the answer"
    body = prompt[begin + len(head) :]
    if _find(answer, body, opening) is None:
        done = _change(answer, body.partition(chat.closing_token)[0])
        return f"the chat template {done} an earlier answer once another turn follows"
    if not body.startswith(opening):
        return "the chat template opens the thinking of an earlier answer otherwise than its prompt"
    return chat.unclosed or "the chat template ends an answer otherwise once another turn follows"


def _learned_turns(talk: Conversation, learn: Learn) -> list[int]:
    """The places of the turns that are targets, at least one. Raises RowError."""
    own = range(talk.n_prompt, len(talk.messages))
    turns = [at for at in own if talk.messages[at]["role"] == "assistant"]
    learned = [at for at in (turns if learn == "all" else turns[-1:]) if at not in talk.masked]
    if not learned:
        which = (
            "each turn that would be learned has" if learn == "all" else "the last turn, which would be learned, has"
        )
        cure = "leave the row out" if learn == "all" or talk.masked.issuperset(turns) else "learn from all turns"
        raise RowError("nothing_learned", f'{which} "{WEIGHT}" 0; {cure}')
    return learned


def _verbatim(chat: TrainingChat, message: Message, prompt: str) -> str:
    """The target as the text itself, behind the prompt of the template."""
    if message.get("tool_calls") or _separate_thinking(message):
        reason = "only the template can write an assistant's thinking or calls that are not in its content"
        raise RowError("not_in_content", f"{reason}; put them there, or leave --assistant verbatim out")
    return chat.lead + _after_opening(message["content"], _opening(prompt)) + chat.closing_text


def _by_template(chat: TrainingChat, message: Message, prompt: str, whole: str) -> str:
    """The target as the template writes it in `whole`, the conversation up to this turn."""
    opening, content = _opening(prompt), message["content"]
    head = prompt[: len(prompt) - len(opening)]
    thinking = _separate_thinking(message)
    written = _after_opening(content, opening, bool(thinking))
    if not whole.startswith(head):
        reason = "the chat template writes the text before the answer differently once the answer is there"
        raise RowError("template_changes_text", f"{reason}; {VERBATIM}")
    body = whole[len(head) :]
    start = _find(message, body, opening)
    if start is None:
        raise _refusal(message, body)
    end = start + len(content)
    after = body[end:]
    last = after.rfind(chat.closing_token) if message.get("tool_calls") else -1
    closing = after[: last + len(chat.closing_token)] if last >= 0 else chat.closed(after)
    if opening and thinking:
        if not body.startswith(opening):
            raise RowError(
                "template_changes_text",
                f"the chat template opens the thinking otherwise than its prompt; {INTO_CONTENT}",
            )
        return body[len(opening) : end] + closing
    return (written if opening else body[:end]) + closing


def _opening(prompt: str) -> str:
    """The thinking that the generation prompt opens, or opens and closes, at its end."""
    match = _AT_END.search(prompt[-_LONGEST:])
    return match.group() if match else ""


def _after_opening(content: str, opening: str, has_thinking: bool = False) -> str:
    """The part of `content` that follows a prompt which ends with `opening`. Raises RowError.

    `has_thinking` says that the message holds thinking outside its content.
    """
    if not opening:
        return content
    mark, end = next(pair for pair in MARKERS.values() if opening.startswith(pair[0]))
    begun = content.lstrip()
    if end in opening:
        if has_thinking or begun.startswith(mark):
            reason = "the chat template's prompt says that there is no thinking, and the answer begins with it"
            raise RowError("thinking_switched_off", f"{reason}; leave out the template's argument that says so")
        return content
    if end not in content and not has_thinking:
        reason = f"the chat template's prompt opens the thinking ({mark}) and the answer has none"
        raise RowError("no_thinking", f"{reason}; begin it with {mark}{end}, or use a template that does not open it")
    if not begun.startswith(mark):
        return content
    # White space behind the mark that both have belongs to the prompt.
    space, rest = opening[len(mark) :], begun[len(mark) :]
    return rest[len(space) :] if rest.startswith(space) else rest


def _find(message: Message, body: str, opening: str) -> int | None:
    """Index in `body` of the content, behind nothing but white space or a thinking that the template writes."""
    content = message["content"]
    begins = [0]
    if opening and body.startswith(opening):
        begins.append(len(opening))
    if empty := _EMPTY.match(body):
        begins.append(empty.end())
    if thinking := _separate_thinking(message):
        marked = "|".join(f"\\s*(?:{opening})?\\s*{re.escape(thinking)}\\s*{closing}" for opening, closing in _PAIRS)
        match = re.match(marked, body)
        begins = [match.end()] if match else []
    own_space = len(content) - len(content.lstrip())
    for begin in begins:
        space = len(body[begin:]) - len(body[begin:].lstrip())
        at = begin + space - own_space
        if at >= begin and body.startswith(content, at):
            return at
    return None


def _separate_thinking(message: Message) -> str:
    """Thinking that a message holds only outside its content, as servers return it."""
    values = (message.get(name) for name in THINKING_KEYS)
    thinking = next((value.strip() for value in values if isinstance(value, str) and value.strip()), "")
    return "" if thinking in message["content"] else thinking


def _refusal(message: Message, body: str) -> RowError:
    """Says how the template changes the answer, which it writes in `body`."""
    done = _change(message, body)
    if done == _DROPS_THINKING:
        cure = INTO_CONTENT if _separate_thinking(message) else VERBATIM
        return RowError("template_drops_thinking", f"the chat template {done} the answer; {cure}")
    return RowError("template_changes_text", f"the chat template {done} the answer; {VERBATIM}")


def _change(message: Message, body: str) -> str:
    """What the template does to an answer that it writes otherwise in `body`."""
    content, dropped = message["content"], bool(_separate_thinking(message))
    for begin, end in MARKERS.values():
        thinking, mark, answer = content.rpartition(end)
        thought = thinking.rpartition(begin)[2].strip()
        dropped |= bool(mark) and answer.strip() in body and thought not in body
    if dropped:
        return _DROPS_THINKING
    return "strips white space from" if content.strip() in body else "changes the text of"
