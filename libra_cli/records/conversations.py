"""Converts published rows that renaming of fields does not map: conversations, wrapped prompts, pairs."""

from __future__ import annotations

import re
from typing import Any

from libra_cli.answers.extraction.extract import final_answer
from libra_cli.answers.time_limit import limited
from libra_cli.records.messages import Message, messages
from libra_cli.records.transcripts import transcript, with_calls
from libra_cli.stream import rows
from libra_cli.stream.common_names import answers_in
from libra_cli.stream.rows import RowError
from libra_cli.tasks import thinking

Fields = dict[str, Any]

FIRST, SECOND, TIE = "A>B", "B>A", "A=B"
_USER, _ASSISTANT = "user", "assistant"
# DAPO asks for a last line "Answer: ..." before the problem, and reminds of it after the problem.
_DAPO_BEFORE = re.compile(r"\ASolve the following math problem step by step\.[^\n]*\n+")
_DAPO_AFTER = re.compile(r"\n+Remember to put your answer on its own line after \"Answer:\"\.?\s*\Z")
_HELPSTEER_TURN = re.compile(r"\s*<extra_id_1>(User|Assistant)\n")


ODD = (AttributeError, IndexError, KeyError, TypeError)
"""What reading raises on a field that holds something other than its data set has there."""


class OtherForm(ValueError):
    """A row lacks the fields of its data set."""


def reason(error: Exception) -> str:
    """Why a row is of another form, for people."""
    if isinstance(error, OtherForm):
        return str(error)
    return f'"{error.args[0]}" is missing' if isinstance(error, KeyError) else "a field holds something of another form"


def built(new: Fields, fields: Fields, *used: str) -> Fields:
    """What a preset makes of a row, with the other fields of the row: one of the same name gives way."""
    return {**new, **{name: value for name, value in fields.items() if name not in used and name not in new}}


def integer_answer(fields: Fields, _seed: int) -> Fields:
    """AIME answers are whole numbers, which some copies pad with zeros (025)."""
    for name in ("reference", "answer", "Answer"):
        value = fields.get(name)
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            fields[name] = str(int(value))
    return fields


def prompt_with_rule(fields: Fields, _seed: int) -> Fields:
    """Reads `prompt`, a conversation of one message, and `reward_model.ground_truth`, an answer or a JSON list of them.

    The first of several answers is the reference; all of them are kept as `references`.
    """
    question = problem_of_prompt(fields)
    rule = fields.get("reward_model")
    answers = answers_in(rule["ground_truth"]) if isinstance(rule, dict) and "ground_truth" in rule else []
    if not answers:  # the processed copy of DAPO-Math-17k has the answer as `solution`
        answers = answers_in(fields.get("solution"))
    kept = {name: value for name, value in fields.items() if name not in ("prompt", "reward_model", "solution")}
    several = {"references": answers} if len(answers) > 1 else {}
    return {"question": question, **({"reference": answers[0]} if answers else {}), **kept, **several}


def problem_of_prompt(fields: Fields) -> str:
    """The problem in `prompt`, without the instruction that the data set puts around each problem."""
    prompt = fields.get("prompt")
    if isinstance(prompt, list):
        prompt = next((text for role, text in turns_of(prompt) if role == _USER), None)
    if not isinstance(prompt, str):
        raise OtherForm('there is no "prompt" with a user\'s message')
    return _DAPO_AFTER.sub("", _DAPO_BEFORE.sub("", prompt)).strip()


def solved_conversation(fields: Fields, _seed: int) -> Fields:
    """Reads `conversations`, a user's problem and a teacher's solution; the reference is its boxed answer."""
    question = first_question(fields)
    solution = next((text for role, text in turns_of(fields["conversations"]) if role == _ASSISTANT), "")
    answer = limited(None, final_answer, thinking.after_thinking(solution) or "")
    kept = {name: value for name, value in fields.items() if name != "conversations"}
    return {"question": question, **({} if answer is None else {"reference": answer}), **kept}


def first_question(fields: Fields) -> str:
    """The first message of the user in `conversations`."""
    turns = turns_of(fields.get("conversations"))
    question = next((text for role, text in turns if role == _USER), None)
    if not question:
        raise OtherForm('there is no "conversations" with a user\'s message')
    return question


def rated_pair(fields: Fields, _seed: int) -> Fields:
    """Reads HelpSteer2's preference file: `preference_strength` is below 0 if response 1 is better, above 0 if 2 is.

    0 is a tie. The rating file (one response a row, with helpfulness) states no preference and is not read.
    """
    strength = fields.get("preference_strength")
    if isinstance(strength, bool) or not isinstance(strength, (int, float)):
        raise OtherForm('there is no "preference_strength"; take the file preference/preference.jsonl.gz of HelpSteer2')
    if not all(isinstance(fields.get(name), str) for name in ("prompt", "response_1", "response_2")):
        raise OtherForm('there is no "prompt" with "response_1" and "response_2"')
    # The turns after the first begin with <extra_id_1>Assistant or <extra_id_1>User within the prompt.
    first, *rest = _HELPSTEER_TURN.split(fields["prompt"])
    turns = [("user", first), *((role.lower(), text) for role, text in zip(rest[::2], rest[1::2], strict=True))]
    pair = _pair(_asked(turns), fields["response_1"], fields["response_2"])
    is_tie = strength == 0 or fields["response_1"] == fields["response_2"]
    made = {**pair, "preference": TIE if is_tie else FIRST if strength < 0 else SECOND}
    return built(made, fields, "prompt", "response_1", "response_2")


def chosen_pair(fields: Fields, seed: int) -> Fields:
    """Reads `chosen` and `rejected`, conversations that differ in their last message.

    The seed and the pair decide which of them is response A: if the chosen one always came first, its place would give
    it away. Of `preference_data.chosen_pair_of`, which reads more forms, this one stays apart because its order depends
    on the roles as the row spells them: with that one's, the data sets collected so far would change. Raises OtherForm.
    """
    conversations, given = [], []
    for name in ("chosen", "rejected"):
        turns = turns_of(fields.get(name))
        if len(turns) < 2 or turns[-1][0] != _ASSISTANT:
            raise OtherForm(f'"{name}" is no conversation that ends with the assistant')
        conversations.append(turns)
        # With the speakers as the row names them: the order does not change with libra's names for them.
        roles = [message.get("role") or message.get("from") for message in fields[name]]
        given.append([(role, text) for role, (_, text) in zip(roles, turns, strict=True)])
    chosen, rejected = conversations
    if chosen[:-1] != rejected[:-1]:
        raise OtherForm('"chosen" and "rejected" answer different conversations')
    swapped = rows.seed_for(seed, rows.content_hash(given), 0) & 1
    answers = (rejected[-1][1], chosen[-1][1]) if swapped else (chosen[-1][1], rejected[-1][1])
    preference = TIE if answers[0] == answers[1] else SECOND if swapped else FIRST
    made = {**_pair(_asked(chosen[:-1]), *answers), "preference": preference}
    return built(made, fields, "chosen", "rejected", "prompt")


def rmb_item(fields: Fields, _seed: int) -> Fields:
    """Reads a pair or a best-of-N list of RMB; its `subset` is the set and the aim, such as BoN_set/Helpfulness."""
    turns, path = turns_of(fields.get("conversation_input")), fields.get("category_path")
    uid = fields.get("pair_uid", fields.get("bon_uid"))
    if not turns or not isinstance(path, str) or uid is None or not {"chosen", "bon_best"} & fields.keys():
        raise OtherForm('there is no "conversation_input" and "category_path" with a pair or a list')
    return built({"index": uid, "question": _asked(turns), "subset": "/".join(path.split("/")[:2])}, fields)


def _asked(turns: list[tuple[str, str]]) -> str:
    return transcript([{"role": role, "content": text} for role, text in turns]).strip()


def _pair(question: str, first: str, second: str) -> Fields:
    return {"question": question, "response_a": first, "response_b": second}


def turns_of(value: Any) -> list[tuple[str, str]]:
    """Role and text of each message, its calls of tools written out; none for what is no array. Raises OtherForm."""
    return [(turn["role"], with_calls(turn["content"], turn.get("tool_calls"))) for turn in messages_of(value)]


def messages_of(value: Any, field: str = "messages") -> list[Message]:
    """An array of messages in any of the common spellings; none for what is no array. Raises OtherForm."""
    if not isinstance(value, list) or not value:
        return []
    try:
        return messages(value, field, learned=False)
    except RowError as error:
        raise OtherForm(error.reason) from None
