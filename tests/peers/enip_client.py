"""EtherNet/IP clients (cpppo for tags, pycomm3 for the identity object): the steps that the words name, each in a session
of its own.

A word with a bracket is a list of tags to read and write; several of them, with semicolons between, go as one Multiple
Service Packet.
"""
import json
import sys

from cpppo.server.enip import client
from pycomm3 import CIPDriver, Services

address = sys.argv[1]


def tags(words):
    together = 500 if len(words) > 1 else 0
    with client.connector(host=address, timeout=3) as session:
        asked = client.parse_operations(words)
        answers = session.pipeline(operations=asked, depth=1, multiple=together, timeout=3)
        return [value for _, _, _, _, status, value in answers if status == 0]


def identity(service, **more):
    with CIPDriver(address) as driver:
        answer = driver.generic_message(service=service, class_code=1, instance=1, connected=False, **more)
    return [] if answer.error else [str(answer.value)[:40]]


for word in sys.argv[2:]:
    try:
        if "[" in word:
            values = tags(word.split(";"))
        else:
            values = identity({"identity": Services.get_attributes_all, "reset": Services.reset}[word])
        print(json.dumps({"step": word, "ok": bool(values), "values": values}), flush=True)
    except Exception as error:
        print(json.dumps({"step": word, "ok": False, "error": type(error).__name__}), flush=True)
