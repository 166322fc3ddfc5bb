"""An EtherNet/IP controller with two tags (cpppo); prints every write to a tag, every service asked of its identity, and how
many connections it has when that changes."""
import json
import sys
import threading
import time

from cpppo.server.enip import device
from cpppo.server.enip.main import connections, main


def say(**what):
    print(json.dumps(what), flush=True)


class Tag(device.Attribute):
    def __setitem__(self, key, value):
        say(written=self.name, values=list(value) if isinstance(key, slice) else [value])
        super().__setitem__(key, value)


answer = device.Identity.request


def asked(self, data, addr=None):
    say(identity=data.get("service"))
    return answer(self, data, addr=addr)


device.Identity.request = asked


def watch():
    time.sleep(0.7)
    say(ready=True)
    before = 0
    while True:
        count = len(connections)
        if count != before:
            say(connections=count)
        before = count
        time.sleep(0.01)


threading.Thread(target=watch, daemon=True).start()
main(argv=["--no-udp", "--address", f"{sys.argv[1]}:44818", "SCADA=INT[100]", "RECIPE=INT[10]"], attribute_class=Tag)
