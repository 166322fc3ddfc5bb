"""A subscriber to GOOSE (pyiec61850-ng, that is libiec61850); prints every event that reaches its application."""
import json
import sys
import time

from pyiec61850.goose import GooseSubscriber


def event(message):
    told = {"event": message.st_num, "values": message.values}
    print(json.dumps(told, default=str), flush=True)


subscriber = GooseSubscriber(sys.argv[2], "lineLD1/LLN0$GO$gcb1")
subscriber.set_app_id(0x1001)
subscriber.set_listener(event)
subscriber.start()
time.sleep(0.3)
print(json.dumps({"ready": True}), flush=True)
while True:
    time.sleep(1)
