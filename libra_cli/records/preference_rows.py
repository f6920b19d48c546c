"""Rows that say which responses are better: pairs, and single responses with a label, as examples to learn from.

Sources of the forms: as in `training_rows`; Anthropic's HH-RLHF; the data sets that `libra collect` writes as pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra_cli.records.messages import Message, turns
from libra_cli.records.own_names import QUESTION, RESPONSE, common_name, common_text
from libra_cli.records.training_rows import (
    ANSWERS,
    COMPLETION,
    Conversation,
    Example,
    PlainText,
    asked_turns,
    behind_system,
    check_last_turn,
    completion_after,
    conversation_of,
    conversation_turns,
    has_value,
    plain_text,
    prompt_turns,
)
from libra_cli.records.transcripts import ASSISTANT, repeats_prompt, stand_in, talks_of_transcripts, without_prompt
from libra_cli.stream.rows import RowError
from libra_cli.stream.wrong_rows import published, wrong_row
from libra_cli.tasks.labels import label_or_none
from libra_cli.tasks.rank import golden_sign

Fields = Mapping[str, Any]

_GENERATED = ("response_with_cot", "provenance", "judgments")
"""Fields of rows of `libra rollout` and `libra judge`."""
_PAIR = ("response_a", "response_b")
_PAIR_FORMS = 'give "prompt", "chosen" and "rejected" (libra dpo-pairs writes them)'
_LABELLED_FORMS = 'give "prompt", "completion" and "label" (libra dpo-pairs --unpaired writes them)'
_PREFERENCE = 'write A>B or B>A as "preference", or leave the row out'

_ONE_PROMPT = "give both after the same prompt, or leave the row out"
_ALONE = "give the responses alone after it, or leave it out"

PAIR_OF_TEXTS = '"prompt", "chosen" and "rejected" as plain text, without turns'
TRANSCRIPTS = '"chosen" and "rejected" as transcripts, the prompt ending where both have "Assistant:" last'
REPEATED = '"prompt" once, which "chosen" and "rejected" repeat'
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
    sides, names, prompt = [fields["chosen"], fields["rejected"]], ("chosen", "rejected"), fields.get("prompt")
    talks = talks_of_transcripts(fields)
    chosen, rejected = (
        talks[name] if talks else turns(side, name, "assistant") for side, name in zip(sides, names, strict=True)
    )
    if chosen == rejected:
        raise RowError("same_responses", '"chosen" and "rejected" are the same; leave the row out')
    if talks:
        return _pair_of_transcripts(fields, chosen, rejected, forms)
    if isinstance(prompt, str) and all(isinstance(side, str) for side in sides):
        forms.append(PAIR_OF_TEXTS)
        if repeats_prompt(fields):
            forms.append(REPEATED)
            fields = without_prompt(fields)
        return plain_text(fields, prompt, "chosen"), plain_text(fields, prompt, "rejected")
    given = [] if prompt is None else prompt_turns(prompt, forms)
    are_whole = [side[0]["role"] not in ANSWERS for side in (chosen, rejected)]
    if are_whole[0] != are_whole[1]:
        whole, bare = names if are_whole[0] else names[::-1]
        raise RowError("two_prompts", f'"{whole}" begins with a prompt and "{bare}" does not; {_ONE_PROMPT}')
    before: list[Message] = []
    if not are_whole[0]:
        before = behind_system(fields, given, forms) if given else _asked(fields, forms)
    if not before:
        if any(isinstance(side, str) for side in sides):
            cure = 'give it as "prompt", and only the responses as "chosen" and "rejected"'
            raise RowError("no_prompt", f'"chosen" and "rejected" are texts without a prompt; {cure}')
        before, chosen, rejected = _parted(chosen, rejected)
        _check_prompt(fields, given, before)
        before = behind_system(fields, before, forms)
    _check_answer_one_prompt(chosen, rejected)
    return _answered(fields, before, chosen), _answered(fields, before, rejected)


def _parted(chosen: list[Message], rejected: list[Message]) -> tuple[list[Message], list[Message], list[Message]]:
    """The turns with which two conversations begin alike, and what follows in each."""
    n = next((at for at, both in enumerate(zip(chosen, rejected, strict=False)) if both[0] != both[1]), None)
    n = min(len(chosen), len(rejected)) if n is None else n
    return chosen[:n], chosen[n:], rejected[n:]


def _check_answer_one_prompt(chosen: list[Message], rejected: list[Message]) -> None:
    """Raises RowError unless what follows the prompt of a pair begins with an answer on both sides, and differs."""
    n = min(len(chosen), len(rejected))
    if chosen[:n] == rejected[:n]:
        shorter, longer = ("chosen", "rejected") if len(chosen) == n else ("rejected", "chosen")
        cure = "give both a last turn of their own, or leave the row out"
        raise RowError("no_response", f'"{shorter}" is only the beginning of "{longer}"; {cure}')
    if any(side[0]["role"] not in ANSWERS for side in (chosen, rejected)):
        raise RowError("two_prompts", f'"chosen" and "rejected" answer different prompts; {_ONE_PROMPT}')


def _pair_of_transcripts(
    fields: Fields, chosen: list[Message], rejected: list[Message], forms: list[str]
) -> tuple[PlainText, PlainText]:
    """Two transcripts, of these turns, as plain text: their last turns after what stands before. Raises RowError.

    All that follows the prompt of a plain text is learned, so that no turn of the human may be there.
    """
    responses = _parted(chosen, rejected)[1:]
    _check_answer_one_prompt(*responses)
    for talk in (chosen, rejected):
        check_last_turn(talk)
    if any(len(response) > 1 for response in responses):
        cure = "give them as messages, whose turns of the user are not learned, or leave the row out"
        raise RowError("two_prompts", f'"chosen" and "rejected" differ before their last turn; {cure}')
    (asked, speaker, better), (_, _, worse) = (fields[name].rpartition(ASSISTANT) for name in ("chosen", "rejected"))
    asked += speaker
    given = [] if fields.get("prompt") is None else turns(fields["prompt"], "prompt", "user")
    if any(_words(turn["content"]) not in _words(asked) for turn in given):
        raise RowError("two_prompts", f'"chosen" and "rejected" begin otherwise than "prompt"; {_ALONE}')
    forms.append(TRANSCRIPTS)
    fields = {**fields, "chosen": better, "rejected": worse}
    return plain_text(fields, asked, "chosen"), plain_text(fields, asked, "rejected")


def _check_prompt(fields: Fields, given: list[Message], before: list[Message]) -> None:
    """Raises RowError if a row also asks with something else than the turns with which both conversations begin.

    `given` are the turns of `prompt`; these turns have them one after another. A prompt of any other name may differ
    from a turn of the user by what stands around it.
    """
    if given and stand_in(given, before):
        return
    if not given:
        asked = _asked(fields, [])
        if not asked or not before:
            return
        want = _words(asked[-1]["content"])
        turns_of_user = [_words(turn["content"]) for turn in before if turn["role"] == "user"]
        if any(text in want or want in text for text in turns_of_user):
            return
    what = '"prompt" has' if given else "the row asks with"
    raise RowError("two_prompts", f'"chosen" and "rejected" begin with other turns than {what}; {_ALONE}')


def _words(text: str) -> str:
    return " ".join(text.split())


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


def _asked(fields: Fields, forms: list[str]) -> list[Message]:
    """The turns before the responses of a row, in another form than `prompt`; none without them. Raises RowError."""
    return asked_turns(fields, forms) or _question_turn(fields, forms)


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
    asked = prompt_turns(prompt, forms)
    answer = completion_after(asked, completion)
    return _answered(fields, behind_system(fields, asked, forms), answer), is_desirable


def _answered_question(fields: Fields, forms: list[str]) -> list[Message]:
    """The turns of a question and its response under names that everybody uses; none without them. Raises RowError.

    What libra generated is left to `libra dpo-pairs`, which knows where the thinking of a response is.
    """
    name = RESPONSE if has_value(fields, RESPONSE) else common_name(fields, RESPONSE)
    if name is None or not fields.keys().isdisjoint(_GENERATED) or published(fields) is not None:
        return []
    asked = _asked(fields, forms)
    if not asked:
        return []
    forms.append(f'"{name}" as a turn of the assistant')
    return asked + turns(fields[name], name, "assistant")


def _label(fields: Fields, name: str) -> bool:
    label = label_or_none(fields.get(name))
    if label is None:
        raise RowError("no_label", f'"{name}" is not true or false; {_LABELLED_FORMS}')
    return bool(label)


def _answered(fields: Fields, prompt: list[Message], response: list[Message]) -> Conversation:
    """A prompt with a response to learn. Raises RowError unless that ends with the assistant, who says something."""
    if not prompt:
        raise RowError("no_prompt", 'nothing stands before the response; add a "prompt"')
    return conversation_of(fields, [*prompt, *response])._replace(n_prompt=len(prompt))
