"""Derived features: declarative transforms that are fitted on train and exported with the model. One file and one line each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sandboxes.kit.features.bins import Bins
from sandboxes.kit.features.contract import HoldsOut, Kind, Log, OfHistory, State, Transform
from sandboxes.kit.features.cross import Cross
from sandboxes.kit.features.histories import HistoryMeasure
from sandboxes.kit.features.statistics import Rate, Share
from sandboxes.kit.features.times import Elapsed, TimePart

__all__ = ["TRANSFORMS", "AnyTransform", "HoldsOut", "Kind", "Log", "OfHistory", "State", "Transform", "transform_of"]

AnyTransform = Bins | Cross | Share | Rate | TimePart | Elapsed | HistoryMeasure

TRANSFORMS: Mapping[str, type[AnyTransform]] = MappingProxyType(
    {
        "bins": Bins,
        "cross": Cross,
        "share": Share,
        "rate": Rate,
        "time_part": TimePart,
        "elapsed": Elapsed,
        "history": HistoryMeasure,
    }
)


def transform_of(said: Mapping[str, Any]) -> AnyTransform:
    """The transform that `dataclasses.asdict` made these values of, as JSON has them. Raises `KeyError` for an unknown one."""
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
    kind: Any = TRANSFORMS[str(values["how"])]
    made: AnyTransform = kind(**values)
    return made
