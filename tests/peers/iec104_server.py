"""A controlled station of IEC 60870-5-104 (c104, lib60870); prints every command that reaches its application."""
import json
import sys
import time

import c104

server = c104.Server(ip=sys.argv[1], port=2404)
station = server.add_station(common_address=47)
measured = station.add_point(io_address=11, type=c104.Type.M_ME_NC_1)
measured.value = 12.5


def asked(point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage) -> c104.ResponseState:
    print(json.dumps({"command": point.io_address, "value": str(point.value)}), flush=True)
    return c104.ResponseState.SUCCESS


for address, kind in [(12, c104.Type.C_SC_NA_1), (13, c104.Type.C_SE_NC_1), (14, c104.Type.C_DC_NA_1)]:
    command = station.add_point(io_address=address, type=kind)
    if address == 14:
        command.command_mode = c104.CommandMode.SELECT_AND_EXECUTE
    command.on_receive(callable=asked)

server.start()
print(json.dumps({"ready": True}), flush=True)
while True:
    time.sleep(1)
