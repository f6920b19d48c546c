"""Steps of a response and their scores, for pure.yaml and clip-delta.yaml: a step is right if its equations are.

Both functions need the model in training, whose tokenizer says where a step ends, and what steps are divided by. A
process reward model or a judge of your own takes the place of `checked`.
"""

import math
import operator
import re
from functools import lru_cache

from transformers import AutoTokenizer

from libra_cli import miniature

EQUATION = re.compile(r"(\d+)\s*([-+*])\s*(\d+)(?: carry \d+)?\s*=\s*(\d+)")
SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def checked(step, right, wrong, modulus):
    """`right` if all equations of a step hold, `wrong` if one does not, nan (unknown) for a step without one."""
    sums = [(SIGNS[sign](int(one), int(other)), int(said)) for one, sign, other, said in EQUATION.findall(step)]
    if not sums:
        return math.nan
    return right if all((found - said) % modulus == 0 if modulus else found == said for found, said in sums) else wrong


def scores(facts, *, model, separator="\n\n", right=1.0, wrong=-1.0, modulus=0):
    """The score of each step. pure.yaml expects -1 to 1, clip-delta.yaml 0 to 1."""
    return [
        [[checked(text, right, wrong, modulus) for _, text in steps(ids, model, separator)] for ids in group]
        for group in facts["tokens_P_G_T"]
    ]


def ends(facts, *, model, separator="\n\n"):
    """The index of the last token of each step."""
    return [[[end for end, _ in steps(ids, model, separator)] for ids in group] for group in facts["tokens_P_G_T"]]


scores.facts = ends.facts = ("tokens",)


def steps(ids, model, separator):
    """(index of its last token, text) of each step; the last one ends with the response."""
    tokenizer, found, text = tokenizer_of(model), [], ""
    for index, token in enumerate(ids):
        text += tokenizer.decode([int(token)])
        if (separator in text and text.strip()) or index == len(ids) - 1:
            found.append((index, text))
            text = ""
    return found


@lru_cache
def tokenizer_of(model):
    return AutoTokenizer.from_pretrained(miniature.resolve(model) or model)
