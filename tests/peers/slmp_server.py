"""An SLMP responder of our own, 3E and 4E frames over TCP; prints every command that changes something."""
import json
import socketserver
import struct
import sys


class Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        while len(subheader := self.rfile.read(2)) == 2:
            serial = self.rfile.read(4) if subheader == b"\x54\0" else b""
            route = self.rfile.read(5)
            body = self.rfile.read(struct.unpack("<H", self.rfile.read(2))[0])
            command, data = struct.unpack("<H", body[2:4])[0], body[6:]
            out = b""
            if command == 0x0401:
                out = struct.pack("<H", 7) * struct.unpack("<H", data[4:6])[0]
            elif command == 0x0403:
                out = struct.pack("<H", 7) * data[0]
            else:
                print(json.dumps({"written": command}), flush=True)
            head = b"\xd4\0" if serial else b"\xd0\0"
            self.wfile.write(head + serial + route + struct.pack("<HH", len(out) + 2, 0) + out)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server((sys.argv[1], 5007), Conversation) as server:
    print(json.dumps({"ready": True}), flush=True)
    server.serve_forever()
