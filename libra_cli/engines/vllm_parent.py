"""vLLM's processes end with the one that started them, however that ends.

vLLM 0.32 leaves its engine behind where its parent is killed: for five minutes before the model is loaded, and for good
afterwards, with the GPU's memory. The entry point `vllm.general_plugins` of this package has vLLM call
`end_with_parent` in each of its processes (unless VLLM_PLUGINS, which lists the plugins to call, leaves it out).
"""

from __future__ import annotations

import multiprocessing
import os

from libra_cli.exits import die_with_parent

VARIABLE = "LIBRA_VLLM_ENDS_WITH_PARENT"
"""In the environment of those that libra starts: another user of this Python may want engines that stay."""


def end_with_parent() -> None:
    """Has the kernel kill this process when its parent ends (Linux), if libra is at the top of them."""
    parent = multiprocessing.parent_process()
    if parent is not None and VARIABLE in os.environ:
        assert parent.pid is not None
        die_with_parent(parent.pid)
