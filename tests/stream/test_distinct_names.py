"""Different things of one name get different names, the same thing always the same one."""

from __future__ import annotations

from libra_cli.stream.distinct_names import DistinctNames
from libra_cli.stream.rows import content_hash


def test_the_first_thing_keeps_the_name_and_the_others_get_a_hash() -> None:
    names = DistinctNames()
    assert names.of("dup/m/0", ["2+2?", "4"]) == "dup/m/0"
    assert names.of("other/m/0", ["2+2?", "4"]) == "other/m/0"
    second = f"dup/m/0/{content_hash(['3+5?', '8'], 8)}"
    for _ in range(2):  # a response may be in several pairs
        assert names.of("dup/m/0", ["3+5?", "8"]) == second
        assert names.of("dup/m/0", ["2+2?", "4"]) == "dup/m/0"
    assert names.of("dup/m/0", ["3+5?", "9"]) not in ("dup/m/0", second)
