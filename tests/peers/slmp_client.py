"""An SLMP client (pymcprotocol): reads, writes, stops, in frames of the kind that the second word names."""
import json
import sys

import pymcprotocol


def step(name, call):
    client = {"3E": pymcprotocol.Type3E, "4E": pymcprotocol.Type4E}[sys.argv[2]]()
    try:
        client.soc_timeout = 2
        client.connect(sys.argv[1], 5007)
        print(json.dumps({"step": name, "ok": True, "values": call(client)}), flush=True)
    except Exception as error:
        print(json.dumps({"step": name, "ok": False, "error": type(error).__name__}), flush=True)


step("read", lambda client: client.batchread_wordunits("D100", 3))
step("random", lambda client: client.randomread(word_devices=["D1", "D5"], dword_devices=[]))
step("write", lambda client: client.batchwrite_wordunits("D100", [11]))
step("stop", lambda client: client.remote_stop())
