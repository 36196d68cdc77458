# SPDX-License-Identifier: Apache-2.0
"""Prints criterion's estimates as one JSON line per benchmark, with the bound that the project promises."""

import json
import sys
from pathlib import Path

BOUNDS_US = {
    "emission/allocate/256": 15,
    "emission/allocate/4096": 300,
    "yuma/yuma3_64x192": 250,
    "bundle of 10,000 attempts/check": 60_000,
}

root = Path(sys.argv[1])
for file in sorted(root.rglob("new/estimates.json")):
    name = "/".join(file.relative_to(root).parts[:-2])
    estimates = json.loads(file.read_text())
    line = {
        "name": name,
        "median_us": round(estimates["median"]["point_estimate"] / 1000, 3),
        "low_us": round(estimates["median"]["confidence_interval"]["lower_bound"] / 1000, 3),
        "high_us": round(estimates["median"]["confidence_interval"]["upper_bound"] / 1000, 3),
    }
    if name in BOUNDS_US:
        line["bound_us"] = BOUNDS_US[name]
    print(json.dumps(line))
    BOUNDS_US.pop(name, None)
if BOUNDS_US:
    sys.exit(f"error: no benchmark is called {', '.join(BOUNDS_US)}")
