"""The chat-completions format of OpenAI-compatible servers: the body of a request, the meaning of an answer.

Only standard fields are sent unless the user asks for others, because strict servers refuse unknown fields.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from libra_cli.engines.base import Request, RequestError, Sampling
from libra_cli.engines.openai import content_parts, demands, token_limits
from libra_cli.engines.openai.content_parts import MalformedAnswer
from libra_cli.engines.openai.credit import check_credit
from libra_cli.engines.openai.http_answer import HttpAnswer, malformed
from libra_cli.engines.openai.reported_error import reported
from libra_cli.engines.openai.retry import SLOWER, START, Failure, Trouble, asked_wait
from libra_cli.engines.openai.token_limits import LengthRefused
from libra_cli.engines.openai.usage import reported_tokens
from libra_cli.engines.template_coverage import Calls, spelled
from libra_cli.exits import Exit, Fatal
from libra_cli.tasks.task import NO_REASONS, UNKNOWN_END, is_cut_short

Body = dict[str, Any]
Kind = TypeVar("Kind", str, dict[str, Any], list[Any])

_OWN = ("messages", "model", "n", "seed", "stream", "temperature", "top_p", "max_tokens", "max_completion_tokens")
"""Fields that have an option of their own, or decide which request an answer belongs to and how it arrives."""
_STREAM = "stream"
_TROUBLES = {408: Trouble.TIMEOUT, 409: Trouble.BROKEN, 504: Trouble.TIMEOUT}
_TROUBLES |= dict.fromkeys((425, 429, 502, 503, 529), Trouble.BUSY)
_LIMITED = (425, 429, 529)
"""Statuses of servers that are there, and are asked too much."""
_MOST_TOKENS = 2**31
"""No response has so many; larger numbers overflow what statistics are made with."""
_LONGEST_NAME = 500
_JSON_TYPES = {str: "text", dict: "an object", list: "a list"}
_KEEP_STOP = ("include_stop_str_in_output", "no_stop_trim")
"""With these vLLM and SGLang leave the text at which a response ended in it."""
CUT = "answers go on after the text of --stop, and are cut there"
AS_REASONING = (
    "a whole answer came as reasoning, which counts as thinking that did not end; "
    "for a model that does not think, serve it without a reasoning parser"
)
_REFUSALS = (401, 403, 404, 405)


@dataclass(frozen=True)
class ServerCompletion:
    """A completion as the server sent it; a server with a reasoning parser separates the thinking."""

    content: str | None
    """None if the text ends inside the thinking."""
    thinking: str | None
    """None if there is none, or if it is part of `content`."""
    finish_reason: str
    n_tokens: int | None
    model: str | None
    tool_calls: Sequence[Any] = ()


@dataclass(frozen=True)
class Refusal:
    """An error that every other request would get too: a wrong key, model or address."""

    status: int
    message: str
    cure: str = ""
    """What helps, where the server's own words say it."""


@dataclass(frozen=True)
class FieldRefused:
    """The server refuses a field of the body by its name."""

    name: str
    message: str


class StreamDemanded:
    """The server only streams its answers."""


class LimitRenamed:
    """The server wants `max_completion_tokens` instead of `max_tokens`."""


Demand = LengthRefused | LimitRenamed | FieldRefused | StreamDemanded
ChatAnswer = ServerCompletion | RequestError | Failure | Refusal | Demand


class ChatFormat:
    """Makes bodies for one model and its sampling; raises Fatal(2) if `extra` gives a field that libra sets a value.

    A field whose value in `extra` is null is not sent. `defaults` are the fields that nobody asked for: they are sent
    until the server refuses one.
    """

    def __init__(
        self,
        model: str,
        sampling: Sampling,
        chat_template_args: Mapping[str, Any],
        extra: Mapping[str, Any],
        defaults: Collection[str] = (),
    ):
        extra = {**sampling.extra, **extra}
        self.streams = extra.get(_STREAM) is True
        if isinstance(extra.get(_STREAM), bool):
            del extra[_STREAM]
        taken = [name for name in _OWN if extra.get(name) is not None]
        if taken:
            cure = f"leave it out, or write {taken[0]}=null to send none"
            raise Fatal(Exit.USAGE, f"--engine-arg {taken[0]}: libra sets it from its own options; {cure}")
        self._left_out = {name for name, value in extra.items() if value is None}
        self._defaults = {*defaults, "stream_options"} - self._left_out
        is_kept = "stop" in sampling.extra or any(extra.get(name) for name in _KEEP_STOP)
        self.stops = () if is_kept else sampling.stop
        """The texts that no response may hold, whether the server is told of them or not."""
        self.max_tokens, self.limit_name = sampling.max_tokens, "max_tokens"
        self._model = model
        self._chat: Body = {"chat_template_kwargs": dict(chat_template_args)} if chat_template_args else {}
        self._chat |= {"chat_template": extra["chat_template"]} if "chat_template" in extra else {}
        self._fixed: Body = {"temperature": sampling.temperature, "top_p": sampling.top_p}
        given = {"top_k": sampling.top_k, "min_p": sampling.min_p, "stop": list(sampling.stop) or None}
        self._fixed |= {name: value for name, value in given.items() if value is not None}
        self._fixed |= {**self._chat, **extra}

    def body(self, request: Request, max_tokens: int | None = None) -> Body:
        """The body of one request; `max_tokens` lowers the limit if its prompt leaves less room than usual."""
        limit = self.max_tokens if max_tokens is None else min(max_tokens, self.max_tokens)
        own: Body = {"model": self._model, self.limit_name: limit, "seed": request.seed}
        if self.streams:
            own |= {_STREAM: True, "stream_options": {"include_usage": True}}
        fields = {**own, **self._fixed, **self._of_row(request), **self._conversation(request)}
        return {name: value for name, value in fields.items() if name not in self._left_out}

    @property
    def unsent_sampling(self) -> Sequence[str]:
        """The sampling parameters that are not sent."""
        return [name for name in ("temperature", "top_p", "max_tokens", "seed") if name in self._left_out]

    def sends(self, name: str) -> bool:
        """Whether a field of that name may be sent."""
        return name not in self._left_out

    def leave_out(self, name: str) -> bool:
        """From now on sends no field of that name; False if the user asked for it."""
        if name not in self._defaults:
            return False
        self._left_out.add(name)
        return True

    def tokenize_body(self, request: Request, with_prefill: bool) -> Body:
        """The body for vLLM's `/tokenize`, which shows the server's rendering of the messages."""
        conversation = self._conversation(request) if with_prefill else {"messages": _sent(request)}
        return {"model": self._model, **self._chat, **self._of_row(request), **conversation}

    def _of_row(self, request: Request) -> Body:
        """What a row gives the chat template besides messages."""
        named: Body = {} if not request.tools else {"tools": request.tools}
        if request.template_args:
            named["chat_template_kwargs"] = {**self._chat.get("chat_template_kwargs", {}), **request.template_args}
        return named

    def _conversation(self, request: Request) -> Body:
        if not request.prefill:
            return {"messages": _sent(request)}
        # Outside the standard: vLLM, SGLang and others continue a last message of the assistant with these flags.
        messages = [*_sent(request), {"role": "assistant", "content": request.prefill}]
        return {"messages": messages, "continue_final_message": True, "add_generation_prompt": False}


def _sent(request: Request) -> list[Any]:
    """The messages as servers take them: the arguments of calls are text, and the content beside them may be null."""
    return [spelled(message, Calls(as_text=True, no_content=True)) for message in request.messages]


def read_chat_answer(answer: HttpAnswer, body: Body) -> ChatAnswer:
    """The meaning of an HTTP answer to `body`; raises Fatal if it ends the run."""
    if 200 <= answer.status < 300:
        return _completion(answer)
    general = general_error(answer)
    if general is not None:
        return general
    message, code = answer.error
    if "max_completion_tokens" in message and "instead" in message and "max_tokens" in body:
        return LimitRenamed()
    if _STREAM not in body and demands.is_stream_demanded(message):
        return StreamDemanded()
    error, field = request_error(answer), demands.refused_field(answer, body)
    if asked := token_limits.asked_in(body):
        refused = token_limits.read(message, code, asked)
        of_limit = field is None or body.get(field) == asked
        if refused is not None and (refused.is_of_context or of_limit) and not _is_too_large(answer):
            return refused
    if error.kind == "bad_request" and field:
        return FieldRefused(field, message)
    return error


def general_error(answer: HttpAnswer) -> Failure | Refusal | None:
    """The meaning of an HTTP error that any request would meet; None if the error is about this request.

    The same for every endpoint. Raises Fatal for a redirect, and NoCredit.
    """
    status, (message, _code) = answer.status, answer.error
    if status in (301, 302, 303, 307, 308):
        # Never followed: the key and the prompts go to the address that was given, and nowhere else.
        target = answer.words(answer.headers.get("location", "elsewhere").partition("?")[0])
        raise Fatal(Exit.USAGE, f"the server redirects to {target}; if you trust that address, give it as --base-url")
    check_credit(answer)
    if status in _TROUBLES or status >= 500:
        cure = SLOWER if status in _LIMITED else START
        return Failure(_TROUBLES.get(status, Trouble.BROKEN), message, asked_wait(answer.headers), cure=cure)
    return Refusal(status, message) if status in _REFUSALS else None


def request_error(answer: HttpAnswer) -> RequestError:
    """The error of the one request that a server refuses."""
    message, code = answer.error
    if _is_too_large(answer) or token_limits.is_of_length(message, code):
        return RequestError("prompt_too_long", f"{message}; leave the row out or use a longer context")
    return RequestError("bad_request", f"the server refuses the request: {message}")


def _is_too_large(answer: HttpAnswer) -> bool:
    """Whether the server refuses the bytes of the request, and not its tokens."""
    return answer.status == 413 and not token_limits.is_of_length(*answer.error)


def json_answer(answer: HttpAnswer) -> dict[str, Any] | RequestError | Failure:
    """The JSON object that a server answered with; raises NoCredit."""
    if answer.refused is not None:
        return answer.refused
    try:
        fields = answer.json()
    except MalformedAnswer as error:
        return malformed(error)
    except ValueError:
        return Failure(Trouble.BROKEN, "the reply is truncated or not JSON", unreadable=True)
    if not isinstance(fields, dict):
        return Failure(Trouble.BROKEN, "the answer is not a JSON object", unreadable=True)
    if reported(fields):  # some gateways report errors of the server behind them like this
        check_credit(answer)
        return Failure(Trouble.BROKEN, answer.error[0])
    return fields


def json_or_error(answer: HttpAnswer) -> dict[str, Any] | RequestError | Failure | Refusal:
    """As `json_answer`; for an HTTP error its meaning, where an endpoint has none of its own. Raises Fatal."""
    if 200 <= answer.status < 300:
        return json_answer(answer)
    return general_error(answer) or request_error(answer)


def typed(fields: Mapping[str, Any], name: str, kind: type[Kind]) -> Kind | None:
    """A field of an answer; None if it is missing, null or empty. Raises MalformedAnswer for another type."""
    value = fields.get(name)
    if value and not isinstance(value, kind):
        raise MalformedAnswer(f"its {name} is not {_JSON_TYPES[kind]}")
    return value or None


def name_in(answer: HttpAnswer, fields: Mapping[str, Any], name: str) -> str | None:
    """A field that holds a short name, such as a model's; as `typed`."""
    value = typed(fields, name, str)
    if value is not None and len(value) > _LONGEST_NAME:
        raise MalformedAnswer(f"its {name} has {len(value)} characters")
    return value and answer.words(value)


def end_in(answer: HttpAnswer, choice: Mapping[str, Any]) -> str:
    """Why the text of a choice ended; `unknown` if the server does not say: nothing proves that it is whole."""
    reason = name_in(answer, choice, "finish_reason")
    return UNKNOWN_END if reason is None or reason.lower() in NO_REASONS else reason


def n_tokens_in(fields: Mapping[str, Any], name: str) -> int | None:
    """A number of tokens in the `usage` of an answer; None if the server does not report it."""
    value = (typed(fields, "usage", dict) or {}).get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value < _MOST_TOKENS or value != int(value):
        raise MalformedAnswer(f"its {name} is no number of tokens")
    return int(value)


def _completion(answer: HttpAnswer) -> ServerCompletion | RequestError | Failure:
    fields = json_answer(answer)
    if not isinstance(fields, dict):
        return fields
    try:
        return _choice(answer, fields)
    except MalformedAnswer as error:
        return malformed(error)


def _choice(answer: HttpAnswer, fields: dict[str, Any]) -> ServerCompletion | RequestError | Failure:
    """The first choice; raises MalformedAnswer if what is read of the answer has another type than documented."""
    choices = typed(fields, "choices", list)
    if not choices or not choices[0]:
        return Failure(Trouble.BROKEN, "the server answered without a choice", unreadable=True)
    first = typed({"choice": choices[0]}, "choice", dict) or {}
    message = typed(first, "message", dict) or {}
    reason = end_in(answer, first)
    if reason in ("abort", "error"):
        return Failure(Trouble.BROKEN, f"the server ended the request with {reason!r}")
    text, thinking = content_parts.read(message.get("content"))
    thinking = next(filter(None, (typed(message, name, str) for name in content_parts.THINKING)), thinking)
    calls = typed(message, "tool_calls", list) or ()
    if not all(isinstance(call, dict) for call in calls):
        raise MalformedAnswer("a call of a tool is not an object")
    if calls:
        text = text or ""  # the thinking has ended
    elif text is None and thinking is None:
        refusal = content_parts.refusal_in(message)
        cause = f"the server answered without text (finish_reason {reason!r})"
        if refusal is not None:
            cause = f"the model refuses to answer ({answer.words(refusal).rstrip('.')})"
        return RequestError("no_content", f"{cause}; see the prompt")
    elif thinking and not (text or "").strip():
        text = None  # all that the model wrote is its thinking; some servers report an empty text then
    n_tokens, model = n_tokens_in(fields, "completion_tokens"), name_in(answer, fields, "model")
    if n_tokens is not None:
        n_tokens = reported_tokens(fields["usage"])["completion_tokens"]
    text, thinking = text and answer.text(text), thinking and answer.text(thinking)
    return ServerCompletion(text, thinking, reason, n_tokens, model, calls)


def _before(text: str, stops: Sequence[str]) -> str | None:
    """What stands before the first of `stops`; None if the text holds none."""
    begins = [begin for stop in stops if (begin := text.find(stop)) >= 0]
    return text[: min(begins)] if begins else None


def cut_at_stop(completion: ServerCompletion, stops: Sequence[str]) -> ServerCompletion:
    """A completion up to the first of `stops` in its thinking, or else in its text; itself without any.

    For servers that do not know `stop`. The number of tokens stays that of all which the server generated.
    """
    thinking, content = (_before(text or "", stops) for text in (completion.thinking, completion.content))
    if thinking is not None:
        return replace(completion, thinking=thinking, content=None, finish_reason="stop", tool_calls=())
    if content is not None:
        return replace(completion, content=content, finish_reason="stop", tool_calls=())
    return completion


def finished(
    answer: ServerCompletion, stops: Sequence[str], read_end: Callable[[str], str], tell: Callable[[str], None]
) -> ServerCompletion:
    """An answer up to the first of `stops`, with the meaning of its finish reason; tells what people need to know."""
    kept = cut_at_stop(answer, stops)
    if kept is not answer:
        tell(CUT)
    kept = replace(kept, finish_reason=read_end(kept.finish_reason))
    if answer.content is None and not is_cut_short(kept.finish_reason):
        tell(AS_REASONING)
    return kept


def with_thinking(completion: ServerCompletion, markers: tuple[str, str], prefill: str) -> str:
    """The whole text as the model generated it, its thinking included; thinking that did not end stays open."""
    if completion.thinking is None:
        return prefill + (completion.content or "")
    opening, closing = markers
    opened = opening in prefill and closing not in prefill
    text = prefill + ("" if opened else f"{opening}\n") + completion.thinking.strip("\n")
    return text if completion.content is None else f"{text}\n{closing}\n\n" + completion.content.lstrip("\n")
