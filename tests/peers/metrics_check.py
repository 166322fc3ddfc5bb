"""Reads metrics on standard input with the Prometheus project's own parser; prints what it found as one JSON line."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

families = list(text_string_to_metric_families(sys.stdin.read()))
kinds = {family.name: family.type for family in families}
print(json.dumps({"kinds": kinds, "samples": sum(len(family.samples) for family in families)}))
