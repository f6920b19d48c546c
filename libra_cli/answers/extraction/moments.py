"""Reads the moment that ends a sentence which counts from another one: two days after Wednesday comes Friday.

A moment is a time of day, a date, a month or a day of the week. Of every earlier moment the sentence has to say that it
counts from there ("after", "from", "leaves at"), or the question gives it.
"""

from __future__ import annotations

import re

from libra_cli.answers.sentences import comparatives
from libra_cli.answers.text import vocabulary, words
from libra_cli.lazy_pattern import lazy_pattern

_MONTH = (
    "(?:January|February|March|April|May|June|July|August|September|October|November|December"
    "|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)(?![a-z]))"
)
_KINDS = (
    lazy_pattern(
        r"(?<![\w:.])\d{1,2}(?::\d\d(?![\d:])(?: ?[ap]\.?m\b\.?)?| ?[ap]\.?m\b\.?)",
        re.IGNORECASE,
        one_of=(":", "pm", "am", "a.m", "p.m"),
    ),
    lazy_pattern(
        rf"(?<!\w)(?:\d{{1,2}}(?:st|nd|rd|th)?(?: of)? )?{_MONTH}(?: \d{{1,2}}(?:st|nd|rd|th)?(?!\d))?(?:,? \d{{4}})?"
        r"(?!\w)",
        one_of=("aug", "jan", "mar", "oct", "apr", "nov", "may", "sep", "feb", "jun", "dec", "jul"),
    ),
    lazy_pattern(
        r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b",
        one_of=("sunday", "monday", "friday", "tuesday", "thursday", "saturday", "wednesday"),
    ),
)
_STARTS = lazy_pattern(
    r"\b(?:after|from|since|plus|departures?|departs?|departed|departing|starting|starts?|started|begin|begins|beginning"
    r"|began|leaves?|leaving|left|past|following|behind|add\w*[^.;]{1,30} to|take us to|takes us to)"
    r"(?: (?:at|on|in|with|the|of|time))*[ :]\Z",
    re.IGNORECASE,
)
"""Words before the moment from which a sentence counts."""
_LEADS = lazy_pattern(
    r"(?:\b(?:is|was|be|comes|arrives?|arrived|arriving|arrival|reach|reaches|reached|gives?|gets?|ends?|ended|ending"
    r"|lands?|finish(?:es|ed)?|we are|we have|more|further|another|brings? us|takes? us|leads?|come|get|arrive)"
    r"(?: (?:at|on|in|to|us|a|the))*|=|\u2192|=>|->|:) \Z",
    re.IGNORECASE,
)
"""Words before the moment to which it counts."""
_GOES_ON = lazy_pattern(
    r",? (?:(?:and|then|plus|\+) )*(?:plus |then |another |a further |\w+ (?:more|further|additional)\b|\d+ days\b)"
    r"| ?(?:minus|less|[-+\u2212]) ?\d"
)
"""Words behind a moment from which a sentence counts on: March 31, and 7 more."""
_ADDED = lazy_pattern(r"\d (?:minus|plus|less|[-+\u2212]) \Z")
"""What stands before a duration in figures that is added to a moment: 12:00 - 0:50."""
_EVENTS = {
    **dict.fromkeys(("begin", "began", "begun", "begins", "start", "started", "starts", "commenced", "broke"), "begin"),
    **dict.fromkeys(("end", "ended", "ends", "finish", "finished", "completed", "complete", "over"), "end"),
    **dict.fromkeys(("born", "birth"), "born"),
    **dict.fromkeys(("die", "died", "death", "dies"), "die"),
}
"""Words for the beginning and the end of something, and of a life."""
_YEAR = lazy_pattern(r"(?<![\d.,])[12]\d{3}(?![\d]|[.,]\d)")
_LIFE = lazy_pattern(r"\((?:\w+ )?([12]\d{3}) ?[-\u2013] ?([12]\d{3})\)")
_PARTS = lazy_pattern(r", and |; | and (?=\w+ (?:\w+ ){0,2}in [12]\d{3})|, (?=\w+ )")
_ASKS_START = lazy_pattern(r"\b(?:leave|depart|start|begin|began|born|from when|set off|set out)\w*\b", re.IGNORECASE)
_NEAR, _LONGEST = 48, 30


def last(sentence: str, reference: str, question: str | None = None) -> str | None:
    """The moment in which a sentence ends, if the reference is one of its kind; None if it is not certain."""
    if len(reference) > _LONGEST:
        return None
    kind = next((kind for kind in _KINDS if kind.fullmatch(reference.strip(" ."))), None)
    if kind is None or (question and _ASKS_START.search(comparatives.last_question(question))):
        return None
    found = [*kind.finditer(sentence)]
    heard = {word.lower() for word in words.split(sentence)}
    if len(found) < 2 or sentence[found[-1].end() :].strip(" .!*$") or not vocabulary.DENIES.isdisjoint(heard):
        return None
    *earlier, end = found
    if "or" in heard or not _LEADS.search(sentence, max(end.start() - _NEAR, 0), end.start()):
        return None
    for start in earlier:
        is_start = _STARTS.search(sentence, max(start.start() - _NEAR, 0), start.start())
        is_start = is_start or _GOES_ON.match(sentence, start.end()) or _ADDED.search(sentence, 0, start.start())
        if start[0] in (end[0], reference) or not (is_start or start[0] in (question or "")):
            return None
    return end[0]


def year(sentence: str, question: str) -> str | None:
    """The year of the event that a question asks for, in a sentence of two: began in 1939 and ended in 1945."""
    asked = {_EVENTS[word] for word in words.split(question.lower()) if word in _EVENTS}
    life = _LIFE.search(sentence) if "(" in sentence and asked in ({"born"}, {"die"}) else None
    if life and len(_YEAR.findall(sentence)) == 2:
        return life[1] if asked == {"born"} else life[2]
    if len(asked) != 1 or len(_YEAR.findall(sentence)) < 2:
        return None
    parts = [(_YEAR.findall(part), words.split(part.lower())) for part in _PARTS.split(sentence)]
    told = [years[0] for years, heard in parts if len(years) == 1 and {_EVENTS.get(word) for word in heard} >= asked]
    is_apart = all(len(years) < 2 for years, _ in parts) and vocabulary.DENIES.isdisjoint(words.split(sentence.lower()))
    return told[0] if len(told) == 1 and is_apart else None
