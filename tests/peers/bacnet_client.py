"""A BACnet client (bacpypes3): asks who is there, reads, reads several properties, writes what it may and what it may not."""
import asyncio
import json
import socket
import sys

from bacpypes3.apdu import ReinitializeDeviceRequest
from bacpypes3.app import Application
from bacpypes3.argparse import SimpleArgumentParser
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import ObjectIdentifier, Real

SETPOINT = ObjectIdentifier("analog-value,1")


def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((sys.argv[1], 47808))
        return probe.getsockname()[0]


async def step(name, call):
    try:
        answer = await asyncio.wait_for(call, 2.5)
        print(json.dumps({"step": name, "ok": True, "answer": str(answer)[:200]}), flush=True)
    except BaseException as error:
        print(json.dumps({"step": name, "ok": False, "error": type(error).__name__}), flush=True)


async def main():
    words = ["--name", "client", "--instance", "1002", "--address", f"{own_address()}/16"]
    application = Application.from_args(SimpleArgumentParser().parse_args(words))
    device = Address(sys.argv[1])
    await step("who_is", application.who_is(1001, 1001, address=device))
    await step("read", application.read_property(device, SETPOINT, "present-value"))
    properties = ["present-value", "object-name"]
    await step("read_multiple", application.read_property_multiple(device, [SETPOINT, properties]))
    await step("write", application.write_property(device, SETPOINT, "present-value", Real(42.25)))
    await step("write_beyond", application.write_property(device, SETPOINT, "present-value", Real(500.0)))
    restart = ReinitializeDeviceRequest(reinitializedStateOfDevice="coldstart", destination=device)
    await step("restart", application.request(restart))
    application.close()


asyncio.run(main())
