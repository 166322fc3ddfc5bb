"""A client of IEC 61850 (libiec61850): connects, and takes the steps that its words name, in their order."""
import json
import os
import sys

from pyiec61850 import pyiec61850 as iec

connection = None


def error(answer):
    """The number of the error among what a call gives back."""
    return answer[-1] if isinstance(answer, (list, tuple)) else answer


def connect():
    """The library loses about one connection in five with its first request, even with nothing between it and its server
    and before a byte of the request is sent: a read proves that this one holds."""
    global connection
    for _ in range(8):
        connection = iec.IedConnection_create()
        iec.IedConnection_setConnectTimeout(connection, 3000)
        iec.IedConnection_setRequestTimeout(connection, 3000)
        code = error(iec.IedConnection_connect(connection, sys.argv[1], 102))
        if code == 0:
            code = read()[0]
        if code != iec.IED_ERROR_CONNECTION_LOST:
            break
    return code, "connected"


def read():
    answer = iec.IedConnection_readObject(connection, "peerLD1/GGIO1.AnIn1.mag.f", iec.IEC61850_FC_MX)
    code = error(answer)
    return code, iec.MmsValue_toFloat(answer[0]) if code == 0 else None


def write(reference, constraint, value):
    return error(iec.IedConnection_writeObject(connection, reference, constraint, iec.MmsValue_newFloat(value))), value


def operate(name):
    control = iec.ControlObjectClient_create(f"peerLD1/GGIO1.{name}", connection)
    done = iec.ControlObjectClient_operate(control, iec.MmsValue_newBoolean(True), 0)
    return 0 if done else 1, name


def close():
    iec.IedConnection_close(connection)
    return 0, "closed"


steps = {
    "connect": connect,
    "read": read,
    "browse": lambda: (error(iec.IedConnection_getLogicalDeviceList(connection)), "devices"),
    "set": lambda: write("peerLD1/GGIO1.AnOut1.setMag.f", iec.IEC61850_FC_SP, 5.5),
    "operate": lambda: operate("SPCSO1"),
    "operate_other": lambda: operate("SPCSO2"),
    "close": close,
}
for name in ["connect", *sys.argv[2:]]:
    try:
        code, value = steps[name]()
        print(json.dumps({"step": name, "ok": code == 0, "value": str(value), "code": code}), flush=True)
    except Exception as problem:
        print(json.dumps({"step": name, "ok": False, "error": type(problem).__name__}), flush=True)
# The library waits long for a connection that was reset.
os._exit(0)
