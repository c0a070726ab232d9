"""The conduct part of a re-evaluation: everybody of one pool appraised by rule, from the database to every reason.

`python -m bench conduct`. The registry is made (`made_registry`, one pool), some ten records an expert.
"""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory

from bench import made_registry
from bench.measure import Stopwatch, run, spread
from bench.measurement import KEY


def fill_job(url: str, experts: str) -> None:
    """A registry of one pool in the empty database at `url`."""
    from expert_pool.keys import Key
    from expert_pool.registry import Credit, Service

    os.environ["EXPERT_POOL_KEY"] = Key(KEY).to_text()
    made_registry.POOL = int(experts)
    watch = Stopwatch()
    made = made_registry.make(url, experts=int(experts), entries=1_000)
    watch.report(credits=made[Credit], services=made[Service], records=sum(made.values()))


def appraise_job(url: str, scheme: str) -> None:
    """Read the pool's records, judge, explain every proposal, hash what was found; as of today."""
    from sqlalchemy import select

    from expert_pool import clock
    from expert_pool.keys import Key
    from expert_pool.reevaluation.appraising import appraise
    from expert_pool.reevaluation.scheme import load_scheme
    from expert_pool.registry import Pool
    from expert_pool.store import open_store
    from expert_pool.viewer import Viewer

    rules = load_scheme(scheme)
    with open_store(url, key=Key(KEY)) as store, store.reading() as session:
        pool = session.scalars(select(Pool.code)).one()
        watch = Stopwatch()
        found = appraise(session, Viewer.system("bench"), pool, rules, clock.today())
        judged = watch.passed()
        explained = sum(len(proposal.reasons) for proposal in found.proposals())
        digest = found.sha256()
        watch.report(
            experts=len(found),
            judged=judged,
            reasons=explained,
            proposals=sum(found.counts().values()) - found.counts()["keep"],
            sha256=digest,
        )


def main(seeds: int, *, experts: int = 100_000) -> None:
    """The figure, with what the issue asks, under two schemes."""
    print(f"\n## Conduct: one pool of {experts:,} experts, SQLite")
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/registry.db"
        made = run("conduct_fill", url, str(experts), seconds=3600).said
        print(
            f"{made['records']:,} rows, of these {made['credits']:,} credits and {made['services']:,} services"
        )
        for scheme in ("own-default", "provincial-bid-points"):
            runs = [run("conduct", url, scheme) for _ in range(seeds)]
            said = runs[0].said
            assert len({one.said["sha256"] for one in runs}) == 1, "the same appraisal each time"
            print(
                f"{scheme}: {said['experts']:,} appraised, {said['proposals']:,} proposals with {said['reasons']:,} reasons: "
                f"wall s {spread([one.wall for one in runs])}, CPU s {spread([one.cpu for one in runs])}, of these "
                f"judging {spread([one.said['judged'] for one in runs])} CPU s; peak {max(one.peak_mb for one in runs):.0f} MB"
                f"   must 10, stretch 3 s wall",
                flush=True,
            )
