"""The stated confidence of a response is read, or there is none: never a guess."""

from __future__ import annotations

import pytest

from libra_cli.tasks.confidence import stated_confidence


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ("\\boxed{4}\n[[confidence=0.8]]", 0.8),
        ("[[Confidence: 80%]]", 0.8),
        ("**[[ confidence = .5 ]]**", 0.5),
        ("<think>[[confidence=0.1]]</think> \\boxed{4} [[confidence=1]]", 1.0),  # only the answer's own
        ("<confidence> 0.25 </confidence>", 0.25),  # as RLCR writes it
        ("[[confidence=0.7]] ... so [[confidence=0.70]]", 0.7),
        ("[[confidence=0.7]] [[confidence=0.9]]", None),  # it has not decided
        ("[[confidence=1.2]]", None),
        ("[[confidence=120%]]", None),
        ("[[confidence=-0.5]]", None),
        ("[[confidence=P]]", None),
        ("[[confidence=]]", None),
        ("[[confidence=.]]", None),
        ("[confidence=0.5]", None),
        ("I am 80% sure", None),
        ("<think>[[confidence=0.8]]", None),  # it ends inside its thinking
        ("", None),
    ],
)
def test_a_confidence_is_read_or_there_is_none(text: str, confidence: float | None) -> None:
    found = stated_confidence(text)
    assert found == (None if confidence is None else pytest.approx(confidence))
