"""Text of rows on the page: never markup, and nothing in it unseen."""

from __future__ import annotations

from html import escape
from typing import Any

from libra_cli.stream.console import safe_text


def text(value: Any) -> str:
    """Text as text, for content and for attributes in quotes; what is no printable character is an escape."""
    return escape(safe_text(str(value)), quote=True)
