"""An S7 client (python-snap7): connects, then does what its further arguments say, one after the other, and ends."""
import json
import sys

import snap7

client = snap7.client.Client()


def step(name, call):
    try:
        print(json.dumps({"step": name, "ok": True, "value": str(call())}), flush=True)
    except Exception as error:
        print(json.dumps({"step": name, "ok": False, "error": type(error).__name__}), flush=True)


# What follows "=" is for the step: "write=beef".
steps = {
    "read": lambda _: client.db_read(1, 0, 4).hex(),
    "catalogue": lambda _: client.get_cpu_info(),
    "write": lambda hexadecimal: client.db_write(1, 0, bytearray.fromhex(hexadecimal or "cafe")),
    "beside": lambda _: client.db_write(1, 8, bytearray(b"\xca\xfe")),
    "stop": lambda _: client.plc_stop(),
    "clock": lambda _: client.set_plc_system_datetime(),
}
step("connect", lambda: client.connect(sys.argv[1], 0, 1, 102))
for word in sys.argv[2:]:
    name, _, value = word.partition("=")
    step(name, lambda: steps[name](value))
