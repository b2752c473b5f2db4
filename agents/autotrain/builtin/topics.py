"""What papers are about, as weighted phrases: the topics the platform can reproduce, and those it cannot, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from agents.autotrain.builtin.wording import listed
from agents.autotrain.spec import ScopeKind, TaskKind


@dataclass(frozen=True)
class Topic:
    """Phrases by weight. `reason` completes "out of scope: ..." for a person; of what is inside, `task` is what it asks for."""

    name: str
    kind: ScopeKind
    reason: str
    strong: tuple[str, ...]  # 3 points
    weak: tuple[str, ...] = ()  # 1 point
    task: TaskKind = "ctr"


CLICKS = Topic(
    "click and conversion prediction",
    "in_scope",
    "",
    listed(
        """click-through rate; click through rate; clickthrough rate; ctr; conversion rate; cvr; ctcvr; user response prediction;
        click prediction; ad click; discriminative recommendation; multi-scenario recommendation; multi-domain recommendation;
        feature interaction; feature interactions; display advertising; post-click conversion; post-view; conversion prediction;
        probability of a click; probability of clicking; probability of a user clicking; multi-scenario; multi-domain click;
        multi-task recommendation; feature crosses; watch time prediction; user engagement prediction; click-through and conversion;
        scenario-specific representation"""
    ),
    listed(
        """ranking stage; ranking model; ranking system; online advertising; log loss; logloss; auc; impression; sparse feature;
        categorical feature; sparse input; multi-field; computational advertising; multi-task learning; multi-task;
        feature engineering; feature embedding; candidate ad; user behavior sequence; factorization machine; prediction model; ad; advertiser;
        app store; cross-domain"""
    ),
)

KNOWLEDGE_TRACING = Topic(
    "knowledge tracing",
    "in_scope",
    "",
    listed("knowledge tracing; student; cognitive diagnosis; exercise recommendation; practice record; learner"),
    task="knowledge_tracing",
)
RETRIEVAL = Topic(
    "retrieval",
    "in_scope",
    "",
    listed(
        """embedding-based retrieval; ebr; candidate retrieval; retrieval stage; negative sampling; approximate nearest neighbor;
        candidate generation; personalized retrieval; product retrieval; two-tower retrieval; inverted table; deep retrieval; recall stage"""
    ),
    listed("retrieval; matching stage; index"),
    task="items",
)
NEXT_ITEM = Topic(
    "sequential and session-based recommendation",
    "in_scope",
    "",
    listed(
        """session-based recommendation; sequential recommendation; next-item; next item; next-basket; session-item; sequential recommender;
        next item prediction; user interaction sequence; sr model; point-of-interest; next poi"""
    ),
    listed("hit ratio; ndcg; hr and ndcg; session; recall@20; top-n"),
    task="items",
)
GRAPH = Topic(
    "graph and collaborative filtering",
    "in_scope",
    "",
    listed(
        """graph collaborative filtering; graph-based recommendation; gnn-based recommender; user-item bipartite graph;
        collaborative filtering; multi-behavior recommendation; multi-behavior data; news recommendation; social recommendation;
        interaction graph; user-item graph"""
    ),
    listed(
        """gnn; gnn-based; graph; graph neural network; graph convolution network; graph convolutional; bipartite graph; node;
        matrix factorization; bundle recommendation; group recommendation"""
    ),
    task="items",
)
GENERATIVE = Topic(
    "generative recommendation",
    "in_scope",
    "",
    listed(
        """generative recommendation; generative retrieval; semantic id; semantic ids; sid; gr model; item tokenization; tokenizer;
        beam search; quantization of item; residual quantization; itemid; next-token prediction; gr"""
    ),
    listed("autoregressive; decoder; codebook; token sequence"),
    task="items",
)
LOGGED_DECISIONS = Topic(
    "learning from logged decisions",
    "in_scope",
    "",
    listed(
        """off-policy learning; off-policy evaluation; counterfactual learning from logged; counterfactual risk minimization;
        counterfactual learning to rank; logged bandit feedback; bandit feedback; logging policy; contextual bandit; batch learning from logged;
        inverse propensity; propensity score; importance sampling estimator"""
    ),
    listed("policy; propensity; reward; action; counterfactual; doubly robust; logged data"),
    task="actions",
)
INSIDE: tuple[Topic, ...] = (CLICKS, KNOWLEDGE_TRACING, RETRIEVAL, NEXT_ITEM, GRAPH, GENERATIVE, LOGGED_DECISIONS)

OUTSIDE: tuple[Topic, ...] = (
    Topic(
        "language models",
        "other_field",
        "it is about large language models (retrieval-augmented generation, agents or their memory), not about predicting clicks",
        listed(
            """large language model; llm; retrieval-augmented generation; retrieval augmented generation; rag; question answering;
            hallucination; conversational agent; dialogue; deep research; reranker and generator; prompt; reasoning chain; text generation;
            chain-of-thought; instruction tuning; agentic; llm agent"""
        ),
        listed(
            "generator; knowledge graph reasoning; language model; long-term memory; memory retrieval; retrieved document; report"
        ),
    ),
    Topic(
        "computer vision",
        "other_field",
        "it is about images, video or 3D scenes, not about recommendation",
        listed(
            """neural radiance field; novel view synthesis; object detection; image classification; semantic segmentation; rendering;
            point cloud; image generation; video generation; face recognition; medical image; mesh; pose estimation; pixel"""
        ),
        listed("image; video; camera; scene; visual quality; geometric"),
    ),
    Topic(
        "medicine and biology",
        "other_field",
        "it is about medicine or biology, not about recommendation",
        listed(
            """patient; disease; clinical; diagnosis; cardiovascular; cancer; tumor; medical record; protein; gene expression; drug discovery;
            symptom; heart disease; electrocardiogram; blood; molecular"""
        ),
        listed("health; hospital; risk factor"),
    ),
    Topic(
        "speech, time series, control and others",
        "other_field",
        "it belongs to another field than recommendation or advertising",
        listed(
            """speech recognition; machine translation; time series forecasting; traffic forecasting; autonomous driving; robot; wireless;
            code generation; theorem proving; weather; stock; fraud detection; anomaly detection; malware; sentiment analysis;
            named entity recognition; power grid; particle physics; quantum computing"""
        ),
    ),
    Topic(
        "search",
        "other_field",
        "it is about search (rewriting queries, or ranking and diversifying documents), not about predicting clicks",
        listed(
            """query rewriting; query rewrite; search result diversification; document ranking; query-document; web search; dense retrieval of
            passages; passage retrieval; query understanding; long-tail query; search diversification; diversifying; learning to rank documents"""
        ),
        listed("search engine; query; relevance judgment; information retrieval"),
    ),
    Topic(
        "reinforcement learning",
        "unsupported_task",
        "it learns a policy by reinforcement learning, which the kit does not train",
        listed(
            """reinforcement learning; actor-critic; actor network; critic network; markov decision process; long-term reward; policy gradient;
            mdp; multi-armed bandit; agent is optimized; q-learning; sequential decision making; cumulative reward"""
        ),
        listed("policy; action space; reward; environment"),
    ),
    Topic(
        "auctions, uplift and causal effects",
        "unsupported_task",
        "it decides on bids, budgets or treatments (auctions, uplift), and not on click or conversion probabilities",
        listed(
            """uplift modeling; treatment effect; auction mechanism; bidding strategy; budget allocation; auto-bidding; incentive compatible;
            creative selection; list-wise reranking; re-ranking stage; slate recommendation; dynamic pricing"""
        ),
        listed("auction; bid; treatment; reranking"),
    ),
)

SURVEY = Topic(
    "survey",
    "survey",
    "it surveys the work of others and proposes no model of its own",
    listed(
        """this survey; our survey; the survey; comprehensive survey; systematic survey; comprehensive review; systematic review; this review;
        comprehensive summary; comprehensive overview; we survey; we review; literature review; we provide an overview; this tutorial;
        this perspective paper; position paper; we categorize existing"""
    ),
    listed("taxonomy; future direction; research direction; overview; we summarize; open problem; we discuss"),
)
BENCHMARK = Topic(
    "benchmark",
    "benchmark",
    "it benchmarks the methods of others and proposes no model of its own",
    listed(
        """comprehensive benchmark; a benchmark for; open benchmark; we benchmark; benchmarking; new benchmark; reproducibility study;
        reproducibility paper; a new dataset; we release a dataset; open benchmarking; replicability; first public benchmark; large-scale dataset for;
        thorough evaluation of; we re-evaluate; unfair comparison; standardized evaluation; dataset collected from"""
    ),
    listed("fair comparison; experimental setup; reproducible research; leaderboard; unified evaluation; evaluation protocol"),
)
SYSTEM = Topic(
    "system",
    "system",
    "it describes a system or platform (training, serving or storage infrastructure), and not a model",
    listed(
        """training system; distributed training; parameter server; service platform; storage layer; serving system; inference engine;
        system architecture; push service; training platform; gpu memory; embedding synchronization; model-parallelism; data-parallelism;
        application layer; data pipeline; feature store; open-source library; software framework; throughput; recommendation platform"""
    ),
    listed("latency; cache; gpu; cpu; deployment; scalable system; platform; communication cost; cluster"),
)
ANALYSIS = Topic(
    "analysis",
    "analysis",
    "it analyses existing models (laws, measurements or theory) and proposes no model to train",
    listed(
        """scaling law; performance law; power law; empirical study; empirical analysis; we analyze why; theoretical study; we investigate whether;
        large-scale study; theoretically investigate; model performance and data quality; we empirically study; measurement study; user study"""
    ),
    listed("insight; we find; findings; correlation; we observe"),
)
RECOMMENDATION = listed(
    """recommendation; recommender; recommend; advertising; e-commerce; click; user preference; personalization; personalized"""
)
