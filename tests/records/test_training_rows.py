"""Training rows in the forms of other tools, each read as its own tool reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libra_cli.records import preference_rows, training_rows
from libra_cli.records.training_rows import Conversation, FormTally, PlainText
from libra_cli.stream.rows import RowError


def turn(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


SYSTEM = '"system" as the first turn'
ASKED = turn("user", "What is 2 + 2?")
TALK = [ASKED, turn("assistant", "It is 4.")]
SHAREGPT = [{"from": "human", "value": "What is 2 + 2?"}, {"from": "gpt", "value": "It is 4."}]
CALL = {"name": "add", "arguments": {"a": 2, "b": 2}}
CALLS = {"tool_calls": [{"type": "function", "function": CALL}]}


def read(fields: dict[str, Any]) -> tuple[Any, list[str]]:
    forms: list[str] = []
    return training_rows.example_of(fields, forms), forms


@pytest.mark.parametrize(
    ("fields", "messages", "forms"),
    [
        ({"conversations": SHAREGPT}, TALK, [training_rows.SHAREGPT_TURNS]),
        ({"conversations": TALK}, TALK, []),
        ({"conversations": SHAREGPT, "system": "Be brief."}, [turn("system", "Be brief."), *TALK],
         [training_rows.SHAREGPT_TURNS, SYSTEM]),
        ({"instruction": "What is 2 + 2?", "input": "", "output": "It is 4."}, TALK, [training_rows.ALPACA]),
        ({"instruction": "Add.", "input": "2, 2", "output": "4"},
         [turn("user", "Add.\n2, 2"), turn("assistant", "4")], [training_rows.ALPACA]),
        ({"instruction": "And 3?", "input": None, "output": "7", "system": "Add.", "history": [["2 + 2?", "4"]]},
         [turn("system", "Add."), turn("user", "2 + 2?"), turn("assistant", "4"), turn("user", "And 3?"),
          turn("assistant", "7")], [training_rows.ALPACA, SYSTEM]),
        ({"problem": "What is 2 + 2?", "generation": "It is 4.", "expected_answer": "4", "num_generated_tokens": 5},
         TALK, ['"problem" as a turn of the user, "generation" as one of the assistant']),
        ({"question": "What is 2 + 2?", "answer": "It is 4."}, TALK,
         ['"question" as a turn of the user, "answer" as one of the assistant']),
        ({"Prompt": "What is 2 + 2?", "response": "It is 4.", "answer": "5"}, TALK,
         ['"Prompt" as a turn of the user, "response" as one of the assistant']),
        ({"problem": "What is 2 + 2?", "output": "It is 4.", "label": 1}, TALK,
         ['"problem" as a turn of the user, "output" as one of the assistant']),
    ],
)  # fmt: skip
def test_a_conversation_of_another_tool(fields: Any, messages: Any, forms: list[str]) -> None:
    found, taken = read(fields)
    assert isinstance(found, Conversation)
    assert (found.messages, taken) == (messages, forms)
    nulls = dict.fromkeys(("messages", "prompt", "completion", "text", "tools", "chat_template_kwargs"))
    assert read({**nulls, **fields})[0] == found


@pytest.mark.parametrize(
    ("value", "content", "calls"),
    [
        (json.dumps(CALL), "", [CALL]),
        (json.dumps({**CALL, "arguments": json.dumps(CALL["arguments"])}), "", [CALL]),
        (json.dumps([CALL, CALL]), "", [CALL, CALL]),
        ("<think>I add.</think>" + json.dumps(CALL), "<think>I add.</think>", [CALL]),
    ],
)
def test_a_function_call_of_llama_factory_is_a_turn_that_calls(value: str, content: str, calls: list[Any]) -> None:
    talk = [SHAREGPT[0], {"from": "function_call", "value": value}, {"from": "observation", "value": "4"}, SHAREGPT[1]]
    tools = json.dumps([{"name": "add", "description": "Adds.", "parameters": {"type": "object"}}])
    found, _ = read({"conversations": talk, "tools": tools})
    wrapped = [{"type": "function", "function": call} for call in calls]
    assert found.messages == [ASKED, turn("assistant", content, tool_calls=wrapped), turn("tool", "4"), TALK[1]]
    assert found.tools == [{"type": "function", "function": json.loads(tools)[0]}]


@pytest.mark.parametrize("value", ["add(2, 2)", "{}", "[]", '{"name": 3}', '{"name": "add", "arguments": "x"}'])
def test_a_function_call_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(RowError) as caught:
        read({"conversations": [SHAREGPT[0], {"from": "function_call", "value": value}]})
    assert caught.value.kind == "bad_tool_call"


@pytest.mark.parametrize("arguments", [{}, {"arguments": None}, {"arguments": ""}, {"arguments": "null"}])
def test_a_call_of_a_function_without_parameters_has_empty_arguments(arguments: dict[str, Any]) -> None:
    """Servers write null or nothing for them, on which templates fail."""
    for call in ({"name": "now", **arguments}, {"type": "function", "function": {"name": "now", **arguments}}):
        found, _ = read({"messages": [ASKED, turn("assistant", "", tool_calls=[call])]})
        said = found.messages[1]["tool_calls"][0]
        assert said.get("function", said) == {"name": "now", "arguments": {}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 2}', 'in which the key "a" is given twice; keep one of them'),
        ('{"a": NaN}', "in which NaN and Infinity are not JSON; write null"),
        ('{"a": 1e999}', "a number is too long or too large to be kept; write it as a string"),
        ('{"a": ', "a string that is not JSON; write them as an object"),
        ('{"a": ' * 300 + "1" + "}" * 300, "nested"),
    ],
)
def test_json_in_a_string_is_read_as_strictly_as_a_row(text: str, reason: str) -> None:
    with pytest.raises(RowError) as caught:
        read({"messages": [ASKED, turn("assistant", "", tool_calls=[{"name": "add", "arguments": text}])]})
    assert (caught.value.kind, reason in caught.value.reason) == ("bad_tool_call", True), caught.value.reason


@pytest.mark.parametrize("said", [{"weight": 0}, {"loss": False}, {"train": False}, {"training": 0, "loss": None}])
def test_a_turn_that_is_not_to_be_learned_is_not(said: dict[str, Any]) -> None:
    """LLaMA-Factory 2571 has AgentInstruct's `loss`, ms-swift the same, axolotl `train` and `training`."""
    asked = {**SHAREGPT[0], "loss": None}
    row = {"conversations": [asked, {**SHAREGPT[1], **said}, SHAREGPT[0], {**SHAREGPT[1], "loss": True}]}
    example, _ = read(row)
    assert (example.messages, example.masked) == ([*TALK, *TALK], {1})
    with pytest.raises(RowError) as refused:
        read({"conversations": [{**SHAREGPT[0], "loss": True}, SHAREGPT[1]]})
    assert refused.value.kind == "bad_weight"


@pytest.mark.parametrize("said", [{"train": "false"}, {"loss": "False"}, {"training": 0.5}])
def test_a_turn_that_does_not_say_clearly_whether_it_is_learned_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(RowError, match="with true or false") as refused:
        read({"conversations": [SHAREGPT[0], {**SHAREGPT[1], **said}]})
    assert refused.value.kind == "bad_weight"


def test_openais_older_spelling_of_a_call() -> None:
    message = turn("assistant", "", function_call={"name": "add", "arguments": '{"a": 2, "b": 2}'})
    message["content"] = None
    found, _ = read({"messages": [ASKED, message]})
    assert found.messages == [ASKED, turn("assistant", "", **CALLS)]


def test_two_texts_are_text_and_anything_else_is_turns() -> None:
    assert read({"prompt": "2 + 2 =", "completion": " 4"}) == (
        PlainText("2 + 2 =", " 4", "completion"), [training_rows.COMPLETION],
    )  # fmt: skip
    assert read({"text": "2 + 2 = 4"}) == (PlainText("", "2 + 2 = 4", "text"), [training_rows.TEXT])
    for prompt, completion in (([ASKED], "It is 4."), ([ASKED], TALK[1:]), ("What is 2 + 2?", TALK[1:])):
        found, forms = read({"prompt": prompt, "completion": completion})
        assert (found.messages, forms) == (TALK, [])


def test_transcripts_of_hh_rlhf_are_a_prompt_and_two_responses() -> None:
    before = "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: What is 2 + 2?\n\nAssistant:"
    pair = {"chosen": f"{before} It is 4.", "rejected": f"{before} It is 5."}
    chosen, rejected = (PlainText(before, f" It is {n}.", name) for n, name in ((4, "chosen"), (5, "rejected")))
    assert preference_rows.preference_of(pair, forms := []) == (chosen, rejected)
    assert forms == [preference_rows.TRANSCRIPTS]
    for texts in ({"chosen": "It is 4.", "rejected": "It is 5."}, {name: text[2:] for name, text in pair.items()}):
        with pytest.raises(RowError, match="texts without a prompt"):
            preference_rows.preference_of(texts, [])


def test_of_several_answers_one_is_read_and_the_others_are_named() -> None:
    others = {"completion": "5", "generation": "6", "text": "7"}
    assert read({"messages": TALK, **others}) == (
        Conversation(TALK), ['"messages", and without "completion" and "generation" and "text" beside it'],
    )  # fmt: skip
    assert read({"instruction": "2 + 2?", "output": "4", "text": "7"})[1][:1] == [
        '"output", and without "text" beside it'
    ]
    for talk, output in ((SHAREGPT, "It is 4."), (SHAREGPT[:1], "It is 4.")):
        assert read({"conversations": talk, "output": output}) == (Conversation(TALK), [training_rows.SHAREGPT_TURNS])


def test_ratings_and_the_other_side_of_a_pair_are_named_as_what_is_not_learned() -> None:
    rated = {"prompt": "What is 2 + 2?", "response": "It is 4.", "helpfulness": 0, "correctness": 4}
    found, forms = read(rated)
    assert (found.messages, forms[0]) == (TALK, '"helpfulness" left out: an answer is learned whatever its rating')
    sides = {"chosen": TALK, "rejected": [ASKED, turn("assistant", "It is 5.")], "score_chosen": 8.0}
    assert read({"prompt": "What is 2 + 2?", "messages": TALK, **sides}) == (
        Conversation(TALK), ['"chosen" and "rejected" left out: libra dpo and libra train-rm learn from both'],
    )  # fmt: skip
    assert read({"messages": TALK, "rating": None, "chosen": None, "rejected": None})[1] == []


def test_a_label_may_stand_under_either_name_but_not_under_two_that_differ() -> None:
    responses = ({"prompt": [ASKED], "completion": "It is 4."}, {"messages": TALK})
    for fields in responses:
        tagged = preference_rows.labelled_response_of({**fields, "kto_tag": True}, forms := [])
        assert tagged == (Conversation(TALK, n_prompt=1), True)
        assert forms == [preference_rows.KTO_TAG]
        assert preference_rows.labelled_response_of({**fields, "kto_tag": True, "label": 1}, []) == tagged
        with pytest.raises(RowError, match='"label" and "kto_tag" contradict each other; keep one'):
            preference_rows.labelled_response_of({**fields, "kto_tag": True, "label": False}, [])


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"instruction": "Add."}, "no_conversation"),
        ({"generation": "4"}, "no_prompt"),
        ({"prompt": "2 + 2 =", "completion": " "}, "empty_assistant"),
        ({"instruction": "Add.", "output": ""}, "empty_assistant"),
        ({"instruction": "Add.", "output": "4", "history": ["x"]}, "bad_message"),
        ({"instruction": "Add.", "output": "4", "history": 5}, "bad_message"),
        ({"conversations": [{"from": "system", "value": "a"}, *SHAREGPT], "system": "b"}, "two_systems"),
        ({"messages": [turn("system", "a"), *TALK], "system": "b"}, "two_systems"),
        ({"prompt": "2 + 2 =", "completion": "4", "system": "b"}, "not_shown"),
        ({"text": "2 + 2 = 4", "system": "b"}, "not_shown"),
        ({"conversations": SHAREGPT, "output": "It is 5."}, "two_answers"),
        ({"messages": TALK, "kto_tag": False}, "undesirable"),
    ],
)
def test_a_row_that_lacks_something_says_what(fields: Any, kind: str) -> None:
    with pytest.raises(RowError) as caught:
        read(fields)
    assert caught.value.kind == kind
    assert ";" in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": TALK},
        {"prompt": [ASKED], "completion": TALK[1:]},
        {"prompt": ASKED["content"], "completion": TALK[1:]},
        {"problem": ASKED["content"], "generation": TALK[1]["content"]},
        {"conversations": SHAREGPT},
        {"context_messages": [ASKED], "output": TALK[1]["content"]},
    ],
)
def test_a_system_prompt_beside_any_turns_is_the_first_of_them(fields: Any) -> None:
    found, forms = read({**fields, "system": "Be brief."})
    assert found.messages == [turn("system", "Be brief."), *TALK]
    assert forms[-1] == SYSTEM


OTHER = [ASKED, turn("assistant", "It is 5.")]


@pytest.mark.parametrize("prompt", [None, ASKED["content"], f" {ASKED['content']}\n", [ASKED], ASKED])
@pytest.mark.parametrize("system", [None, "Be brief."])
def test_a_prompt_that_the_conversations_of_a_pair_repeat_stands_once(prompt: Any, system: str | None) -> None:
    fields = {"prompt": prompt, "chosen": TALK, "rejected": OTHER, "system": system}
    chosen, rejected = preference_rows.preference_of(fields, [])
    before = [turn("system", system)] if system else []
    assert (chosen.messages, rejected.messages) == ([*before, *TALK], [*before, *OTHER])
    assert chosen.n_prompt == len(before) + 1


@pytest.mark.parametrize("prompt", ["What is 3 + 3?", [turn("user", "What is 3 + 3?")]])
def test_a_prompt_that_the_conversations_of_a_pair_contradict_is_refused(prompt: Any) -> None:
    with pytest.raises(RowError) as caught:
        preference_rows.preference_of({"prompt": prompt, "chosen": TALK, "rejected": OTHER}, [])
    assert caught.value.kind == "two_prompts"


LONGER = [ASKED, turn("assistant", "Why?"), turn("user", "So.")]
THREE = turn("user", "What is 3 + 3?")


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": LONGER[0], "chosen": LONGER + TALK[1:], "rejected": LONGER + OTHER[1:]},  # its first turn
        {"prompt": "So.", "chosen": LONGER + TALK[1:], "rejected": LONGER + OTHER[1:]},  # its last
        {"prompt": LONGER, "chosen": LONGER + TALK[1:], "rejected": LONGER + OTHER[1:]},
        {"instruction": "So.", "chosen": LONGER + TALK[1:], "rejected": LONGER + OTHER[1:]},
        {"context_messages": LONGER, "chosen": LONGER + TALK[1:], "rejected": LONGER + OTHER[1:]},
        {"context_messages": LONGER, "chosen": TALK[1]["content"], "rejected": OTHER[1]["content"]},
        {"context_messages": LONGER, "chosen": TALK[1], "rejected": OTHER[1:]},
        {"prompt": LONGER, "chosen": TALK[1:], "rejected": OTHER[1:]},
    ],
)
def test_the_turns_that_both_conversations_of_a_pair_begin_with_are_its_prompt(fields: Any) -> None:
    chosen, rejected = preference_rows.preference_of(fields, [])
    assert (chosen.messages, rejected.messages) == (LONGER + TALK[1:], LONGER + OTHER[1:])
    assert chosen.n_prompt == rejected.n_prompt == len(LONGER)


def test_conversations_of_a_pair_may_part_early() -> None:
    sides = {"chosen": LONGER + TALK[1:], "rejected": [ASKED, turn("assistant", "No."), THREE, *OTHER[1:]]}
    chosen, rejected = preference_rows.preference_of(sides, [])
    assert (chosen.n_prompt, len(chosen.messages), rejected.messages[:1]) == (1, 4, [ASKED])


HH = "\n\nHuman: 2 + 2?\n\nAssistant:"


@pytest.mark.parametrize(
    "fields",
    [
        {"chosen": TALK, "rejected": [THREE, *OTHER[1:]]},
        {"chosen": LONGER + TALK[1:], "rejected": [*LONGER[:2], THREE, *OTHER[1:]]},  # part in a turn of the user
        {"prompt": [ASKED], "chosen": TALK[1:], "rejected": OTHER},
        {"prompt": [ASKED], "chosen": TALK, "rejected": OTHER[1]["content"]},
        {"prompt": [*LONGER[1:], THREE], "chosen": LONGER + TALK[1:], "rejected": LONGER + OTHER[1:]},
        {"context_messages": [THREE], "chosen": TALK, "rejected": OTHER},
        {"instruction": THREE["content"], "chosen": TALK, "rejected": OTHER},
        {"question": THREE["content"], "chosen": TALK, "rejected": OTHER},
        {"prompt": "3 + 3?", "chosen": f"{HH} 4", "rejected": f"{HH} 5"},
        {"prompt": [THREE], "chosen": f"{HH} 4", "rejected": f"{HH} 5"},
        {"chosen": f"{HH} 4", "rejected": HH.replace("2", "3") + " 5"},
    ],
)
def test_a_pair_with_two_prompts_is_refused(fields: Any) -> None:
    with pytest.raises(RowError, match=";") as caught:
        preference_rows.preference_of(fields, [])
    assert caught.value.kind == "two_prompts"


def test_the_prompt_of_transcripts_may_stand_beside_them() -> None:
    pair = {"chosen": f"{HH} 4", "rejected": f"{HH} 5"}
    for prompt in (HH, "2 + 2?", [turn("user", "2 + 2?")]):
        assert preference_rows.preference_of({**pair, "prompt": prompt}, []) == preference_rows.preference_of(pair, [])


def test_a_transcript_may_go_on_where_the_other_ends() -> None:
    pair = {"chosen": f"{HH} 4", "rejected": f"{HH} 4, or 5"}
    chosen, rejected = preference_rows.preference_of(pair, [])
    assert (chosen, rejected) == (PlainText(HH, " 4", "chosen"), PlainText(HH, " 4, or 5", "rejected"))
    with pytest.raises(RowError) as caught:
        preference_rows.preference_of({**pair, "rejected": HH}, [])
    assert caught.value.kind == "empty_assistant"


@pytest.mark.parametrize(
    ("chosen", "rejected", "kind"),
    [
        (" 4\n\nHuman: 3 + 3?\n\nAssistant: 6", " 4\n\nHuman: 3 + 4?\n\nAssistant: 7", "two_prompts"),
        (" 4\n\nHuman: Thanks.\n\nAssistant: Bye", " 5\n\nHuman: Why?\n\nAssistant: So", "two_prompts"),
        (" 4", " 5\n\nHuman: Why?\n\nAssistant: So", "two_prompts"),
        (" 4\n\nHuman: 3 + 3?", " 5", "last_not_assistant"),
        (" 4", " 5\n\nHuman: Why?", "last_not_assistant"),
        (" 4", " 4\n\nHuman: Why?\n\nAssistant: So", "no_response"),
        (" 4", " 4\n", "same_responses"),
    ],
)
def test_what_the_human_says_is_no_response_of_a_transcript(chosen: str, rejected: str, kind: str) -> None:
    pair = {"chosen": HH + chosen, "rejected": HH + rejected}
    with pytest.raises(RowError, match=";") as caught:
        preference_rows.preference_of(pair, [])
    assert caught.value.kind == kind


def test_transcripts_may_differ_by_spaces_before_their_last_turn() -> None:
    after = "\n\nHuman: Why?\n\nAssistant:"
    pair = {"chosen": f"{HH} 4{after} So.", "rejected": f"{HH} 4 {after} No."}
    before = f"{HH} 4{after}"
    expected = PlainText(before, " So.", "chosen"), PlainText(before, " No.", "rejected")
    assert preference_rows.preference_of(pair, []) == expected


def test_a_completion_may_repeat_its_prompt_but_have_no_other() -> None:
    row = {"prompt": [ASKED], "completion": TALK, "label": True}
    assert read(row)[0].messages == TALK
    assert preference_rows.labelled_response_of(row, [])[0].messages == TALK
    for reader in (training_rows.example_of, preference_rows.labelled_response_of):
        with pytest.raises(RowError, match="another prompt"):
            reader({**row, "prompt": [THREE]}, [])


def test_calls_that_are_none_are_as_absent() -> None:
    found, _ = read({"messages": [ASKED, {**TALK[1], "tool_calls": []}]})
    assert found.messages == TALK


def test_what_was_taken_for_what_is_told_once_for_all_rows() -> None:
    tally = FormTally()
    tally.add([training_rows.ALPACA])
    tally.add([training_rows.ALPACA, SYSTEM])
    tally.add([])
    assert tally.take_notes() == [f"2 rows read with {training_rows.ALPACA}", f"1 row read with {SYSTEM}"]
    assert tally.take_notes() == []


@pytest.mark.parametrize(
    ("fields", "cure"),
    [
        ({"question": "1+1?", "response": "2", "label": 1}, "libra rs-filter FILE"),
        ({"question": "1+1?", "response": "2", "judgments": []}, "libra rs-filter FILE"),
        ({"question": "1+1?", "response": "2", "reference": "2"}, "libra verify FILE"),
        ({"problem": "1+1?", "generation": "3", "label": 0}, "libra rs-filter FILE"),
        ({"question": "1+1?", "reference": "2"}, r"the row has question, reference"),
        ({"version": 1, "data": [{"text": "a"}]}, r"has version, data, and rows in data, which jq -c '.data\[\]' FILE"),
        ({"version": 1, "data": ["a"]}, r"has version, data\);"),
        ({"role": "user", "content": "1+1?"}, r"one turn is no row; .* jq -c '{messages: .}' FILE"),
        ({"from": "human", "value": "1+1?"}, r"one turn is no row"),
    ],
)
def test_an_answer_that_may_be_wrong_is_not_learned(fields: Any, cure: str) -> None:
    with pytest.raises(RowError, match=cure):
        read(fields)


def test_segments_of_axolotl_are_learned_by_their_labels() -> None:
    parts = [{"label": False, "text": "<s>Q: 2 + 2?\n"}, {"label": True, "text": "4</s>"}]
    assert read({"segments": parts}) == (
        training_rows.Segments((("<s>Q: 2 + 2?\n", False), ("4</s>", True))), [training_rows.SEGMENTS],
    )  # fmt: skip
    for wrong in ([], "x", [{"text": "x"}], [{"label": 1, "text": "x"}], parts[:1], [{"label": True, "text": ""}]):
        with pytest.raises(RowError):
            read({"segments": wrong})


@pytest.mark.parametrize("label", [False, 0])
def test_an_undesirable_completion_is_not_learned(label: Any) -> None:
    row = {"prompt": "2 + 2?", "completion": "5", "label": label}
    with pytest.raises(RowError, match="undesirable"):
        read(row)
    assert read({**row, "label": True})[0] == PlainText("2 + 2?", "5", "completion")


@pytest.mark.parametrize(
    ("fields", "messages"),
    [
        ({"input": "What is 2 + 2?", "output": "It is 4."}, TALK),  # OpenRLHF
        ({"input": [ASKED], "output": "It is 4."}, TALK),  # Nemotron
        ({"input": [ASKED], "output": "It is 4.", "system_prompt": "Be brief."}, [turn("system", "Be brief."), *TALK]),
        ({"problem": "What is 2 + 2?", "generated_solution": "It is 4.", "expected_answer": "4"}, TALK),
        ({"problem": "What is 2 + 2?", "solution": "It is 4.", "answer": "4"}, TALK),  # NuminaMath: the worked one
        ({"problem": "What is 2 + 2?", "solution": "", "answer": "It is 4."}, TALK),
        ({"instruction": "Who?", "context": "Bob did.", "response": "Bob", "category": "qa"},
         [turn("user", "Who?\nBob did."), turn("assistant", "Bob")]),  # Dolly
    ],
)  # fmt: skip
def test_a_question_and_its_answer_under_the_names_of_published_data(fields: Any, messages: Any) -> None:
    found, forms = read(fields)
    assert (found.messages, bool(forms)) == (messages, True)


@pytest.mark.parametrize(("preference", "better"), [("A>B", "a"), ("A", "a"), ("B>>A", "b")])
def test_a_pair_of_collect_is_a_chosen_and_a_rejected_response(preference: str, better: str) -> None:
    row = {"question": "What is 2 + 2?", "response_a": "a", "response_b": "b", "preference": preference}
    chosen, rejected = preference_rows.preference_of(row, forms := [])
    assert [side.messages for side in (chosen, rejected)] == [
        [ASKED, turn("assistant", better)], [ASKED, turn("assistant", "ba"["ab".index(better)])],
    ]  # fmt: skip
    assert forms[0] == preference_rows.BY_PREFERENCE
    before = [turn("user", "Hi"), turn("assistant", "Hello."), ASKED]
    talk, _ = preference_rows.preference_of({**row, "question": "User: Hi ...", "prompt": before}, [])
    assert talk.messages == [*before, turn("assistant", better)]


@pytest.mark.parametrize(("preference", "why"), [("A=B", "a tie"), (None, "without a preference"), (2, "without a")])
def test_a_pair_of_collect_that_prefers_none_is_refused(preference: Any, why: str) -> None:
    row = {"question": "q", "response_a": "a", "response_b": "b", "preference": preference}
    with pytest.raises(RowError, match=why):
        preference_rows.preference_of(row, [])


@pytest.mark.parametrize("name", ["question", "input", "problem", "query"])
def test_the_prompt_of_two_texts_may_have_another_name(name: str) -> None:
    row = {name: "What is 2 + 2?", "system": "", "chosen": "4", "rejected": "5"}
    chosen, _ = preference_rows.preference_of(row, forms := [])
    assert (chosen.messages, forms) == ([ASKED, turn("assistant", "4")], [f'"{name}" as a turn of the user'])


def test_a_labelled_response_of_collect_is_one_to_learn_from() -> None:
    row = {"question": "What is 2 + 2?", "response": "It is 4.", "label": 1.0, "reference": "4"}
    found, label = preference_rows.labelled_response_of(row, [])
    assert (found.messages, label) == (TALK, True)
    for more in ({"response_with_cot": "It is 4."}, {"label": "+"}, {"label": None}, {"label": -1}):
        with pytest.raises(RowError):
            preference_rows.labelled_response_of({**row, **more}, [])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"question": "q", "responses": ["a", "b"], "best": 0}, "a list of responses: libra judge"),
        ({"messages": TALK}, "a conversation: libra sft learns it"),
        ({"prompt": "q", "completions": ["a"], "labels": [True]}, "--preset stepwise"),
        ({"context": [ASKED], "response1": "a", "response2": "b", "overall_preference": 1}, "--preset helpsteer3"),
        ({"prompt": "q", "response": "a"}, "give "),
    ],
)
def test_a_row_without_a_preference_says_what_it_is(row: dict[str, Any], why: str) -> None:
    for read_row in (preference_rows.preference_of, preference_rows.labelled_response_of):
        with pytest.raises(RowError, match=why):
            read_row(row, [])


TRANSCRIPT = "\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: 1+1?\n\nAssistant:"
TRANSCRIBED = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yes?"},
    {"role": "user", "content": "1+1?"},
]


@pytest.mark.parametrize("before", [[], TRANSCRIBED])
def test_a_prompt_that_is_a_transcript_may_stand_before_messages_that_repeat_it_or_not(before) -> None:
    sides = [[*before, {"role": "assistant", "content": text}] for text in ("2", "3")]
    forms: list[str] = []
    row = {"prompt": TRANSCRIPT, "chosen": sides[0], "rejected": sides[1]}
    for side, text in zip(preference_rows.preference_of(row, forms), "23", strict=True):
        assert [turn["content"] for turn in side.messages] == ["Hi", "Yes?", "1+1?", text]
        assert side.n_prompt == 3
    assert forms == ['"prompt" as a transcript, its turns those of the human and the assistant']


@pytest.mark.parametrize("completion", [[], TRANSCRIBED])
def test_a_prompt_that_is_a_transcript_may_stand_before_a_completion_of_messages(completion) -> None:
    row = {"prompt": TRANSCRIPT, "completion": [*completion, {"role": "assistant", "content": "2"}]}
    found, forms = read(row)
    assert [turn["content"] for turn in found.messages] == ["Hi", "Yes?", "1+1?", "2"]
    assert forms == [training_rows.PROMPT_TRANSCRIPT]
    labelled, is_right = preference_rows.labelled_response_of({**row, "label": False}, forms := [])
    assert (labelled.messages, labelled.n_prompt, is_right) == (found.messages, 3, False)
    assert forms == [training_rows.PROMPT_TRANSCRIPT]
    texts = {"prompt": TRANSCRIPT, "completion": " 2"}  # as all rows of texts, which stay plain text
    assert read(texts) == (PlainText(TRANSCRIPT, " 2", "completion"), [training_rows.COMPLETION])
    prompt = [{"role": "user", "content": "\nHuman: 1+1?"}]  # no transcript
    assert read({**row, "prompt": prompt[0]["content"], "completion": row["completion"][-1:]})[0].messages[:1] == prompt


@pytest.mark.parametrize("prompt", ["Q: 1+1?\nA:", "Human: 1+1?\nAssistant:"])
def test_a_prompt_that_both_texts_repeat_is_read_once(prompt) -> None:
    forms: list[str] = []
    pair = preference_rows.preference_of({"prompt": prompt, "chosen": f"{prompt} 2", "rejected": f"{prompt} 3"}, forms)
    assert [(side.prompt, side.completion) for side in pair] == [(prompt, " 2"), (prompt, " 3")]
    assert '"prompt" once, which "chosen" and "rejected" repeat' in forms


@pytest.mark.parametrize(
    ("prompt", "chosen", "rejected"),
    [("1+1 is", "1+1 is 2", "1+1 is 3"), ("A:", "A: 2", "B: 3"), ("A:", "A:", "A: 3")],
)
def test_an_answer_that_may_say_the_question_again_stays_whole(prompt, chosen, rejected) -> None:
    pair = preference_rows.preference_of({"prompt": prompt, "chosen": chosen, "rejected": rejected}, [])
    assert [side.completion for side in pair] == [chosen, rejected]


def test_a_transcript_that_messages_do_not_repeat_is_another_prompt() -> None:
    sides = [[{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": text}] for text in "45"]
    with pytest.raises(RowError, match="other turns"):
        preference_rows.preference_of({"prompt": TRANSCRIPT, "chosen": sides[0], "rejected": sides[1]}, [])
