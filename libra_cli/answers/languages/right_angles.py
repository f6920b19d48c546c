"""Reads an angle that a sentence gives in words, which is 90°: at a right angle, im rechten Winkel, 直角."""

from __future__ import annotations

from libra_cli.lazy_pattern import lazy_pattern

_RIGHT = lazy_pattern(
    r"\bright angles?\b(?! triangle)|\bperpendicular(?:ly)?\b|\brechte[nr]?m? Winkel\b|\bsenkrecht\b|\brechtwinklig\b"
    r"|\bangles? droits?\b|\bperpendiculaires?\b|\bángulos? rectos?\b|\bperpendiculares?\b|\bangol[oi] rett[oi]\b"
    r"|\bperpendicolar[ei]\b|\bângulos? retos?\b|\brechte hoek(?:en)?\b|\bloodrecht\b|\bпрям(?:ым|ой|ые) угл?о?[лм]?"
    r"|\bперпендикулярн|\bkąte?[mt]? prosty(?:m)?\b|\brät(?:a)? vink[le]+r?\b|直角|垂直|직각|수직",
    one_of=(
        *("right angle", "perpend", "recht", "droit", "recto", "rett", "reto", "прям", "перпенд", "prosty", "vink"),
        *("直角", "垂直", "직각", "수직"),
    ),
)
_ANGLE = lazy_pattern(
    r"(?i:\bangles?\b|winkel|ángulo|angolo|ângulo|\bhoek|\bуг[оло]л|\bугл|\bkąt|vinkel)|角|각|度|degrees?\b|\u00b0"
)
_OPEN = lazy_pattern(
    r"\d(?!직선|[直本つ条])|(?i:\b(?:not|never|no|nicht|kein|keine|keinen|pas|non|não|niet|geen|не|nie|or|oder|ou|if|wenn|unless"
    r"|nearly|almost|about|twice|half|double|less|more|greater|smaller|larger|than|two|three|fast|beinahe|knapp|halber"
    r"|doppelt|als|presque|moitié|casi|mitad|quasi|metà|quase|metade|почти|половин\w*|чем|bijna|prawie|nästan"
    r"|triangle|dreieck|triángulo|triangolo|triângulo|between|hypotenuse|bisector|acute|obtuse|draw|that|arc)\b)|[不非没半锐钝鋭鈍]|几乎|接近|小于|大于|倍|より|보다|ない|아니|三角|삼각"
)
_DEGREES = ("\u00b0", "\\circ", "degree", "\\pi", "\u03c0", "\u5ea6", "\ub3c4")


def stated(sentence: str, reference: str, question: str | None) -> str | None:
    """90° if a sentence says that an angle is a right one, where an angle is asked for; "" if it may be another one."""
    if _RIGHT.search(sentence) is None:
        return None
    has_degrees = any(map(reference.__contains__, _DEGREES))
    if not has_degrees and not (question and _ANGLE.search(question)):
        return None
    if _OPEN.search(sentence):  # half a right angle
        return None if any(map(str.isdigit, sentence)) else ""
    return "90\u00b0" if has_degrees else "90"
