"""An S7 station (python-snap7): reads the first bytes of DB 1 again and again until it is killed, on one connection for as long
as that holds. Prints what came of it so far: at once after an error, else some times a second."""
import json
import sys
import time

import snap7

address, size = sys.argv[1], int(sys.argv[2])
EVERY, TELL_EVERY = 0.02, 0.1
tally = {"good": 0, "errors": 0, "reconnects": 0, "last_error": None}
client, connections, told = None, 0, 0.0


def tell():
    global told
    told = time.monotonic()
    print(json.dumps(tally), flush=True)


while True:
    try:
        if client is None:
            fresh = snap7.client.Client()
            fresh.connect(address, 0, 1, 102)
            client, connections = fresh, connections + 1
            tally["reconnects"] = connections - 1
        got = client.db_read(1, 0, size)
        if len(got) != size:
            raise ValueError(f"{len(got)} bytes instead of {size}")
        tally["good"] += 1
    except Exception as error:
        tally["errors"] += 1
        tally["last_error"] = f"{type(error).__name__}: {error}"
        # After a lost answer the next one could be taken for it, so a new connection is the only way on.
        if client is not None:
            client.disconnect()
            client = None
        tell()
    if time.monotonic() - told >= TELL_EVERY:
        tell()
    time.sleep(EVERY)
