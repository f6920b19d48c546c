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
    template_args_of,
    tools_of,
    turns,
)
from libra_cli.records.own_names import QUESTION, RESPONSE, common_name
from libra_cli.stream.rows import RowError, columns

Fields = Mapping[str, Any]

_ANSWER_NAMES = (RESPONSE, "completion", "output", "generation", "model_output", "answer", "solution")
"""Names of the answer to a question; what `COMMON_NAMES` takes for references are answers to learn from."""
_OF_JUDGES = ("label", "verification", "judgments", "prediction", "score")
_RATINGS = ("helpfulness", "overall_score", "rating")
"""Ratings of an answer, as HelpSteer2, UltraFeedback and others have them."""
_ANSWERS = ("assistant", "tool", "function")
"""Roles of turns that go on after a prompt; any other begins a whole conversation."""
_LEARNED = ("messages", "completion", "conversations", "output", "generation", "text")
"""Fields that each may hold what a row teaches, in the order in which they are looked for."""
_HUMAN, _ASSISTANT = "\n\nHuman:", "\n\nAssistant:"
"""Speakers in the transcripts of HH-RLHF."""
_PAIR_FORMS = 'give "prompt", "chosen" and "rejected" (libra dpo-pairs writes them)'
_LABELLED_FORMS = 'give "prompt", "completion" and "label" (libra dpo-pairs --unpaired writes them)'

TEXT = '"text" as plain text that is learned whole, without turns'
COMPLETION = '"prompt" and "completion" as plain text, the completion learned, without turns'
PAIR_OF_TEXTS = '"prompt", "chosen" and "rejected" as plain text, without turns'
TRANSCRIPTS = '"chosen" and "rejected" as transcripts, the prompt ending where both have "Assistant:" last'
SHAREGPT_TURNS = '"conversations" as turns by their "from" and "value"'
SYSTEM = '"system" as the first turn'
ALPACA = '"instruction" and "input" as a turn of the user, what follows them as one of the assistant'
KTO_TAG = '"kto_tag" as the label of the response'


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


def example_of(fields: Fields, forms: list[str]) -> Example:
    """What a row teaches; adds to `forms` what was taken for what. Raises RowError.

    Reads `messages`; `prompt` and `completion`, each a text or messages (TRL; two texts are plain text, one beside
    messages is one turn); `conversations` (ShareGPT) with `system`; `instruction`, `input`, `output`, `system` and
    `history` (Alpaca); a question and its answer under names that everybody uses, as `problem` and `generation`
    (NeMo-Skills) or `question` and `answer`; or `text`, all of which is learned. Where a row has several of these, the
    first counts, and `forms` says so.
    """
    if fields.get("kto_tag") in (False, 0):
        cure = "leave the row out, or learn from it as such (libra dpo --loss kto)"
        raise RowError("undesirable", f'its "kto_tag" says that the answer is an undesirable one; {cure}')
    given = [name for name in _LEARNED if _has(fields, name)]
    forms += _not_learned(fields)
    if len(given) > 1:
        asks = _has(fields, "instruction") or _has(fields, QUESTION) or common_name(fields, QUESTION) is not None
        read = next(name for name in given if name != "output" or asks)
        left = [f'"{name}"' for name in given if name != read and (read, name) != ("conversations", "output")]
        forms += [f'"{read}", and without {" and ".join(left)} beside it'] if left else []
    if _has(fields, "completion") and _has(fields, "prompt") and not _has(fields, "messages"):
        if isinstance(fields["prompt"], str) and isinstance(fields["completion"], str):
            forms.append(COMPLETION)
            return _text(fields, fields["prompt"], "completion")
        prompt = turns(fields["prompt"], "prompt", "user")
        talk = prompt + turns(fields["completion"], "completion", "assistant")
        return _conversation(fields, _with_system(fields, talk, forms))
    conversation = _turns_of(fields, forms)
    if conversation is not None:
        return _conversation(fields, conversation)
    if _has(fields, "prompt"):
        raise RowError("no_conversation", 'a "prompt" without a "completion"; add what is to be learned')
    if _has(fields, "instruction"):
        raise RowError("no_conversation", 'an "instruction" without an "output"; add what is to be learned')
    if _has(fields, "text"):
        forms.append(TEXT)
        return _text(fields, "", "text")
    raise RowError("no_conversation", f"nothing to learn from ({columns(fields)}); {FORMS}")


def _not_learned(fields: Fields) -> list[str]:
    """Notes on what a row says about its answer that does not matter here: a rating, another answer that is worse."""
    rating = next((name for name in _RATINGS if type(fields.get(name)) in (int, float)), None)
    notes = [] if rating is None else [f'"{rating}" left out: an answer is learned whatever its rating']
    if _has(fields, "chosen") and _has(fields, "rejected"):
        notes.append('"chosen" and "rejected" left out: libra dpo and libra train-rm learn from both')
    return notes


def is_pair(fields: Fields) -> bool:
    """Whether the row is a preference pair, if it is anything to learn preferences from."""
    return _has(fields, "chosen") or _has(fields, "rejected")


def preference_of(fields: Fields, forms: list[str]) -> tuple[Example, Example]:
    """The chosen and the rejected response of a row, each after its prompt. Adds to `forms`; raises RowError.

    Reads `prompt`, `chosen` and `rejected`, each a text or messages (TRL; three texts are plain text, one beside
    messages is one turn); `chosen` and `rejected` alone, as messages or transcripts (HH-RLHF) that begin alike;
    `conversations` or `instruction` and `input` in place of `prompt` (LLaMA-Factory).
    """
    for name in ("chosen", "rejected"):
        if not _has(fields, name):
            raise RowError("no_pair", f'there is no "{name}"; {_PAIR_FORMS}')
    sides, prompt = [fields["chosen"], fields["rejected"]], fields.get("prompt")
    names = ("chosen", "rejected")
    chosen, rejected = (turns(side, name, "assistant") for side, name in zip(sides, names, strict=True))
    if chosen == rejected:
        raise RowError("same_responses", '"chosen" and "rejected" are the same; leave the row out')
    if isinstance(prompt, str) and isinstance(sides[0], str) and isinstance(sides[1], str):
        forms.append(PAIR_OF_TEXTS)
        return _text(fields, prompt, "chosen"), _text(fields, prompt, "rejected")
    if prompt is None and isinstance(sides[0], str) and isinstance(sides[1], str):
        shared = next((at for at, both in enumerate(zip(*sides, strict=False)) if both[0] != both[1]), 0)
        asked, speaker, _ = sides[0][:shared].rpartition(_ASSISTANT)
        if speaker and asked.startswith(_HUMAN):
            forms.append(TRANSCRIPTS)
            asked += speaker
            responses = {**fields, **{name: fields[name][len(asked) :] for name in names}}
            return _text(responses, asked, "chosen"), _text(responses, asked, "rejected")
    given = [] if prompt is None else turns(prompt, "prompt", "user")
    if given and chosen[0]["role"] in _ANSWERS:
        before = _with_system(fields, given, forms)
    elif prompt is None and (before := _asked(fields, forms)):
        pass
    elif any(isinstance(side, str) for side in sides):
        cure = 'give it as "prompt", and only the responses as "chosen" and "rejected"'
        raise RowError("no_prompt", f'"chosen" and "rejected" are texts without a prompt; {cure}')
    else:
        n = next((at for at, both in enumerate(zip(chosen, rejected, strict=False)) if both[0] != both[1]), None)
        n = min(len(chosen), len(rejected)) if n is None else n
        before, chosen, rejected = chosen[:n], chosen[n:], rejected[n:]
        said = [(turn["role"], turn["content"].strip()) for turn in before]
        if any((turn["role"], turn["content"].strip()) not in said for turn in given):
            cure = "give the responses alone after it, or leave it out"
            raise RowError("two_prompts", f'"chosen" and "rejected" begin with other turns than "prompt" has; {cure}')
        before = _with_system(fields, before, forms)
    for response, name in ((chosen, "chosen"), (rejected, "rejected")):
        if not response:
            raise RowError("no_response", f'"{name}" ends where the other goes on; give both a last turn of their own')
    return _answered(fields, before, chosen), _answered(fields, before, rejected)


def labelled_response_of(fields: Fields, forms: list[str]) -> tuple[Example, bool]:
    """The response of a row after its prompt, and whether it is a desirable one. Adds to `forms`; raises RowError.

    Reads `prompt`, `completion` and `label` (true or false, 1 or 0), or, with `kto_tag` for the label, the last turn of
    `messages`, `conversations`, or of `instruction`, `input` and `output` (LLaMA-Factory).
    """
    tags = [name for name in ("label", "kto_tag") if _has(fields, name)]
    if len(tags) == 2 and _label(fields, "label") != _label(fields, "kto_tag"):
        raise RowError("two_labels", '"label" and "kto_tag" contradict each other; keep one')
    if "kto_tag" in tags and not _has(fields, "completion"):
        conversation = _turns_of(fields, forms) or []
        forms.append(KTO_TAG)
        is_desirable = _label(fields, "kto_tag")
        return _answered(fields, conversation[:-1], conversation[-1:]), is_desirable
    for name in ("prompt", "completion"):
        if not _has(fields, name):
            raise RowError(f"no_{name}", f'there is no "{name}"; {_LABELLED_FORMS}')
    if tags == ["kto_tag"]:
        forms.append(KTO_TAG)
    is_desirable = _label(fields, "kto_tag" if tags == ["kto_tag"] else "label")
    prompt, completion = fields["prompt"], fields["completion"]
    if isinstance(prompt, str) and isinstance(completion, str):
        forms.append(COMPLETION)
        return _text(fields, prompt, "completion"), is_desirable
    asked, answer = turns(prompt, "prompt", "user"), turns(completion, "completion", "assistant")
    return _answered(fields, _with_system(fields, asked, forms), answer), is_desirable


def _has(fields: Fields, name: str) -> bool:
    return fields.get(name) is not None


def _label(fields: Fields, name: str) -> bool:
    label = fields.get(name)
    if not isinstance(label, (bool, int)) or label not in (0, 1):
        raise RowError("no_label", f'"{name}" is not true or false; {_LABELLED_FORMS}')
    return bool(label)


def _turns_of(fields: Fields, forms: list[str]) -> list[Message] | None:
    """The turns of a row that is one conversation; None if it is none. Raises RowError."""
    if _has(fields, "messages"):
        return _with_system(fields, messages(fields["messages"], "messages"), forms)
    asked = _asked(fields, forms)
    if _has(fields, "conversations"):
        answer = turns(fields["output"], "output", "assistant") if _has(fields, "output") else []
        if not answer or asked[-1]["role"] != "assistant":
            return asked + answer
        if [turn["content"].strip() for turn in answer] != [asked[-1]["content"].strip()]:
            raise RowError("two_answers", 'the last turn of "conversations" and "output" are two answers; keep one')
        return asked
    if asked and _has(fields, "output"):
        return asked + turns(fields["output"], "output", "assistant")
    return _question_and_answer(fields, asked, forms)


def _question_and_answer(fields: Fields, asked: list[Message], forms: list[str]) -> list[Message] | None:
    """A question and its answer, by the first names that the row has for them, as turns; None without an answer.

    `asked` are turns that ask in another form. Raises RowError for an answer that may be wrong, or answers nothing.
    """
    answer = next((name for name in _ANSWER_NAMES if _has(fields, name)), None)
    if answer is None:
        return None
    _check_is_right(fields, answer)
    question = QUESTION if _has(fields, QUESTION) else common_name(fields, QUESTION)
    if question is None and isinstance(fields.get("prompt"), list):
        question = "prompt"
    if question is None and not asked:
        if _has(fields, "text"):
            return None
        raise RowError("no_prompt", f'a "{answer}" without a "question"; add what it answers')
    if not asked:
        forms.append(f'"{question}" as a turn of the user, "{answer}" as one of the assistant')
        asked = _with_system(fields, turns(_text_of(fields[str(question)]), str(question), "user"), forms)
    return asked + turns(_text_of(fields[answer]), answer, "assistant")


def _check_is_right(fields: Fields, answer: str) -> None:
    """Raises RowError for a row of libra from which no stage has chosen what is right."""
    if answer == RESPONSE and not fields.keys().isdisjoint(_OF_JUDGES):
        what = "a judged or labelled row, right or wrong"
        raise RowError("not_chosen", f"{what}; the right ones make conversations: libra rs-filter FILE | libra sft")
    if answer == RESPONSE and ("provenance" in fields or _has(fields, "reference")):
        cure = "libra verify FILE | libra rs-filter | libra sft learns the right ones"
        raise RowError("not_chosen", f"nothing says whether this response is right; {cure}")
    if "label" in fields and fields["label"] not in (1, "1"):
        cure = "libra rs-filter FILE | libra sft learns the right ones"
        raise RowError("not_chosen", f"the answer is labelled {json.dumps(fields['label'])}, not 1 (right); {cure}")


def _text_of(value: Any) -> Any:
    """A number, as a table may have it, as text."""
    return str(value) if type(value) in (int, float) else value


def _asked(fields: Fields, forms: list[str]) -> list[Message]:
    """The turns of `conversations`, or of `history`, `instruction` and `input`; none of a row without these."""
    if _has(fields, "conversations"):
        talk = messages(fields["conversations"], "conversations")
        if any(isinstance(item, dict) and "from" in item for item in fields["conversations"]):
            forms.append(SHAREGPT_TURNS)
    elif isinstance(fields.get("instruction"), str):
        texts = [checked_text(fields["instruction"], "instruction")]
        if fields.get("input") not in (None, ""):
            texts.append(checked_text(fields["input"], "input"))
        talk = [*_history(fields.get("history")), *turns("\n".join(texts), "instruction", "user")]
        forms.append(ALPACA)
    else:
        return []
    return _with_system(fields, talk, forms)


def _with_system(fields: Fields, talk: list[Message], forms: list[str]) -> list[Message]:
    """The turns behind the row's `system`, if it has one. Raises RowError."""
    if talk and fields.get("system") not in (None, ""):
        forms.append(SYSTEM)
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


def _text(fields: Fields, prompt: str, field: str) -> PlainText:
    """The text of a field as what is learned after `prompt`. Raises RowError."""
    if fields.get("system") not in (None, ""):
        raise RowError("not_shown", 'plain text has no turn for "system"; write it into the text, or give messages')
    if field != "text" and not fields[field].strip():
        raise RowError("empty_assistant", f'"{field}" is empty; leave it out, or the whole row')
    return PlainText(prompt and checked_text(prompt, "prompt"), checked_text(fields[field], field), field)


def _answered(fields: Fields, prompt: list[Message], response: list[Message]) -> Conversation:
    """A prompt with a response to learn. Raises RowError unless that ends with the assistant, who says something."""
    if not prompt:
        raise RowError("no_prompt", 'nothing stands before the response; add a "prompt"')
    return _conversation(fields, [*prompt, *response])._replace(n_prompt=len(prompt))


def _conversation(fields: Fields, talk: list[Message]) -> Conversation:
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
    if roles[-1] != "assistant":
        raise RowError("last_not_assistant", f"the last turn is the {roles[-1]}'s; end with the assistant's, or cut it")
    if roles[0] == "assistant" and len(roles) == 1:
        raise RowError("no_prompt", 'nothing stands before the answer; add a prompt, or give the text as "text"')
    for turn in talk:
        if turn["role"] == "assistant" and not (turn["content"].strip() or turn.get("tool_calls")):
            raise RowError("empty_assistant", "an assistant's turn is empty; leave it out, or the whole row")
