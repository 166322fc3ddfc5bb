"""A BACnet device (bacpypes3) with one analog value; prints every write that reaches the object."""
import asyncio
import json
import sys

from bacpypes3.app import Application
from bacpypes3.argparse import SimpleArgumentParser
from bacpypes3.local.analog import AnalogValueObject


class Value(AnalogValueObject):
    async def write_property(self, attr, value, index=None, priority=None):
        print(json.dumps({"written": str(attr), "value": float(value)}), flush=True)
        return await super().write_property(attr, value, index, priority)


async def main():
    words = ["--name", "device", "--instance", "1001", "--address", f"{sys.argv[1]}/16"]
    application = Application.from_args(SimpleArgumentParser().parse_args(words))
    value = Value(objectIdentifier=("analogValue", 1), objectName="setpoint", presentValue=21.5, covIncrement=0.1)
    application.add_object(value)
    await asyncio.sleep(0.2)
    print(json.dumps({"ready": True}), flush=True)
    await asyncio.Future()


asyncio.run(main())
