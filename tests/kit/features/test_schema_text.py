"""A description is written as a schema file, and read back as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from shop_features import DERIVED, spec_with

from sandboxes.kit.data import DataError
from sandboxes.kit.data.schema_file import read_schema_file
from sandboxes.kit.data.schema_text import schema_text
from sandboxes.kit.data.spec import Categorical, Split, TableSpec
from sandboxes.kit.datasets import DATASETS


@pytest.mark.parametrize(
    "spec", [spec_with(*DERIVED), spec_with(split=Split("time", key=("item", 'a "b" \\ é'), test=0.2, train=0.7))]
)
def test_there_and_back(spec: TableSpec, tmp_path: Path) -> None:
    spec = replace(spec, name='of "others"', allow=("price",))
    (tmp_path / "log.csv").write_text("x")
    (tmp_path / "shop.toml").write_text(schema_text(spec, ["log.csv"], ["made by hand"]))
    assert read_schema_file(tmp_path / "shop.toml").spec == spec


@pytest.mark.parametrize("data", [d for d in DATASETS if d.kind != "files"], ids=lambda d: d.name)
def test_every_known_description(data, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    spec = data.source(None).spec
    if spec.vectors:
        pytest.skip("vectors name files of their own")
    (tmp_path / "log.csv").write_text("x")
    (tmp_path / "shop.toml").write_text(schema_text(spec, ["log.csv"]))
    assert read_schema_file(tmp_path / "shop.toml").spec == spec


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ('how = "magic"', "it may be bins, cross"),
        ('name = "x"', "how in"),
        ('how = "cross"\nname = "x"', "needs of"),
        ('how = "cross"\nname = "x"\nof = "item"', "list of texts"),
        ('how = "bins"\nname = "x"\nof = "price"\nby = "luck"', "equal_frequency"),
        ('how = "bins"\nname = "x"\nof = "price"\nedges = 3', "'edges' is unknown"),
        ('how = "cross"\nname = "x"\nof = ["a", "b"]\ngives = "number"', "'gives' is unknown"),
    ],
)
def test_what_is_refused(block: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("x")
    text = schema_text(TableSpec("shop", spec_with().tasks[:1], (Categorical("item"),)), ["log.csv"])
    (tmp_path / "shop.toml").write_text(f"{text}\n[[derived]]\n{block}\n")
    with pytest.raises(DataError, match=said):
        read_schema_file(tmp_path / "shop.toml")
