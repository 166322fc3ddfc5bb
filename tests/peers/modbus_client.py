"""A Modbus client (pymodbus): reads, then writes a register."""
import json
import sys

from pymodbus.client import ModbusTcpClient

client = ModbusTcpClient(sys.argv[1], port=502, timeout=2, retries=0)
client.connect()


def step(name, call):
    try:
        answer = call()
        print(json.dumps({"step": name, "ok": not answer.isError(), "values": getattr(answer, "registers", None)}), flush=True)
    except Exception as error:
        print(json.dumps({"step": name, "ok": False, "error": type(error).__name__}), flush=True)


step("read", lambda: client.read_holding_registers(0, count=3, device_id=1))
step("write", lambda: client.write_register(5, 99, device_id=1))
client.close()
