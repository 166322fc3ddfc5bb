"""A FINS client (fins): reads, writes and stops, over the transport that the second word names."""
import json
import sys

import fins.tcp
import fins.udp

kind = {"tcp": fins.tcp.TCPFinsConnection, "udp": fins.udp.UDPFinsConnection}[sys.argv[2]]
client = kind()
client.fins_socket.settimeout(2)
client.connect(sys.argv[1])


def step(name, call):
    try:
        answer = call()
        # Behind the header: command and end code.
        print(json.dumps({"step": name, "ok": bytes(answer[12:14]) == b"\0\0"}), flush=True)
    except Exception as error:
        print(json.dumps({"step": name, "ok": False, "error": type(error).__name__}), flush=True)


step("read", lambda: client.memory_area_read(b"\x82", b"\x00\x64\x00", 2))
step("write", lambda: client.memory_area_write(b"\x82", b"\x00\x64\x00", b"\x12\x34", 1))
