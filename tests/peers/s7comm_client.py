"""An S7 client (python-snap7): connects, reads a block and the catalogue, then does what its second argument says."""
import json
import sys

import snap7

client = snap7.client.Client()


def step(name, call):
    try:
        print(json.dumps({"step": name, "ok": True, "value": str(call())}), flush=True)
    except Exception as error:
        print(json.dumps({"step": name, "ok": False, "error": type(error).__name__}), flush=True)


step("connect", lambda: client.connect(sys.argv[1], 0, 1, 102))
step("read", lambda: client.db_read(1, 0, 4).hex())
step("catalogue", lambda: client.get_cpu_info())
last = {
    "write": lambda: client.db_write(1, 0, bytearray(b"\xca\xfe")),
    "beside": lambda: client.db_write(1, 8, bytearray(b"\xca\xfe")),
    "stop": lambda: client.plc_stop(),
    "clock": lambda: client.set_plc_system_datetime(),
}
step(sys.argv[2], last[sys.argv[2]])
