"""A PROFINET device of our own, for the discovery protocol (DCP) alone; prints every set request that reaches it."""
import json
import socket
import struct
import sys

ETHERTYPE, REQUEST, SUCCESS = 0x8892, 0, 1
GET, SET, IDENTIFY = 3, 4, 5
GET_OR_SET, IDENTIFIED = 0xFEFD, 0xFEFF
# Blocks: option, sub-option, length, content. This one is the name of the station behind its block information.
NAME = bytes([2, 2, 0, 8, 0, 0]) + b"press1"

line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
line.bind((sys.argv[2], ETHERTYPE))
own = line.getsockname()[4]
print(json.dumps({"ready": True}), flush=True)
while True:
    frame, about = line.recvfrom(2048)
    _, service, kind, transaction, _, _, option, suboption = struct.unpack(">HBBIHHBB", frame[14:28])
    if about[2] == socket.PACKET_OUTGOING or kind != REQUEST:
        continue
    blocks = NAME
    if service == SET:
        print(json.dumps({"set": [option, suboption]}), flush=True)
        # The control block that answers: which block it is about, and error 0; filled up to an even length.
        blocks = bytes([5, 4, 0, 3, option, suboption, 0, 0])
    identity = IDENTIFIED if service == IDENTIFY else GET_OR_SET
    head = struct.pack(">HBBIHH", identity, service, SUCCESS, transaction, 0, len(blocks))
    line.send((frame[6:12] + own + struct.pack(">H", ETHERTYPE) + head + blocks).ljust(60, b"\0"))
