"""A publisher of GOOSE (pyiec61850-ng, that is libiec61850): three events, a second apart at most."""
import json
import sys
import time

from pyiec61850.goose import GoosePublisher

publisher = GoosePublisher(sys.argv[2])
publisher.set_go_cb_ref("lineLD1/LLN0$GO$gcb1")
publisher.set_data_set("lineLD1/LLN0$ds1")
publisher.set_go_id("gcb1")
publisher.set_app_id(0x1001)
publisher.set_conf_rev(1)
publisher.set_dst_mac(b"\x01\x0c\xcd\x01\x00\x01")
publisher.set_vlan(0, 4)
publisher.start()
for number in range(3):
    publisher.publish([bool(number % 2), number])
    publisher.increase_st_num()
    time.sleep(0.2)
publisher.stop()
print(json.dumps({"step": "publish", "ok": True}), flush=True)
