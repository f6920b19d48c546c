"""Regular expressions that are compiled when they are first used, on a text that they may match.

`libra_cli.answers` has some 700 patterns, and most responses need few of them. To compile them all would take several
times as long as `libra verify` takes to label one row. A pattern that looks for words names them beside itself
(`one_of`), so that a text without any of them is neither searched nor makes the pattern compile.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, AnyStr, cast

_METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split")
_WITHOUT_MATCH: dict[str, Callable[[str], Any]] = {
    "search": lambda _: None,
    "match": lambda _: None,
    "fullmatch": lambda _: None,
    "finditer": lambda _: iter(()),
    "findall": lambda _: [],
    "sub": lambda text: text,
    "subn": lambda text: (text, 0),
    "split": lambda text: [text],
}
"""What each method returns for a text without a match."""


def in_small_letters(text: str) -> str:
    """`text` in small letters, with i and s for the letters that a pattern takes for these where case is ignored."""
    if not text.isascii():
        text = text.replace("\u0130", "i").replace("\u0131", "i").replace("\u017f", "s")
    return text.lower()


class LazyPattern:
    """Stands for a pattern. The first use compiles it and keeps its bound methods, which later uses find at once."""

    def __init__(self, source: str | bytes, flags: int, one_of: tuple[str, ...] = ()):
        self._source, self._flags, self.one_of = source, flags, one_of

    def __getattr__(self, name: str) -> Any:
        if self.one_of and name in _WITHOUT_MATCH:
            method = self._guarded(name)
            vars(self)[name] = method
            return method
        compiled = re.compile(self._source, self._flags)
        if not self.one_of:
            vars(self).update((method, getattr(compiled, method)) for method in _METHODS)
        return getattr(compiled, name)

    def _guarded(self, name: str) -> Callable[..., Any]:
        """The method `name` of the pattern, for texts that hold one of the words."""
        one_of, without_match, place = self.one_of, _WITHOUT_MATCH[name], int(name in ("sub", "subn"))
        ignores_case = any(map(str.isalpha, "".join(one_of)))
        compiled: Callable[..., Any] | None = None

        def method(*arguments: Any, **options: Any) -> Any:
            nonlocal compiled
            text = arguments[place]
            if ignores_case:
                text = text.lower() if text.isascii() else in_small_letters(text)
            for word in one_of:
                if word in text:
                    break
            else:
                return without_match(arguments[place])
            if compiled is None:
                compiled = getattr(re.compile(self._source, self._flags), name)
            return compiled(*arguments, **options)

        return method


def lazy_pattern(source: AnyStr, flags: int = 0, one_of: tuple[str, ...] = ()) -> re.Pattern[AnyStr]:
    """What re.compile(source, flags) returns, for use by its methods; an error in `source` shows at the first use.

    `one_of` are texts in small letters: whatever the pattern matches stands in a text that holds one of them, in small
    or capital letters.
    """
    return cast("re.Pattern[AnyStr]", LazyPattern(source, flags, one_of))
