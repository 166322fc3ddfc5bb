"""A client of OPC UA (asyncua): takes the steps that its words name, in their order."""
import asyncio
import json
import os
import sys

from asyncua import Client, ua

SPEED, LIMIT = "ns=2;s=Machine.Speed", "ns=2;s=Machine.Limit"


async def attempt(name, call):
    try:
        answer = await asyncio.wait_for(call(), 6)
        print(json.dumps({"step": name, "ok": True, "value": str(answer)}), flush=True)
    except BaseException as error:
        print(json.dumps({"step": name, "ok": False, "error": type(error).__name__}), flush=True)


async def main():
    client = Client(f"opc.tcp://{sys.argv[1]}:4840/plant", timeout=4)
    double = ua.VariantType.Double

    async def write(node, value):
        await client.get_node(node).write_value(ua.DataValue(ua.Variant(value, double)))

    async def call():
        return await client.get_node("ns=2;s=Machine").call_method(ua.NodeId("Machine.Start", 2), ua.Variant(2.0, double))

    async def browse():
        return len(await client.nodes.objects.get_children())

    steps = {
        "connect": client.connect,
        "read": lambda: client.get_node(SPEED).read_value(),
        "browse": browse,
        "write": lambda: write(SPEED, 7.25),
        "too_high": lambda: write(SPEED, 50.0),
        "limit": lambda: write(LIMIT, 9.0),
        "call": call,
    }
    for name in ["connect", *sys.argv[2:]]:
        await attempt(name, steps[name])
    # A connection that was reset has nothing to be closed.
    os._exit(0)


asyncio.run(main())
