"""What may a program send, by the examples in the API's own description?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the description shows it.

    Attributes:
        template: the path with its parameters in braces.
        path: the same with examples in their places.
        body: None where nothing is sent.
    """

    method: str
    template: str
    path: str
    body: Any


def requests(description: Mapping[str, Any], **values: object) -> Iterator[Request]:
    """Yield each request of a description, with its examples.

    Args:
        description: OpenAPI.
        values: of path parameters, instead of their examples.
    """
    for template, methods in description["paths"].items():
        for method, route in methods.items():
            path = template
            for one in route.get("parameters", []):
                if one["in"] == "path":
                    value = values.get(one["name"], example(description, one["schema"]))
                    path = path.replace("{" + one["name"] + "}", str(value))
            sent = route.get("requestBody", {}).get("content", {}).get("application/json")
            body = None if sent is None else example(description, sent["schema"])
            yield Request(method.upper(), template, path, body)


def example(description: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """Return the example of a schema; of an object, one made of its fields' examples."""
    if "$ref" in schema:
        return example(description, description["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if schema.get("examples"):
        return schema["examples"][0]
    if "anyOf" in schema:  # What may be left out is shown as it is when it is not.
        return example(description, schema["anyOf"][0])
    return {name: example(description, of) for name, of in schema["properties"].items()}
