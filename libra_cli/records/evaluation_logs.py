"""What other evaluation tools log of each sample, as responses: question, response and reference.

Sources: lm-evaluation-harness (--log_samples), lighteval (details), evalscope (reviews), OpenCompass (predictions), and
the data sets of multiple choice that they run (MMLU, ARC).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from libra_cli.records.conversations import OtherForm, built
from libra_cli.records.own_names import QUESTION, common_name, common_text
from libra_cli.stream.hash_numbers import DiskLog, HashNumbers
from libra_cli.stream.rows import content_hash

Fields = dict[str, Any]

_USER = "**User**:"
_FILTERED = ("filter", "filtered_resps", "resps")
_OF_A_DOCUMENT = ("doc_id", "doc_hash", "prompt_hash", "target_hash", "doc", QUESTION, "model", "sample")
_HASH_BYTES = 8
_SPLIT = ". as $row | .resps[0] | to_entries[] | $row + {resps: [[.value]], sample: .key}"


class FilterLines:
    """Finds the lines of lm-evaluation-harness that repeat a sample: it logs each one once for every filter.

    The first filter of a document counts. Older logs do not name the filter: there a line with the same answer repeats
    the sample. Takes 10 to 16 bytes of memory for each document.
    """

    def __init__(self) -> None:
        self._documents, self._filters = HashNumbers(), DiskLog()

    def repeats(self, fields: Mapping[str, Any], file: str, answer: Any) -> bool:
        """Whether an earlier row of `file` is about the same sample, whose answer is `answer`."""
        if "doc_id" not in fields or not any(name in fields for name in _FILTERED):
            return False
        name = fields.get("filter")
        document = [file, *(fields.get(part) for part in _OF_A_DOCUMENT), answer if name is None else None]
        known = len(self._documents)
        number = self._documents.number(int(content_hash(document), 16))
        own = bytes.fromhex(content_hash(name))
        if number == known:
            self._filters.append(own)
            return False
        return name is None or self._filters.read(number * _HASH_BYTES, _HASH_BYTES) != own


def lm_eval(fields: Fields, _seed: int) -> Fields:
    """A sample of lm-evaluation-harness: the problem of its `doc`, else the whole prompt; what the model wrote."""
    doc, arguments = fields.get("doc"), fields.get("arguments")
    first = next(iter(arguments.values()), None) if isinstance(arguments, dict) else None
    prompt = first.get("arg_0") if isinstance(first, dict) else None
    question = _question(doc) if isinstance(doc, dict) else None
    used = ("doc", "arguments", "resps", "target")
    match fields.get("resps"):
        case [[str(), str(), *_]]:
            raise OtherForm(f"there are several samples (repeats); make a row of each: jq -c '{_SPLIT}'")
    asked, target = question or prompt, fields.get("target")
    if isinstance(doc, dict) and (choices := _choices(doc)) is not None:
        target = _of_choices(target, choices, asked)
    return _response(fields, used, asked, _only(fields.get("resps")), target)


def lighteval(fields: Fields, _seed: int) -> Fields:
    """A sample of lighteval: `doc` with the choices of which one is golden, and the text of `model_response`."""
    doc, said = fields.get("doc"), fields.get("model_response")
    if not isinstance(doc, dict) or not isinstance(said, dict):
        raise OtherForm('there is no "doc" and "model_response"')
    gold = doc.get("gold_index")
    gold = gold[0] if isinstance(gold, list) and len(gold) == 1 else gold
    choices = doc.get("choices")
    has_gold = type(gold) is int and isinstance(choices, list) and 0 <= gold < len(choices)
    reference = doc["choices"][gold] if has_gold else None
    return _response(fields, ("doc", "model_response"), doc.get("query"), _only(said.get("text")), reference)


def evalscope(fields: Fields, _seed: int) -> Fields:
    """A review of evalscope: `input`, `target`, and the prediction in the score of the sample."""
    sample = fields.get("sample_score")
    score = sample.get("score") if isinstance(sample, dict) else None
    said = score.get("prediction") if isinstance(score, dict) else None
    asked = fields.get("input")
    asked = asked.strip().removeprefix(_USER).strip() if isinstance(asked, str) else asked
    return _response(fields, ("input", "target"), asked, said, fields.get("target"))


def opencompass(fields: Fields, _seed: int) -> Fields:
    """A prediction of OpenCompass: the last prompt of the human in `origin_prompt`, `prediction` and `gold`."""
    asked = fields.get("origin_prompt")
    if isinstance(asked, list):
        texts = [turn.get("prompt") for turn in asked if isinstance(turn, dict) and turn.get("role") == "HUMAN"]
        asked = texts[-1] if texts else None
    return _response(
        fields, ("origin_prompt", "prediction", "gold"), asked, fields.get("prediction"), fields.get("gold")
    )


def multiple_choice(fields: Fields, _seed: int) -> Fields:
    """A question with `choices`: texts, or ARC's texts and labels. They follow the question; a letter is the reference.

    The `answer` is a place from 0, a letter or, as `answerKey`, one of the labels.
    """
    choices = fields.get("choices")
    labels = choices.get("label") if isinstance(choices, Mapping) else None
    texts, question = _choices(fields), fields.get("question")
    if not texts or len(texts) > len(ascii_uppercase) or not all(_is_told(text) for text in texts):
        raise OtherForm('there are no "choices", or one of them is empty')
    if not isinstance(question, str) or not question.strip():
        raise OtherForm('there is no "question" as text')
    letters = list(ascii_uppercase[: len(texts)])
    if isinstance(labels, list) and len(labels) != len(texts):
        raise OtherForm(f'"choices" has {len(texts)} texts and {len(labels)} labels')
    answer = fields["answerKey"] if fields.get("answerKey") is not None else fields.get("answer")
    if type(answer) is int and 0 <= answer < len(texts):
        at = answer
    elif isinstance(answer, str) and answer in (known := labels if isinstance(labels, list) else letters):
        at = known.index(answer)
    elif isinstance(answer, str) and texts.count(answer) == 1:
        at = texts.index(answer)
    else:
        raise OtherForm('"answer" is neither the place of a choice, from 0, nor its letter, nor the text of one choice')
    options = "\n".join(f"{letter}. {text}" for letter, text in zip(letters, texts, strict=True))
    made = {"question": f"{question}\n\n{options}", "reference": letters[at]}
    return built(made, fields, "choices", "answer", "answerKey")


def _response(fields: Fields, used: tuple[str, ...], question: Any, response: Any, reference: Any) -> Fields:
    """A row of a response; the final answer of a reference that is worked out. Raises OtherForm."""
    if not isinstance(question, str) or not question.strip():
        raise OtherForm("there is no prompt as text")
    if not isinstance(response, str):
        raise OtherForm("there is no single response as text, but log-probabilities, several samples, or nothing")
    golden = _golden(reference)
    told = {} if golden in (None, "") else {"reference": common_text({"answer": golden}, "reference", "answer")}
    return built({"question": question, **told, "response": response}, fields, *used)


def _golden(value: Any) -> Any:
    """The golden answer, a text or a number: the only one of a list, too. Raises OtherForm for anything else.

    lm-evaluation-harness writes a list or an object as Python does, in a text.
    """
    if isinstance(value, str) and re.match(r"\s*(\[\s*['\"]|\{\s*['\"].*:)", value):
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError):
            return value
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is not None and not _is_told(value) and value != "":
        raise OtherForm("the golden answer is no text or number, but several answers or an object")
    return value


def _is_told(value: Any) -> bool:
    return type(value) in (int, float) or (isinstance(value, str) and bool(value.strip()))


def _choices(fields: Fields) -> list[Any] | None:
    """The texts of the choices of a document; None if it has none."""
    choices = fields.get("choices", fields.get("options"))
    texts = choices.get("text") if isinstance(choices, Mapping) else choices
    return texts if isinstance(texts, list) else None


def _of_choices(target: Any, choices: list[Any], asked: Any) -> Any:
    """The target of a question with choices; of a place, from 0, the letter if the prompt has letters, else the text.

    A log has numbers as texts, too. Raises OtherForm if a number may be a place and a choice.
    """
    golden = _golden(target)
    number = golden if type(golden) is int else int(golden) if re.fullmatch(r"\d{1,3}", str(golden)) else None
    if number is None:
        return golden
    if not 0 <= number < len(choices):
        if str(golden) in map(str, choices):
            return golden
        raise OtherForm(f"the target {number} is neither the place of a choice, from 0, nor a choice")
    if str(golden) in map(str, choices) and str(choices[number]) != str(golden):
        raise OtherForm(f"the target {number} is the place of a choice, from 0, and another choice")
    letters = ascii_uppercase[: len(choices)]
    has_letters = isinstance(asked, str) and all(re.search(rf"(?m)(^|\s)\(?{one}[.):]", asked) for one in letters)
    return letters[number] if has_letters else choices[number]


def _question(doc: Fields) -> str | None:
    """The problem of a document, unless options belong to it, which only the prompt has."""
    if "choices" in doc or "options" in doc:
        return None
    name = QUESTION if isinstance(doc.get(QUESTION), str) else common_name(doc, QUESTION)
    return None if name is None else common_text(doc, QUESTION, name)


def _only(value: Any) -> Any:
    """The only text in a list, or list of lists; None if there are several, or none."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else None
