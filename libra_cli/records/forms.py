"""Forms of records: reads the question and responses of each reward-model benchmark's rows, and of plain rows.

A comment at each form names the source of its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, product, takewhile
from typing import Any

from libra_cli.records.conversations import OtherForm, messages_of
from libra_cli.records.messages import (
    OF_SYSTEM,
    SHOWN,
    Message,
    answer_turn,
    behind_own_system,
    judged_tools_of,
    own_system_text,
    template_args_of,
)
from libra_cli.records.transcripts import (
    asked_in_transcript,
    repeats_prompt,
    stand_in,
    talks_of_transcripts,
    transcript,
    with_calls,
    without_prompt,
)
from libra_cli.rm_benchmarks import libra_bench, rewardbench
from libra_cli.rm_benchmarks.ppe import conflict_pairs
from libra_cli.stream.common_names import QUESTION, RESPONSE, empty_field
from libra_cli.stream.required_fields import no_value
from libra_cli.stream.rows import RowError
from libra_cli.stream.text_columns import as_text
from libra_cli.stream.wrong_rows import near_column, published

Fields = Mapping[str, Any]
Pairs = tuple[tuple[int, int], ...]

_BATTLE = "winner_model_a"
"""A field of arena-55k, whose texts are JSON in fields that have the names of a pair."""
QUESTIONS = ("conversation_input", "question", "prompt", "problem")
_CURE = "libra collect --map FIELD={} names the field that holds it"


@dataclass(frozen=True)
class JudgeItem:
    """A question and the responses to it, in the record's own order."""

    form: str
    question: str
    """As text: a conversation of several turns names its speakers, and the tools of a row stand before it."""
    messages: list[Message]
    """The conversation before the response, for chat templates. It begins with the row's `system`, as `question`."""
    responses: tuple[str, ...]
    """As texts, with calls of tools written out. Chosen responses before rejected ones, the best before the losers."""
    reference: str | None = None
    pairs: Pairs = ()
    """Which responses to compare, by their indices, if there are more than two."""
    tools: list[Any] | None = None
    """Descriptions of the tools of the row, for chat templates."""
    template_args: Mapping[str, Any] = field(default_factory=dict)
    """The row's variables of chat templates."""
    calls: tuple[list[Any] | None, ...] = ()
    """The calls of tools in each response; empty if there are none."""
    system: str | None = None
    """The system prompt in the row's `system`."""

    def turn(self, index: int) -> Message:
        """A response as the assistant's turn, for chat templates."""
        text, calls = self.responses[index], self.calls[index] if self.calls else None
        if not calls:
            return {"role": "assistant", "content": text}
        content = text.removesuffix(with_calls("", calls)).removesuffix("\n")
        return {"role": "assistant", "content": content, "tool_calls": calls}


def item_of(fields: Fields, response: str | None = None) -> JudgeItem:
    """The item of a record; `response` replaces the only response of the record by its text after the thinking.

    Raises ValueError that says what is missing, and the cure.
    """
    if response is not None:
        fields = {**fields, "response": response}
    form = form_of(fields)
    of_data_set = published(fields)
    if form is None or (of_data_set is not None and form == "pair" and _BATTLE in fields):
        have = "response, response_a and response_b, chosen and rejected, or responses"
        cure = f"give {have} ({_CURE.format('response')}), or run libra rollout first"
        raise ValueError(f"no response to judge: {of_data_set or f'{cure}{near_column(fields, RESPONSE)}'}")
    try:
        item = FORMS[form].read(fields)
    except ValueError as error:
        raise ValueError(f"{error} (read as a row of form {form})") from None
    if form == "pair" and len(item.responses) > 2:
        form = "list"
    reference = fields.get("reference")
    if isinstance(reference, (int, float)) and not isinstance(reference, bool):
        reference = str(reference)
    return replace(item, form=form, reference=reference if isinstance(reference, str) else None)


def form_of(fields: Fields) -> str | None:
    """The name of the first form that a record has the fields of; None if it has no response."""
    for name, form in FORMS.items():
        if form.fits(fields):
            return name
    return None


@dataclass(frozen=True)
class RecordForm:
    """How a kind of record is recognised and read."""

    fits: Callable[[Fields], bool]
    read: Callable[[Fields], JudgeItem]


def _item(fields: Fields, *responses: Any, pairs: Pairs = (), calls: Sequence[list[Any] | None] = ()) -> JudgeItem:
    """`calls` are those of tools in each response. Raises OtherForm if one is no text, or there is no question."""
    responses = tuple(map(as_text, responses))
    if not all(isinstance(response, str) for response in responses):
        raise OtherForm(f"a response is no text; {published(fields) or _CURE.format('response')}")
    for name in QUESTIONS:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            messages = asked_in_transcript(value) or [{"role": "user", "content": value}]
            break
        if isinstance(value, list) and value:
            messages = messages_of(value, name)
            break
    else:
        if (empty := empty_field(fields, QUESTION)) is not None:
            raise OtherForm(no_value(empty, QUESTION).reason)
        raise OtherForm(f'no "question"; {_CURE.format("question")}{near_column(fields, QUESTION)}')
    try:
        tools, args = judged_tools_of(fields), template_args_of(fields)
        messages, system = behind_own_system(fields, messages), own_system_text(fields)
    except RowError as error:
        raise OtherForm(error.reason) from None
    question = transcript(messages, tools)
    if any(calls):
        responses = tuple(with_calls(*each) for each in zip(responses, calls, strict=True))
    calls = tuple(calls) if any(calls) else ()
    return JudgeItem("", question, messages, responses, None, pairs, tools, args, calls, system)


def _has(*names: str) -> Callable[[Fields], bool]:
    """A test for records in which none of `names` is missing or null."""

    def has(fields: Fields) -> bool:
        for name in names:  # noqa: SIM110 -- `all` is slower, and every row is tried for every form
            if fields.get(name) is None:
                return False
        return True

    return has


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def _single(fields: Fields) -> JudgeItem:
    calls: Sequence[list[Any] | None] = ()
    if fields.get("tool_calls"):
        try:
            calls = (answer_turn(fields, "")["tool_calls"],)
        except RowError as error:
            raise OtherForm(error.reason) from None
    return _item(fields, fields["response"], calls=calls)


def _two(fields: Fields) -> JudgeItem:
    names = ("response_A", "response_B") if "response_A" in fields else ("response_a", "response_b")
    return _item(fields, *(fields.get(name) for name in names), pairs=((0, 1),))


def _chosen(fields: Fields) -> JudgeItem:
    """`chosen` and `rejected` are texts, lists of texts, or conversations that differ in their last message.

    Transcripts (HH-RLHF) are conversations, too.
    """
    calls: Sequence[list[Any] | None] = ()
    fields = {**(without_prompt(fields) if repeats_prompt(fields) else fields), **talks_of_transcripts(fields)}
    better, worse = ([value] if isinstance(value, str) else value for value in (fields["chosen"], fields["rejected"]))
    if isinstance(better, list) and better and isinstance(better[0], dict):
        chosen, rejected = messages_of(fields["chosen"], "chosen"), messages_of(fields["rejected"], "rejected")
        if not (chosen and rejected and chosen[-1]["role"] == rejected[-1]["role"] == "assistant"):
            raise OtherForm('"chosen" and "rejected" do not both end with the assistant; cut them there')
        if chosen[:-1] != rejected[:-1]:
            raise OtherForm(
                '"chosen" and "rejected" answer different conversations; they may differ in the last message only'
            )
        asked = fields.get("prompt")
        if isinstance(asked, list) and chosen[:-1] and not stand_in(messages_of(asked, "prompt"), chosen[:-1]):
            raise OtherForm('"chosen" and "rejected" begin with other turns than "prompt" has; leave one of them out')
        shown = {name: fields[name] for name in (*SHOWN, *OF_SYSTEM) if name in fields}
        fields = {**shown, "question": chosen[:-1] or fields.get("prompt")}
        better, worse = [chosen[-1]["content"]], [rejected[-1]["content"]]
        calls = [chosen[-1].get("tool_calls"), rejected[-1].get("tool_calls")]
    elif not (_is_texts(better) and _is_texts(worse)):
        raise OtherForm(
            '"chosen" and "rejected" are neither texts, nor lists of texts, nor conversations; give them so'
        )
    pairs = tuple(product(range(len(better)), range(len(better), len(better) + len(worse))))
    return _item(fields, *better, *worse, pairs=pairs, calls=calls)


def _list(fields: Fields) -> JudgeItem:
    if not _is_texts(fields["responses"]):
        raise OtherForm('"responses" is no list of texts; give it as one')
    return _item(fields, *fields["responses"])


def _rmb(fields: Fields) -> JudgeItem:
    """RMB's answers are objects; the best is compared with each loser."""
    best, losers = ("bon_best", fields.get("loser_list")) if "bon_best" in fields else ("chosen", [fields["reject"]])
    answers = [answer.get("answer") if isinstance(answer, dict) else None for answer in (fields[best], *(losers or ()))]
    if len(answers) < 2:
        raise OtherForm('"loser_list" is empty; leave the row out')
    return _item(fields, *answers, pairs=tuple((0, loser) for loser in range(1, len(answers))))


def _ppe_correctness(fields: Fields) -> JudgeItem:
    """PPE numbers its responses from 1, as far as they go."""
    names = takewhile(lambda name: fields.get(name) is not None, (f"response_{n}" for n in count(1)))
    responses = [fields[name] for name in names]
    return _item(fields, *responses, pairs=tuple(dict.fromkeys(conflict_pairs(fields))))


def _solution(fields: Fields) -> JudgeItem:
    """RewardMATH's solutions are lists of steps."""
    names = ("eval_solution",) if "eval_solution" in fields else ("eval_solution_A", "eval_solution_B")
    values = [fields.get(name) for name in names]
    texts = ["\n".join(value) if isinstance(value, list) and _is_texts(value) else value for value in values]
    return _item(fields, *texts, pairs=((0, 1),) if len(texts) == 2 else ())


def _is_libra_bench(fields: Fields) -> bool:
    return _has("question", "response", "label")(fields) and fields.get("subset") in libra_bench.SUBSETS


def _is_rewardbench(fields: Fields) -> bool:
    return _has("chosen", "rejected")(fields) and str(fields.get("subset")) in rewardbench.SUBSETS


def _is_rm_bench(fields: Fields) -> bool:
    lists: list[Any] = [fields.get("chosen"), fields.get("rejected")]
    return "domain" in fields and all(_is_texts(texts) and len(texts) == 3 for texts in lists)


FORMS: dict[str, RecordForm] = {
    # ScalerLab/JudgeBench: response_A and response_B; response_a and response_b in rows that libra has collected.
    "judgebench": RecordForm(
        lambda f: _has("pair_id", "source", "label")(f) and ("response_A" in f or "response_a" in f), _two
    ),
    # Zhou-Zoey/RMB-Reward-Model-Benchmark, RMB_dataset: pair_uid or bon_uid, category_path; {llm_name, answer, score}.
    "rmb-bon": RecordForm(_has("conversation_input", "bon_best", "loser_list"), _rmb),
    "rmb-pair": RecordForm(_has("conversation_input", "chosen", "reject"), _rmb),
    # Dataset cards of lmarena-ai/PPE-*: question_id, prompt, response_1.., winner | scores, sampled_conflict_pairs.
    "ppe-correctness": RecordForm(_has("response_1", "response_2", "sampled_conflict_pairs"), _ppe_correctness),
    "ppe": RecordForm(
        _has("response_1", "response_2", "winner"),
        lambda fields: _item(fields, fields["response_1"], fields["response_2"], pairs=((0, 1),)),
    ),
    # kimsh0507/RewardMATH_official, src/prompts.py and src/evaluation/eval.py: a row is one solution, or two.
    "rewardmath": RecordForm(
        lambda f: "solution_reference" in f and ("eval_solution" in f or "eval_solution_A" in f), _solution
    ),
    # THU-KEG/RM-Bench, README: three styles each, from concise to detailed with Markdown.
    "rm-bench": RecordForm(_is_rm_bench, _chosen),
    # allenai/reward-bench-2: lists, of which `num_correct` says how many are right.
    "rewardbench2": RecordForm(lambda f: _has("num_correct", "subset")(f) and _is_texts(f.get("chosen")), _chosen),
    # allenai/reward-bench and its preference test sets: rewardbench/constants.py names the subsets.
    "rewardbench": RecordForm(_is_rewardbench, _chosen),
    # The dataset card of meituan/Libra-Bench.
    "libra-bench": RecordForm(_is_libra_bench, _single),
    "list": RecordForm(_has("responses"), _list),
    "pair": RecordForm(
        lambda fields: _has("response_a", "response_b")(fields) or _has("chosen", "rejected")(fields),
        lambda fields: (_two if _has("response_a", "response_b")(fields) else _chosen)(fields),
    ),
    "response": RecordForm(_has("response"), _single),
}
"""In the order in which they are tried: a record that fits a benchmark is not read as a plain pair."""
