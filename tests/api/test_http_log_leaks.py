"""Personal data is sent through every route there is, by everybody's rights, and none of it is in the log."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import quote

import pytest

from api import logs
from expert_pool.accounts.rights import Role

NAME, IDENTITY, PHONE = "欧阳震华", "440301199001011234", "13800138000"
SECRETS = (NAME, json.dumps(NAME).strip('"'), quote(NAME), IDENTITY, PHONE, NAME.encode().hex())


@pytest.fixture
def written() -> io.StringIO:
    """The log of everything from debug on."""
    stream = io.StringIO()
    logs.configure("debug", stream)
    return stream


def example(schema: dict[str, Any], document: dict[str, Any], depth: int = 0) -> Any:
    """Something like what a schema asks for."""
    if "$ref" in schema:
        return example(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, depth)
    if schema.get("examples"):
        return schema["examples"][0]
    for either in ("anyOf", "oneOf", "allOf"):
        if schema.get(either):
            return example(schema[either][0], document, depth)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object" if depth < 4:
            fields = schema.get("properties", {})
            return {name: example(inner, document, depth + 1) for name, inner in fields.items()}
        case "array" if depth < 4:
            return [example(schema.get("items", {}), document, depth + 1)]
        case "integer" | "number":
            return 1
        case "boolean":
            return True
    return NAME


def personal(value: Any) -> Any:
    """The same with a name for every text."""
    if isinstance(value, dict):
        return {key: personal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [personal(inner) for inner in value]
    return f"{NAME}{IDENTITY}" if isinstance(value, str) else value


def test_what_people_send_to_any_route_is_in_no_line(
    http: Any, described: dict[str, Any], written: io.StringIO
) -> None:
    client = http.sign_in(*Role, expert_id=1, employer_id=1)
    stranger = http.stranger()
    document = described
    asked = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path.endswith("/events"):
                continue
            place, query = path, {"phone": PHONE, "q": NAME}
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    place = place.replace("{" + parameter["name"] + "}", quote(f"{NAME}{IDENTITY}"))
                elif parameter["in"] == "query":
                    query[parameter["name"]] = NAME
            given: dict[str, Any] = {
                "params": query,
                "headers": {"X-Name": IDENTITY, "If-Match": f'"{IDENTITY}"'},
            }
            content = operation.get("requestBody", {}).get("content", {})
            bodies: list[dict[str, Any]] = [{}]
            if "application/json" in content:
                shaped = example(content["application/json"]["schema"], document)
                bodies = [{"json": shaped}, {"json": personal(shaped)}, {"content": NAME.encode()}]
            elif content:
                bodies = [{"files": {"file": (f"{NAME}.csv", f"{NAME},{IDENTITY}".encode())}}]
            client.request(method.upper(), place, **given, **bodies[0])
            for body in bodies:  # a query that is refused would keep the body from being read
                client.request(method.upper(), place, **{**given, "params": {}}, **body)
            asked += 1 + len(bodies)
            stranger.request(method.upper(), place, **given)
    text = written.getvalue()
    assert text.count('"event": "request"') >= asked > 100
    assert not [secret for secret in SECRETS if secret in text]
    assert text.isascii()
