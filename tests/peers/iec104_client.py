"""A controlling station of IEC 60870-5-104 (c104, lib60870): takes the steps that its words name, in their order."""
import json
import os
import sys
import time

import c104

client = c104.Client()
connection = client.add_connection(ip=sys.argv[1], port=2404, init=c104.Init.NONE)
station = connection.add_station(common_address=47)
measured = station.add_point(io_address=11, type=c104.Type.M_ME_NC_1)
single = station.add_point(io_address=12, type=c104.Type.C_SC_NA_1)
level = station.add_point(io_address=13, type=c104.Type.C_SE_NC_1)
double = station.add_point(io_address=14, type=c104.Type.C_DC_NA_1)
double.command_mode = c104.CommandMode.SELECT_AND_EXECUTE


def step(name, call):
    try:
        answer = call()
        print(json.dumps({"step": name, "ok": bool(answer), "value": str(measured.value)}), flush=True)
    except Exception as error:
        print(json.dumps({"step": name, "ok": False, "error": type(error).__name__}), flush=True)


def command(point, value):
    point.value = value
    return point.transmit(cause=c104.Cot.ACTIVATION)


client.start()
# The library sends, then begins to wait, and misses an answer that came in between, whatever lies between the stations. So this
# thread alone (the library's others are started) is not to be interrupted there, however busy the machine is.
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
for _ in range(50):
    if connection.is_connected:
        break
    time.sleep(0.1)
# The library sends I frames before STARTDT otherwise.
connection.unmute()
time.sleep(0.5)
steps = {
    "interrogation": lambda: connection.interrogation(common_address=47),
    "read": measured.read,
    "clock": lambda: connection.clock_sync(common_address=47),
    "single": lambda: command(single, True),
    "double": lambda: command(double, c104.Double.ON),
    "level": lambda: command(level, 3.25),
    "too_high": lambda: command(level, 10.5),
}
for name in sys.argv[2:]:
    step(name, steps[name])
# The library waits long for a connection that was reset.
os._exit(0)
