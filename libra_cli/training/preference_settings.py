"""The settings of `libra dpo` and `libra train-rm`, which learn from pairs or from labelled responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from libra_cli.choices import LABELLED_LOSSES, PAIR_LOSSES, REWARD_LOSSES
from libra_cli.training.settings import TrainSettings, take


@dataclass(frozen=True)
class PreferenceLossSettings:
    """The objective of `libra dpo`; raises ValueError for values that contradict each other."""

    loss: str = "sigmoid"
    beta: float = 0.01
    """Strength of the pull to the reference."""
    label_smoothing: float | None = None
    """The share of pairs that are flipped, for `cdpo` and `robust`."""
    desirable_weight: float | None = None
    """Factor of the loss of desirable responses, for `kto`; None: 1."""
    undesirable_weight: float | None = None

    def __post_init__(self) -> None:
        if self.loss not in (*PAIR_LOSSES, *LABELLED_LOSSES):
            raise ValueError(f"--loss {self.loss}: one of {', '.join((*PAIR_LOSSES, *LABELLED_LOSSES))}")
        smooths = self.loss in ("cdpo", "robust")
        if smooths and self.label_smoothing is None:
            cure = "libra dpo-pairs --confusion suggests a value"
            raise ValueError(f"--loss {self.loss} needs --label-smoothing, the share of flipped pairs; {cure}")
        if not smooths and self.label_smoothing is not None:
            raise ValueError(f"--label-smoothing is for --loss cdpo and robust, not {self.loss}")
        if self.loss != "kto" and (self.desirable_weight, self.undesirable_weight) != (None, None):
            raise ValueError(f"--desirable-weight and --undesirable-weight are for --loss kto, not {self.loss}")

    @property
    def on_pairs(self) -> bool:
        """Pairs are learned from, not labelled responses."""
        return self.loss in PAIR_LOSSES

    @property
    def smoothing(self) -> float:
        """The share of flipped pairs; 0 if none is given."""
        return self.label_smoothing or 0.0

    @property
    def weights(self) -> tuple[float, float]:
        """Factors of the losses of desirable and of undesirable responses."""
        given = self.desirable_weight, self.undesirable_weight
        return 1.0 if given[0] is None else given[0], 1.0 if given[1] is None else given[1]


@dataclass(frozen=True)
class PreferenceSettings(TrainSettings):
    """All settings of `libra dpo`."""

    loss: PreferenceLossSettings = PreferenceLossSettings()
    reference: str | None = None
    """None: the weights that training begins with."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> PreferenceSettings:
        """From options by their names. Raises ValueError if those of the loss contradict each other."""
        loss = take(PreferenceLossSettings, options)
        return cls(**cls.groups_of(options), loss=loss, reference=options["reference"])

    @property
    def models(self) -> dict[str, str]:
        """The model, and the reference if one is named."""
        return {**super().models, **({"--reference": self.reference} if self.reference else {})}

    @property
    def shaping(self) -> dict[str, Any]:
        """Those of every trainer, the loss, and the reference."""
        return {**super().shaping, **asdict(self.loss), "reference": self.reference}


@dataclass(frozen=True)
class RewardLossSettings:
    """The objective of `libra train-rm`; raises ValueError for values that contradict each other."""

    loss: str = "bt"
    centering: float = 0.0
    """Factor of (r+ + r-)^2, for `bt`."""

    def __post_init__(self) -> None:
        if self.loss not in REWARD_LOSSES:
            raise ValueError(f"--loss {self.loss}: one of {', '.join(REWARD_LOSSES)}")
        if self.centering and not self.on_pairs:
            raise ValueError("--centering is for --loss bt: with labels, scores have a zero of their own")

    @property
    def on_pairs(self) -> bool:
        """Pairs are learned from, not labelled responses."""
        return self.loss == REWARD_LOSSES[0]


@dataclass(frozen=True)
class RewardSettings(TrainSettings):
    """All settings of `libra train-rm`."""

    loss: RewardLossSettings = RewardLossSettings()

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> RewardSettings:
        """From options by their names. Raises ValueError if those of the loss contradict each other."""
        return cls(**cls.groups_of(options), loss=take(RewardLossSettings, options))

    @property
    def trains_scores(self) -> bool:
        """Always."""
        return True

    @property
    def shaping(self) -> dict[str, Any]:
        """Those of every trainer, and the loss."""
        return {**super().shaping, **asdict(self.loss)}
