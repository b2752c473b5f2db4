"""Writes tiny files in the official formats of public data sets, with made-up values, for tests of their loaders."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path

from sandboxes.kit.datasets.avazu import COLUMNS as AVAZU_COLUMNS
from sandboxes.kit.datasets.kuairand import USER, VIDEO
from sandboxes.kit.datasets.taobao import AD, PROFILE

USERS, ITEMS, ROWS = 30, 25, 900


def movielens_1m(folder: Path) -> None:
    """`::` between values, a Latin-1 title, titles with the year."""
    r = random.Random(1)
    ratings = (f"{u}::{i}::{r.randint(1, 5)}::{9_000_000 + r.randint(0, 500)}" for u, i in _pairs(r))
    _write(folder / "ratings.dat", ratings)
    users = (f"{u}::{'MF'[u % 2]}::{(18, 25, 35)[u % 3]}::{u % 7}::{10_000 + u % 4}" for u in range(1, USERS + 1))
    _write(folder / "users.dat", users)
    movies = [f"{i}::Film Nº{i}: The Return ({1980 + i % 9})::{('Drama', 'Drama|War')[i % 2]}" for i in range(1, ITEMS + 1)]
    (folder / "movies.dat").write_bytes("".join(f"{m}\n" for m in movies).encode("latin-1"))


def movielens_100k(folder: Path) -> None:
    """u.data with tabs, u.user and u.item with bars, 19 flags."""
    r = random.Random(2)
    _write(folder / "u.data", (f"{u}\t{i}\t{r.randint(1, 5)}\t{8_000_000 + r.randint(0, 500)}" for u, i in _pairs(r)))
    _write(folder / "u.user", (f"{u}|{20 + u % 5}|{'MF'[u % 2]}|writer|{55_000 + u % 4}" for u in range(1, USERS + 1)))
    flags = lambda i: "|".join("1" if g in (i % 4 + 1, 8) else "0" for g in range(19))  # noqa: E731
    items = [f'{i}|Film "{i}" (1995)|01-Jan-{1990 + i % 5}||http://x/{i}|{flags(i)}' for i in range(1, ITEMS + 1)]
    (folder / "u.item").write_bytes("".join(f"{m}\n" for m in items).encode("latin-1"))


def movielens_atomic(folder: Path) -> None:
    """The same set as atomic files, ratings gzipped."""
    r = random.Random(3)
    rows = (f'{u}\tFilm "{i}"\t{r.randint(1, 5)}\t{9_000_000 + r.randint(0, 500)}' for u, i in _pairs(r))
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
    _write(folder / "ml-1m.inter.gz", [header, *rows])
    users = (f"{u}\t{25 + u % 3}\t{'MF'[u % 2]}\t{u % 7}\t{10_000 + u % 4}" for u in range(1, USERS + 1))
    _write(folder / "ml-1m.user", ["user_id:token\tage:float\tgender:token\toccupation:float\tzip_code:token", *users])
    items = (f'Film "{i}"\tFilm\t{1990 + i % 5}\tDrama War' for i in range(1, ITEMS + 1))
    _write(folder / "ml-1m.item", ["item_id:token\tmovie_title:token\trelease_year:float\tgenre:token", *items])


def frappe(folder: Path) -> None:
    """libfm lines of ten one-hot indices; the split is given."""
    r = random.Random(4)
    starts = (0, 957, 5039, 5046, 5053, 5055, 5058, 5060, 5069, 5149)
    for name, n in (("train", 500), ("validation", 150), ("test", 150)):
        lines = (" ".join([r.choice(["1", "-1"]), *(f"{s + r.randrange(5)}:1" for s in starts)]) for _ in range(n))
        _write(folder / f"frappe.{name}.libfm.gz", lines)


def criteo(folder: Path) -> None:
    """Label, 13 counts, 26 categories, tabs, no header, missing values; the first count may be negative."""
    r = random.Random(5)

    def line() -> str:
        counts = ["" if r.random() < 0.2 else str(r.randint(-2, 90)) for _ in range(13)]
        categories = ["" if r.random() < 0.1 else f"{r.randrange(8):08x}" for _ in range(26)]
        return "\t".join([str(int(r.random() < 0.3)), *counts, *categories])

    _write(folder / "train.txt", (line() for _ in range(ROWS)))


def criteo_conversions(folder: Path) -> None:
    """Times of click and of conversion in seconds, 8 counts, 9 categories, tabs, no header, missing values."""
    r = random.Random(13)

    def line(n: int) -> str:
        later = str(n * 600 + r.randint(0, 90_000)) if r.random() < 0.3 else ""
        counts = ["" if r.random() < 0.2 else str(r.randint(-1, 90)) for _ in range(8)]
        return "\t".join(
            [str(n * 600), later, *counts, *("" if r.random() < 0.1 else f"{r.randrange(8):032x}" for _ in range(9))]
        )

    _write(folder / "data.txt.gz", (line(n) for n in range(ROWS)))


def avazu(folder: Path) -> None:
    """The challenge's CSV with its header, gzipped."""
    r = random.Random(6)
    rows = (
        f"{10**18 + n},{int(r.random() < 0.3)},1410{21 + n % 9:02d}{n % 24:02d},"
        + ",".join(f"{r.randrange(6):x}" for _ in AVAZU_COLUMNS)
        for n in range(ROWS)
    )
    _write(folder / "train.gz", [",".join(["id", "click", "hour", *AVAZU_COLUMNS]), *rows])


def amazon(folder: Path) -> None:
    """Reviews, one JSON object a line, with more keys than are read."""
    r = random.Random(7)
    rows = (
        {
            "reviewerID": f"A{u}",
            "asin": f"B{i:03d}",
            "overall": 5.0,
            "helpful": [0, 1],
            "unixReviewTime": 1_300_000_000 + r.randint(0, 99),
        }
        for u, i in r.sample(_pairs(r), 300)
    )
    _write(folder / "reviews_Some_5.json.gz", map(json.dumps, rows))


def amazon_text(folder: Path) -> None:
    """`user item` lines, in order for each user."""
    r = random.Random(8)
    _write(folder / "Video.txt.gz", (f"{u} {i}" for u in range(1, USERS + 1) for i in r.sample(range(1, ITEMS + 1), u % 9 + 1)))


def kuairand(folder: Path) -> None:
    """Logs, users and videos in `data/`, as the archive has them."""
    r = random.Random(9)
    (folder / "data").mkdir()
    header = "user_id,video_id,date,hourmin,time_ms,is_click,is_like,long_view,duration_ms,tab"

    def line(n: int) -> str:
        click = int(r.random() < 0.4)
        seen = click and int(r.random() < 0.5)
        when = f"20220422,{n % 24}00,{1_650_000_000_000 + n * 1000}"
        return f"{r.randrange(USERS)},{r.randrange(ITEMS)},{when},{click},0,{seen},{r.randint(1000, 90_000)},{n % 3}"

    half = ROWS // 2
    _write(folder / "data" / "log_standard_4_08_to_4_21_pure.csv", [header, *(line(n) for n in range(half))])
    _write(folder / "data" / "log_standard_4_22_to_5_08_pure.csv", [header, *(line(n) for n in range(half, ROWS))])
    users = (f"{u}," + ",".join(str(u % 4) for _ in USER) for u in range(USERS))
    _write(folder / "data" / "user_features_pure.csv", ["user_id," + ",".join(USER), *users])
    videos = (f"{v}," + ",".join(str(v % 5) for _ in VIDEO) for v in range(ITEMS))
    _write(folder / "data" / "video_features_basic_pure.csv", ["video_id," + ",".join(VIDEO), *videos])


def taobao_ads(folder: Path) -> None:
    """Three CSV files; the profile's header has a blank, some prices are NULL, some users have no profile."""
    r = random.Random(10)
    rows = (
        f"{r.randrange(USERS)},{1_494_000_000 + n * 60},{r.randrange(ITEMS)},430548_{n % 2},{1 - c},{c}"
        for n in range(ROWS)
        for c in [int(r.random() < 0.3)]
    )
    _write(folder / "raw_sample.csv", ["user,time_stamp,adgroup_id,pid,nonclk,clk", *rows])
    ads = (
        f"{a},{a % 4},{a % 5},{a % 6},{'NULL' if a % 7 == 0 else a % 3},{'NULL' if a % 5 == 0 else a * 1.5}" for a in range(ITEMS)
    )
    _write(folder / "ad_feature.csv", ["adgroup_id,cate_id,campaign_id,customer,brand,price", *ads])
    assert set(AD) <= {"cate_id", "campaign_id", "customer", "brand"}
    users = (f"{u}," + ",".join(str(u % 3) for _ in PROFILE) for u in range(USERS - 5))
    _write(folder / "user_profile.csv", ["userid," + ",".join(PROFILE) + " ", *users])


def taobao_behavior(folder: Path) -> None:
    """No header; several behaviours."""
    r = random.Random(11)
    rows = (
        f"{u},{i},{i % 4},{r.choice(['pv', 'pv', 'pv', 'buy', 'cart'])},{1_511_000_000 + r.randint(0, 9999)}"
        for u, i in r.sample(_pairs(r), 400)
    )
    _write(folder / "UserBehavior.csv", rows)


def douban(folder: Path) -> None:
    """One CSV over three domains, with names of places in Chinese."""
    r = random.Random(12)
    rows = (
        f"{r.randrange(USERS)},{n},{int(r.random() < 0.6)},{domain},{place},2008-01-03,{n % 6}"
        for n in range(ROWS)
        for domain, place in [(("movie", "book", "music")[n % 3], ("北京", "上海")[n % 2])]
    )
    _write(folder / "douban.csv", ["user_id,item_id,rating,domain,living_place,join_time,time_bin", *rows])


def open_bandit(folder: Path) -> None:
    """A log of the uniform policy with its index column, and the items' features."""
    r, items = random.Random(15), 12
    affinities = [f"user-item_affinity_{i}" for i in range(items)]
    users = [f"user_feature_{i}" for i in range(4)]
    header = ",".join(["", "timestamp", "item_id", "position", "click", "propensity_score", *users, *affinities])
    rows = (
        f"{n},2019-11-24 0{n % 9}:{n // 60 % 60:02d}:{n % 60:02d}.{n:06d}+00:00,{r.randrange(items)},{n % 3 + 1},"
        f"{int(r.random() < 0.2)},{1 / items:.6f},"
        + ",".join([f"{r.randrange(3):032x}" for _ in users] + [f"{r.choice((0, 0, 1))}.0" for _ in affinities])
        for n in range(ROWS)
    )
    _write(folder / "all.csv", [header, *rows])
    features = (f"{i},{i},{-0.5 + 0.1 * i},{i % 2:032x},{i % 3:032x},{i % 4:032x}" for i in range(items))
    _write(folder / "item_context.csv", [",item_id,item_feature_0,item_feature_1,item_feature_2,item_feature_3", *features])


WRITERS: dict[str, tuple[Callable[[Path], None], ...]] = {
    "movielens-1m": (movielens_1m, movielens_atomic),
    "movielens-100k": (movielens_100k,),
    "movielens-1m-next": (movielens_1m, movielens_atomic),
    "movielens-100k-next": (movielens_100k,),
    "frappe": (frappe,),
    "criteo": (criteo,),
    "criteo-conversions": (criteo_conversions,),
    "avazu": (avazu,),
    "amazon": (amazon, amazon_text),
    "amazon-next": (amazon, amazon_text),
    "kuairand": (kuairand,),
    "taobao-ads": (taobao_ads,),
    "taobao-behavior": (taobao_behavior,),
    "douban": (douban,),
    "open-bandit": (open_bandit,),
}


def _pairs(r: random.Random) -> list[tuple[int, int]]:
    """Every user with every item, shuffled."""
    pairs = [(u, i) for u in range(1, USERS + 1) for i in range(1, ITEMS + 1)]
    r.shuffle(pairs)
    return pairs


def _write(file: Path, lines: Iterable[str]) -> None:
    content = "".join(f"{line}\n" for line in lines).encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
