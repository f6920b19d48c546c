"""Errors that a server reports in what it sends with status 200: under `error`, or as the object itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_RESULTS = ("choices", "data", "object", "results", "usage")
"""Fields of answers, one of which each has that is no error."""


def reported(fields: Mapping[str, Any]) -> Any:
    """The error that an object reports, an object or a text; None if it reports none.

    vLLM and FastChat have sent `{"object": "error", "message": ..., "code": ...}`, FastAPI sends `{"detail": ...}`, and
    FastChat in a stream `{"text": ..., "error_code": ...}`, whose text is no answer.
    """
    if fields.get("error"):
        return fields["error"]
    if fields.get("error_code"):
        words = fields.get("message") or fields.get("text") or f"error_code {fields['error_code']}"
        return {"message": words, "code": fields["error_code"]}
    if fields.get("object") == "error":
        return fields
    words = fields.get("message") or fields.get("detail")
    is_error = bool(words) and isinstance(words, (str, list)) and not any(name in fields for name in _RESULTS)
    return fields if is_error else None
