"""Skips tests whose packages are not installed, without an import while tests are collected."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def needs(package: str) -> pytest.MarkDecorator:
    """Skips a test unless the package is installed; the test imports it itself."""
    return pytest.mark.skipif(find_spec(package) is None, reason=f"needs {package}, which is not installed")
