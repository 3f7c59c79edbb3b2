"""What can each device of this home tell, what of it is of no use here, and why?  For whoever installs it."""

from collections.abc import Iterable

from gateway.adapters.exposes import Device, Setup
from gateway.adapters.names import sensor_id
from gateway.adapters.properties import Call, Number, Use
from gateway.reading import ALARMS, Quantity, is_sign_of_life


def report(devices: Iterable[Device], setup: Setup) -> str:
    """Return a page of plain text: a paragraph a device, by name."""
    known = sorted(devices, key=lambda d: d.name)
    if not known:
        return "Zigbee2MQTT has not told which devices there are.\n"
    return "\n".join(_paragraph(device, setup) for device in known) + _named_in_vain(setup, known)


def _paragraph(device: Device, setup: Setup) -> str:
    lines = [f"{device.name}  ({device.model or 'product not known'}; on the platform: {sensor_id(device.name)})"]
    lines += [f"  TROUBLE    {device.trouble}"] if device.trouble else []
    lines += [f"  {_help(device)}"] if device.has_action or device.calls is not None else []
    lines += [f"  used       {key}: {_use(use)}" for key, use in sorted(device.uses.items())]
    if setup.has(setup.appliances, device.name):
        lines.append("  used       power: that it is switched on is a sign of life (power_on)")
    reasons: dict[str, list[str]] = {}
    for key, unused in sorted(device.unused.items()):
        reasons.setdefault(unused.why, []).append(key)
    lines += [f"  not used   {', '.join(keys)}: {why}" for why, keys in reasons.items()]
    if not device.uses and device.calls is None and not device.trouble:
        lines.append("  NOTHING OF USE: this device tells nothing of a person or a home")
    return "\n".join(lines) + "\n"


def _help(device: Device) -> str:
    if device.calls is not None:
        return f"CALLS      every action is a call for help ({device.calls})"
    return (
        "actions    call for help only by their own word (emergency, sos, panic, help);"
        " name it in radio.pendants if every press shall"
    )


def _use(use: Use) -> str:
    told = f"{use.quantity}"
    if use.quantity in ALARMS:
        told += ", AN ALARM"
    elif is_sign_of_life(use.quantity, 1.0):
        told += ", a sign of life"
    elif use.quantity is Quantity.LINK_QUALITY:
        told += ", shows that it lives"
    match use.reads:
        case Number(factor, offset) if (factor, offset) != (1.0, 0.0):
            told += f" (x {factor:g}{f' {offset:+g}' if offset else ''})"
        case Call():
            told += ", whatever it says that is not plainly quiet"
    return told


def _named_in_vain(setup: Setup, devices: Iterable[Device]) -> str:
    """Return which devices the hub's file names that are not there: a pendant that was renamed calls nobody."""
    there = {name for device in devices for name in (device.name, sensor_id(device.name))}
    named = {
        "pendants": setup.pendants,
        "pull_cords": setup.pull_cords,
        "switches": setup.switches,
        "seats": setup.seats,
        "appliances": setup.appliances,
        "retriggers": setup.retriggers,
    }
    return "".join(
        f"\nTROUBLE  radio.{key} names {name!r}, and there is no such device\n"
        for key, names in named.items()
        for name in sorted(names - there)
    )
