"""FuxiCTR's preparation of raw text, run by the peers' Python: `... prepare_fuxictr FOLDER TRAIN VALID TEST`.

The same columns, kinds and least frequency as `bench.raw_clicks` gives the kit. Ray, by which FuxiCTR transforms its columns, is
started before the clock is. Prints the same line of JSON as `prepare_kit`; the memory is that of this process, without Ray's.
"""

from __future__ import annotations

import importlib
import json
import sys
import time

from bench.peak import peak_mb
from fuxictr.preprocess import FeatureProcessor

COUNTS = [f"I{i}" for i in range(1, 14)]
CATEGORIES = [f"C{i}" for i in range(1, 27)]
MIN_FREQUENCY = 2


def main() -> None:
    folder, train, valid, test = sys.argv[1:]
    module = importlib.import_module("fuxictr.preprocess.build_dataset")
    module.init_ray()
    before, began = peak_mb(), time.perf_counter()
    processor = FeatureProcessor(
        feature_cols=[
            {"name": COUNTS, "active": True, "dtype": "float", "type": "numeric", "normalizer": "StandardScaler"},
            {"name": CATEGORIES, "active": True, "dtype": "str", "type": "categorical"},
        ],
        label_col={"name": "label", "dtype": "float"},
        dataset_id="raw",
        data_root=folder,
    )
    module.build_dataset(
        processor, train_data=train, valid_data=valid, test_data=test, data_format="csv", min_categr_count=MIN_FREQUENCY
    )
    answer = {"seconds": time.perf_counter() - began, "peak_mb": peak_mb(), "libraries_mb": before}
    answer |= {"ids": sum(f.get("vocab_size", 0) for f in processor.feature_map.features.values())}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
