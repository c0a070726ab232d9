"""The picture of the benchmark: CPU seconds of each method, pool by pool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Point:
    """One run: `proven` tells whether it ended with a proof or was cut."""

    method: str
    experts: int
    seed: int
    cpu: float
    proven: bool


def draw(points: list[Point], path: Path) -> None:
    """One mark a run on a logarithmic scale, filled where proven, and the median of each method as a bar."""
    import vl_convert

    methods = list(dict.fromkeys(point.method for point in points))
    pools = [f"{size:,} experts" for size in dict.fromkeys(point.experts for point in points)]
    values = [
        {
            "method": point.method,
            "pool": f"{point.experts:,} experts",
            "cpu": max(point.cpu, 0.01),
            "end": "proven" if point.proven else "cut, not proven",
        }
        for point in points
    ]

    def end(marks: list[str]) -> dict[str, object]:
        """How a run ended, told by colour and by shape alike, in one legend."""
        domain = ["proven", "cut, not proven"]
        return {"field": "end", "scale": {"domain": domain, "range": marks}, "title": None}

    x = {"field": "cpu", "type": "quantitative", "scale": {"type": "log"}, "title": "CPU seconds"}
    y = {"field": "method", "type": "nominal", "sort": methods, "title": None}
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white",
        "data": {"values": values},
        "facet": {
            "row": {
                "field": "pool",
                "sort": pools,
                "title": None,
                "header": {"labelAngle": 0, "labelAlign": "left"},
            }
        },
        "spec": {
            "width": 520,
            "height": 130,
            "layer": [
                {
                    "mark": {"type": "tick", "thickness": 3, "size": 16, "color": "#333"},
                    "encoding": {"x": {**x, "aggregate": "median"}, "y": y},
                },
                {
                    "mark": {"type": "point", "size": 60, "filled": True, "opacity": 0.8},
                    "encoding": {
                        "x": x,
                        "y": y,
                        "color": end(["#0072B2", "#D55E00"]),
                        "shape": end(["circle", "triangle"]),
                    },
                },
            ],
        },
    }
    path.write_bytes(vl_convert.vegalite_to_png(spec, scale=2))
