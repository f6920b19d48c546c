"""What there is to see of a row, whatever its form: facts, and named texts cut at their thinking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from libra_cli.records import label_votes
from libra_cli.records.forms import item_of
from libra_cli.records.items import OTHER_RESPONSES, ResponseNames
from libra_cli.records.messages import judged_tools_of, messages
from libra_cli.records.responses import question_of
from libra_cli.records.row_verdict import golden_verdict, is_judged, verdict_of
from libra_cli.records.training_rows import Conversation, PlainText, Segments, example_of
from libra_cli.records.transcripts import with_calls
from libra_cli.rm_benchmarks.judged_rows import judgments, null_reason
from libra_cli.stages.show.judgment_view import judgment_passages, n_votes_of
from libra_cli.stages.show.passages import Passage, as_text, cut
from libra_cli.stream.common_names import REFERENCE, RESPONSE, common_name
from libra_cli.stream.rows import Row, RowError, parse, record_id
from libra_cli.tasks.verdicts import NO_VERDICT

Fields = Mapping[str, Any]

_NAMES = ("id", "index", "subset", "task", "model", "sample", "probe", "source")
"""Facts that say which row it is, in this order."""
_JUDGE = ("judge", "judge_task", "prediction", "score", "scores", "unjudged", "gate", "gates", "judgments")
_SHOWN = {
    *_NAMES, *_JUDGE, *OTHER_RESPONSES, "label", "verification", "question", "problem", "prompt", "reference",
    "expected_answer", "response", "response_with_cot", "generation", "messages", "conversations", "completion", "text",
    "finish_reason", "n_tokens", "tool_calls", "instruction", "input", "output", "history",
}  # fmt: skip
"""Fields that have a place of their own."""
_ASKED = (
    "question", "problem", "prompt", "messages", "conversations", "history", "instruction", "input", "output",
    "completion", "text",
)  # fmt: skip
_ANSWERS = ("response_with_cot", "response", *(name for name in OTHER_RESPONSES if name not in ("preference", "best")))
SHORT = 120
"""Characters of another field that is shown among the facts; of longer ones only the name is."""


@dataclass
class RowView:
    """All that is shown of a row."""

    place: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)


def view_of(place: str, judged: Sequence[Fields]) -> RowView:
    """The view of a row; of one that several judges judged, given once for each, the judgments of all."""
    fields = judged[0]
    if isinstance(fields.get("class"), str) and "reason" in fields and "row_sha256" in fields:
        return _refused(place, fields)
    view = RowView(place)
    names = _add_texts(view, fields)
    label = _label(fields, len(names))
    facts = [(name, as_text(fields[name])) for name in _NAMES if fields.get(name) is not None]
    if "id" not in fields and names:
        facts.insert(0, ("id", record_id(dict(fields))))
    facts += [(name, as_text(fields[name])) for name in ("finish_reason", "n_tokens") if fields.get(name) is not None]
    others = [
        name for name in fields if name not in _SHOWN and not (name == "tools" and names and _has_shown_tools(fields))
    ]
    short = {name: text for name in others if len(text := as_text(fields[name])) <= SHORT}
    long = [name for name in others if name not in short]
    view.facts = [*facts, *label, *short.items(), *([("not shown", ", ".join(long))] if long else [])]
    for row in judged:
        if is_judged(row):
            _add_judge(view, row, names)
    return view


def _refused(place: str, fields: Fields) -> RowView:
    """A line of `--errors FILE`: why the row was refused, and the row."""
    try:
        view = view_of(place, [parse(str(fields.get("row", "")).encode())])
    except RowError:
        view = RowView(place, [], [Passage("Line", str(fields.get("row") or ""))])
    refused = [(name, as_text(fields[name])) for name in ("stage", "class", "place", "attempts") if name in fields]
    view.facts = [*refused, *view.facts]
    view.passages.insert(0, Passage("Refused because", str(fields["reason"])))
    return view


def _add_texts(view: RowView, fields: Fields) -> Sequence[str]:
    """Adds question, reference and responses, or the turns of a conversation; returns the names of the responses."""
    fields = _as_response(fields)
    whole = fields.get("response_with_cot")
    try:
        item = item_of(fields, whole if isinstance(whole, str) else None)
    except ValueError:
        has_turns = _add_other_texts(view, fields)
        return _add_as_they_stand(view, fields, has_turns)
    view.passages.append(Passage("Question", item.question))
    if item.reference is not None:
        view.passages.append(Passage("Reference", item.reference))
    names: Sequence[str] = ["response"]
    of = ""
    if len(item.responses) == 2:
        names = ("chosen", "rejected") if "chosen" in fields else ("response A", "response B")
    elif len(item.responses) > 2:
        names = [f"response {at}" for at in range(1, len(item.responses) + 1)]
        of = f" of {len(item.responses)}"
    for name, text in zip(names, item.responses, strict=True):
        view.passages += cut(f"{name[0].upper()}{name[1:]}{of}", text)
    return names


def _as_response(fields: Fields) -> Fields:
    """A response and its reference with libra's names, if others stand for both; any other row as it is."""
    if not {"response", "response_with_cot"}.isdisjoint(fields) or common_name(fields, REFERENCE) is None:
        return fields
    row = Row(dict(fields), b"{}", "", 0)
    return ResponseNames(lambda *_, **__: None)(row).fields if common_name(fields, RESPONSE) is not None else fields


def _add_as_they_stand(view: RowView, fields: Fields, has_turns: bool) -> list[str]:
    """Adds what cannot be read as a response or a turn, and is not shown yet; returns the names of the responses."""
    names: list[str] = []
    for name in (*(() if has_turns else _ASKED), *_ANSWERS, "generation", "tool_calls", "tools"):
        value = fields.get(name)
        is_shown_whole = name == "response" and isinstance(fields.get("response_with_cot"), str)
        is_fact = name == "tools" and not names
        if value in (None, "", [], {}) or is_shown_whole or is_fact:
            continue
        title = "response" if name == "response_with_cot" else _words(name)
        names += [title] if name in _ANSWERS else []
        text, parts = as_text(value), cut(title[0].upper() + title[1:], as_text(value))
        places = [one for one in view.passages if name in _ASKED or one.title.startswith((name, "Assistant", "Text"))]
        shown = {one.text.strip() for one in places}
        if text.strip() not in shown and not all(one.text.strip() in shown for one in parts):
            view.passages += parts
    return names


def _has_shown_tools(fields: Fields) -> bool:
    """Whether the tools of a row with responses stand among its texts: not if the column means something else."""
    try:
        return bool(judged_tools_of(fields))
    except RowError:
        return True


def _words(name: str) -> str:
    """The name of a field as words: response A for response_a."""
    return " ".join(word.upper() if len(word) == 1 else word for word in name.split("_"))


def _add_other_texts(view: RowView, fields: Fields) -> bool:
    """Adds the texts of a row without a response to judge: turns to learn from, a problem; whether it has turns."""
    try:
        example = example_of(fields, [])
        turns = example.messages if isinstance(example, Conversation) else None
    except RowError:
        example, turns = None, _turns(fields)
    if isinstance(example, PlainText):
        view.passages += [Passage("Prompt", example.prompt)] if example.prompt else []
        view.passages += cut("Text", example.completion)
    elif isinstance(example, Segments):
        view.passages += [Passage("Learned" if is_learned else "Text", text) for text, is_learned in example.parts]
    elif turns:
        for turn in turns:
            if turn.get("reasoning_content"):
                view.passages.append(Passage("Thinking", str(turn["reasoning_content"]), folds=True))
            text = with_calls(str(turn.get("content") or "").strip("\n"), turn.get("tool_calls"))
            view.passages += cut(str(turn["role"]).capitalize(), text)
    elif (question := question_of(fields)) is not None:
        view.passages.append(Passage("Question", question))
    else:
        texts = [(name, value) for name, value in fields.items() if isinstance(value, str) and len(value) > SHORT]
        view.passages += [Passage(name, value) for name, value in texts]
    references = (fields.get(name) for name in ("reference", "expected_answer"))
    reference = next((value for value in references if value is not None), None)
    if reference is not None:
        view.passages.append(Passage("Reference", as_text(reference)))
    return example is not None or turns is not None


def _turns(fields: Fields) -> list[dict[str, Any]] | None:
    """The turns of a row that nothing can be learned from: a prompt of messages."""
    for name in ("messages", "prompt", "conversations"):
        try:
            return messages(fields.get(name), name)
        except RowError:
            continue
    return None


def _label(fields: Fields, n_responses: int) -> list[tuple[str, str]]:
    """The golden label with how it came about, and the votes behind it."""
    verification = fields.get("verification")
    verification = verification if isinstance(verification, dict) else {}
    label = golden_verdict(fields, n_responses)
    if label is None:
        given = fields.get("label", fields.get("preference"))
        if given is None and "label" not in fields:
            return []
        label = "undecided" if given is None else as_text(given)
    details = [str(verification[name]) for name in ("by", "reason") if verification.get(name)]
    if verification.get("answer") is not None:
        details.append(f"answer {as_text(verification['answer'])}")
    facts = [("label", f"{label} ({', '.join(details)})" if details else label)]
    for vote in label_votes.earlier(fields):
        facts.append((f"label of {vote['annotator']}", str(vote["verdict"] or vote.get("reason") or "none")))
    return facts


def _add_judge(view: RowView, fields: Fields, names: Sequence[str]) -> None:
    """Adds a judge's verdict, whether it is right, and its judgments."""
    verdict, golden = verdict_of(fields, len(names)), golden_verdict(fields, len(names))
    name = f"Judge {fields['judge']}" if fields.get("judge") is not None else "Judge"
    said = "no verdict" if verdict is None else verdict
    is_wrong = verdict is not None and golden is not None and verdict != golden
    marks = [f"{one} {as_text(fields[one])}" for one in ("score", "scores", "gate") if fields.get(one) is not None]
    if verdict is None and fields.get("score") is None:
        marks += [reason] if (reason := null_reason(dict(fields))) != NO_VERDICT else []
    elif verdict is not None and golden is not None:
        marks.append(f"wrong, the label is {golden}" if is_wrong else "right")
    title = f"{name}: {said}" + (f" ({'; '.join(marks)})" if marks else "")
    view.passages.append(Passage(title, "", is_wrong=is_wrong))
    votes = judgments(dict(fields))
    for vote in votes:
        view.passages += judgment_passages(vote, str(fields.get("judge_task")), n_votes_of(votes), names)
