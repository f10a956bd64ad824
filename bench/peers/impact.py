"""diff-diff on panels of bench/impact.py, in the peers' environment: python impact.py FILE.npz → JSON on one line."""

from __future__ import annotations

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from diff_diff import CallawaySantAnna, ImputationDiD

warnings.filterwarnings("ignore")
file = np.load(sys.argv[1])
answers = []
for number in range(int(file["count"])):
    outcome, adopted = file[f"outcome{number}"], file[f"adopted{number}"]
    units, days = outcome.shape
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), days),
            "day": np.tile(np.arange(1, days + 1), units),
            "y": outcome.ravel(),
            "first": np.repeat(np.where(adopted < days, adopted + 1, 0), days),
        }
    )
    row: dict[str, object] = {}
    for name, estimator in (
        ("imputation", ImputationDiD(cluster="unit")),
        ("group_time", CallawaySantAnna(control_group="not_yet_treated")),
    ):
        if name == "group_time" and number >= int(sys.argv[2]):
            continue
        started = time.process_time()
        found = estimator.fit(frame, outcome="y", unit="unit", time="day", first_treat="first")
        low, high = found.overall_conf_int
        row[name] = [float(found.overall_att), float(found.overall_se), float(low), float(high)]
        row[f"{name}_seconds"] = time.process_time() - started
    answers.append(row)
print(json.dumps(answers))
