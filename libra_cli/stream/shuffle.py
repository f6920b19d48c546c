"""Permutations from a seed that stay what they are: for orders that a later run or version must find again."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint32]


def permutation(count: int, *names: Any) -> Numbers:
    """The numbers below `count`, at most 2^32, in an order that only `names` decide.

    Only the raw bits of numpy's Philox generator are used: those never change, what numpy makes of them may.
    """
    key = hashlib.blake2b("\0".join(map(str, names)).encode(), digest_size=16).digest()
    cards = np.random.Philox(key=int.from_bytes(key, "big")).random_raw(count)
    # The low bits of each random number become the number itself: sorting in place takes half the memory of argsort.
    low = np.uint64(count.bit_length())
    cards >>= low
    cards <<= low
    cards |= np.arange(count, dtype=np.uint64)
    cards.sort()
    cards &= (np.uint64(1) << low) - np.uint64(1)
    return cards.astype(np.uint32)
