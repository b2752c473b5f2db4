"""Rows pass in blocks, and nothing shows where one ends: the same arrays come of blocks of any size, in memory or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_shop import SPEC, log

from sandboxes.kit.data import columns, encode, leaks, splits, stable_hash, table, users_and_times, write_rows
from sandboxes.kit.data.column_files import ColumnFile, NpyWriter
from sandboxes.kit.data.dictionary import Dictionary
from sandboxes.kit.data.given_sequences import encode_sequences, flattened, padded, tokens
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Numeric, Split
from sandboxes.kit.data.table import Table

IN_BLOCKS = (columns, encode, splits, leaks, table, users_and_times, write_rows)
SPLITS = {
    "time": SPEC.split,
    "random": Split(seed=3),
    "random by key": Split(key=("user", "item")),
    "given": Split(by="given", column="part"),
}


def rows() -> pl.DataFrame:
    """The shop's log in no order of time, with a column of parts that names no valid rows and one that all but tells clicks."""
    parts = pl.Series("part", ["train"] * 900 + ["test"] * 300)
    hint = pl.when(pl.int_range(pl.len()) % 97 == 0).then(0.5).otherwise(pl.col("click")) + pl.col("raw") / 1000
    return log(1200).with_columns(parts, hint=hint).sample(fraction=1.0, shuffle=True, seed=5)


@pytest.mark.parametrize("block", [37, 1199])
@pytest.mark.parametrize("split", SPLITS.values(), ids=list(SPLITS))
def test_the_size_of_blocks_changes_nothing(split: Split, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(SPEC, split=split, numeric=(*SPEC.numeric, Numeric("hint")), allow=("hint",))
    monkeypatch.setattr(leaks, "MOST_ROWS", 150)  # so that a sample is looked at, drawn from many blocks
    whole = prepare(Source(spec, rows, "whole"), tmp_path / "whole")
    for module in IN_BLOCKS:
        monkeypatch.setattr(module, "BLOCK", block)
    monkeypatch.setattr(write_rows, "ROWS", 2 * block + 1)
    monkeypatch.setattr(stable_hash, "PIECE", 3)
    assert "hint alone predicts click" in next(c.detail for c in whole.leak_checks if "feature" in c.name)
    rows().write_parquet(tmp_path / "rows.parquet")
    for read in (rows, lambda: pl.scan_parquet(tmp_path / "rows.parquet")):
        made = prepare(Source(spec, read, f"{read}"), tmp_path / "blocks")
        assert not made.reused and made.data_hash == whole.data_hash
        assert made.facts == whole.facts and made.leak_checks == whole.leak_checks
        assert pl.read_parquet(made.root / "vocabularies.parquet").equals(pl.read_parquet(whole.root / "vocabularies.parquet"))


def test_blocks_of_a_lazy_table_are_the_columns_in_order(tmp_path: Path) -> None:
    held = pl.DataFrame({"a": np.arange(700_000), "b": [f"{i % 977}" for i in range(700_000)]})
    held.write_parquet(tmp_path / "t.parquet", row_group_size=50_000)
    for frame in (held, pl.scan_parquet(tmp_path / "t.parquet")):
        for name in held.columns:
            blocks = list(Table(frame).blocks(name))
            assert all(len(b) <= table.BLOCK for b in blocks) and len(blocks) == 3
            assert pl.concat(blocks).equals(held[name])


@settings(deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.text(max_size=2)), max_size=8), max_size=6))
def test_a_dictionary_gives_each_text_one_code_across_blocks(blocks: list[list[str | None]]) -> None:
    dictionary = Dictionary()
    coded = [dictionary.encode(pl.Series(block, dtype=pl.String)).tolist() for block in blocks]
    texts = dictionary.texts().to_list()
    assert len(texts) == len(dictionary) and texts[0] is None and len(set(texts)) == len(texts)
    assert [[texts[c] for c in block] for block in coded] == blocks
    assert set(texts) - {None} == {v for block in blocks for v in block if v is not None}


def test_two_dictionaries_know_nothing_of_each_other() -> None:
    first, second = Dictionary(), Dictionary()
    assert first.encode(pl.Series(["a", "b"])).tolist() == [1, 2]
    assert second.encode(pl.Series(["b"])).tolist() == [1] and second.texts().to_list() == [None, "b"]


@given(st.lists(st.lists(st.integers(2, 9), max_size=6), max_size=8), st.integers(1, 4))
def test_padded_against_a_loop(lists: list[list[int]], length: int) -> None:
    counts = np.array([len(x) for x in lists], dtype=np.uint32)
    flat = np.array([v for x in lists for v in x], dtype=np.int32)
    wanted = [[0] * max(0, length - len(x)) + x[-length:] for x in lists]
    assert padded(flat, counts, length).tolist() == wanted


def test_flattened_keeps_nulls_within_lists() -> None:
    counts, flat = flattened(tokens(pl.Series([["a", None], None, [], ["b"]], dtype=pl.List(pl.String)), "|"))
    assert counts.tolist() == [2, 0, 0, 1] and flat.to_list() == ["a", None, "b"]
    nothing = encode_sequences(tokens(pl.Series([], dtype=pl.String), "|"), lambda s: np.zeros(len(s), np.int32), 3)
    assert nothing.shape == (0, 3)


def test_what_was_appended_is_read_in_other_blocks(tmp_path: Path) -> None:
    file = ColumnFile(tmp_path / "numbers", np.uint32)
    for block in (np.arange(5, dtype=np.uint32), np.zeros(0, np.uint32), np.arange(5, 9, dtype=np.uint32)[::-1]):
        file.append(block)
    assert [b.tolist() for b in file.blocks([3, 0, 6])] == [[0, 1, 2], [], [3, 4, 8, 7, 6, 5]]


def test_an_array_written_in_blocks_is_what_numpy_writes(tmp_path: Path) -> None:
    array = np.arange(42, dtype=np.float32).reshape(14, 3)
    np.save(tmp_path / "a.npy", array)
    with NpyWriter(tmp_path / "b.npy", np.float32, (14, 3)) as writer:
        for part in (array[:5], array[5:5], array[5:]):
            writer.append(part)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_an_array_with_other_rows_than_it_says_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="4 of 5 rows"), NpyWriter(tmp_path / "a.npy", np.int32, (5, 2)) as writer:
        writer.append(np.zeros((4, 2), np.int32))
    with pytest.raises(ValueError, match="no part of"), NpyWriter(tmp_path / "b.npy", np.int32, (5, 2)) as writer:
        writer.append(np.zeros((5, 2), np.int64))
