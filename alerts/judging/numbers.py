"""Which numbers did operators set for all homes, a group and one home, and which policy do they make together?

What was set for a home goes before what was set for its group, and that before what was set for all; field by field,
so that a group's waking hours stand beside a home's own `still_for`.  Hand-set rules are told apart by their names:
those of all scopes stand together, and of two of one name the nearer to the home.  What nobody set is the product's
own.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from alerts.judging import policy as policies
from alerts.judging.finding import JSON
from alerts.judging.policy import DEFAULT, Policy

Numbers = Mapping[str, JSON]
"""What was set: some of a policy's fields, under the keys that `policy.to_json` gives them."""

_MADE: Final = ("policy", "versions")
"""What no operator sets: how a policy is called, and what it is made of."""

PRODUCTS_OWN: Final[Numbers] = {key: said for key, said in policies.to_json(DEFAULT).items() if key not in _MADE}


def checked(numbers: Numbers) -> Numbers:
    """Return numbers as they are stored: in the policy's order, each readable, and right beside the product's own.

    Raises:
        ValueError: one of them is none of a policy's, cannot be read, or is outside its range.
    """
    unknown = sorted(numbers.keys() - PRODUCTS_OWN.keys())
    if unknown:
        raise ValueError(f"a policy has no {unknown[0]}; it has {', '.join(PRODUCTS_OWN)}")
    policy = made_of([numbers], policy=None, versions=())
    said = policies.to_json(policy)
    return {key: said[key] for key in PRODUCTS_OWN if key in numbers}


def changed(policy: Policy) -> Numbers:
    """Return in which numbers a policy differs from the product's own."""
    said = policies.to_json(policy)
    return {key: said[key] for key, own in PRODUCTS_OWN.items() if said[key] != own}


def made_of(layers: Iterable[Numbers], *, policy: int | None, versions: Iterable[int]) -> Policy:
    """Return the policy that these numbers make.

    Args:
        layers: what was set for all homes, then for a group, then for the home; each goes before those in front.
        policy: its number.
        versions: of the layers.

    Raises:
        ValueError: a number is outside its range, or two of them do not go together.
    """
    return policies.from_json(_together(layers, policy, versions))


def shown_of(layers: Iterable[Numbers], *, policy: int | None, versions: Iterable[int]) -> Policy:
    """Return the same to be shown: what only a newer release can read stands there as the product's own."""
    return policies.as_far_as_known(_together(layers, policy, versions))


def _together(layers: Iterable[Numbers], policy: int | None, versions: Iterable[int]) -> dict[str, JSON]:
    together: dict[str, JSON] = {"policy": policy, "versions": list[JSON](sorted(versions))}
    rules: dict[str, JSON] = {}
    for numbers in layers:
        together |= numbers
        said = numbers.get("rules")
        # What is no list of rules is refused by the policy, together with all else.
        for rule in said if isinstance(said, list) else ():
            rules[str(rule["name"]) if isinstance(rule, dict) and "name" in rule else ""] = rule
    # By name, so that the order in which scopes were set changes nothing.
    if rules:
        together["rules"] = [rules[name] for name in sorted(rules)]
    return together
