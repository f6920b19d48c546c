"""Terms of several classes, such as Mercury."""

from __future__ import annotations

from libra_cli.answers.values import science


def test_a_planet_that_is_an_element_is_not_said_for_certain_beside_another_planet() -> None:
    said = science.said("Mercury is closer to the Sun, yet Venus is hotter", "Mercury", None, frozenset())
    assert said == ""  # whichever class comes first in this process
