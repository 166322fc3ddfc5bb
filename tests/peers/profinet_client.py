"""An engineering tool (pnio_dcp): finds the devices, asks one for its name, and sets what its words name."""
import json
import socket
import sys

import pnio_dcp

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    probe.connect((sys.argv[1], 9))
    own_address = probe.getsockname()[0]

tool = pnio_dcp.DCP(own_address)
tool.default_timeout = 2
devices = tool.identify_all(timeout=2)
print(json.dumps({"step": "identify", "ok": bool(devices), "name": [one.name_of_station for one in devices]}), flush=True)
device = devices[0].MAC if devices else "ff:ff:ff:ff:ff:ff"
steps = {
    "get": lambda: tool.get_name_of_station(device),
    "blink": lambda: tool.blink(device),
    "name": lambda: tool.set_name_of_station(device, "other"),
    "address": lambda: tool.set_ip_address(device, ["10.10.9.9", "255.255.0.0", "0.0.0.0"]),
    "reset": lambda: tool.factory_reset(device),
}
for name in sys.argv[2:]:
    try:
        print(json.dumps({"step": name, "ok": bool(steps[name]())}), flush=True)
    except pnio_dcp.DcpTimeoutError:
        print(json.dumps({"step": name, "ok": False}), flush=True)
