"""``chainrule devices``: what JAX can compute on here, and whether kernels and allocator are our own."""

from __future__ import annotations

from typing import Any

import click
import jax

from chainrule.cli.output import print_json, table
from chainrule.ops import native

_EXAMPLE = """\b
Example:
  chainrule devices
"""


@click.command(epilog=_EXAMPLE, short_help="List what training can run on.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def devices(as_json: bool) -> None:  # noqa: FBT001 - a flag
    """List the devices that training can run on, and the kernels that speed up convolution and recurrence on a CPU."""
    found = [_described(device) for device in jax.devices()]
    if as_json:
        tuned = native.is_allocator_tuned()
        print_json({"devices": found, "native_kernels": native.isa(), "tuned_allocator": tuned})
        return
    rows = [[str(item["id"]), item["platform"], item["kind"], item["memory"] or "–"] for item in found]
    click.echo(table(["id", "platform", "kind", "memory"], rows))
    click.echo(f"\n{native.status()}\n{_allocator()}")


def _allocator() -> str:
    if native.is_allocator_tuned():
        return "allocator: tuned; memory once taken is kept until the process ends"
    return "allocator: the system's; CHAINRULE_TUNE_ALLOCATOR=1 keeps freed memory and saves page faults in large steps"


def _described(device: Any) -> dict[str, Any]:  # Any: jax.Device; JSON values
    memory = (device.memory_stats() or {}).get("bytes_limit")
    return {
        "id": device.id,
        "platform": device.platform,
        "kind": device.device_kind,
        "memory": f"{memory / 2**30:.1f} GiB" if memory else None,
    }
