"""The words of records: an inverted index in the log's own file (SQLite FTS5), which finds rare words and names as written.

It holds the newest revision of every record, under the number of its row in the log, and changes in the log's transactions. A
query is judged by its rare words: those that many records have cost time and tell nothing.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from math import log

from memory.narrowing import Only
from memory.records import Kind

READ_FOR_A_QUERY = 3_000  # places where its words stand: some 5 ms
MOST_WORDS = 200  # of a query that are looked at
AS_MANY = 12  # words of an ordinary question: what so many can give counts as 1, so that a long text's words weigh no less
MOST_OF_ONE = 2.2  # times its rarity, what SQLite's BM25 gives for a word that a text repeats without end
FOR_GRAMMAR = frozenset(
    "a about all also an and any are as at be been by can could did do does for from had has have how i if in into is it its may "
    "more most no nor not of on only or other our so some such than that the their them then there these they this those to very "
    "was we were what when where which who whom whose why will with without would you your".split()
)
SCHEMA = """
CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'porter unicode61');
CREATE TRIGGER words_of_old_revisions AFTER UPDATE OF newest ON records WHEN NOT NEW.newest
    BEGIN DELETE FROM words WHERE rowid = OLD.seq; END;
CREATE TRIGGER words_of_the_forgotten AFTER DELETE ON records
    BEGIN DELETE FROM words WHERE rowid = OLD.seq; END;
"""


class Words:
    """On the open database of a log; whoever calls holds the log's lock."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def add(self, row: int, text: str) -> None:
        self._db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (row, text))

    def purge(self) -> None:
        """Takes out of the file the words of records that are gone: until then they only are not found."""
        self._db.execute("INSERT INTO words (words) VALUES ('optimize')")

    def search(self, text: str, kinds: Sequence[Kind], most: int, only: Only) -> list[tuple[str, Kind, float]]:
        """Records of those kinds that have rare words of the text, at most so many, and how much of them, best first."""
        rare, best = self._rare(text)
        conditions = "".join(f" AND {name} {sign} ?" for name, sign, _ in only.conditions)
        query = f"""SELECT id, kind, -bm25(words) / ? AS share
            FROM words CROSS JOIN records ON seq = words.rowid
            WHERE words MATCH ? AND newest AND kind IN ({",".join("?" * len(kinds))}){conditions}
            ORDER BY share DESC, seq LIMIT ?"""
        values = (best, rare, *kinds, *(value for *_, value in only.conditions), most)
        return self._db.execute(query, values).fetchall() if rare else []

    def _rare(self, text: str) -> tuple[str, float]:
        """The rare words of a text as FTS5 wants them, "" where none is known, and what BM25 gives at most for the rarest."""
        words = [word for word in dict.fromkeys(re.findall(r"[^\W_]+", text.lower())) if word not in FOR_GRAMMAR]
        records = int(self._db.execute("SELECT COALESCE(MAX(seq), 0) FROM records").fetchone()[0])  # counting them takes longer
        rarest: list[str] = []
        read, most = 0, 0.0
        for n, word in sorted((self._records_with(word), word) for word in words[:MOST_WORDS]):
            read += n
            if n and read <= READ_FOR_A_QUERY:
                most += MOST_OF_ONE * max(log((records - n + 0.5) / (n + 0.5)), 1e-6) if len(rarest) < AS_MANY else 0.0
                rarest.append(f'"{word}"')
        return " OR ".join(rarest), most

    def _records_with(self, word: str) -> int:
        """How many records have it, counted no further than is of use."""
        some = "SELECT 1 FROM words WHERE words MATCH ? LIMIT ?"
        found = self._db.execute(f"SELECT COUNT(*) FROM ({some})", (f'"{word}"', READ_FOR_A_QUERY + 1)).fetchone()
        return int(found[0])
