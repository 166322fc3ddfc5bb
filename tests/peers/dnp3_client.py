"""A DNP3 master (yadnp3, that is OpenDNP3): starts as masters do, then takes the steps that its words name, in their order."""
import json
import os
import queue
import sys
import threading

import opendnp3

started, online, offline = threading.Event(), threading.Event(), threading.Event()
outcomes = queue.Queue()
analogs = []


def say(**what):
    # Callbacks come from a thread of the stack: one write for a line.
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Values(opendnp3.ISOEHandler):
    def BeginFragment(self, info):
        pass

    def EndFragment(self, info):
        pass

    def Process(self, info, values):
        analogs.extend(one.value.value for one in values if isinstance(one.value, opendnp3.Analog))


class Station(opendnp3.IMasterApplication):
    """The last of what a master does at its start is to switch unsolicited responses on."""

    def OnOpen(self):
        online.set()

    def OnClose(self):
        online.clear()
        offline.set()
        say(line="closed")

    def OnTaskComplete(self, info):
        if info.type == opendnp3.MasterTaskType.USER_TASK:
            outcomes.put(info.result)
        elif info.type == opendnp3.MasterTaskType.ENABLE_UNSOLICITED:
            started.set()


manager = opendnp3.DNP3Manager(1)
pause = opendnp3.TimeDuration.Milliseconds(300)
retry, endpoint = opendnp3.ChannelRetry(pause, pause), opendnp3.IPEndpoint(sys.argv[1], 20000)
# As a master in the field does, this one does not come back within the same millisecond.
retry.reconnectDelay = pause
channel = manager.AddTCPClient("line", opendnp3.levels.NOTHING, retry, [endpoint], "0.0.0.0", None)
config = opendnp3.MasterStackConfig()
config.link.LocalAddr, config.link.RemoteAddr = 1, 10
config.master.responseTimeout = opendnp3.TimeDuration.Seconds(2)
config.master.taskRetryPeriod = pause
values, station = Values(), Station()
master = channel.AddMaster("master", values, station, config)


def ignore(result):
    pass


latch, level = opendnp3.ControlRelayOutputBlock, opendnp3.AnalogOutputFloat32
steps = {
    "read": lambda: master.ScanRange(opendnp3.GroupVariationID(30, 0), 0, 3, values),
    "direct": lambda: master.DirectOperate(latch(), 1, ignore),
    "beside": lambda: master.DirectOperate(latch(), 7, ignore),
    "select": lambda: master.SelectAndOperate(level(3.5), 2, ignore),
    "too_high": lambda: master.SelectAndOperate(level(300.0), 2, ignore),
    "restart": lambda: master.Restart(opendnp3.RestartType.COLD, ignore),
}
master.Enable()
started.wait(5)
for name in sys.argv[2:]:
    # A step for a line that is down is given up at once.
    online.wait(5)
    offline.clear()
    analogs.clear()
    steps[name]()
    result = outcomes.get(timeout=5)
    ok = result == opendnp3.TaskCompletion.SUCCESS
    say(step=name, ok=ok, result=result.name, values=analogs[:4])
    if not ok:
        offline.wait(2)
os._exit(0)
