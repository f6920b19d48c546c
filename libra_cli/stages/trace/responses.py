"""Tells the responses of a problem apart: by model and sample, or in rows without a sample by their text."""

from __future__ import annotations

from libra_cli.stream.common_names import RESPONSE, common_name
from libra_cli.stream.rows import Fields, content_hash, record_id, response_name
from libra_cli.tasks.thinking import ThinkingCutter

Key = tuple[str, str]
"""Model and sample of a response, or the hash of its text; both empty for the problem itself."""
PROBLEM: Key = ("", "")
_HASH_DIGITS = 8


class TracedResponses:
    """The responses that were met so far."""

    def __init__(self) -> None:
        self._of_text: dict[tuple[str, str], list[Key]] = {}
        """By model and text, the responses of that text."""
        self._of_source: dict[str, Key] = {}
        """By `MODEL/SAMPLE`, or what training data call a row without a sample."""
        self._keys: dict[Key, Key] = {}  # an ordered set
        self._by_text: set[Key] = set()
        self._cut = ThinkingCutter()

    def keys(self, fields: Fields, wanted: str) -> dict[Key, str]:
        """The responses that a row is about, or the problem, each with how certain that is, in words.

        None if the row is not about the record that is `wanted`: one without an id is found by its question, and so may
        be about another response of that.
        """
        source = fields.get("source")
        if isinstance(source, str) and ("messages" in fields or "chosen" in fields or "completion" in fields):
            names = [name.removeprefix(f"{record_id(fields)}/") for name in source.split(" > ")]
            return {key: remark for name in names for key, remark in self._named(name).items()}
        if fields.get("model") is None:
            return {PROBLEM: ""}
        model, texts = str(fields["model"]), self._texts(fields)
        if fields.get("sample") is not None:
            keys = [(model, str(fields["sample"]))]
        else:
            keys = self._of_the_text(model, texts) or [(model, text_hash(fields))]
            name = response_name(fields).removeprefix(f"{record_id(fields)}/")
            if keys[0] not in self._keys:
                rest = wanted.partition("/")[2]
                if rest and not any(f"{one}/".startswith(f"{rest}/") for one in ("/".join(keys[0]), name)):
                    return {}
                self._by_text.add(keys[0])
            if len(keys) == 1:
                self._of_source.setdefault(name, keys[0])
        for key in keys:
            self._of_source["/".join(key)] = self._keys[key] = key
            for text in texts if len(keys) == 1 else ():
                known = self._of_text.setdefault((model, text), [])
                known += [] if key in known else [key]
        return dict.fromkeys(keys, self._remark(fields, keys))

    def is_sampled(self, key: Key) -> bool:
        """Whether a row says which sample of its model the response is."""
        return key[1] != "" and key not in self._by_text

    def name(self, record: str, key: Key) -> str:
        """`ID/MODEL/SAMPLE`; without a sample the hash of the text, if the model has other responses."""
        is_only = sum(key[0] == model for model, _ in self._keys) == 1
        parts = key[:1] if key in self._by_text and is_only else key
        return "/".join([record, *filter(None, parts)])

    def _remark(self, fields: Fields, keys: list[Key]) -> str:
        """How certain it is that a row is about each of the responses `keys`."""
        if fields.get("sample") is not None or keys[0] in self._by_text:
            return ""
        if len(keys) == 1:
            return " (known by its text)"
        samples = [sample for _, sample in keys]
        return f" (known by its text, which the samples {', '.join(samples[:-1])} and {samples[-1]} share)"

    def _named(self, rest: str) -> dict[Key, str]:
        """The response of which training data say `MODEL/SAMPLE...`; all of the model without a sample, if they do not.

        Each with how certain it is.
        """
        found = max((name for name in self._of_source if f"{rest}/".startswith(f"{name}/")), key=len, default=None)
        of_model = [key for key in self._keys if key in self._by_text and f"{rest}/".startswith(f"{key[0]}/")]
        if found is not None and (found != self._of_source[found][0] or len(of_model) < 2):
            return {self._of_source[found]: ""}
        if len(of_model) > 1:
            return dict.fromkeys(of_model, f" (of this response of {of_model[0][0]} or of another one)")
        model, _, sample = rest.rpartition("/")
        return {of_model[0] if of_model else (model, sample): ""}

    def _of_the_text(self, model: str, texts: list[str]) -> list[Key]:
        """The responses of a model that have the first of these texts that one has."""
        return next((self._of_text[model, text] for text in texts if (model, text) in self._of_text), [])

    def _texts(self, fields: Fields) -> list[str]:
        """What a response says, as it was written and after its thinking."""
        written = _written(fields)
        return list(dict.fromkeys([*written, *filter(None, map(self._cut.response, written))]))


def text_hash(fields: Fields) -> str:
    """Names a response without a sample: a hash of all that was written, 8 hex digits."""
    return content_hash(next(iter(_written(fields)), None), _HASH_DIGITS)


def _written(fields: Fields) -> list[str]:
    """The texts of a row's response, whatever it calls them, the longest form first."""
    names = ["response_with_cot", "response"]
    if all(fields.get(name) is None for name in names):
        names = [other] if (other := common_name(fields, RESPONSE)) is not None else []
    return [text for name in names if isinstance(text := fields.get(name), str)]
