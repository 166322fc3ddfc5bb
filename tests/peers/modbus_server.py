"""A Modbus server (pymodbus); prints every write that reaches its memory."""
import asyncio
import json
import sys

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import StartAsyncTcpServer


class Memory(ModbusSequentialDataBlock):
    def setValues(self, address, values):
        print(json.dumps({"written": address, "values": values}), flush=True)
        return super().setValues(address, values)


async def main():
    device = ModbusDeviceContext(hr=Memory(1, [7] * 100))
    context = ModbusServerContext(devices=device, single=True)
    server = asyncio.create_task(StartAsyncTcpServer(context=context, address=(sys.argv[1], 502)))
    await asyncio.sleep(0.3)
    print(json.dumps({"ready": True}), flush=True)
    await server


asyncio.run(main())
