"""Rows that say which responses are better: pairs, and single responses with a label, as examples to learn from.

Sources of the forms: as in `training_rows`; Anthropic's HH-RLHF; the data sets that `libra collect` writes as pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra_cli.records.messages import Message, turns
from libra_cli.records.own_names import QUESTION, RESPONSE, common_name, common_text
from libra_cli.records.training_rows import (
    COMPLETION,
    Conversation,
    Example,
    asked_turns,
    behind_system,
    conversation_of,
    conversation_turns,
    has_value,
    plain_text,
)
from libra_cli.records.transcripts import ASSISTANT, HUMAN
from libra_cli.stream.rows import RowError
from libra_cli.stream.wrong_rows import published, wrong_row
from libra_cli.tasks.rank import golden_sign

Fields = Mapping[str, Any]

_GENERATED = ("response_with_cot", "provenance", "judgments")
"""Fields of rows of `libra rollout` and `libra judge`."""
_PAIR = ("response_a", "response_b")
_ANSWERS = ("assistant", "tool", "function")
"""Roles of turns that go on after a prompt; any other begins a whole conversation."""
_PAIR_FORMS = 'give "prompt", "chosen" and "rejected" (libra dpo-pairs writes them)'
_LABELLED_FORMS = 'give "prompt", "completion" and "label" (libra dpo-pairs --unpaired writes them)'
_PREFERENCE = 'write A>B or B>A as "preference", or leave the row out'

PAIR_OF_TEXTS = '"prompt", "chosen" and "rejected" as plain text, without turns'
TRANSCRIPTS = '"chosen" and "rejected" as transcripts, the prompt ending where both have "Assistant:" last'
BY_PREFERENCE = '"response_a" and "response_b" as chosen and rejected, by "preference"'
KTO_TAG = '"kto_tag" as the label of the response'


def is_pair(fields: Fields) -> bool:
    """Whether the row is a preference pair, if it is anything to learn preferences from."""
    return any(has_value(fields, name) for name in ("chosen", "rejected", *_PAIR))


def preference_of(fields: Fields, forms: list[str]) -> tuple[Example, Example]:
    """The chosen and the rejected response of a row, each after its prompt. Adds to `forms`; raises RowError.

    Reads `prompt`, `chosen` and `rejected`, each a text or messages (TRL; three texts are plain text, one beside
    messages is one turn); `chosen` and `rejected` alone, as messages or transcripts (HH-RLHF) that begin alike;
    `conversations` or `instruction` and `input` in place of `prompt` (LLaMA-Factory), or a question under a name that
    everybody uses. Of `response_a` and `response_b` (libra collect) `preference` says which is chosen.
    """
    if all(has_value(fields, name) for name in _PAIR) and not has_value(fields, "chosen"):
        fields = _by_preference(fields, forms)
    for name in ("chosen", "rejected"):
        if not has_value(fields, name):
            raise RowError("no_pair", f'there is no "{name}"; {wrong_row(fields) or _PAIR_FORMS}')
    sides, prompt = [fields["chosen"], fields["rejected"]], fields.get("prompt")
    names = ("chosen", "rejected")
    chosen, rejected = (turns(side, name, "assistant") for side, name in zip(sides, names, strict=True))
    if chosen == rejected:
        raise RowError("same_responses", '"chosen" and "rejected" are the same; leave the row out')
    if isinstance(prompt, str) and isinstance(sides[0], str) and isinstance(sides[1], str):
        forms.append(PAIR_OF_TEXTS)
        return plain_text(fields, prompt, "chosen"), plain_text(fields, prompt, "rejected")
    if prompt is None and isinstance(sides[0], str) and isinstance(sides[1], str):
        shared = next((at for at, both in enumerate(zip(*sides, strict=False)) if both[0] != both[1]), 0)
        asked, speaker, _ = sides[0][:shared].rpartition(ASSISTANT)
        if speaker and asked.startswith(HUMAN):
            forms.append(TRANSCRIPTS)
            asked += speaker
            responses = {**fields, **{name: fields[name][len(asked) :] for name in names}}
            return plain_text(responses, asked, "chosen"), plain_text(responses, asked, "rejected")
    given = [] if prompt is None else turns(prompt, "prompt", "user")
    if given and chosen[0]["role"] in _ANSWERS:
        before = behind_system(fields, given, forms)
    elif prompt is None and (before := _asked(fields, forms, chosen[0]["role"] in _ANSWERS)):
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
        before = behind_system(fields, before, forms)
    for response, name in ((chosen, "chosen"), (rejected, "rejected")):
        if not response:
            raise RowError("no_response", f'"{name}" ends where the other goes on; give both a last turn of their own')
    return _answered(fields, before, chosen), _answered(fields, before, rejected)


def _by_preference(fields: Fields, forms: list[str]) -> Fields:
    """A pair in the form of `libra collect` as a chosen and a rejected response. Raises RowError for a tie."""
    sign = golden_sign(fields)
    if sign == 0:
        cure = "leave the row out (libra collect --where \"preference != 'A=B'\")"
        raise RowError("no_preference", f'"response_a" and "response_b" are a tie; {cure}')
    if sign is None:
        cure = published(fields) or _PREFERENCE
        raise RowError("no_preference", f"a pair of responses without a preference; {cure}")
    forms.append(BY_PREFERENCE)
    better, worse = _PAIR if sign > 0 else reversed(_PAIR)
    prompt = fields.get("prompt")
    asked = {"prompt": None, QUESTION: fields.get(QUESTION) or prompt} if isinstance(prompt, str) else {}
    return {**fields, **asked, "chosen": fields[better], "rejected": fields[worse]}


def _asked(fields: Fields, forms: list[str], only_responses: bool) -> list[Message]:
    """The turns before both responses, in another form than `prompt`; none without them. Raises RowError."""
    return asked_turns(fields, forms) or (_question_turn(fields, forms) if only_responses else [])


def _question_turn(fields: Fields, forms: list[str]) -> list[Message]:
    """The question of a row as a turn of the user, behind its `system`; none without one. Raises RowError."""
    name = QUESTION if has_value(fields, QUESTION) else common_name(fields, QUESTION)
    if name is None:
        return []
    forms.append(f'"{name}" as a turn of the user')
    return behind_system(fields, turns(common_text(fields, QUESTION, name), name, "user"), forms)


def labelled_response_of(fields: Fields, forms: list[str]) -> tuple[Example, bool]:
    """The response of a row after its prompt, and whether it is a desirable one. Adds to `forms`; raises RowError.

    Reads `prompt`, `completion` and `label` (true or false, 1 or 0), or, with `kto_tag` for the label, the last turn of
    `messages`, `conversations`, or of `instruction`, `input` and `output` (LLaMA-Factory); or a question, a response
    and a label, as `libra collect` writes them.
    """
    tags = [name for name in ("label", "kto_tag") if has_value(fields, name)]
    if len(tags) == 2 and _label(fields, "label") != _label(fields, "kto_tag"):
        raise RowError("two_labels", '"label" and "kto_tag" contradict each other; keep one')
    if "kto_tag" in tags and not has_value(fields, "completion"):
        conversation = conversation_turns(fields, forms) or []
        forms.append(KTO_TAG)
        is_desirable = _label(fields, "kto_tag")
        return _answered(fields, conversation[:-1], conversation[-1:]), is_desirable
    if "label" in tags and not has_value(fields, "completion") and (talk := _answered_question(fields, forms)):
        return _answered(fields, talk[:-1], talk[-1:]), _label(fields, "label")
    for name in ("prompt", "completion"):
        if not has_value(fields, name):
            raise RowError(f"no_{name}", f'there is no "{name}"; {wrong_row(fields) or _LABELLED_FORMS}')
    if tags == ["kto_tag"]:
        forms.append(KTO_TAG)
    is_desirable = _label(fields, "kto_tag" if tags == ["kto_tag"] else "label")
    prompt, completion = fields["prompt"], fields["completion"]
    if isinstance(prompt, str) and isinstance(completion, str):
        forms.append(COMPLETION)
        return plain_text(fields, prompt, "completion"), is_desirable
    asked, answer = turns(prompt, "prompt", "user"), turns(completion, "completion", "assistant")
    return _answered(fields, behind_system(fields, asked, forms), answer), is_desirable


def _answered_question(fields: Fields, forms: list[str]) -> list[Message]:
    """The turns of a question and its response under names that everybody uses; none without them. Raises RowError.

    What libra generated is left to `libra dpo-pairs`, which knows where the thinking of a response is.
    """
    name = RESPONSE if has_value(fields, RESPONSE) else common_name(fields, RESPONSE)
    if name is None or not fields.keys().isdisjoint(_GENERATED) or published(fields) is not None:
        return []
    asked = _asked(fields, forms, True)
    if not asked:
        return []
    forms.append(f'"{name}" as a turn of the assistant')
    return asked + turns(fields[name], name, "assistant")


def _label(fields: Fields, name: str) -> bool:
    label = fields.get(name)
    if not isinstance(label, (bool, int, float)) or label not in (0, 1):
        raise RowError("no_label", f'"{name}" is not true or false; {_LABELLED_FORMS}')
    return bool(label)


def _answered(fields: Fields, prompt: list[Message], response: list[Message]) -> Conversation:
    """A prompt with a response to learn. Raises RowError unless that ends with the assistant, who says something."""
    if not prompt:
        raise RowError("no_prompt", 'nothing stands before the response; add a "prompt"')
    return conversation_of(fields, [*prompt, *response])._replace(n_prompt=len(prompt))
