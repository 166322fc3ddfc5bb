"""An S7 server (python-snap7); prints every change of its data block, and when it is stopped."""
import json
import sys
import time

from snap7.server import Server
from snap7.type import SrvArea

server = Server(log=False)
block = bytearray(64)
server.register_area(SrvArea.DB, 1, block)
server.start(tcp_port=102)
time.sleep(0.3)
print(json.dumps({"ready": True}), flush=True)
before, state = bytes(block), server.get_status()[1]
while True:
    time.sleep(0.02)
    if bytes(block) != before:
        before = bytes(block)
        print(json.dumps({"written": before.hex()}), flush=True)
    now = server.get_status()[1]
    if now != state:
        state = now
        print(json.dumps({"state": str(state)}), flush=True)
