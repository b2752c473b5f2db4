"""Data sets known by name, one file and one line each; `resolve_data` prepares one of them or a user's own table."""

from __future__ import annotations

from pathlib import Path

from sandboxes.kit.data import Prepared
from sandboxes.kit.data.source import Source
from sandboxes.kit.datasets.amazon import AMAZON, AMAZON_NEXT
from sandboxes.kit.datasets.avazu import AVAZU
from sandboxes.kit.datasets.census_income import CENSUS_INCOME
from sandboxes.kit.datasets.criteo import CRITEO
from sandboxes.kit.datasets.criteo_conversions import CRITEO_CONVERSIONS
from sandboxes.kit.datasets.dataset import DataSet
from sandboxes.kit.datasets.douban import DOUBAN
from sandboxes.kit.datasets.frappe import FRAPPE
from sandboxes.kit.datasets.kuairand import KUAIRAND
from sandboxes.kit.datasets.movielens import MOVIELENS_1M, MOVIELENS_1M_NEXT, MOVIELENS_100K, MOVIELENS_100K_NEXT
from sandboxes.kit.datasets.open_bandit import OPEN_BANDIT
from sandboxes.kit.datasets.resolve import KnownData, describe, prepare_named, source_named
from sandboxes.kit.datasets.synthetic_clicks import SYNTHETIC_CLICKS
from sandboxes.kit.datasets.synthetic_conversions import SYNTHETIC_CONVERSIONS
from sandboxes.kit.datasets.synthetic_decisions import SYNTHETIC_DECISIONS
from sandboxes.kit.datasets.synthetic_features import SYNTHETIC_FEATURES
from sandboxes.kit.datasets.synthetic_learners import SYNTHETIC_LEARNERS
from sandboxes.kit.datasets.synthetic_posters import SYNTHETIC_POSTERS
from sandboxes.kit.datasets.synthetic_visits import SYNTHETIC_VISITS
from sandboxes.kit.datasets.taobao import TAOBAO_ADS, TAOBAO_BEHAVIOR

__all__ = ["DATASETS", "DataSet", "KnownData", "known_data_sets", "resolve_data", "resolve_source"]

DATASETS: tuple[DataSet, ...] = (
    CENSUS_INCOME,
    SYNTHETIC_CLICKS,
    SYNTHETIC_LEARNERS,
    SYNTHETIC_CONVERSIONS,
    MOVIELENS_1M,
    MOVIELENS_100K,
    SYNTHETIC_VISITS,
    SYNTHETIC_DECISIONS,
    SYNTHETIC_POSTERS,
    SYNTHETIC_FEATURES,
    MOVIELENS_1M_NEXT,
    MOVIELENS_100K_NEXT,
    FRAPPE,
    CRITEO,
    CRITEO_CONVERSIONS,
    AVAZU,
    AMAZON,
    AMAZON_NEXT,
    KUAIRAND,
    TAOBAO_ADS,
    TAOBAO_BEHAVIOR,
    DOUBAN,
    OPEN_BANDIT,
)


def resolve_data(name_or_path: str, folder: Path, raw: Path | None = None) -> Prepared:
    """Prepared data for a known name, `name=/folder of its official files`, a CSV or Parquet file, or a .toml schema file.

    Prepared data lies under `folder`, and is reused when there. `raw` holds folders of official files, each of a data set's
    name. Raises `DataError`, one sentence, for a wrong name, missing files or unusable data.
    """
    return prepare_named(DATASETS, name_or_path, folder, raw)


def resolve_source(name_or_path: str, folder: Path, raw: Path | None = None) -> Source:
    """The same before it is prepared: the table and its description. Raises `DataError`."""
    return source_named(DATASETS, name_or_path, folder, raw)


def known_data_sets(folder: Path, raw: Path | None = None) -> tuple[KnownData, ...]:
    """What can be named, with licences and whether the files are here."""
    return describe(DATASETS, folder, raw)
