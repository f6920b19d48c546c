"""Permutations that depend on a seed only, for orders that a later run or version must reproduce."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint32]


def permutation(count: int, *names: Any) -> Numbers:
    """The numbers below `count`, at most 2^32, in an order that depends on `names` only.

    Uses only the raw bits of numpy's Philox generator, which never change; what numpy derives from them may.
    """
    key = hashlib.blake2b("\0".join(map(str, names)).encode(), digest_size=16).digest()
    keys = np.random.Philox(key=int.from_bytes(key, "big")).random_raw(count)
    # The low bits of each random number become the number itself: sorting in place takes half the memory of argsort.
    low = np.uint64(count.bit_length())
    keys >>= low
    keys <<= low
    keys |= np.arange(count, dtype=np.uint64)
    keys.sort()
    keys &= (np.uint64(1) << low) - np.uint64(1)
    return keys.astype(np.uint32)
