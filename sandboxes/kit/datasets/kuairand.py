"""KuaiRand: short-video impressions with several feedbacks, from the official folder (Pure, 1K; files of 27K as they are).

Tasks: click, and long view. Scenario: the tab in which the video was shown. Split by time. History: clicked videos of the user,
and their authors. Logs of the standard policy only; the randomly exposed ones are for other uses.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.source import Source, content_of
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Split, TableSpec
from sandboxes.kit.datasets.dataset import DataSet
from sandboxes.kit.datasets.reading import delimited

LICENCE = "CC BY-SA 4.0"
USER = (
    "user_active_degree",
    "is_live_streamer",
    "is_video_author",
    "follow_user_num_range",
    "fans_user_num_range",
    "friend_user_num_range",
    "register_days_range",
)
VIDEO = ("author_id", "video_type", "upload_type", "music_type", "tag")


def spec() -> TableSpec:
    return TableSpec(
        name="kuairand",
        tasks=(Label("is_click"), Label("long_view")),
        categorical=(
            Categorical("user_id", side="user"),
            *(Categorical(c, min_frequency=2, side="user") for c in USER),
            Categorical("video_id", min_frequency=2, side="item"),
            *(Categorical(c, min_frequency=2, side="item") for c in VIDEO),
            Categorical("hour"),
            Categorical("tab"),
        ),
        numeric=(Numeric("duration_ms", transform="log1p", side="item"),),
        sequences=(
            Sequence("clicked_videos", of="video_id", length=50, where="is_click"),
            Sequence("clicked_authors", of="author_id", length=50, where="is_click"),
        ),
        user="user_id",
        time="time_ms",
        scenario="tab",
        target_item="video_id",
        split=Split(by="time"),
    )


def _source(folder: Path | None) -> Source:
    logs, users, videos = (_files(folder, pattern) for pattern in ("log_standard", "user_features", "video_features_basic"))
    files = (*logs, *users, *videos)
    said = f"KuaiRand (Gao et al., CIKM 2022), https://kuairand.com, {', '.join(f.name for f in logs)}"
    return Source(spec(), partial(_read, logs, users, videos), content_of(files), said, LICENCE)


def _files(folder: Path | None, start: str) -> tuple[Path, ...]:
    """The files whose names begin so, in the folder or one below (the archive has `data/`)."""
    names = [] if folder is None else [p for pattern in ("", "*/") for p in folder.glob(f"{pattern}{start}*.csv*")]
    if not names:
        raise DataError(f"kuairand: no {start}*.csv is in {folder}; put the archive's csv files there")
    return tuple(sorted(names))


def _read(logs: tuple[Path, ...], users: tuple[Path, ...], videos: tuple[Path, ...]) -> pl.LazyFrame:
    log = pl.concat([delimited(f, ",") for f in logs], how="diagonal")
    user = pl.concat([delimited(f, ",") for f in users]).select("user_id", *USER).unique("user_id")
    video = pl.concat([delimited(f, ",") for f in videos]).select("video_id", *VIDEO).unique("video_id")
    return (
        log.with_columns(pl.col("time_ms").cast(pl.Int64), pl.col("hourmin").cast(pl.Int64).floordiv(100).alias("hour"))
        .join(user, on="user_id", how="left", maintain_order="left")
        .join(video, on="video_id", how="left", maintain_order="left")
    )


KUAIRAND = DataSet(
    name="kuairand",
    description="short-video impressions, 2 tasks: click, long view; tabs as scenarios; histories",
    licence=LICENCE,
    kind="files",
    source=_source,
    files="log_standard_*.csv, user_features_*.csv and video_features_basic_*.csv (also .gz)",
)
