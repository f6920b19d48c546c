"""Training rows of any of the common forms: as conversations or plain texts, with what of them is learned.

Sources of the forms: the documentation of TRL (dataset formats), of LLaMA-Factory (data/README.md: alpaca and sharegpt,
with their preference and KTO data), of NeMo-Skills (outputs of its generation), and OpenAI's guide to fine-tuning.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

from libra_cli.records.messages import (
    FORMS,
    WEIGHT,
    Message,
    behind_own_system,
    checked_text,
    messages,
    of_their_functions,
    own_system,
    template_args_of,
    tools_of,
    turns,
)
from libra_cli.records.own_names import QUESTION, RESPONSE, common_name
from libra_cli.records.transcripts import asked_in_transcript
from libra_cli.stream.common_names import CONTEXT_MESSAGES, CONTEXTS, plain_name
from libra_cli.stream.required_fields import columns
from libra_cli.stream.rows import RowError
from libra_cli.stream.wrong_rows import near_column, published
from libra_cli.tasks.labels import label_or_none

Fields = Mapping[str, Any]

_ANSWER_NAMES = (
    RESPONSE, "completion", "output", "generation", "model_output", "generated_solution", "solution", "answer",
)  # fmt: skip
"""Names of the answer to a question; what `COMMON_NAMES` takes for references are answers to learn from.

Of a `solution` and an `answer` (NuminaMath, LIMO) the first is worked out.
"""
_OF_JUDGES = ("label", "verification", "judgments", "prediction", "score")
_RATINGS = ("helpfulness", "overall_score", "rating")
"""Ratings of an answer, as HelpSteer2, UltraFeedback and others have them."""
ANSWERS = ("assistant", "tool", "function")
"""Roles of turns that go on after a prompt; any other begins a whole conversation."""
_LEARNED = ("messages", "completion", "conversations", "output", "generation", "segments", "text")
"""Fields that each may hold what a row teaches, in the order in which they are looked for."""

SEGMENTS = '"segments" as text as it stands, control tokens too, those learned whose "label" is true'
TEXT = '"text" as plain text that is learned whole, without turns'
PROMPT_TRANSCRIPT = '"prompt" as a transcript, its turns those of the human and the assistant'
COMPLETION = '"prompt" and "completion" as plain text, the completion learned, without turns'
SHAREGPT_TURNS = '"conversations" as turns by their "from" and "value"'
ALPACA = '"instruction" and "input" as a turn of the user, what follows them as one of the assistant'
IN_CONTEXT = '"instruction" and "context" as a turn of the user, what follows them as one of the assistant'
ASKED_MESSAGES = '"{}" as the turns before the answer'


class PlainText(NamedTuple):
    """Text without the turns of a chat: what is learned follows `prompt`, which is not."""

    prompt: str
    completion: str
    field: str
    """Where it stands, for messages."""


class Conversation(NamedTuple):
    """Turns, the last of them the assistant's, with all that the chat template is given."""

    messages: list[Message]
    tools: list[Any] | None = None
    template_args: Mapping[str, Any] = {}
    n_prompt: int = 0
    """Turns at the beginning that are not learned in any case."""
    masked: frozenset[int] = frozenset()
    """Turns with `weight` 0."""


class Segments(NamedTuple):
    """Text in parts, each with whether it is learned (axolotl's `input_output`)."""

    parts: tuple[tuple[str, bool], ...]


Example = PlainText | Conversation


@dataclass
class FormTally:
    """What fields of rows were taken for, where a reader may have meant something else; threads may share one."""

    rows: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def add(self, forms: Sequence[str]) -> None:
        """Counts one more row for each of `forms`."""
        if forms:
            with self._lock:
                self.rows.update(forms)

    def take_notes(self) -> list[str]:
        """One line for each form, for people; begins to count anew."""
        with self._lock:
            notes = [f"{n:,} row{'s' * (n > 1)} read with {form}" for form, n in self.rows.most_common()]
            self.rows.clear()
        return notes


def example_of(fields: Fields, forms: list[str]) -> Example | Segments:
    """What a row teaches; adds to `forms` what was taken for what. Raises RowError.

    Reads `messages`; `prompt` and `completion`, each a text or messages (TRL; two texts are plain text, one beside
    messages is one turn); `conversations` (ShareGPT) with `system`; `instruction`, `input`, `output`, `system` and
    `history` (Alpaca); a question and its answer under names that everybody uses, as `problem` and `generation`
    (NeMo-Skills), `input` and `output` (OpenRLHF) or `question` and `answer`; `segments` (axolotl); or `text`, all of
    which is learned. Where a row has several of these, the first counts, and `forms` says so.
    """
    tags = ("kto_tag", "label") if has_value(fields, "completion") else ("kto_tag",)
    for tag in tags:
        if fields.get(tag) in (False, 0):
            cure = "leave the row out, or learn from it as such (libra dpo --loss kto)"
            raise RowError("undesirable", f'its "{tag}" says that the answer is an undesirable one; {cure}')
    given = [name for name in _LEARNED if has_value(fields, name)]
    forms += _not_learned(fields)
    if len(given) > 1:
        asks = (
            has_value(fields, "instruction") or has_value(fields, QUESTION) or common_name(fields, QUESTION) is not None
        )
        read = next(name for name in given if name != "output" or asks)
        left = [f'"{name}"' for name in given if name != read and (read, name) != ("conversations", "output")]
        forms += [f'"{read}", and without {" and ".join(left)} beside it'] if left else []
    if has_value(fields, "completion") and has_value(fields, "prompt") and not has_value(fields, "messages"):
        if isinstance(fields["prompt"], str) and isinstance(fields["completion"], str):
            forms.append(COMPLETION)
            return plain_text(fields, fields["prompt"], "completion")
        prompt = prompt_turns(fields["prompt"], forms)
        talk = prompt + completion_after(prompt, fields["completion"])
        return conversation_of(fields, behind_system(fields, talk, forms))
    if (conversation := conversation_turns(fields, forms)) is not None:
        return conversation_of(fields, conversation)
    if has_value(fields, "segments"):
        forms.append(SEGMENTS)
        return _segments(fields["segments"])
    if (of_data_set := published(fields)) is not None:
        raise RowError("no_conversation", f"nothing to learn from: {of_data_set}")
    if has_value(fields, "prompt"):
        raise RowError("no_conversation", 'a "prompt" without a "completion"; add what is to be learned')
    if has_value(fields, "instruction"):
        raise RowError("no_conversation", 'an "instruction" without an "output"; add what is to be learned')
    if has_value(fields, "text"):
        forms.append(TEXT)
        return plain_text(fields, "", "text")
    if any(names <= fields.keys() for names in ({"role", "content"}, {"from", "value"})):
        reason = "one turn is no row"
        cure = "write all turns of a conversation in one: jq -c '{messages: .}' FILE"
        raise RowError("no_conversation", f"{reason}; {cure}")
    plain = {plain_name(own) for own in fields if plain_name(own) != own}  # added to the row
    raise RowError("no_conversation", f"nothing to learn from ({columns(fields, plain)}); {FORMS}", cause=FORMS)


def prompt_turns(prompt: Any, forms: list[str]) -> list[Message]:
    """The turns of `prompt` beside messages, those of a transcript too (HH-RLHF). Raises RowError."""
    said = asked_in_transcript(prompt) if isinstance(prompt, str) else []
    forms += [PROMPT_TRANSCRIPT] if said else []
    return said or turns(prompt, "prompt", "user")


def completion_after(prompt: list[Message], completion: Any) -> list[Message]:
    """The turns of a completion, without those of the prompt that it repeats. Raises RowError for another prompt."""
    talk = turns(completion, "completion", "assistant")
    if prompt[-1]["role"] != "user" or talk[0]["role"] in ANSWERS:
        return talk
    asked, repeated = ([(turn["role"], turn["content"].strip()) for turn in part] for part in (prompt, talk))
    if repeated[: len(asked)] != asked or len(repeated) == len(asked):
        cure = "give the answer alone after it, or leave it out"
        raise RowError("two_prompts", f'"completion" begins with another prompt than "prompt"; {cure}')
    return talk[len(asked) :]


def _segments(value: Any) -> Segments:
    """The parts of axolotl's `segments`. Raises RowError."""
    cure = 'write [{"label": false, "text": ...}, {"label": true, "text": ...}]'
    if not (isinstance(value, list) and value and all(isinstance(part, dict) for part in value)):
        raise RowError("bad_segments", f'"segments" is not an array of objects; {cure}')
    for at, part in enumerate(value):
        if type(part.get("label")) is not bool:
            raise RowError("bad_segments", f'"segments"[{at}] has a "label" that is not true or false; {cure}')
    parts = [(checked_text(part.get("text"), f"segments.{at}.text"), part["label"]) for at, part in enumerate(value)]
    if not any(is_learned for _, is_learned in parts):
        raise RowError("nothing_learned", 'no part of "segments" has "label": true; leave the row out')
    return Segments(tuple(parts))


def _not_learned(fields: Fields) -> list[str]:
    """Notes on what a row says about its answer that does not matter here: a rating, another answer that is worse."""
    rating = next((name for name in _RATINGS if type(fields.get(name)) in (int, float)), None)
    notes = [] if rating is None else [f'"{rating}" left out: an answer is learned whatever its rating']
    if has_value(fields, "chosen") and has_value(fields, "rejected"):
        notes.append('"chosen" and "rejected" left out: libra dpo and libra train-rm learn from both')
    return notes


def has_value(fields: Fields, name: str) -> bool:
    """Whether a row has a field, and it is not null."""
    return fields.get(name) is not None


def conversation_turns(fields: Fields, forms: list[str]) -> list[Message] | None:
    """The turns of a row that is one conversation; None if it is none. Raises RowError."""
    if has_value(fields, "messages"):
        return behind_system(fields, messages(fields["messages"], "messages"), forms)
    asked = asked_turns(fields, forms)
    if has_value(fields, "conversations"):
        answer = turns(fields["output"], "output", "assistant") if has_value(fields, "output") else []
        if not answer or asked[-1]["role"] != "assistant":
            return asked + answer
        if [turn["content"].strip() for turn in answer] != [asked[-1]["content"].strip()]:
            raise RowError("two_answers", 'the last turn of "conversations" and "output" are two answers; keep one')
        return asked
    if asked and has_value(fields, "output"):
        return asked + turns(fields["output"], "output", "assistant")
    return _question_and_answer(fields, asked, forms)


def _question_and_answer(fields: Fields, asked: list[Message], forms: list[str]) -> list[Message] | None:
    """A question and its answer, by the first names that the row has for them, as turns; None without an answer.

    `asked` are turns that ask in another form. Raises RowError for an answer that may be wrong, or answers nothing.
    """
    answer = next((name for name in _ANSWER_NAMES if fields.get(name) not in (None, "")), None)
    if answer is None:
        return None
    _check_is_right(fields, answer)
    question = QUESTION if has_value(fields, QUESTION) else common_name(fields, QUESTION)
    if question is None and isinstance(fields.get("prompt"), list):
        question = "prompt"
    if question is None and not asked:
        if has_value(fields, "text") or has_value(fields, "segments"):
            return None
        raise RowError(
            "no_prompt", f'no "question" before the "{answer}"; add what it answers{near_column(fields, QUESTION)}'
        )
    if not asked:
        forms.append(f'"{question}" as a turn of the user, "{answer}" as one of the assistant')
        asked = behind_system(fields, turns(_text_of(fields[str(question)]), str(question), "user"), forms)
    return asked + turns(_text_of(fields[answer]), answer, "assistant")


def _check_is_right(fields: Fields, answer: str) -> None:
    """Raises RowError for a row of libra from which no stage has chosen what is right."""
    if answer == "answer" and isinstance(fields.get("choices"), (list, dict)) and _is_place(fields[answer]):
        raise RowError("no_conversation", f'"answer" is one of "choices": {published(fields)}')
    if answer == RESPONSE and not fields.keys().isdisjoint(_OF_JUDGES):
        what = "a judged or labelled row, right or wrong"
        raise RowError("not_chosen", f"{what}; the right ones make conversations: libra rs-filter FILE | libra sft")
    if answer == RESPONSE and ("provenance" in fields or has_value(fields, "reference")):
        cure = "libra verify FILE | libra rs-filter | libra sft learns the right ones"
        raise RowError("not_chosen", f"nothing says whether this response is right; {cure}")
    if "label" in fields and label_or_none(fields["label"]) != 1:
        cure = "libra rs-filter FILE | libra sft learns the right ones"
        raise RowError("not_chosen", f"the answer is labelled {json.dumps(fields['label'])}, not 1 (right); {cure}")


def _is_place(answer: Any) -> bool:
    """Whether an answer is the place of a choice, or its letter or label, and no text."""
    return not isinstance(answer, str) or (len(answer.strip(" ().")) == 1 and answer.strip(" ().").isalnum())


def _text_of(value: Any) -> Any:
    """A number, as a table may have it, as text."""
    return str(value) if type(value) in (int, float) else value


def asked_turns(fields: Fields, forms: list[str]) -> list[Message]:
    """The turns of `conversations`, of `history`, `instruction` and `input`, or of messages under `context_messages`
    (OpenRLHF) or `input`; or none."""
    if has_value(fields, "conversations"):
        talk = messages(fields["conversations"], "conversations")
        if any(isinstance(item, dict) and "from" in item for item in fields["conversations"]):
            forms.append(SHAREGPT_TURNS)
    elif isinstance(fields.get("instruction"), str):
        texts = [checked_text(fields["instruction"], "instruction")]
        context = next((name for name in CONTEXTS if fields.get(name) not in (None, "")), None)
        if context is not None:
            texts.append(checked_text(fields[context], context))
        talk = [*_history(fields.get("history")), *turns("\n".join(texts), "instruction", "user")]
        forms.append(IN_CONTEXT if context == "context" else ALPACA)
    else:
        name = next((name for name in (CONTEXT_MESSAGES, "input") if isinstance(fields.get(name), list)), None)
        if name is None:
            return []
        talk = messages(fields[name], name)
        forms.append(ASKED_MESSAGES.format(name))
    return behind_system(fields, talk, forms)


def behind_system(fields: Fields, talk: list[Message], forms: list[str]) -> list[Message]:
    """The turns behind the row's `system`, if it has one. Raises RowError."""
    system_name, system = own_system(fields)
    if talk and system:
        forms.append(f'"{system_name}" as the first turn')
    return behind_own_system(fields, talk)


def _history(value: Any) -> list[Message]:
    """Alpaca's earlier turns: pairs of what the user and what the assistant said."""
    talk: list[Message] = []
    if not isinstance(value or [], list):
        raise RowError("bad_message", '"history" is no array of pairs; write [["question", "answer"]]')
    for at, pair in enumerate(value or []):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)):
            raise RowError("bad_message", f'"history"[{at}] is no pair of texts; write ["question", "answer"]')
        for role, text in zip(("user", "assistant"), pair, strict=True):
            talk += turns(text, "history", role)
    return talk


def plain_text(fields: Fields, prompt: str, field: str) -> PlainText:
    """The text of a field as what is learned after `prompt`. Raises RowError."""
    name, system = own_system(fields)
    if system:
        raise RowError("not_shown", f'plain text has no turn for "{name}"; write it into the text, or give messages')
    if field != "text" and not fields[field].strip():
        raise RowError("empty_assistant", f'"{field}" is empty; leave it out, or the whole row')
    return PlainText(prompt and checked_text(prompt, "prompt"), checked_text(fields[field], field), field)


def conversation_of(fields: Fields, talk: list[Message]) -> Conversation:
    """Turns with what belongs to them in the row. Raises RowError unless the last is an answer to something."""
    _check_turns(talk)
    masked: frozenset[int] = frozenset()
    if any(WEIGHT in turn for turn in talk):
        masked = frozenset(at for at, turn in enumerate(talk) if turn["role"] == "assistant" and turn.get(WEIGHT) == 0)
        talk = [{name: value for name, value in turn.items() if name != WEIGHT} for turn in talk]
    tools = tools_of(fields)
    if tools:
        talk = [
            {**turn, "tool_calls": of_their_functions(turn["tool_calls"], tools)} if turn.get("tool_calls") else turn
            for turn in talk
        ]
    return Conversation(talk, tools, template_args_of(fields), 0, masked)


def _check_turns(talk: Sequence[Message]) -> None:
    roles = [turn["role"] for turn in talk]
    if "assistant" not in roles:
        raise RowError("no_assistant", "no turn is the assistant's, so nothing is to be learned; add its answer")
    check_last_turn(talk)
    if roles[0] == "assistant" and len(roles) == 1:
        raise RowError("no_prompt", 'nothing stands before the answer; add a prompt, or give the text as "text"')
    for turn in talk:
        if turn["role"] == "assistant" and not (turn["content"].strip() or turn.get("tool_calls")):
            raise RowError("empty_assistant", "an assistant's turn is empty; leave it out, or the whole row")


def check_last_turn(talk: Sequence[Message]) -> None:
    """Raises RowError unless a conversation ends with the assistant's turn."""
    role = talk[-1]["role"]
    if role != "assistant":
        raise RowError("last_not_assistant", f"the last turn is the {role}'s; end with the assistant's, or cut it")
