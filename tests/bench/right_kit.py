"""The kit's side of the comparison with FuxiCTR: a reference model through `fit`, its best weights on the test rows."""

from __future__ import annotations

import numpy as np
from bench.arrays import Meta, Split
from bench.right_job import Answer, RightJob, work
from bench.right_settings import ITEM_FIELDS, USER_FIELDS

from sandboxes.kit.data.arrays import ArrayRows
from sandboxes.kit.models import MODELS
from sandboxes.kit.schema import CategoricalField, Schema, Side
from sandboxes.kit.training import TrainConfig, build, fit, predictions


def train(job: RightJob) -> Answer:
    """Rows of tables are updated where touched, unless an L2 penalty moves them all; in fp32, as FuxiCTR's are."""
    p = job.protocol
    shared = {"embedding_dim": p.embedding_dim, "hidden_units": p.hidden_units, "dropout": p.dropout}
    model = build(MODELS[job.model], schema_of(job.meta), {**shared, **job.pair.kit}, job.seed)
    config = TrainConfig(
        seed=job.seed,
        learning_rate=p.learning_rate * job.pair.faster,
        embedding_l2=p.embedding_l2,
        batch_size=p.batch_size,
        max_epochs=p.max_epochs,
        patience=p.patience,
        updates="whole" if p.embedding_l2 else "touched",
    )
    fitted = fit(model, _rows(job.train), _rows(job.valid), config)
    return Answer(predictions(model, _rows(job.test), 1)[:, 0], len(fitted.epochs))


def schema_of(meta: Meta) -> Schema:
    """The fields as the kit describes them, with their sides."""
    sized = zip(meta.fields, meta.cardinalities, strict=True)
    return Schema(tuple(CategoricalField(name, size, _side(name)) for name, size in sized))


def _side(field: str) -> Side:
    return "user" if field in USER_FIELDS else "item" if field in ITEM_FIELDS else "context"


def _rows(split: Split) -> ArrayRows:
    return ArrayRows(split.ids, np.empty((len(split), 0), np.float32), {}, split.labels[:, None])


if __name__ == "__main__":
    work(train)
