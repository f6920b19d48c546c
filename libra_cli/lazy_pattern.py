"""Regular expressions that are compiled when they are first used.

`libra_cli.answers` has some 200 patterns, and most responses need few of them. To compile them all would take a fifth
of the time in which `libra verify` labels one row.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

_METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split")


class LazyPattern:
    """Stands for a pattern. The first use compiles it and keeps its bound methods, which later uses find at once."""

    def __init__(self, source: str | bytes, flags: int):
        self._source, self._flags = source, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._source, self._flags)
        vars(self).update((method, getattr(compiled, method)) for method in _METHODS)
        return getattr(compiled, name)


def lazy_pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What re.compile(source, flags) returns, for use by its methods; an error in `source` shows at the first use."""
    return cast("re.Pattern[AnyStr]", LazyPattern(source, flags))
