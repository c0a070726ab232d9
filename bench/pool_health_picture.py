"""The picture of docs/pool-health.md: supply against demand in a made region. `python -m bench.pool_health_picture`."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from sqlalchemy import select

from expert_pool.documents.files import put
from expert_pool.documents.reevaluation_contents import Report
from expert_pool.documents.reevaluation_health_charts import heat_map
from expert_pool.documents.reevaluation_report import picture_of
from expert_pool.imports import import_tables
from expert_pool.keys import Key
from expert_pool.policies.load import load
from expert_pool.reevaluation.health.picture import picture
from expert_pool.region import generate
from expert_pool.registry import Pool
from expert_pool.store import open_store
from expert_pool.viewer import Viewer

PLACE = Path(__file__).parents[1] / "docs" / "pool-health.png"
AS_OF = date(2026, 3, 1)
POLICY = "cn-title-jilin-2013"


def draw(place: Path, *, experts: int = 1500, committees: int = 3, seed: int = 1) -> Path:
    """Make a region, look at its first pool and draw the chart to `place`."""
    office = Viewer.system("office")
    with tempfile.TemporaryDirectory() as folder:
        made = generate(Path(folder) / "import", experts=experts, committees=committees, seed=seed)
        with open_store(f"sqlite:///{folder}/registry.db", key=Key(bytes(range(32)))) as store:
            import_tables(store, office, made.folder)
            with store.reading() as session:
                pool = session.scalars(select(Pool.id).order_by(Pool.code)).first()
                assert pool is not None
                health = picture(session, office, pool, AS_OF, policies=load(POLICY), plan_seconds=0)
    report = Report(lang="en", appraisal={}, title="", grade_bounds=(), health=health)
    spec = heat_map(report, health)
    assert spec is not None
    return put(place, picture_of(spec)[1])


if __name__ == "__main__":
    print(draw(PLACE))
