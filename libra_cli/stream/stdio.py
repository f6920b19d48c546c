"""Standard output belongs to records: what libraries print goes to stderr."""

from __future__ import annotations

import os


def open_missing_descriptors() -> None:
    """Opens descriptors 0, 1 and 2 on /dev/null if the process was started without them.

    Otherwise the next file opened would become "standard output". Reading 0 and writing 1 fail, as they should.
    """
    for descriptor, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest free number, which is `descriptor`


def reserve_stdout() -> int:
    """Returns a private descriptor for records and points descriptor 1 at stderr.

    vLLM, tqdm and compiled code write to descriptor 1; their lines must never mix with records.
    """
    records = os.dup(1)
    os.dup2(2, 1)
    return records
