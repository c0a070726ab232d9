"""The API's description: committed, complete, and good enough to generate a client that works."""

from __future__ import annotations

import difflib
import importlib
import itertools
import json
import re
import warnings
from collections import Counter
from pathlib import Path

import pytest

from api.http import openapi
from api.http.app import PREFIX
from api.http.shapes import SINGULAR, shape
from expert_pool.accounts.rights import Role

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def document(described):
    return described


def _operations(document):
    return [(place, how, what) for place, way in document["paths"].items() for how, what in way.items()]


def test_the_committed_description_is_the_one_the_service_gives(bare_app):
    """When this fails: `python -m api.http.openapi` writes it anew. Look at the difference before committing it."""
    committed, given = (CHECKOUT / openapi.PLACE).read_text(encoding="utf-8"), openapi.text_of(bare_app)
    if committed != given:
        differing = difflib.unified_diff(committed.splitlines(), given.splitlines(), n=0)
        pytest.fail("\n".join(itertools.islice(differing, 40)))


def test_operation_ids_are_unique_and_readable(document):
    ids = Counter(what["operationId"] for _, _, what in _operations(document))
    assert [name for name, count in ids.items() if count > 1] == []
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []


def test_every_operation_documents_its_faults_as_problems(document):
    for place, _, what in _operations(document):
        faults = {status for status in what["responses"] if status == "default" or int(status) >= 400}
        assert faults >= {"401", "403", "422", "default"}, place
        for status in faults:
            assert list(what["responses"][status]["content"]) == ["application/problem+json"], place


OWN = (f"{PREFIX}/own/",)
"""Of the own account only the owner changes anything."""


def test_every_change_of_a_thing_asks_for_its_version(document):
    for place, how, what in _operations(document):
        if how in ("patch", "put") and not place.startswith(OWN):
            names = {parameter["name"] for parameter in what.get("parameters", ())}
            assert "If-Match" in names, place


@pytest.mark.parametrize("name", SINGULAR)
def test_the_examples_of_a_sheet_hold(name):
    """A row made of the examples of its columns is one the model takes."""
    for model in (shape(name).new, shape(name).change, shape(name).row):
        document = model.model_json_schema()
        example = {
            field: said["examples"][0]
            for field, said in document["properties"].items()
            if said.get("examples")
        }
        missing = set(document.get("required", ())) - set(example)
        assert not missing, (model.__name__, missing)
        model.model_validate_json(json.dumps(example))


TAGS = {"experts", "records"}
"""What a client is made for; of the rest only that it could be made, unless asked for more (`--deep`)."""


def _of(tags, document):
    """The part of a description that concerns some tags."""
    paths = {
        place: {how: what for how, what in way.items() if tags & set(what["tags"])}
        for place, way in document["paths"].items()
    }
    wanted, left = {}, list(_named(paths))
    while left:
        if (name := left.pop()) not in wanted:
            wanted[name] = document["components"]["schemas"][name]
            left += _named(wanted[name])
    return {
        **document,
        "paths": {place: way for place, way in paths.items() if way},
        "components": {"schemas": wanted},
    }


def _named(part):
    """The schemas that a part of a description refers to."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].rpartition("/")[2]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _named(inner)


def test_a_generated_client_works(http, tmp_path, monkeypatch, deep):
    """openapi-python-client reads the committed file without a warning, and makes a package that lists, reads, enters, and
    reads a refusal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from openapi_python_client import Project
        from openapi_python_client.config import Config, ConfigFile, MetaType
        from openapi_python_client.parser import GeneratorData
    whole = json.loads((CHECKOUT / openapi.PLACE).read_text(encoding="utf-8"))
    said = ConfigFile(post_hooks=[])
    config = Config.from_sources(
        said, MetaType.NONE, CHECKOUT / openapi.PLACE, "utf-8", False, tmp_path / "pool_client"
    )
    read = GeneratorData.from_dict(whole, config=config)
    of_operations = [
        error for made in read.endpoint_collections_by_tag.values() for error in made.parse_errors
    ]
    assert [*read.errors, *of_operations] == []
    if not deep:
        read = GeneratorData.from_dict(_of(TAGS, whole), config=config)
    assert Project(openapi=read, config=config).build() == []
    monkeypatch.syspath_prepend(tmp_path)
    experts = importlib.import_module("pool_client.api.experts")
    client = importlib.import_module("pool_client").Client(base_url="http://testserver")
    client.set_httpx_client(http.sign_in(Role.POOL_MANAGER))
    models = importlib.import_module("pool_client.models")

    def call(tag, name, **given):
        module = importlib.import_module(f"{experts.__package__.rpartition('.')[0]}.{tag}.{name}")
        return module.sync_detailed(client=client, **given)

    page = call("experts", "list_experts", limit=2, sort=models.ListExpertsSort("-code")).parsed
    assert isinstance(page, models.ExpertPage)
    assert [item.code for item in page.items] == ["E12", "E11"]
    row = models.NewCredit.from_dict({"event": "缺席", "points": -10, "holds_on": "2026-02-01"})
    added = call("records", "add_credit", code="E01", body=row, idempotency_key="one")
    assert (added.status_code, added.parsed.points) == (201, -10)
    refused = call("experts", "get_expert", code="E99")
    assert isinstance(refused.parsed, models.Problem)
    assert refused.parsed.code == "standing.expert_unknown"
