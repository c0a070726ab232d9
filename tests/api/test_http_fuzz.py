"""The whole API under arbitrary requests, lawful and not: no 5xx, no undocumented answer, no answer of another shape.

A deeper run against a service that runs is described in docs/api.md.
"""

from __future__ import annotations

import warnings
from collections import Counter
from copy import deepcopy

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable

from expert_pool.accounts.rights import Role

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

EXCLUDED = [positive_data_acceptance, negative_data_rejection]
"""What fits the description may still be refused by the registry (an unknown code), and a lenient reading is no fault."""
STREAMS = ("stream_run_events",)
KNOWN = {
    "experts": "E01",
    "pools": "P1",
    "committees": "C1",
    "agendas": "A1",
    "employers": "U",
    "cases": "K1",
}
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
DEEP = 50
"""Requests to an operation in each mode, with `--deep`; without, one."""
PARTS = 2
"""The operations in so many tests, for as many processes."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(PARTS))
def test_no_request_meets_an_error_of_ours_or_an_undocumented_answer(http, described, part, deep):
    client = http.sign_in(*Role)
    schema = schemathesis.openapi.from_dict(deepcopy(described))
    schema.app = client.app
    found, answered = [], Counter()
    operations = [result.ok() for result in schema.get_all_operations()]
    for operation in operations[part::PARTS]:
        if operation.definition.raw["operationId"] in STREAMS:
            continue
        for mode in MODES:
            if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
                continue  # any text is a code
            found += _tried(operation, mode, DEEP if deep else 1, answered)
    assert not found, "\n\n".join(found)
    assert answered[200] + answered[201] > answered.total() / 20, answered


def _tried(operation, mode, examples, answered):
    """What is wrong with the answers to some requests of one operation."""

    @seed(2026)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case):
        known = KNOWN.get(operation.path.split("/")[3])
        if mode is GenerationMode.POSITIVE and known and "code" in (case.path_parameters or {}):
            case.path_parameters["code"] = known
        answer = case.call()
        answered[answer.status_code] += 1
        case.validate_response(answer, excluded_checks=EXCLUDED)

    try:
        asked()
    except Unsatisfiable:
        return []  # nothing can be wrong with a request without parameters
    except BaseExceptionGroup as several:
        return [f"{operation.label}: {each}" for each in several.exceptions]
    except AssertionError as one:
        return [f"{operation.label}: {one}"]
    return []
