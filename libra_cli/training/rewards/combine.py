"""Combinations: from the values of K terms [K, P, G] and their weights [K] to rewards [P, G]; unknown if a term is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from libra_cli.training.advantages import Array, normalize_groups
from libra_cli.training.registry import NonNegative, Registry

Combination = Callable[..., Array]

COMBINATIONS: Registry[Combination] = Registry("combination")


@COMBINATIONS.add("sum")
def weighted_sum(terms_K_P_G: Array, weights_K: Array, names_K: Sequence[str]) -> Array:
    """The weighted sum (TRL: `sum_then_normalize`, since the advantages are normalised afterwards)."""
    return np.asarray(np.einsum("k,kpg->pg", weights_K, terms_K_P_G))


@COMBINATIONS.add("normalize_then_sum")
def normalize_then_sum(
    terms_K_P_G: Array, weights_K: Array, names_K: Sequence[str], *, epsilon: NonNegative = 1e-4
) -> Array:
    """The weighted sum of the terms, each normalised within its group first (GDPO; TRL's word)."""
    return weighted_sum(np.stack([normalize_groups(term, epsilon) for term in terms_K_P_G]), weights_K, names_K)


@COMBINATIONS.add("product")
def product(terms_K_P_G: Array, weights_K: Array, names_K: Sequence[str]) -> Array:
    """The product of the terms, each with its weight as the exponent; a term below 0 counts as 0."""
    return np.prod(np.maximum(terms_K_P_G, 0.0) ** weights_K[:, None, None], axis=0)


@COMBINATIONS.add("harmonic")
def harmonic(terms_K_P_G: Array, weights_K: Array, names_K: Sequence[str]) -> Array:
    """The weighted harmonic mean of the terms; 0 if one is not positive (lambda-harmonic)."""
    positive = np.all(terms_K_P_G > 0, axis=0)
    inverse = np.tensordot(weights_K, 1.0 / np.where(terms_K_P_G > 0, terms_K_P_G, 1.0), axes=1)
    rewards = np.where(positive, weights_K.sum() / inverse, 0.0)
    return np.where(np.isnan(terms_K_P_G).any(axis=0), np.nan, rewards)


@COMBINATIONS.add("format_length")
def format_length(terms_K_P_G: Array, weights_K: Array, names_K: Sequence[str]) -> Array:
    """The weighted sum where the term `format` is above 0, elsewhere the sum if it is negative, else 0 (2505.19439)."""
    total = weighted_sum(terms_K_P_G, weights_K, names_K)
    kept = terms_K_P_G[list(names_K).index("format")] > 0
    return np.where(kept | np.isnan(total), total, np.minimum(total, 0.0))
