"""Escaping of text on the page."""

from __future__ import annotations

from html import escape
from typing import Any

from libra_cli.stream.console import safe_text


def text(value: Any) -> str:
    """Escapes text for content and quoted attributes; a character that cannot be printed becomes an escape."""
    return escape(safe_text(str(value)), quote=True)
