"""Turns of phrase that tell whose mechanism a sentence speaks of, and whether it is proposed; `stance` reads by them."""

from __future__ import annotations

from agents.autotrain.builtin.wording import Phrases, listed

PROPOSING = Phrases(
    listed(
        """we propose; we present; we introduce; we develop; we design; we devise; we formulate; paper proposes; paper presents;
    paper introduces; work proposes; work presents; article proposes; study proposes; is proposed; are proposed; we study;
    we show; we put forward; we describe; the proposed; our proposed; we develop; we build; we construct; we establish; we
    adapt; we also propose; we further propose; we first propose; we then propose; we therefore propose; we extend; we also
    introduce; we further introduce; is designed to; are designed to; we then design; we argue that; a novel; novel module;
    is a novel"""
    )
)
SELF = Phrases(
    listed(
        """we propose; we present; we introduce; we develop; we design; we devise; we formulate; paper proposes; paper presents;
    paper introduces; we adopt; we use; we employ; we apply; we exploit; we utilize; we leverage; we incorporate; we
    integrate; we combine; we add; we feed; we stack; we model; we learn; we train; we replace; we compute; we obtain; we
    define; we let; we map; we project; we concatenate; we extend; we adapt; we generate; we initialize; we first; we then;
    we also; we further; we build; we construct; we represent; we randomly; we choose to; we set; we describe; we begin; we
    start; we collect; we jointly; we finally; we regularize; we blank; our; ours; the proposed; this paper; this work; in
    this paper; in this work; is then fed; are then fed; is fed; are fed; thismodel; is proposed; are proposed; to address;
    to tackle; to overcome; to this end; our model; it consists of; it comprises; we mask; we; us; to resolve; to fill"""
    )
)
OTHERS = Phrases(
    listed(
        """existing; previous work; previous study; previous method; previous model; previous approach; prior work; prior study;
    prior method; prior model; prior approach; prior art; traditional; traditionally; conventional; conventionally; recent
    work; recent study; recent method; recent model; recent approach; recent years; recently; state-of-the-art; current
    method; current model; current approach; current system; most method; most model; most approach; most of the previous;
    most previous; many method; many approach; other method; other model; other work; other approach; various method;
    various model; various technique; various approach; prevailing; mainstream; baseline; competitor; competing method;
    classical; classic; widely used; has become the standard; have become the standard; has become standard; de facto
    standard; standard tool; has been used; have been used; has been applied; have been applied; have been proposed; has
    been proposed; was proposed; were proposed; was introduced; were introduced; has been studied; have been studied; has
    also been studied; became popular; et al; compared method; following method; researcher; literature; some work; some
    method; these method; these approach; those method; such method; these model; such approach; predecessor; related work;
    in the past; commonly; early work; early method; ranging from; several author; proposed by; common practice; the
    practice of; one could; it may be recalled; were reported to; was reported to; production model at the time; shown
    promise; shown great; methods struggle; can be categorized; can be divided; previous ctr; previous deep; existing deep;
    as instances of; state-of-the-arts; attracted; naive approach; naive method"""
    )
)
# "We" that speaks of others.
MEASURED = Phrases(
    listed(
        """we compare; compare our; compared against; we evaluate; we select baseline; we choose the following; we review; we
    survey; we summarize; we discuss; we recall; we re-evaluate; we reproduce; we analyze; we refer to; we observe; we note;
    we report the; we report auc; we report results; we report average; we report mean; we report our; we can see; we find
    that"""
    )
)
# Faults found with something: all that the sentence says without a turn to oneself is then about others.
CRITICISM = Phrases(
    listed(
        """suffer from; suffers from; fail to; fails to; cannot; limited by; limited to; restricted to; struggle; struggles;
    neglect; neglects; ignore; ignores; overlook; overlooks; prohibitive; costly; loses information; lose information;
    suboptimal; sub-optimal; drawback; shortcoming; hinder; hinders; impairs; unable to; lack of; lacks; inefficient; is not
    optimized; grows with the square; underperform; too expensive; at the expense of; unfortunately; remains a challenge;
    remain a challenge; remains challenging; remain challenging; remains unclear; remains unresolved; remain unresolved;
    remains largely; remain largely; waste; wastes; restrict themselves; restricts itself; not affordable; we could not
    afford; we could not bear; we consider too; too coarse; only in part; seesaw; see-saw; is sensitive to; are sensitive
    to; must be evaluated anew; must be recomputed; too slow for; too costly; is false; no more than; negative transfer;
    another idea from; known from the literature; has been shown to; have been shown to; was overfitting; were overfitting;
    quadratic in the number; were refused; was refused; limited expressive power"""
    )
)
# What opens a passage on other models: it goes on until the paper speaks of its own again.
LISTING = Phrases(
    listed(
        """baselines; baseline methods; baseline models; for comparison; compared methods; comparison methods; methods compared;
    methods for comparison; competitors; competing methods; rivals; reference methods; re-implemented; re-implement; re-run;
    rerun; reproduced; we re-evaluate; published architectures; published models; methods under comparison"""
    )
)
# Named as a possibility that was not taken.
ONLY_THOUGHT_OF = Phrases(
    listed(
        """would have been; would be possible; would be an option; obvious choice; obvious candidate; obvious option; natural
    choice; first idea; first thought; tempting; why not; might seem; may seem; seems natural; at first sight; at first
    glance; could have been; one might; one would; an alternative would; an alternative is; alternatives would; a simple
    solution would; a straightforward solution"""
    )
)
# Said of what this sentence or the one before spoke of: it was not taken either.
REFUSED = Phrases(
    listed(
        """decided against; was abandoned; were abandoned; did try it; did try them; did try this; we rejected; was rejected; were
    rejected; was dismissed; was discarded; were discarded; not adopted; not part of; not included; not considered; left
    aside; did not help; does not help; did not pay; did not cure; not worth; not justified; no benefit; no improvement; no
    gain; no significant gain; no significant difference; gave nothing; brought nothing; neither gave; neither of them;
    neither of the two; neither was; not better; no better; was worse; were worse; fared worse; fared still worse; turned
    out worse; made things worse; degraded; hurt; was ruled out; ruled out; rules it out; rule it out; broke our; was too
    slow; were too slow; too heavy; out of reach; proved fragile; without either; without any of; none of these; none of
    them; was considered for; were considered for; for us this was; for us it was; for us they were; is avoided; are avoided"""
    )
)
# Tried and given up, or not done at all: the paper speaks of itself, and proposes nothing by it.
GIVEN_UP = Phrases(
    listed(
        """we tried; we also tried; in a preliminary; in preliminary experiments; we removed; we abandoned; we discarded; we gave
    up; we give up; was left out; were left out; we refrain; we do not; we did not; out of the question; saw no advantage;
    dispense with; we experimented with; no longer use; are missing; we dropped; did not pursue; not pursue; our previous;
    our former; our old; our earlier; former practice; we first tried; we abandon; we thus abandon; we attempted to
    reproduce; put aside; product aside"""
    )
)
# What these govern ends at the next comma.
ASIDE = Phrases(
    listed(
        """unlike; instead of; rather than; in contrast to; compared to; compared with; in comparison with; in place of; different
    from; differently from; as opposed to; without; in lieu of; different to; contrary to; superior to; over the existing;
    outperforms; outperform; surpasses; surpassed; beats; than; no need of; except; although; though; while existing;
    whereas; beyond; gives way; to avoid that; to escape; while traditional; while previous; despite; over our"""
    )
)
LATER = Phrases(
    listed(
        """future work; we plan to; as future; we leave; could also be; in the future; future research; might be replaced; will
    explore; future directions"""
    )
)
RESULTS = Phrases(
    listed(
        """experiments on; experiments show; experiments demonstrate; extensive experiments; experimental results; comprehensive
    experiments; online experiments; online A/B; empirical results; experiments are conducted; offline experiments; we
    conduct; ablation study; points of auc; points of recall; points of ndcg; percentage points; loses 0; table 1; table 2;
    table 3; table 4; table 5"""
    )
)
PASSIVE = Phrases(listed("is proposed; are proposed"))
# Adjectives of what others made long ago; right after a turn to oneself they tell where it was taken from.
OF_OLD = Phrases(listed("classical; classic; conventional; traditional; widely used; state-of-the-art"))
AUXILIARIES = frozenset("is are be been being was were then".split())
POINTING = frozenset("this that these such it both they".split())
NOT_ANY_MORE = frozenset("replace replaces replacing supplants superseding supersedes".split())  # whose object is given up
VERBS = frozenset(  # of a model as a subject; not those that are nouns as well
    """is are does do has have can cannot could may might will would uses employs learns computes applies introduces adopts
    adds combines takes weighs assigns feeds stacks treats normalises normalizes encodes captures relies needs requires
    assumes shares trains extends builds generates aggregates sums concatenates reads averages pools multiplies keeps lets
    gives makes works suffers fails ignores runs models extracts compresses compares fits looks lacks performs attends
    passes propagates predicts separates splits truncates retrieves selects""".split()
)
CARRIES = frozenset("they these such those their this".split())
PARTS = frozenset("mechanism module component layer block network framework design scheme strategy unit loss objective".split())
GROUP = frozenset("method model approach technique work system solution study framework paradigm practice bias".split())
