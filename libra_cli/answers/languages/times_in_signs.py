"""Writes times and durations in Chinese, Japanese and Korean in figures: 下午2时30分 as 2:30 PM, 4小时半 as 4.5 h."""

from __future__ import annotations

import re

from libra_cli.lazy_pattern import lazy_pattern

_MORNING = ("上午", "早上", "凌晨", "午前", "오전", "아침")
_HALVES = "上午|下午|早上|晚上|凌晨|中午|午前|午後|오전|오후|아침|저녁"
_CLOCK = lazy_pattern(
    rf"(?P<half>{_HALVES})? ?(?<![\d.])(?P<hour>\d{{1,2}}) ?(?:时|時|点|點|시)(?![间間간]) ?"
    r"(?:(?P<minute>\d{1,2}) ?(?:分|분)(?![之の의钟鐘間])|(?P<thirty>半|반))?(?:整|ちょうど)?"
)
_AT = lazy_pattern(rf"(?P<half>{_HALVES})? ?(?<![\d.:])(?P<hour>\d{{1,2}}):(?P<minute>\d\d)")
_DURATION = lazy_pattern(
    r"(?<![\d.])(?P<hours>\d+(?:\.\d+)?) ?(?:个|個)?(?:小时|小時|钟头|鐘頭|時間|시간)(?:零|と|又)? ?"
    r"(?:(?P<minutes>\d{1,2}) ?(?:分钟|分鐘|分間|分|분)|(?P<half>半|반))?"
)
_MINUTES = lazy_pattern(r"(?<![\d.])(\d+(?:\.\d+)?) ?(?:分钟|分鐘|分間)")


def in_figures(text: str) -> str | None:
    """A text that is one time of day or one duration in signs: 10:30 AM, 4 h 30 min; None for any other text."""
    clock = _CLOCK.fullmatch(text) or _AT.fullmatch(text)
    if clock and (clock["half"] or clock["minute"]):
        return _time(clock)
    duration = _DURATION.fullmatch(text)
    return _amount(duration) if duration else None


def clock_of(sentence: str) -> str | None:
    """The last time of day of a sentence, if it is the only one behind its calculation; None if there is none."""
    clause = re.split(r"[，,。；=＝]|이므로|므로|なので|から", sentence.rstrip("。.！ "))[-1]
    found = [*_CLOCK.finditer(clause)] or [*_AT.finditer(clause)]
    found = [one for one in found if one["half"] or one["minute"] or len(found) == 1]
    return _time(found[0]) if len(found) == 1 else None


def duration_of(sentence: str) -> str | None:
    """The only duration of the last clause of a sentence that has one; None if it has none, or several."""
    for clause in reversed(re.split(r"[，,。；]|이므로|므로|なので|から(?=[、 ])", sentence)):
        found = [*_DURATION.finditer(clause)]
        minutes = _MINUTES.findall(_DURATION.sub("", clause))
        if found or minutes:
            return _amount(found[0]) if len(found) == 1 and not minutes else f"{minutes[0]} min" if not found else None
    return None


def _time(clock: re.Match[str]) -> str:
    groups = clock.groupdict()
    minute = int(groups.get("minute") or (30 if groups.get("thirty") else 0))
    hour, half = int(groups["hour"]), groups["half"] or ""
    mark = "" if not half or hour > 12 else " AM" if half in _MORNING or (half == "中午" and hour == 11) else " PM"
    return f"{hour}:{minute:02d}{mark}"


def _amount(duration: re.Match[str]) -> str:
    if duration["half"]:
        return f"{float(duration['hours']) + 0.5:g} h"
    return f"{duration['hours']} h {duration['minutes']} min" if duration["minutes"] else f"{duration['hours']} h"
