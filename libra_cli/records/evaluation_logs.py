"""What other evaluation tools log of each sample, as responses: question, response and reference.

Sources: lm-evaluation-harness (--log_samples), lighteval (details), evalscope (reviews), OpenCompass (predictions), and
the data sets of multiple choice that they run (MMLU, ARC).
"""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from libra_cli.records.conversations import OtherForm
from libra_cli.records.own_names import QUESTION, common_name, common_text

Fields = dict[str, Any]

_USER = "**User**:"


def lm_eval(fields: Fields, _seed: int) -> Fields:
    """A sample of lm-evaluation-harness: the problem of its `doc`, else the whole prompt; what the model wrote."""
    doc, arguments = fields.get("doc"), fields.get("arguments")
    first = next(iter(arguments.values()), None) if isinstance(arguments, dict) else None
    prompt = first.get("arg_0") if isinstance(first, dict) else None
    question = _question(doc) if isinstance(doc, dict) else None
    used = ("doc", "arguments", "resps", "target")
    return _response(fields, used, question or prompt, _only(fields.get("resps")), fields.get("target"))


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
    texts = choices.get("text") if isinstance(choices, Mapping) else choices
    if not isinstance(texts, list) or not texts or len(texts) > len(ascii_uppercase):
        raise OtherForm('there are no "choices"')
    letters = list(ascii_uppercase[: len(texts)])
    answer = fields["answerKey"] if fields.get("answerKey") is not None else fields.get("answer")
    if type(answer) is int and 0 <= answer < len(texts):
        at = answer
    elif isinstance(answer, str) and answer in (known := labels if isinstance(labels, list) else letters):
        at = known.index(answer)
    else:
        raise OtherForm('"answer" is neither the place of a choice, from 0, nor its letter')
    options = "\n".join(f"{letter}. {text}" for letter, text in zip(letters, texts, strict=True))
    kept = {name: value for name, value in fields.items() if name not in ("question", "choices", "answer", "answerKey")}
    return {"question": f"{fields.get('question')}\n\n{options}", "reference": letters[at], **kept}


def _response(fields: Fields, used: tuple[str, ...], question: Any, response: Any, reference: Any) -> Fields:
    """A row of a response; the final answer of a reference that is worked out. Raises OtherForm."""
    if not isinstance(question, str) or not question.strip():
        raise OtherForm("there is no prompt as text")
    if not isinstance(response, str):
        raise OtherForm("there is no single response as text, but log-probabilities, several samples, or nothing")
    golden = {} if reference in (None, "") else {"reference": common_text({"answer": reference}, "reference", "answer")}
    kept = {name: value for name, value in fields.items() if name not in used}
    return {"question": question, **golden, "response": response, **kept}


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
