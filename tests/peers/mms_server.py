"""A server of IEC 61850 (libiec61850); prints every control and every set point that reaches its application."""
import json
import sys
import time

from pyiec61850 import pyiec61850 as iec

model = iec.IedModel_create("peer")
device = iec.LogicalDevice_create("LD1", model)
zero = iec.LogicalNode_create("LLN0", device)
node = iec.LogicalNode_create("GGIO1", device)
iec.CDC_ENS_create("Mod", iec.toModelNode(zero), 0)
iec.CDC_MV_create("AnIn1", iec.toModelNode(node), 0, False)
iec.CDC_ASG_create("AnOut1", iec.toModelNode(node), 0, False)
switches = {
    name: iec.CDC_SPC_create(name, iec.toModelNode(node), 0, iec.CDC_CTL_MODEL_DIRECT_NORMAL)
    for name in ["SPCSO1", "SPCSO2"]
}
server = iec.IedServer_create(model)
iec.IedServer_setWriteAccessPolicy(server, iec.IEC61850_FC_SP, iec.ACCESS_POLICY_ALLOW)


class Asked(iec.ControlHandlerForPython):
    """Says what one control object is told to do."""

    def __init__(self, name):
        iec.ControlHandlerForPython.__init__(self)
        self.name = name

    def trigger(self):
        value = iec.MmsValue_getBoolean(self._libiec61850_mms_value)
        print(json.dumps({"control": self.name, "value": value}), flush=True)
        self._libiec61850_control_handler_result = iec.CONTROL_RESULT_OK


kept = []
for name, switch in switches.items():
    handler, subscriber = Asked(name), iec.ControlSubscriberForPython()
    subscriber.setIedServer(server)
    subscriber.setControlObject(switch)
    subscriber.setControlHandler(handler)
    subscriber.subscribe()
    # The library keeps only pointers.
    handler.thisown = 0
    subscriber.thisown = 0
    kept += [handler, subscriber]

iec.IedServer_start(server, 102)
assert iec.IedServer_isRunning(server)
print(json.dumps({"ready": True}), flush=True)
point = iec.toDataAttribute(iec.IedModel_getModelNodeByObjectReference(model, "peerLD1/GGIO1.AnOut1.setMag.f"))
last = iec.IedServer_getFloatAttributeValue(server, point)
while True:
    time.sleep(0.05)
    value = iec.IedServer_getFloatAttributeValue(server, point)
    if value != last:
        last = value
        print(json.dumps({"set": value}), flush=True)
