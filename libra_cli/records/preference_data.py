"""Published preference data as pairs or lists in one form: who is asked what, the responses, which one is better.

Each data set is a `PairData` or a `ListData`. Sources: the data cards of nvidia/HelpSteer3, openai/webgpt_comparisons,
openai/summarize_from_feedback, PKU-Alignment/PKU-SafeRLHF, stanfordnlp/SHP, lmarena-ai/arena-human-preference-55k,
lmsys/chatbot_arena_conversations, openbmb/UltraFeedback and berkeley-nest/Nectar.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.records.conversations import FIRST, ODD, SECOND, TIE, OtherForm, built, messages_of
from libra_cli.records.messages import Message, behind_own_system, turns
from libra_cli.records.own_names import QUESTION, common_name, common_text
from libra_cli.records.transcripts import (
    asked_in_transcript,
    repeats_prompt,
    stand_in,
    talks_of_transcripts,
    transcript,
    without_prompt,
)
from libra_cli.stream import rows
from libra_cli.stream.common_names import CONTEXT_MESSAGES
from libra_cli.stream.rows import RowError

Fields = dict[str, Any]

_SCORES = (
    ("score_chosen", "score_rejected"),
    ("chosen_score", "rejected_score"),
    ("chosen_rating", "rejected_rating"),
)
_OWN = ("prompt", "responses", "response_A", "response_B", "best")
"""Fields from which libra would read another question or other responses than those of the pair or list."""
_RATINGS = {"score_chosen": "chosen_rating", "score_rejected": "rejected_rating"}
"""Ratings under names by which `libra score` knows those of a judge, and the names that they get."""


@dataclass(frozen=True)
class PairData:
    """Where a data set of pairs has what."""

    asked: Callable[[Fields], Any]
    """What is asked: a text or messages."""
    responses: Callable[[Fields], Sequence[Any]]
    """The two responses, as texts."""
    lead: Callable[[Fields], float]
    """By how much the first response is better; 0 for a tie. Raises KeyError or ValueError if the row does not say."""
    used: tuple[str, ...]
    """Fields whose content is in the pair."""

    def __call__(self, fields: Fields, _seed: int) -> Fields:
        """The row as a pair, with its other fields. Raises OtherForm."""
        try:
            lead, responses = self.lead(fields), self.responses(fields)
            asked = _asked(self.asked(fields))
        except OtherForm:
            raise
        except (*ODD, ValueError):
            raise OtherForm(f"a field is missing, null or of another form; it reads {', '.join(self.used)}") from None
        if len(responses) != 2 or not all(isinstance(text, str) for text in responses):
            raise OtherForm("there are no two responses as texts")
        is_tie = lead == 0 or responses[0] == responses[1]
        preference = TIE if is_tie else FIRST if lead > 0 else SECOND
        return _pair(fields, self.used, asked, responses, preference)


@dataclass(frozen=True)
class ListData:
    """Where a data set of several responses to one prompt has what."""

    asked: Callable[[Fields], Any]
    rated: Callable[[Fields], Sequence[tuple[str, float | None, str]]]
    """Each response, its rating (more is better), and who wrote it."""
    used: tuple[str, ...]

    def __call__(self, fields: Fields, seed: int) -> Fields:
        """The row as a list, in an order that the seed draws; `best` is missing if several are. Raises OtherForm."""
        try:
            rated, asked = list(self.rated(fields)), _asked(self.asked(fields))
        except OtherForm:
            raise
        except (*ODD, ValueError):
            raise OtherForm(f"a field is missing, null or of another form; it reads {', '.join(self.used)}") from None
        if not rated or not all(isinstance(text, str) for text, _, _ in rated):
            raise OtherForm("there are no responses")
        rated.sort(key=lambda one: rows.seed_for(seed, rows.content_hash(list(one)), 0))
        ratings = [rating for _, rating, _ in rated]
        known = [rating for rating in ratings if rating is not None]
        best = [at for at, rating in enumerate(ratings) if known and rating == max(known)]
        made = {
            **_question(asked),
            "responses": [text for text, _, _ in rated],
            **({"best": best[0]} if len(best) == 1 and len(known) == len(ratings) else {}),
            "ratings": ratings,
            "models": [model for _, _, model in rated],
        }
        return built(made, fields, *self.used, *_OWN)


def chosen_pair_of(fields: Fields, seed: int) -> Fields:
    """Reads `chosen` and `rejected`: conversations, transcripts (HH-RLHF), or responses to a prompt of any name.

    The seed and the pair decide which of them is response A. Raises OtherForm.
    """
    asks = next((name for name in ("prompt", QUESTION, CONTEXT_MESSAGES) if fields.get(name)), None)
    asks = asks or common_name(fields, QUESTION)
    fields = without_prompt(fields) if repeats_prompt(fields) else fields
    try:
        chosen, rejected = (_side(fields, name, asks) for name in ("chosen", "rejected"))
    except (RowError, ValueError) as error:
        raise OtherForm(str(error)) from None
    if chosen[:-1] != rejected[:-1]:
        raise OtherForm('"chosen" and "rejected" answer different conversations')
    answers = chosen[-1]["content"], rejected[-1]["content"]
    is_second = rows.seed_for(seed, rows.content_hash([chosen, rejected]), 0) & 1
    context = ("input", "context") if asks == "instruction" else ()
    used = ("chosen", "rejected", "messages", *(() if asks is None else ("system", "system_prompt", asks, *context)))
    renamed = {_RATINGS.get(name, name): value for name, value in fields.items()}
    is_tie = answers[0] == answers[1] or any(_are_equal(fields, *names) for names in _SCORES)
    preference = TIE if is_tie else SECOND if is_second else FIRST
    return _pair(renamed, used, chosen[:-1], answers[::-1] if is_second else answers, preference)


def _are_equal(fields: Fields, one: str, other: str) -> bool:
    """Whether a row rates both of its responses, and the same."""
    rating = fields.get(one)
    return type(rating) in (int, float) and rating == fields.get(other)


def _side(fields: Fields, side: str, asks: str | None) -> list[Message]:
    """The conversation that ends with a response; `asks` names what is asked. Raises ValueError or RowError."""
    value = {**fields, **talks_of_transcripts(fields)}.get(side)
    talk = [{"role": "assistant", "content": value}] if isinstance(value, str) else messages_of(value, side)
    if talk and asks is not None:
        asked = fields[asks] if isinstance(fields.get(asks), list) else common_text(fields, QUESTION, asks)
        before = _asked(asked)
        if talk[0]["role"] != "assistant":
            _check_asks(before, talk, side, asks)
            if isinstance(asked, list) and not stand_in(before, talk):
                raise ValueError(f'"{side}" begins with other turns than "{asks}" has; leave one of them out')
            before = []
        talk = behind_own_system(fields, [*before, *talk])
    if len(talk) < 2 or talk[-1]["role"] != "assistant":
        raise ValueError(f'"{side}" is no conversation that ends with the assistant, nor an answer to a "prompt"')
    return talk


def _check_asks(asked: list[Message], talk: list[Message], side: str, asks: str) -> None:
    """Raises ValueError if what a row asks is in no turn of its conversation, nor a turn of the user in it."""
    want = " ".join(asked[-1]["content"].split())
    turns_of_user = [" ".join(turn["content"].split()) for turn in talk if turn["role"] == "user"]
    if not any(text and (text in want or want in text) for text in turns_of_user):
        raise ValueError(f'"{asks}" is not what "{side}" answers; leave one of them out')


def _pair(
    fields: Fields, used: Sequence[str], asked: list[Message], responses: Sequence[str], preference: str
) -> Fields:
    pair = {"response_a": responses[0], "response_b": responses[1], "preference": preference}
    return built({**_question(asked), **pair}, fields, *used, *_OWN)


def _question(asked: list[Message]) -> Fields:
    """The question as text; of several turns these, too, from which trainers make the prompt."""
    return {"question": transcript(asked).strip(), **({"prompt": asked} if len(asked) > 1 else {})}


def _asked(value: Any) -> list[Message]:
    """What is asked as turns. Raises ValueError (OtherForm) for what is neither a text nor messages."""
    if isinstance(value, str) and value.strip():
        return asked_in_transcript(value) or turns(value, "prompt", "user")
    talk = messages_of(value, "prompt")
    if not talk:
        raise ValueError("nothing is asked")
    return talk


def _texts(*names: str) -> Callable[[Fields], list[Any]]:
    return lambda fields: [fields[name] for name in names]


def _number(name: str, sign: int = 1) -> Callable[[Fields], float]:
    """How far the first response is ahead, by a number whose sign is `sign` where the first is better."""
    return lambda fields: sign * _checked(fields.get(name), name)


def _which(name: str, first: Any, second: Any, *ties: Any) -> Callable[[Fields], float]:
    """The same, by the name of the better response."""
    leads = {first: 1.0, second: -1.0, **dict.fromkeys(ties, 0.0)}

    def lead(fields: Fields) -> float:
        value = fields.get(name)
        if value is None or isinstance(value, (dict, list)) or value not in leads:
            said = "is missing or null" if value is None else f"is {json.dumps(value)}"
            raise OtherForm(f'"{name}" {said}; it says which response is better: {", ".join(map(str, leads))}')
        return leads[value]

    return lead


def _checked(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise OtherForm(f'"{name}" is {"missing or null" if value is None else "no number"}')
    return float(value)


def _summary_task(fields: Fields) -> str:
    info = fields["info"]
    text = info.get("post") or info["article"]
    title = f"{info['title']}\n\n" if info.get("title") else ""
    return f"Summarize this text.\n\n{title}{text}"


def _of_turns(value: Any) -> list[Any]:
    """The texts of one side of a conversation, which the file has as JSON in a text."""
    texts = json.loads(value) if isinstance(value, str) else value
    return texts if isinstance(texts, list) else [texts]


def _arena_lead(fields: Fields) -> float:
    votes = [_checked(fields.get(f"winner_{name}"), f"winner_{name}") for name in ("model_a", "model_b", "tie")]
    if sum(votes) != 1:
        raise OtherForm('"winner_model_a", "winner_model_b" and "winner_tie" name not one winner')
    return votes[0] - votes[1]


def _last(fields: Fields, name: str) -> Any:
    return messages_of(fields[name], name)[-1]["content"]


def _shared_turns(fields: Fields) -> list[Message]:
    """What both sides were asked; of several turns, in which the sides differ, the first."""
    talk, other = (messages_of(fields[name], name)[:-1] for name in ("conversation_a", "conversation_b"))
    return talk if talk == other else talk[:1]


def _aspects(completion: Fields) -> float | None:
    """Mean of the ratings of a completion over the aspects of UltraFeedback, which its overall score does not match."""
    ratings = [str(aspect.get("Rating")) for aspect in (completion.get("annotations") or {}).values() if aspect]
    numbers = [float(rating) for rating in ratings if rating.replace(".", "", 1).isdigit()]
    return sum(numbers) / len(numbers) if numbers else None


HELPSTEER3 = PairData(
    lambda fields: fields["context"],
    _texts("response1", "response2"),
    _number("overall_preference", -1),
    ("context", "response1", "response2"),
)
"""-3 to 3; below 0 the first response is better."""
WEBGPT = PairData(
    lambda fields: fields["question"]["full_text"],
    _texts("answer_0", "answer_1"),
    lambda fields: _checked(fields.get("score_0"), "score_0") - _checked(fields.get("score_1"), "score_1"),
    ("question", "answer_0", "answer_1", "tokens_0", "tokens_1"),
)
SUMMARIES = PairData(
    _summary_task,
    lambda fields: [one["text"].strip() for one in fields["summaries"]],
    _which("choice", 0, 1),
    ("info", "summaries"),
)
SAFE_RLHF = PairData(
    lambda fields: fields["prompt"],
    _texts("response_0", "response_1"),
    _which("better_response_id", 0, 1),
    ("prompt", "response_0", "response_1"),
)
SHP = PairData(
    lambda fields: fields["history"],
    _texts("human_ref_A", "human_ref_B"),
    _which("labels", 1, 0),
    ("history", "human_ref_A", "human_ref_B"),
)
"""`labels` is 1 where people prefer A."""
ARENA_55K = PairData(
    lambda fields: "\n\n".join(_of_turns(fields["prompt"])),
    lambda fields: [_of_turns(fields[name])[0] for name in ("response_a", "response_b")],
    _arena_lead,
    ("prompt", "response_a", "response_b", "winner_model_a", "winner_model_b", "winner_tie"),
)
CHATBOT_ARENA = PairData(
    _shared_turns,
    lambda fields: [_last(fields, "conversation_a"), _last(fields, "conversation_b")],
    _which("winner", "model_a", "model_b", "tie", "tie (bothbad)"),
    ("conversation_a", "conversation_b"),
)
ULTRAFEEDBACK = ListData(
    lambda fields: fields["instruction"],
    lambda fields: [(one["response"], _aspects(one), str(one.get("model"))) for one in fields["completions"]],
    ("instruction", "completions", "models"),
)
NECTAR = ListData(
    lambda fields: fields["prompt"],
    lambda fields: [
        (one["answer"], -_checked(one["rank"], "rank"), str(one.get("model"))) for one in fields["answers"]
    ],
    ("prompt", "answers"),
)
"""Rank 1 is the best."""


def single_turn_arena(fields: Fields, seed: int) -> Fields:
    """A battle of arena-human-preference-55k, with its number of `turns`: both sides share only the first."""
    try:
        turns_asked = len(_of_turns(fields.get("prompt")))
    except ValueError:
        raise OtherForm('"prompt" is no JSON array of texts') from None
    return {**ARENA_55K(fields, seed), "turns": turns_asked}
