"""What a paper was tried on and against: data sets, baselines, losses and training stages, each with its sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agents.autotrain.builtin.passages import Passage
from agents.autotrain.builtin.stance import Stance
from agents.autotrain.builtin.wording import Phrases
from agents.autotrain.paper import Paper
from agents.autotrain.spec import Evidence, Named

# Public data sets of the field, as facts: spelling as their owners write them.
_KNOWN_DATA = re.compile(
    r"\b(Criteo(?:[- ](?:Kaggle|1TB|Uplift|Terabyte))?|Avazu|MovieLens(?:[- ]?(?:100K|1M|10M|20M|25M))?|ML-1M|Frappe|iPinYou|KuaiRand(?:[- ]?\w+)?|"
    r"KuaiRec|KuaiSAR(?:[- ]small)?|Ali[- ]?CCP|AliExpress|Ali[- ]?Mama|Taobao|Tmall|Amazon(?:[- ](?:Electronics?|Books?|Beauty|Toys|Movies))?|Alipay|"
    r"Census[- ]Income|MicroVideo|TikTok|Yelp|Gowalla|Book-?Crossing|Tenrec|Douban|Movielens|Outbrain|Huawei|Company\*?|Zhihu)(?!\w)"
)
_DATA_PHRASE = re.compile(r"\b((?:[A-Z][\w*-]*)(?:\s+[A-Z][\w*-]*){0,2})\s+(?:data\s?sets?|benchmarks?)\b")
_DATA_CONTEXT = re.compile(r"\bdata(?:\s?sets?)?\b|\bexperiment|\bbenchmarks?\b|\bevaluat|\bcollected\b", re.IGNORECASE)
_NOT_DATA = frozenset(
    """The We Our This These Those Three Two Four Five Public Real Table In On All Each Both For From Training Test Validation Industrial
    Production Commercial Private Open Statistics Comprehensive Extensive Multiple Some Many Several Company Such Benchmark Large CTR CVR""".split()
)
_COMPARES = re.compile(
    r"\bbaselines?\b|\bcompar(?:e|ed|ison|ing)\b|\bcompetitors?\b|\bcompeting\b|\bstate-of-the-art (?:models?|methods?)\b|\boutperforms?\b",
    re.IGNORECASE,
)
_METHOD_NAME = re.compile(
    r"(?<![\w$\\/])((?:[A-Z]\w*[A-Z0-9]\w*|[A-Z]{2,})(?:[+*]|[-&][A-Z0-9]\w*)*|[A-Z][a-z]+ ?& ?[A-Z][a-z]+|LR|FM)(?![\w-])"
)
_NOT_METHODS = frozenset(
    """AUC GAUC CTR CVR CTCVR NDCG HR MRR RMSE MSE MAE GPU CPU ID IDs RQ RQ1 RQ2 RQ3 RQ4 RQ5 SGD FTRL AB KL SOTA ROC RIG GMV API URL RAM
    LLM LLMs AI ML DL NLP CV TPU GB TB KB MB SQL UV RPM CPM eCPM ReLU ReLu RELU PyTorch TensorFlow MovieLens KuaiRand KuaiSAR Logloss LogLoss
    COPC PCOC MLP SIGIR KDD CIKM WWW RecSys AAAI IJCAI ICML ICLR NIPS NeurIPS ACM IEEE GitHub BPR BCE""".split()
)  # fmt: skip
_LOSSES: tuple[tuple[str, Phrases], ...] = (
    (
        "binary cross-entropy",
        Phrases(["cross entropy", "log loss", "logloss", "logistic loss", "negative log-likelihood", "logarithmic loss"]),
    ),
    ("contrastive (InfoNCE)", Phrases(["infonce", "contrastive loss", "contrastive learning loss", "nt-xent"])),
    ("KL divergence", Phrases(["kl divergence", "kullback leibler", "kl loss"])),
    ("mean squared error", Phrases(["mean squared error", "mse loss", "square loss", "squared loss"])),
    ("reconstruction", Phrases(["reconstruction loss", "reconstruction error", "denoising loss", "reconstruction objective"])),
    ("pairwise ranking", Phrases(["bpr loss", "pairwise loss", "pairwise ranking loss", "bayesian personalized ranking"])),
    ("auxiliary", Phrases(["auxiliary loss"])),
)
_STAGES: tuple[tuple[str, Phrases], ...] = (
    ("pre-training", Phrases(["pre-training", "pre-train", "is pre-trained", "pre-training stage", "first pre-trained", "generative pretraining"])),
    ("fine-tuning", Phrases(["fine-tuning", "fine-tune", "fine-tuned"])),
    ("joint training", Phrases(["joint training", "jointly trained", "jointly train", "trained jointly", "jointly optimize", "jointly learn"])),
    ("sequential training", Phrases(["trained sequentially", "trained one after another"])),
    ("alternating training", Phrases(["trained alternately", "alternating training", "alternately optimize"])),
    ("end-to-end training", Phrases(["end-to-end manner", "trained end to end", "end-to-end training", "end-to-end learning"])),
)  # fmt: skip


def _at(paper: Paper, passage: Passage, start: int, end: int) -> Evidence:
    """The named thing itself as the quote: `start` and `end` are offsets into the passage."""
    a, b = passage.start + start, passage.start + end
    return Evidence(quote=paper.text[a:b], section=passage.section, start=a, end=b)


def datasets(paper: Paper, passages: Sequence[Passage], own: Sequence[str]) -> tuple[Named, ...]:
    """Data sets used: known names, and capitalised names before "dataset", where experiments are spoken of."""
    found: dict[str, Named] = {}
    for passage in passages:
        if passage.role not in ("experiments", "abstract", "appendix", "introduction", "other"):
            continue
        text = paper.text[passage.start : passage.end]
        if not _DATA_CONTEXT.search(text):
            continue
        for match in [*_KNOWN_DATA.finditer(text), *(_DATA_PHRASE.finditer(text) if passage.role == "experiments" else ())]:
            name = " ".join(match.group(1).split())
            words = name.split()
            if words[0] in _NOT_DATA or words[-1] in _NOT_DATA or name in own or name.lower() in {n.lower() for n in found}:
                continue
            found[name] = Named(name=name, evidence=_at(paper, passage, *match.span(1)))
    return tuple(found.values())[:12]


def baselines(paper: Paper, passages: Sequence[Passage], own: Sequence[str]) -> tuple[Named, ...]:
    """Names that sentences of the experiments compare with; the paper's own names are left out."""
    found: dict[str, Named] = {}
    for passage in passages:
        text = paper.text[passage.start : passage.end]
        if passage.role != "experiments" or passage.table or not _COMPARES.search(text):
            continue
        for match in _METHOD_NAME.finditer(text):
            name = match.group(1)
            if name in _NOT_METHODS or _KNOWN_DATA.fullmatch(name) or any(name.startswith(o) for o in own if o) or name in found:
                continue
            found[name] = Named(name=name, evidence=_at(paper, passage, *match.span(1)))
    return tuple(found.values())[:24]


def losses(paper: Paper, passages: Sequence[Passage], stances: Sequence[Stance]) -> tuple[Named, ...]:
    return _phrased(paper, passages, stances, _LOSSES, ("method", "abstract", "other"))


def stages(paper: Paper, passages: Sequence[Passage], stances: Sequence[Stance]) -> tuple[Named, ...]:
    """Training stages in the order of their first mention."""
    found = _phrased(paper, passages, stances, _STAGES, ("method", "abstract", "other"))
    order = [name for name, _ in _STAGES]
    return tuple(sorted(found, key=lambda n: (order.index(n.name) > 1, n.evidence.start if n.evidence else 0)))


def _phrased(
    paper: Paper,
    passages: Sequence[Passage],
    stances: Sequence[Stance],
    kinds: Iterable[tuple[str, Phrases]],
    roles: Sequence[str],
) -> tuple[Named, ...]:
    found: dict[str, Named] = {}
    for name, phrases in kinds:
        for passage, stance in zip(passages, stances, strict=True):
            if passage.role not in roles or stance.value < 0.5 or name in found:
                continue
            hits = [h for h in phrases.find(passage.words) if all(stance.own[h.first : h.last + 1])]
            if hits:
                start, end = passage.words[hits[0].first].start, passage.words[hits[0].last].end
                found[name] = Named(name=name, evidence=_at(paper, passage, start - passage.start, end - passage.start))
    return tuple(sorted(found.values(), key=lambda n: n.evidence.start if n.evidence else 0))


def known_data(text: str) -> str:
    """The first public data set that the text names, "" when it names none."""
    match = _KNOWN_DATA.search(text)
    return " ".join(match.group(1).split()) if match else ""
