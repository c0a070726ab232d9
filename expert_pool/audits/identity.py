"""Who is whom: the same person, the same employer, or not to be told from what is written."""

from __future__ import annotations

from enum import IntEnum

from expert_pool.audits.roster import Unit, Who
from expert_pool.audits.values import same_text

_LEAST = 4
"""A name shorter than this is not taken for the beginning of another."""


class Same(IntEnum):
    NO = 0
    MAYBE = 1
    YES = 2


def same_unit(left: Unit | None, right: Unit | None) -> Same:
    """Whether two employers are one. One whose name begins with the other's may be its department or former name,
    unless both are known to be legal persons; one that is not stated may be any."""
    if left is None or right is None:
        return Same.MAYBE
    a, b = same_text(left.name), same_text(right.name)
    if a == b:
        return Same.YES
    if left.legal and right.legal:
        return Same.NO
    return Same.MAYBE if min(len(a), len(b)) >= _LEAST and (a.startswith(b) or b.startswith(a)) else Same.NO


def same_person(left: Who, right: Who, *, moved: bool = False) -> Same:
    """Whether two people are one: by code where both have one, else by name and employer. `moved`: between the two
    mentions the employer may have changed, so that another one says nothing."""
    if left.code and right.code:
        return Same.YES if left.code == right.code else Same.NO
    if left.name is None or right.name is None:
        return Same.MAYBE
    if same_text(left.name) != same_text(right.name):
        return Same.NO
    found = same_unit(left.unit, right.unit)
    return Same.MAYBE if moved and found is Same.NO else found
