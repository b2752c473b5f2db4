"""A prepared data set on disk: what may be shown to a sandbox (`visible/`) and what only the scorer sees (`hidden/`).

It opens and describes; `sandboxes.kit.data.prepare` makes. Notation: n rows, T tasks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.ranking import Answers
from sandboxes.kit.schema import Schema

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class LeakCheck:
    """One test for information that a model could not have in use. Not passed means suspicious: look before you believe."""

    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True)
class Prepared:
    """A data set ready for training and scoring.

    `data_hash` is the hash of the arrays and the schema: equal hashes mean equal data, whatever made them. `sizes` maps
    "train", "valid" and "test" to rows. `settings` is the table's description as it was applied. `reused` is True when an
    earlier call had prepared it.
    """

    name: str
    root: Path
    schema: Schema
    data_hash: str
    sizes: Mapping[str, int]
    synthetic: bool
    provenance: str
    licence: str = ""
    leak_checks: tuple[LeakCheck, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)  # positives and unknown ids by split
    reused: bool = False

    @property
    def visible(self) -> Path:
        """The folder for sandboxes: features of all splits, labels of train and valid."""
        return self.root / "visible"

    @property
    def hidden(self) -> Path:
        """The folder for the scorer: labels and groups of valid and test."""
        return self.root / "hidden"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the leak checks found suspicious, one sentence each."""
        return tuple(f"{c.name}: {c.detail}" for c in self.leak_checks if not c.passed)

    def hidden_labels(self, split: str) -> NDArray[np.float32]:
        """Labels (n, T) of "valid" or "test", NaN = unobserved, in the row order of the visible arrays."""
        labels: NDArray[np.float32] = np.load(self.hidden / f"{split}.labels.npy", allow_pickle=False)
        return labels

    def hidden_answers(self, split: str) -> Answers:
        """The items that were right for each query of "valid" or "test"; the one action that was taken in each decision."""
        return Answers.load(self.hidden, f"{split}.answers")

    def hidden_propensity(self, split: str) -> NDArray[np.float32]:
        """The probability (n,) with which each action of "valid" or "test" was taken; the actions are the hidden answers."""
        propensity: NDArray[np.float32] = np.load(self.hidden / f"{split}.propensity.npy", allow_pickle=False)
        return propensity

    def groups(self, split: str) -> NDArray[np.int64] | None:
        """The user (n,) of each row of "valid" or "test", or None when the data set names none."""
        path = self.hidden / f"{split}.groups.npy"
        return np.load(path, allow_pickle=False) if path.exists() else None

    def save(self) -> None:
        """Writes prepared.json; last of all, since its presence says that the folder is complete."""
        content = asdict(self) | {"leak_checks": [asdict(c) for c in self.leak_checks]}
        kept = {name: value for name, value in content.items() if name not in ("root", "schema", "reused")}
        (self.root / "prepared.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")

    @classmethod
    def open(cls, root: Path, *, reused: bool = False) -> Prepared:
        """The prepared data set in the folder `root`. Raises `DataError` when there is none."""
        try:
            raw = json.loads((root / "prepared.json").read_text(encoding="utf-8"))
            schema = Schema.load(root / "visible" / "schema.json")
        except (FileNotFoundError, NotADirectoryError):
            raise DataError(f"{root} holds no prepared data set; prepare it with: agenticrs data prepare NAME") from None
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise DataError(
                f"the prepared data set in {root} is damaged ({error}); delete the folder and prepare again"
            ) from None
        raw["leak_checks"] = tuple(LeakCheck(**c) for c in raw["leak_checks"])
        return cls(root=root, schema=schema, reused=reused, **raw)
