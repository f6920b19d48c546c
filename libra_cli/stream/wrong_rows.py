"""Rows of another stage than the one whose rows are wanted: what they are, and the command that takes them further."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from libra_cli.stream import field_paths
from libra_cli.stream.common_names import COMMON_NAMES, QUESTION, REFERENCE, common_name, plain_name
from libra_cli.stream.text_columns import OWN_TEXTS

_PAIR = (("response_a", "response_b"), ("chosen", "rejected"))
_ANSWERED = ("response", "response_with_cot", "responses")
_OF_THINKING = frozenset(("thinking", "reasoning", "reasoning_content", "thoughts", "analysis"))
"""Parts of a path to a text that is no answer."""
_TEXT_NAMES = ("content", "text", "generated_text", "value", "response", "output")
"""Names under which objects hold a text, best first."""
_MAX_PATHS, _MAX_DEPTH = 1000, 12
_ASKED = ("question", "problem", "prompt", "instruction", "query")

PUBLISHED: dict[str, tuple[str, tuple[str, ...]]] = {
    "helpsteer2": ("HelpSteer2's preferences", ("response_1", "response_2", "preference_strength")),
    "helpsteer3": ("HelpSteer3", ("response1", "response2", "overall_preference")),
    "prm800k": ("PRM800K", ("question.problem", "label.steps")),
    "math-shepherd": ("Math-Shepherd", ("input", "label", "task")),
    "processbench": ("ProcessBench", ("steps", "final_answer_correct", "label")),
    "stepwise": ("a set of labelled steps", ("completions", "labels")),
    "ultrafeedback": ("UltraFeedback", ("completions", "models")),
    "nectar": ("Nectar", ("answers", "num_responses")),
    "webgpt": ("WebGPT's comparisons", ("question.full_text", "answer_0", "answer_1", "score_0")),
    "summarize-feedback": ("OpenAI's summaries with feedback", ("info", "summaries", "choice")),
    "safe-rlhf": ("PKU-SafeRLHF", ("response_0", "response_1", "better_response_id")),
    "shp": ("SHP", ("history", "human_ref_A", "human_ref_B", "labels")),
    "arena-55k": ("arena-human-preference-55k", ("response_a", "response_b", "winner_model_a", "winner_model_b")),
    "chatbot-arena": ("Chatbot Arena's conversations", ("conversation_a", "conversation_b", "winner")),
    "lm-eval": ("lm-evaluation-harness's samples", ("doc", "target", "resps")),
    "lighteval": ("lighteval's details", ("doc", "model_response")),
    "evalscope": ("evalscope's reviews", ("target", "sample_score")),
    "opencompass": ("OpenCompass's predictions", ("origin_prompt", "prediction", "gold")),
    "multiple-choice": ("multiple choice", ("choices", "answer")),
}
"""Data sets whose rows no renaming of fields maps: preset of `libra collect` -> its name, and fields of each row."""
_AROUND_ROWS = frozenset(
    ("data", "rows", "items", "records", "examples", "samples", "instances", "results", "train", "test")
)
"""Fields that hold all rows, in an object around them."""
_ASK_OTHERWISE = ("arena-55k", "nectar", "multiple-choice")
"""Those whose field with a question's name holds something else: JSON, a transcript, a question without its choices."""


_ANYTHING = ("input", "output", "label", "solution", "completion", "generation")
"""Common names that are also words of columns of any other kind."""
_VERDICT_WORDS = {
    "label": ("correct", "human", "gold"),
    "score": ("judge", "rating", "reward"),
    "prediction": ("verdict",),
}
"""Words of columns that may hold what people or judges decided."""
_NO_TEXTS = frozenset(
    ("id", "type", "index", "number", "source", "category", "length", "count", "tokens", "level", "name", "url", "hash")
)
"""Words of columns that say something of a text, and hold none."""
_OF_MODELS = frozenset(("model", "response", "prediction", "predicted", "generated", "chosen", "rejected", "wrong"))
_NEAR = 0.8
"""Ratio of difflib from which a column is taken for a mistyped name."""


def published(fields: Mapping[str, Any]) -> str | None:
    """Which data set a row is of that a preset of `libra collect` reads, and the command; None for any other row.

    An object that holds all rows by their numbers is none either, and gets the command that takes them apart; so does
    what OpenAI's API answers, alone or in a batch.
    """
    own = [name for name in fields if name != "id"]  # which a row without any gets
    if own and all(name.isdecimal() and isinstance(fields[name], dict) for name in own):
        return "it is an object of rows by their numbers (OpenCompass): jq -c '.[]' FILE puts each on a line"
    around = [
        name for name in own if isinstance(fields[name], list) and isinstance(next(iter(fields[name]), None), dict)
    ]
    if own == around and not _AROUND_ROWS.isdisjoint(own):
        return f"it is an object around an array of rows: jq -c '.{around[0]}[]' FILE puts each on a line"
    if around == ["choices"] and "message" in fields["choices"][0]:
        answer = "libra collect --map choices.0.message.content=response FILE"
        return f"it holds an answer of OpenAI's API: {answer} reads it"
    if isinstance(fields.get("custom_id"), str) and "response" in fields and not _is_problem(fields):
        ours = "what wrote its request (libra rollout --batch-out) joins it to its row with --batch-in FILE"
        return f"it is a result of a batch: {ours}; join that of another program to its problem by custom_id first"
    preset = _preset_of(fields)
    return preset and f"it is a row of {PUBLISHED[preset][0]}: libra collect --preset {preset} FILE reads it"


def _preset_of(fields: Mapping[str, Any]) -> str | None:
    """The preset that reads a row which no renaming of fields maps; None for any other row."""
    return next((one for one, (_, names) in PUBLISHED.items() if all(_has(fields, name) for name in names)), None)


def asks_otherwise(fields: Mapping[str, Any]) -> str | None:
    """What `published` says of a row whose question is not what its fields suggest; None for any other row."""
    choices, question = fields.get("choices"), str(fields.get("question"))
    if isinstance(choices, list) and all(str(choice) in question for choice in choices):
        return None  # the choices stand in the question
    return published(fields) if _preset_of(fields) in _ASK_OTHERWISE else None


def _has(fields: Mapping[str, Any], name: str) -> bool:
    return name in fields or ("." in name and field_paths.value_at(fields, name) is not field_paths.MISSING)


def wrong_row(fields: Mapping[str, Any]) -> str | None:
    """What a row is, and the command for it, where no field could be added to it; None for any other row.

    That is a row of a published data set, an event of training, a conversation to learn, or a pair of responses.
    """
    if (of_data_set := published(fields)) is not None:
        return of_data_set
    if {"event", "step"} <= fields.keys():
        return "it is an event of a training run: libra report shows the run's folder"
    if all(isinstance(fields.get(name), (str, list)) for name in _PAIR[1]):
        return "it is a preference pair: libra dpo and libra train-rm learn from it, libra judge compares its responses"
    if all(name in fields for name in _PAIR[0]):
        return "it is a pair of responses: libra judge compares them, libra dpo and libra train-rm learn from them"
    if isinstance(fields.get("responses"), list):
        return "it is a list of responses: libra judge chooses the best"
    given = fields.get("messages")
    turns = given if isinstance(given, list) else []
    is_answered = bool(turns) and isinstance(turns[-1], dict) and turns[-1].get("role") == "assistant"
    if is_answered and not any(name in fields for name in (*_ANSWERED, "question")):
        to_verify = f"libra collect --map messages.{len(turns) - 1}.content=response names its answer, "
        return f"it is a conversation: {to_verify if _has_reference(fields) else ''}libra sft learns it"
    return None


def _is_problem(fields: Mapping[str, Any]) -> bool:
    return any(fields.get(name) is not None for name in (*_ASKED, REFERENCE, "messages"))


def is_unanswered(fields: Mapping[str, Any]) -> bool:
    """Whether a row is a problem without a response."""
    asks = any(fields.get(name) is not None for name in _ASKED)
    return asks and not any(fields.get(name) is not None for name in (*_ANSWERED, *_PAIR[0], *_PAIR[1], "label"))


def other_case(fields: Mapping[str, Any], name: str) -> str | None:
    """What to do about a row that lacks `name` and spells it otherwise (`Model`); None if it has not."""
    own = next((own for own in fields if plain_name(own) == name and fields[own] is not None), None)
    if own is None or own == name:
        return None
    return f'the row calls it "{own}", libra collect --map {shlex.quote(f"{own}={name}")}'


def near_column(fields: Mapping[str, Any], name: str) -> str:
    """The end of the message that a row lacks `name`: which column may hold it, and the command; empty if none may.

    That is a text whose column has the words of the name, or of one that stands for it (`Question text`), or nearly so.
    """
    others = _VERDICT_WORDS.get(name, COMMON_NAMES.get(name, ()))
    if not others:
        return ""
    wanted = [[name], *(one.split("_") for one in others if one not in _ANYTHING)]
    for own, value in fields.items():
        words = plain_name(own).split("_")
        if own == name or not _NO_TEXTS.isdisjoint(words) or not isinstance(value, (str, int, float)) or value == "":
            continue
        if name == REFERENCE and not _OF_MODELS.isdisjoint(words):
            continue
        mistyped = SequenceMatcher(None, name, plain_name(own)).ratio() >= _NEAR
        if mistyped or any(set(one).issubset(words) for one in wanted):
            return f'; if that is "{own}": libra collect --map {shlex.quote(f"{own}={name}")}'
    return ""


def type_name(value: Any) -> str:
    """What a value of JSON is, for people."""
    if isinstance(value, bool):
        return "a boolean"
    names = {list: "an array", dict: "an object", str: "a string", int: "a number", float: "a number"}
    return names.get(type(value), "null")


def part_hint(name: str, value: Any) -> str:
    """What to do about a number, a list or an object in the field `name` where text is wanted; else empty."""
    if type(value) in (int, float):
        return f': write it as text, "{value}"' + (", as libra collect does" if name in OWN_TEXTS else "")
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        field = f".{name}" if name.isidentifier() else f'.["{name}"]'
        rows_of_each = f", or make a row of each: jq -c '{field}[] as $one | {field} = $one'"
        return f": name one of its texts, such as {name}.0{'' if name in (QUESTION, REFERENCE) else rows_of_each}"
    paths = list(islice(_text_paths(name, value, _MAX_DEPTH), _MAX_PATHS)) if isinstance(value, (list, dict)) else []
    if not paths:
        return ""
    ranks = {text: rank for rank, text in enumerate(_TEXT_NAMES)}
    best = min(
        paths,
        key=lambda path: (not _OF_THINKING.isdisjoint(path.split(".")), ranks.get(path.rpartition(".")[2], len(ranks))),
    )
    away = f"--map {shlex.quote(f'{name}={name}_object')} "  # the text takes the name of the object around it
    rename = f" (libra collect {away}--map {shlex.quote(f'{best}={name}')})"
    return f": name the text in it, such as {best}{rename if name in (*_ANSWERED, QUESTION, REFERENCE) else ''}"


def _text_paths(path: str, value: Any, depth: int) -> Iterator[str]:
    """The dotted paths of all texts in `value`, in order."""
    if isinstance(value, str):
        yield path
    elif depth and isinstance(value, (list, dict)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _text_paths(f"{path}.{key}", inner, depth - 1)


def _has_reference(fields: Mapping[str, Any]) -> bool:
    return fields.get(REFERENCE) is not None or common_name(fields, REFERENCE) is not None
