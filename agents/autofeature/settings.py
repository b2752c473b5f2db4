"""How AutoFeature works on one data set: by which model features are judged, how hard it tries, and what quality is worth."""

from __future__ import annotations

from pydantic import Field

from agents.autofeature.trainer import Incumbent
from agents.autofeature.trials import Economy
from agents.batch_size import usual_batch_size
from agents.strict import Strict


class Settings(Strict):
    """`seeds` of every trial, and as many others for the last word; at most `most` proposals are tried. `allowed` are columns
    that may be used though they look as if they knew the label. `embedding_dim` and `epochs` are the model's."""

    model: str = "dnn"
    seeds: int = Field(default=3, ge=2, le=100)
    most: int = Field(default=8, ge=1, le=100)
    epochs: int = Field(default=5, ge=1, le=1000)
    embedding_dim: int = Field(default=16, ge=1, le=512)
    allowed: tuple[str, ...] = ()
    economy: Economy = Economy()
    again: bool = False  # also what was tried on this data before

    @property
    def trial_seeds(self) -> tuple[int, ...]:
        return tuple(range(1, self.seeds + 1))

    @property
    def fresh_seeds(self) -> tuple[int, ...]:
        return tuple(range(self.seeds + 1, 2 * self.seeds + 1))

    def incumbent(self, train_rows: int) -> Incumbent:
        """Before its learning rate is tuned."""
        batch = usual_batch_size(train_rows)
        return Incumbent(model=self.model, embedding_dim=self.embedding_dim, batch_size=batch, max_epochs=self.epochs)
