"""How a command tells the one that started it how it ends: not by its messages, which are for people.

`libra run` names a file in the environment of each step, and the processes of the step append their errors and counts.
The first process that fails is the one to believe; the others fail because it did.
"""

from __future__ import annotations

import json
import os

VARIABLE = "_LIBRA_ENDING"
"""Names the file."""
ERROR, COUNTS = "error", "counts"


def tell(event: str, message: str) -> None:
    """Appends an event to the file that VARIABLE names, if there is one."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    from libra_cli.masking import masked

    line = json.dumps({"event": event, "message": masked(message)}) + "\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
    except OSError:
        pass  # the message stands in the log, too


def take(path: str) -> dict[str, str]:
    """The first message of each event in the file, which is removed."""
    told: dict[str, str] = {}
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        os.unlink(path)
    except OSError:
        return told
    for line in lines:
        try:
            event = json.loads(line)
            told.setdefault(str(event["event"]), str(event["message"]))
        except (ValueError, KeyError, TypeError):
            continue  # torn by a full disk
    return told
