"""Leaves out words with which a text hedges what it says: `Probably the neutron`, `My guess would be the neutron`."""

from __future__ import annotations

from libra_cli.lazy_pattern import lazy_pattern

_AM = r"I(?:['\u2019]m| am)"
_RECALLED = r"(?:I (?:remember|recall)|memory serves)[a-z ]{0,16}"
_OPENING = lazy_pattern(
    r"(?:(?:So|Well|Hmm|Um|Uh|Okay|OK),? )?"
    rf"(?:{_AM} (?:not|never|hardly) [^,.;]{{1,40}}, but |Not [a-z0-9% ]{{0,12}}sure,? but )?"
    rf"(?:If (?:{_RECALLED}|{_AM} not mistaken), |As far as I [a-z ]{{3,12}},? |To (?:my|the best of my) knowledge,? )?"
    r"(?:(?P<noun>(?:Probably|Presumably|(?:Most |Very |Quite )?[Ll]ikely|I(?:['\u2019]d| would) go with"
    r"|[Mm]y (?:best |first )?guess(?: is| would be|:))(?: that)? )"
    r"|(?P<clause>I(?:['\u2019]d| would)?(?: do)? (?:think|believe|guess|suppose|reckon|suspect|say|assume)(?: that)? "
    rf"|{_AM} (?:fairly|pretty|quite|almost|rather|reasonably|very) (?:sure|certain|confident)(?: that|:)? ))?",
)
"""What a sentence begins with."""
_BEHIND = lazy_pattern(
    rf",? (?:(?:but|though|although) (?:{_AM} (?:not [a-z0-9% ]{{0,11}}(?:sure|certain)|unsure)"
    r"|I (?:could|may|might) be (?:wrong|mistaken)|don['\u2019]t quote me)[a-z ]{0,24}"
    rf"|if {_RECALLED}|if {_AM} not mistaken|I (?:think|believe|guess|suppose|reckon|assume))(?=[.!]?$)"
)
_WITHIN = lazy_pattern(
    r"(?P<is> (?:is|was) |['\u2019]s )(?:most |very |quite |more than )?(?:likely|probably|presumably) (?=\S)"
)
_SIGNS = ("I", "rob", "ikely", "resum", "guess", "sure", "emory", "nowledge")
_VERBS = (" is ", " are ", " has ", " have ", " was ", "'s ", "\u2019s ")
_VERDICTS = {"yes": "Yes.", "so": "Yes.", "no": "No.", "not": "No.", "true": "True.", "false": "False."}
_OPEN = (" or ", "either", "don't", "don\u2019t", "n't ")


def without_hedge(sentence: str) -> str:
    """A sentence without its hedges: `It is the neutron.`; the sentence itself, if it leaves open between two."""
    if not any(map(sentence.__contains__, _SIGNS)) or any(map(sentence.__contains__, _OPEN)):
        return sentence
    said = _BEHIND.sub("", _WITHIN.sub(r"\g<is>", sentence))
    opening = _OPENING.match(said[:1].upper() + said[1:])
    rest = said[opening.end() :] if opening else said
    if not rest.strip(" .!") or not opening or not opening[0]:
        return said
    verdict = _VERDICTS.get(rest.strip(" .!").lower())
    if verdict:
        return verdict
    is_noun = opening["noun"] or len(rest.split()) < 3
    if is_noun and not any(map(f" {rest}".__contains__, _VERBS)):
        return f"It is {rest}"
    return f"{rest[0].upper()}{rest[1:]}"
