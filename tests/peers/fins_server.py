"""A FINS responder of our own, over UDP and TCP; prints every write and every change of mode that it is asked for."""
import json
import socket
import struct
import sys
import threading

memory = [7] * 1000


def say(**what):
    print(json.dumps(what), flush=True)


def answer(frame):
    header = bytes([frame[0] | 0x40, 0, frame[2], *frame[6:9], *frame[3:6], frame[9]])
    command, data = frame[10:12], frame[12:]
    if command == b"\x01\x01":
        first, count = struct.unpack(">H", data[1:3])[0], struct.unpack(">H", data[4:6])[0]
        return header + command + b"\0\0" + struct.pack(f">{count}H", *memory[first:first + count])
    if command == b"\x01\x02":
        say(written=struct.unpack(">H", data[1:3])[0])
    elif command[0] == 4:
        say(mode=command[1])
    return header + command + b"\0\0"


def conversation(peer):
    stream = peer.makefile("rb")
    while len(header := stream.read(16)) == 16:
        length, command = struct.unpack(">II", header[4:12])
        body = stream.read(length - 8)
        if command == 0:
            peer.sendall(b"FINS" + struct.pack(">IIIII", 16, 1, 0, 1, 2))
        elif command == 2:
            reply = answer(body)
            peer.sendall(b"FINS" + struct.pack(">III", len(reply) + 8, 2, 0) + reply)


def serve(server):
    while True:
        threading.Thread(target=conversation, args=(server.accept()[0],), daemon=True).start()


threading.Thread(target=serve, args=(socket.create_server((sys.argv[1], 9600)),), daemon=True).start()
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind((sys.argv[1], 9600))
say(ready=True)
while True:
    frame, sender = datagrams.recvfrom(4096)
    datagrams.sendto(answer(frame), sender)
