"""Charts for a browser: Vega-Lite made Vega on the server, so that a page needs the smaller of the two and no compiler."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from expert_pool.documents.picture import VERSION
from expert_pool.documents.simulation_charts import Chart


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart as a template shows it: its name, the Vega specification, and its data as columns and rows."""

    name: str
    title: str
    spec: dict[str, Any]
    columns: list[str]
    rows: list[list[Any]]


def drawn(chart: Chart) -> Drawn:
    """A chart of ours for a page."""
    columns = list(dict.fromkeys(key for row in chart.rows for key in row))
    return Drawn(
        chart.name,
        str(chart.spec.get("title", {}).get("text", chart.name)),
        vega(json.dumps(chart.spec, ensure_ascii=False)),
        columns,
        [[row.get(column) for column in columns] for row in chart.rows],
    )


@lru_cache(64)
def vega(spec: str) -> dict[str, Any]:
    """A Vega-Lite specification (JSON) as Vega."""
    import vl_convert

    made: dict[str, Any] = vl_convert.vegalite_to_vega(spec, vl_version=VERSION)
    return made
