"""Generated series whose every anomaly is explained: when, of which kind, in which channels, in place of what."""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from tsad_core.anomalies import Event, Spread, chosen_kinds, inject, kinds_within, mark, plan_events
from tsad_core.series import Array, Series


@dataclass(frozen=True)
class Recipe:
    """What determines a generated series, but for its index."""

    train_steps: int = 2000
    test_steps: int = 2000
    channels: int = 5
    period: int = 25
    noise: float = 0.05
    density: float = 0.12
    kinds: str = "all"
    seed: int = 0


def synthetic(
    *,
    count: Annotated[int, Ge(1)] = 6,
    train_steps: Annotated[int, Ge(1)] = Recipe.train_steps,
    test_steps: Annotated[int, Ge(1)] = Recipe.test_steps,
    channels: Annotated[int, Ge(1)] = Recipe.channels,
    period: Annotated[int, Ge(4)] = Recipe.period,
    noise: Annotated[float, Ge(0)] = Recipe.noise,
    density: Annotated[float, Ge(0), Le(0.3)] = Recipe.density,
    kinds: str = Recipe.kinds,
    seed: Annotated[int, Ge(0)] = Recipe.seed,
) -> Mapping[str, Callable[[], Series]]:
    """Return `count` generated series, ``sines-0`` and on: noisy sines, with anomalies in the test part.

    Each has labels, kinds of events, root causes and the same test part without its anomalies. The sines are the
    five channels of NeurIPS-TS (Lai et al., NeurIPS Datasets and Benchmarks 2021), repeated if
    there are more; each channel's deviation of the noise is `noise` times its amplitude.
    `density` is the share of anomalous test steps, at most, but one event there is wherever one
    fits; about 0.3 is the most that fits. `kinds` is ``"all"`` or a comma-separated choice of
    `tsad_core.anomalies.KINDS`. A series depends on the options and its index alone, not on `count`; `generate` also
    tells its events.
    """
    recipe = Recipe(train_steps, test_steps, channels, period, noise, density, kinds, seed)
    chosen_kinds(kinds, channels)
    return {f"sines-{index}": functools.partial(_series, recipe, index) for index in range(count)}


def generate(recipe: Recipe, index: int = 0) -> tuple[Series, list[Event]]:
    """Return a generated series and the events of its test part, in order of time.

    >>> series, events = generate(Recipe(kinds="trend"), index=3)
    >>> {event.kind for event in events}
    {'trend'}
    """
    noise_seed, place_seed, value_seed = np.random.SeedSequence([recipe.seed, index]).spawn(3)
    clean_TC = _sines(recipe, np.random.default_rng(noise_seed)).astype(np.float32)
    train_TC, normal_TC = np.split(clean_TC, [recipe.train_steps])
    events = _events(recipe, np.random.default_rng(place_seed))
    rng = np.random.default_rng(value_seed)
    causes_TC = mark(events, normal_TC.shape)
    labels_T = np.asarray(causes_TC.any(axis=1))
    series = Series(
        name=f"sines-{index}",
        train_TC=train_TC,
        test_TC=inject(normal_TC, events, about=Spread.of(train_TC), period=recipe.period, rng=rng),
        labels_T=labels_T,
        root_causes_TC=causes_TC,
        normal_TC=normal_TC,
        event_kinds=kinds_within(events, labels_T),
    )
    return series, sorted(events, key=lambda event: event.start)


def _series(recipe: Recipe, index: int) -> Series:
    return generate(recipe, index)[0]


def _sines(recipe: Recipe, rng: np.random.Generator) -> Array:
    coef_C, offset_C, quarter_C = (
        np.resize(preset, recipe.channels) for preset in ([1.5, 2.5], [0.0, 0.0, 0.0, 2.0, -2.0], [0, 1])
    )
    steps_T = rng.integers(recipe.period) + np.arange(recipe.train_steps + recipe.test_steps)
    angle_TC = 2 * np.pi * steps_T[:, None] / recipe.period + quarter_C * np.pi / 2
    noise_TC = recipe.noise * rng.standard_normal(angle_TC.shape)
    sines_TC: Array = coef_C * (np.sin(angle_TC) + noise_TC) + offset_C
    return sines_TC


def _events(recipe: Recipe, rng: np.random.Generator) -> list[Event]:
    kinds = chosen_kinds(recipe.kinds, recipe.channels)
    lengths = (recipe.period, recipe.period * 3 // 2)
    plan = plan_events(
        rng, starts=(0,), steps=recipe.test_steps, channels=recipe.channels, kinds=kinds, lengths=lengths
    )
    return _within(plan, recipe.density * recipe.test_steps)


def _within(plan: Iterable[Event], budget: float) -> list[Event]:
    kept: list[Event] = []
    used = 0
    for event in plan if budget else ():
        length = event.stop - event.start
        if not kept or used + length <= budget:
            kept.append(event)
            used += length
    return kept
