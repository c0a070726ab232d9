"""The records about experts, one resource a kind: listed, added, corrected by a new row, withdrawn."""

from fastapi import APIRouter

from api.http.resources import Records, mount_records
from expert_pool.accounts.rights import Right

router = APIRouter(prefix="/experts", tags=["records"])

KINDS = (
    "memberships",
    "qualifications",
    "employments",
    "skills",
    "trainings",
    "credits",
    "disciplines",
    "services",
    "absences",
    "relations",
)

for _kind in KINDS:
    _about = ("expert_id", "other_expert_id") if _kind == "relations" else ()
    mount_records(
        router, Records(_kind, "expert", Right.EXPERTS_READ, Right.EXPERTS_WRITE, path=_kind, about=_about)
    )
