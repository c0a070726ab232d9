"""Organisers and the pools they own."""

from fastapi import APIRouter

from api.http.resources import Things, mount_things

router = APIRouter()

_organisers = APIRouter(prefix="/organisers", tags=["organisers"])
mount_things(_organisers, Things("organisers", orders=("name",)))
_pools = APIRouter(prefix="/pools", tags=["organisers"])
mount_things(_pools, Things("pools", orders=("name",)))

router.include_router(_organisers)
router.include_router(_pools)
