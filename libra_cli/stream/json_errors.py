"""Says of a line that is no JSON what is wrong with it."""

from __future__ import annotations

import json
import re

HALF_A_PAIR = "write the whole character, or U+FFFD"
"""The cure for half of a surrogate pair, which is no character."""


def not_json(raw: bytes, error: json.JSONDecodeError) -> str:
    """What is wrong with a line that is no JSON, and the cure where it is plain."""
    if raw == b",":
        return "not JSON: a comma without a row beside it; take it out"
    if raw.endswith(b"},") and error.msg in ("unexpected content after document", "Extra data"):
        return "not JSON: a comma follows the row; take it out"
    if re.search(rb"\}\s*\{", raw) and error.msg in ("unexpected content after document", "Extra data"):
        return "not JSON: several rows are on one line; write each on a line of its own (jq -c .)"
    if "surrogate" in error.msg:
        return f"not JSON: half of a surrogate pair (character {error.pos + 1}); {HALF_A_PAIR}"
    if "trailing comma" in error.msg:
        return f"not JSON: a comma stands before the bracket at character {error.pos + 1}; take it out"
    return f"not JSON: {error.msg} (character {error.pos + 1})"
