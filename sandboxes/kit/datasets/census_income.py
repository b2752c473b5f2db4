"""Census-Income (KDD), packaged: two labels on one table, as the multi-task literature uses it.

Tasks as in MMoE (Ma et al., KDD 2018, section 6.3): income above 50,000 dollars, and never married. The column of the
second label is no feature; the survey's instance weight, which its documentation bars from classifiers, is none either.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sandboxes.kit.data.source import Source, content_of
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Split, TableSpec
from sandboxes.kit.datasets.dataset import DataSet

FILE = Path(__file__).parent / "packaged" / "census-income.parquet"

CATEGORIES = (
    "class_of_worker",
    "industry_code",
    "occupation_code",
    "education",
    "enrolled_in_education",
    "industry",
    "occupation",
    "race",
    "hispanic_origin",
    "sex",
    "labor_union_member",
    "unemployment_reason",
    "employment_status",
    "tax_filer_status",
    "previous_region",
    "previous_state",
    "household_family_status",
    "household_summary",
    "migration_msa",
    "migration_region_change",
    "migration_within_region",
    "same_house_one_year_ago",
    "migration_sunbelt",
    "parents_present",
    "father_birth_country",
    "mother_birth_country",
    "birth_country",
    "citizenship",
    "self_employed",
    "veterans_questionnaire",
    "veterans_benefits",
    "year",
)
AMOUNTS = ("wage_per_hour", "capital_gains", "capital_losses", "dividends")
COUNTS = ("age", "employees_at_employer", "weeks_worked")

SPEC = TableSpec(
    name="census-income",
    tasks=(
        Label("income_above_50k", "income", equals="50000+"),
        Label("never_married", "marital_status", equals="Never married"),
    ),
    categorical=tuple(Categorical(c, min_frequency=5, side="user") for c in CATEGORIES),
    numeric=(
        *(Numeric(c, transform="log1p", side="user") for c in AMOUNTS),
        *(Numeric(c, side="user") for c in COUNTS),
    ),
    split=Split(by="random", train=0.7, valid=0.15, test=0.15),
)


def _source(folder: Path | None) -> Source:
    return Source(
        spec=SPEC,
        read=lambda: pl.read_parquet(FILE),
        content=content_of([FILE]),
        provenance="Census-Income (KDD), UCI Machine Learning Repository, its test part, split anew by hash of the row",
        licence="CC BY 4.0",
    )


CENSUS_INCOME = DataSet(
    name="census-income",
    description="census answers, 99,762 rows, 2 tasks: income above 50k, never married (multi-task)",
    licence="CC BY 4.0",
    kind="packaged",
    source=_source,
)
