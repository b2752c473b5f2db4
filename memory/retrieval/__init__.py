"""Recall: papers and runs, found by what they say and by what is remembered below them."""

from memory.retrieval.answers import Found, Retriever, RootsAlone
from memory.retrieval.find import DEFAULT, find
from memory.retrieval.ladders import LADDERS, Ladder, Root
from memory.retrieval.router import Router
from memory.retrieval.search import Scored, Search, plain
from memory.retrieval.two_path import TwoPath

__all__ = [
    "DEFAULT",
    "LADDERS",
    "Found",
    "Ladder",
    "Retriever",
    "Root",
    "RootsAlone",
    "Router",
    "Scored",
    "Search",
    "TwoPath",
    "find",
    "plain",
]
