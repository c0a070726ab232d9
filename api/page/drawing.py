"""Charts for a browser: Vega-Lite made Vega on the server, so that a page needs the smaller of the two and no compiler."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from expert_pool.documents.picture import VERSION
from expert_pool.documents.simulation_charts import Chart


@dataclass(frozen=True, slots=True)
class Outlined:
    """A chart as a template shows it before it is drawn: its name and its title."""

    name: str
    title: str


def outlined(chart: Chart) -> Outlined:
    """A chart of ours for a page."""
    return Outlined(chart.name, str(chart.spec.get("title", {}).get("text", chart.name)))


def drawing(chart: Chart) -> bytes:
    """What a browser draws a chart from: a Vega specification as JSON."""
    return _vega(json.dumps(chart.spec, ensure_ascii=False))


@lru_cache(64)
def _vega(spec: str) -> bytes:
    import vl_convert

    made = vl_convert.vegalite_to_vega(spec, vl_version=VERSION)
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
