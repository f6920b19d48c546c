"""Servers with a context of a certain length, and the words with which programs refuse what does not fit into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from servers.scripted import Call, Reply, Script, error, wrote

CONTEXT = 40960


@dataclass(frozen=True)
class Words:
    """What is said of a prompt that is too long by itself, of a limit above the context, and of both together.

    `{c}`: the context, `{m}`: the limit, `{p}`: the prompt, `{least}`: what a tokenizer has counted that stops where
    the prompt no longer fits.
    """

    both: str
    limit: str = ""
    prompt: str = ""
    status: int = 400


_ABOVE = "max_tokens={m} cannot be greater than max_model_len=max_total_tokens={c}. Please request fewer output tokens."
_LONG = (
    "This model's maximum context length is {c} tokens. However, your request has {p} input tokens. Please reduce the "
    "length of the input messages."
)
_TOO_LARGE = "'max_tokens' or 'max_completion_tokens' is too large: {m}."
WORDS: Mapping[str, Words] = {
    "vLLM, at least": Words(
        "This model's maximum context length is {c} tokens. However, you requested {m} output tokens and your prompt "
        "contains at least {least} input tokens, for a total of at least {next} tokens. Please reduce the length "
        "of the input prompt or the number of requested output tokens. (parameter=input_tokens, value={least})",
        _ABOVE,
    ),
    "vLLM, passed": Words(
        "You passed {least} input tokens and requested {m} output tokens. However, the model's context length is only "
        "{c} tokens, resulting in a maximum input length of {room} tokens. Please reduce the length.",
        "max_tokens={m}cannot be greater than max_model_len=max_total_tokens={c}. Please request fewer output tokens.",
    ),
    "vLLM, too large": Words(
        f"{_TOO_LARGE} This model's maximum context length is {{c}} tokens and your request has {{p}} input tokens "
        "({m} > {c} - {p}).",
        prompt=_LONG,
    ),
    "vLLM, plus": Words(
        "This model's maximum context length is {c} tokens. However, your request has {p} input tokens plus {m} "
        "'max_tokens'. Please reduce one or the other. (parameter=input_tokens, max_tokens, value=({p}, {m}))",
        prompt=_LONG,
    ),
    "vLLM, the rest for the context": Words(
        "This model's maximum context length is {room} tokens. However, your request has {p} input tokens. Please "
        "reduce the length of the input messages. (parameter=input_tokens, value={p})",
        _ABOVE,
    ),
    "OpenAI": Words(
        "This model's maximum context length is {c} tokens. However, you requested {total} tokens ({p} in the "
        "messages, {m} in the completion). Please reduce the length of the messages or completion.",
        prompt="This model's maximum context length is {c} tokens. However, your messages resulted in {p} tokens.",
    ),
    "SGLang": Words(
        "Requested token count exceeds the model's maximum context length of {c} tokens. You requested a total of "
        "{total} tokens: {p} tokens from the input messages and {m} tokens for the completion.",
        prompt="The input ({p} tokens) is longer than the model's context length ({c} tokens).",
    ),
    "TGI": Words(
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= {c}. Given: {p} `inputs` tokens and {m} "
        "`max_new_tokens`",
        status=422,
    ),
    "llama-cpp-python": Words("Requested tokens ({total}) exceed context window of {c}"),
    "OpenRouter": Words(
        "This endpoint's maximum context length is {c} tokens. However, you requested about {total} tokens ({p} of "
        "text input, {m} in the output). Please reduce the length of either one.",
    ),
    "a margin of a proxy": Words(
        "You passed {least} input tokens and requested {m} output tokens. The proxy reserves 2048 tokens. However, the "
        "model's context length is only {c} tokens.",
    ),
    "no numbers": Words("The request does not fit into the context window of the model"),
    "another language": Words("Prompt und max_tokens={m} zusammen sind zu lang"),
}
CAPS = {
    "DeepSeek": "Invalid max_tokens value, the valid range of max_tokens is [1, {c}]",
    "DashScope": "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, {c}]",
    "OpenAI": "max_tokens is too large: {m}. This model supports at most {c} completion tokens, whereas you gave {m}.",
    "Anthropic": "max_tokens: {m} > {c}, which is the maximum allowed number of output tokens for claude-haiku-4-5",
    "Groq": "`max_tokens` must be less than or equal to `{c}`, the maximum value for `max_tokens` is less than it",
}
"""Words of servers that limit a response whatever its prompt."""


def n_prompt_tokens(call: Call) -> int:
    """Tokens of a prompt with its template."""
    return len(call.prompt) // 4 + 20


def holding(words: Words, context: int = CONTEXT, margin: int = 0) -> Script:
    """A server that takes prompt and limit of `context` tokens together, `margin` of which it keeps for itself."""

    def script(call: Call) -> Reply:
        limit, prompt = call.body["max_tokens"], n_prompt_tokens(call)
        said = {
            "c": context, "m": limit, "p": prompt, "total": prompt + limit, "next": context + 1,
            "room": context - limit, "least": min(prompt, context - limit + 1),
        }  # fmt: skip
        if words.limit and limit > context:
            return error(words.status, words.limit.format_map(said))
        if words.prompt and prompt >= context:
            return error(words.status, words.prompt.format_map(said))
        if prompt + limit > context - margin:
            return error(words.status, words.both.format_map(said))
        return wrote("four")

    return script


LONG_PROMPTS = {
    "OpenAI": "This model's maximum context length is {c} tokens. However, your messages resulted in {p} tokens.",
    "Anthropic": "prompt is too long: {p} tokens > {c} maximum",
}
"""What servers with such a cap say of a prompt that is longer than their context."""


def capping(words: str, most: int, long_prompt: str = "", context: int = 0) -> Script:
    """A server that takes a limit of `most` tokens, and prompts of `context` tokens if it has `long_prompt` to say."""

    def script(call: Call) -> Reply:
        limit, prompt = call.body["max_tokens"], n_prompt_tokens(call)
        if limit > most:
            return error(400, words.format(c=most, m=limit))
        if long_prompt and prompt > context:
            return error(400, long_prompt.format(c=context, p=prompt))
        return wrote("four")

    return script
