"""Finds what a paper calls its own model, so that recognition can look away from it.

The name, its hyphenated variants and a capitalised long form beside it ("Deep & Cross Network (DCN)") are masked before
anything is recognised: a mechanism must be described, not named.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from agents.autotrain.paper import Paper

# A name: a capitalised word, possibly camel-cased, with digits, plus signs or hyphens.
_NAME = r"(?:\\(?:textbf|textit|emph|textsc)\{)?(?P<name>[A-Z][\w]*(?:[+*]|-[A-Z0-9]\w*)*)(?:\})?"
_VERB = r"(?:propos|present|introduc|develop|design|devis|term|nam|call|denot|dub)\w*"
# Words that stand between the verb and the name.
_FILL = (
    r"(?:\s+(?:a|an|the|our|novel|new|simple|effective|efficient|general|unified|practical|framework|model|method|approach|"
    r"network|paradigm|module|as|by|namely|called|named|termed|and|of|so|it))*"
)
_KIND = r"(?:model|method|framework|approach|network|paradigm|architecture|algorithm|system|solution|mechanism|strategy)s?"
_LONG = r"(?P<name>[A-Z][\w-]*(?:\s+(?:&|and|of|in|for|with|on|[A-Z][\w-]*))*\s*&?\s*[A-Z][\w-]*)"

_PATTERNS: tuple[tuple[str, float], ...] = (
    (rf"\b(?:called|named|termed|namely|dubbed|abbreviated\s+as|denoted\s+as|referred\s+to\s+as|we\s+call(?:\s+it)?),?\s+(?:the\s+)?{_NAME}", 2.0),
    (rf"{_NAME}\s*,?\s+(?:in|for)\s+short\b", 3.0),
    (rf"\b(?:[Ww]e|paper|note|article)\s+(?:describe|explain)s?\s+{_NAME}\s*,\s+(?:a|an|the|our)\b", 2.0),
    (rf"\((?:in|for)\s+short,?\s+{_NAME}\)|\((?:shortly|abbreviated(?:\s+as)?|denoted(?:\s+as)?|called|named),?\s+{_NAME.replace('?P<name>', '?P<name2>')}\)", 2.0),
    (rf"\b(?:[Ww]e|paper|work|article|study)\b[^.;:()]{{0,60}}?\b(?:{_VERB}){_FILL}\s+{_NAME}", 2.0),
    (rf"\b(?:[Tt]he|[Oo]ur)\s+proposed\s+(?:{_KIND})?\s*[,:]?\s*{_NAME}", 2.0),
    (rf"\b(?:[Ww]e|paper|work|article|study|named|called)\b[^.;()]{{0,200}}?\b(?:{_VERB})\b[^.;()]{{0,220}}?\({_NAME}\)", 2.0),
    (rf"\b(?:architecture|overview|structure|performance|framework)\s+of\s+(?:the\s+)?(?:proposed\s+)?{_NAME}\b", 1.0),
    (rf"\b(?:[Ww]e|paper)\b[^.;:()]{{0,40}}?\b(?:propose|present)s?\s+(?:the\s+)?{_LONG}", 1.5),
)  # fmt: skip
_COMPILED = tuple((re.compile(p), w) for p, w in _PATTERNS)

# Acronyms of the field that name no model.
GENERIC = frozenset(
    """CTR CVR CTCVR LLM LLMs RAG GNN GNNs GCN KNN RL DRL MDP SR SRS GR EBR MSR KT VI IR AI ML DL NLP CV AUC ROC NDCG HR SFT DRS RS FM
    FMs FFM LR MLP MLPs DNN DNNs CNN RNN GRU LSTM FTRL SGD GPU CPU SSB DS SID SIDs ItemID ID IDs GMV ATC UV MF CF GBDT MTL SSL VAE KL
    QA API SOTA NAS AutoML CDCTR CPC CPM RTB OCPC BCE MSE RMSE RIG NCE InfoNCE BPR ReLU GELU Adam TensorFlow PyTorch Google Alibaba Amazon Taobao Huawei
    Table Figure Section Eq Equation Algorithm Appendix The A An In We Our It This These Those To For On As By With From And Or Both
    First Second Third Finally Specifically Then However Factorization Deep Neural Large Click Graph Two Three Multi""".split()
)
_MACROS = re.compile(r"\\(?:method|model|ours|name|ourmethod|ourmodel|modelname|methodname|sys|system|framework)\b")
_LINE = re.compile(r"\s+")


@dataclass(frozen=True)
class Names:
    """The model's name ("" when the paper gives none) and the spans of the text that hold the title or a name.

    Spans are sorted and disjoint. `title` spans are not read at all; `own` spans are read as "this model".
    """

    model: str
    aliases: tuple[str, ...]
    own: tuple[tuple[int, int], ...]
    title: tuple[tuple[int, int], ...]


def _flexible(phrase: str) -> str:
    """A pattern for `phrase` with any white space, a backslash before `&`, and line-end hyphens allowed."""
    return r"\s+".join(re.escape(w).replace(r"\&", r"\\?&") for w in phrase.replace(r"\&", "&").split())


def _title_spans(paper: Paper) -> list[tuple[int, int]]:
    if len(paper.title.split()) < 2:
        return []
    return [m.span() for m in re.finditer(_flexible(paper.title), paper.text, re.IGNORECASE)]


def _from_title(paper: Paper) -> Iterator[tuple[str, float]]:
    head, colon, _ = paper.title.partition(":")
    head = head.strip()
    if colon and 0 < len(head.split()) <= 5 and re.match(r"[A-Z0-9\\]", head):
        outside = paper.text.replace(paper.title, " ")
        if len(head.split()) == 1 or re.search(_flexible(head) + r"(?!\w)", outside):
            yield head, 3.0
    tail = re.search(r"\(([^()]{2,60})\)\s*$", paper.title)
    for name in re.split(r"\s*,\s*", tail.group(1)) if tail else ():
        if re.match(r"[A-Z]", name) and len(name.split()) <= 4:
            yield name, 3.0


def _candidates(text: str) -> Iterator[tuple[str, float]]:
    for pattern, weight in _COMPILED:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            name = groups.get("name") or groups.get("name2") or ""
            name = _LINE.sub(" ", name).strip(" -*")
            if name.endswith("s") and name[:-1].isupper() and len(name) > 3:
                name = name[:-1]  # PNNs
            if 2 <= len(name) <= 60 and name not in GENERIC and name.split()[0] not in ("The", "This", "Our", "A", "An"):
                yield name, weight


def _named(name: str) -> bool:
    """Whether a bare word is shaped like a name: two capitals, a digit, or several words."""
    return len(re.findall(r"[A-Z]", name)) >= 2 or any(c.isdigit() for c in name) or " " in name


def _always_capital(name: str, body: str) -> bool:
    """Whether a word with one capital is no common word: it comes back, and never without the capital."""
    return len(re.findall(rf"\b{re.escape(name)}\b", body)) > 1 and not re.search(rf"\b{re.escape(name.lower())}\b", body)


def _choose(paper: Paper, body: str) -> tuple[str, tuple[str, ...]]:
    scores: defaultdict[str, float] = defaultdict(float)
    first: dict[str, int] = {}
    titled = dict(_from_title(paper))
    for name, weight in [*titled.items(), *_candidates(body)]:
        if name in titled or _named(name) or _always_capital(name, body):
            scores[name] += weight if scores[name] < 6 else 0.1
            first.setdefault(name, len(first))
    for name in scores:
        scores[name] += 0.3 * min(20, len(re.findall(rf"(?<!\w){_flexible(name)}(?!\w)", body)))
    if not scores:
        return "", ()
    best = max(scores, key=lambda n: (scores[n], -first[n]))
    if scores[best] < 2.3 and best not in titled:
        return "", ()
    return best, tuple(dict.fromkeys([best, *titled]))


def _long_forms(name: str, text: str) -> Iterator[tuple[int, int]]:
    """Spans of a capitalised phrase right before `(name)`, or in brackets right after it."""
    for match in re.finditer(rf"\(\s*{_flexible(name)}s?\s*\)", text):
        before = re.search(
            r"(?:[A-Z][\w-]*|&|\\&)(?:\s+(?:[A-Z(][\w-]*|&|\\&|and|of|in|for|with|on))*\s*$",
            text[max(0, match.start() - 160) : match.start()],
        )
        if before and len(before.group().split()) >= 2:
            start = max(0, match.start() - 160) + before.start()
            yield start, start + len(before.group().rstrip())
    for match in re.finditer(rf"(?<!\w){_flexible(name)}\s*\(([A-Z][\w-]*(?:\s+[\w&-]+){{1,10}})\)", text):
        words = match.group(1).split()
        if sum(w[0].isupper() for w in words) * 2 > len(words):
            yield match.span(1)


def _merge(spans: list[tuple[int, int]], taken: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted, disjoint: longer spans win, and what overlaps `taken` is dropped."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda s: (s[0] - s[1], s[0])):
        if all(end <= a or start >= b for a, b in [*out, *taken]):
            out.append((start, end))
    return sorted(out)


def find_names(paper: Paper) -> Names:
    """The paper's own names and where they stand."""
    title = _merge(_title_spans(paper), [])
    body = paper.text
    for start, end in reversed(title):
        body = body[:start] + " " * (end - start) + body[end:]
    model, aliases = _choose(paper, body)
    spans = [m.span() for m in _MACROS.finditer(body)]
    forms: list[tuple[int, int]] = []
    for name in aliases:
        spans += [m.span() for m in re.finditer(rf"(?<![\w]){_flexible(name)}(?:s\b|(?!\w))(?:-[A-Z0-9]\w*)*[*∗]?", body)]
        forms += list(_long_forms(name, body))
    for start, end in forms:
        phrase = body[start:end]
        spans += [m.span() for m in re.finditer(rf"(?<!\w){_flexible(phrase)}(?!\w)", body)] if len(phrase.split()) > 1 else []
    return Names(model, aliases, tuple(_merge(spans, title)), tuple(title))
