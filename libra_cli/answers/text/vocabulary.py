"""Words by which a sentence is cut into clauses, and by which its numbers belong to it or to other words."""

from __future__ import annotations

from libra_cli.answers.text.words import table

TOTALS = table("altogether total overall all")
SUMS_UP = table("total all conclusion fact summary short other this that the end")
"""Words after "in" that begin no condition."""
BEGINS_CLAUSE = table(
    "so therefore hence thus then which giving gives leaving leaves but altogether finally consequently "
    "поэтому следовательно значит donc daher somit folglich portanto logo quindi dunque luego entonces"
)
BEGINS_ASIDE = table(
    "because since as when where whose if while whereas although though assuming given considering provided unless "
    "after depending "
    "before about approximately roughly i.e. e.g. namely attained achieved reached occurs occur occurring not despite "
    "regardless instead rather using by for with in upon check verification"
)
ABOUT = table("about approximately roughly")
SUBJECTS = table("i you he she it we they there this that these those the a an his her its their my our")
VERBS = table(
    "is are was were be equals equal has have had makes make made gets get got takes take took costs cost needs need "
    "gives give gave leaves left remains remain becomes become contains contain sells sell sold buys buy bought earns "
    "earn earned spends spend spent pays pay paid saves save saved uses use used eats eat ate can will must wait waits "
    "weighs weigh lasts last comes come totals obtain obtained find found conclude holds hold works means "
    "iff corresponds converts"
)
FORMS = table("factors factorises factorizes written rewritten expressed factored factorised decomposes")
"""Verbs before "as" and another form of what is given."""
IS = table("is are was were be equals equal being")
AFTER_IS = table("to therefore thus then simply exactly just also only now the a an : = of about approximately roughly")
IMPERATIVES = table("take find use let consider suppose check note count add subtract divide multiply")
CHECKS = table("check verification 验证 检验")
NOTES = table("note notice recall remember")
HOLDING = table("holds hold true satisfied valid defined positive negative non-negative non-positive nonnegative")
"""What inequalities are for the numbers behind "for"."""
EQUIVALENT = table("holds hold exactly only precisely satisfied valid converges real defined positive")
"""Words before a condition that is all that a sentence says."""
INCLUSIVE = table("inclusive inclusively included including")
RESULTS = table("get obtain give yield be have find equal")
"""Verbs whose infinitive names the result, and not a purpose: to get 7."""
PEOPLE = table("i you he she it we they there")
ADJUNCTS = table(
    "upon for in per after at from with by within on over during among between than each every before until out into"
)
AMOUNTS = table(
    "total sum value answer maximum minimum average mean median probability chance length area volume cost price "
    "remainder profit result number amount distance speed rate product difference"
)
DETERMINERS = table("the other all these those his her its their our remaining first last next only about same")
DENIES = table("none not never cannot n't isn't aren't wasn't doesn't don't can't neither")
BOUNDS = {"greater": ">", "more": ">", "larger": ">", "bigger": ">", "less": "<", "smaller": "<", "fewer": "<"}
SIGNS = {"大于": ">", "小于": "<"}
JOINS = table(", ; and or & either both")
MODIFIERS = table("real integer positive negative whole odd even distinct exact")
LIMITS: dict[tuple[str, ...], str] = {("at", "least"): "\\geq ", ("at", "most"): "\\leq "}
REALS = frozenset(("real", "reals"))
_BOUND_SIGNS = ("<", ">", "\u2264", "\u2265", "\\le", "\\ge", "\\lt", "\\gt")


def has_bound(text: str) -> bool:
    """Whether a formula is an inequality."""
    return any(map(text.__contains__, _BOUND_SIGNS))


def has_relation(text: str) -> bool:
    """Whether a text has an equation, an inequality or a congruence in signs."""
    return any(map(text.__contains__, ("=", "\u2261", "\\equiv", "\u2208", "\\in ", *_BOUND_SIGNS)))


def or_equal(sign: str | None, near: tuple[str, ...]) -> str | None:
    """`sign`, which includes equality where the words say so: greater than or equal to."""
    return {">": "\\geq ", "<": "\\leq "}.get(sign, sign) if sign and "equal" in near else sign
