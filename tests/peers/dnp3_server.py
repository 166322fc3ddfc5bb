"""A DNP3 outstation (yadnp3, that is OpenDNP3); prints every command that its application is to carry out."""
import json
import sys
import time

import opendnp3


def say(**what):
    # Callbacks come from a thread of the stack: one write for a line.
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Commands(opendnp3.ICommandHandler):
    def Begin(self):
        pass

    def End(self):
        pass

    def Select(self, command, index):
        say(selected=index, kind=type(command).__name__)
        return opendnp3.CommandStatus.SUCCESS

    def Operate(self, command, index, handler, op_type):
        say(operated=index, kind=type(command).__name__)
        return opendnp3.CommandStatus.SUCCESS


class Station(opendnp3.IOutstationApplication):
    def ColdRestartSupport(self):
        return opendnp3.RestartMode.SUPPORTED_DELAY_FINE

    def ColdRestart(self):
        say(restarted="cold")
        return 1


class Line(opendnp3.IChannelListener):
    def OnStateChange(self, state):
        say(line=state.name.lower())


manager = opendnp3.DNP3Manager(1)
# With this mode a second master does not push the first one out: a connection that stayed half open would be seen.
mode, endpoint = opendnp3.ServerAcceptMode.CloseNew, opendnp3.IPEndpoint(sys.argv[1], 20000)
line, commands, application = Line(), Commands(), Station()
channel = manager.AddTCPServer("line", opendnp3.levels.NOTHING, mode, endpoint, line)
config = opendnp3.OutstationStackConfig(opendnp3.DatabaseConfig(10))
config.link.LocalAddr, config.link.RemoteAddr = 10, 1
config.outstation.params.allowUnsolicited = True
station = channel.AddOutstation("outstation", commands, application, config)
values = opendnp3.UpdateBuilder()
values.Update(opendnp3.Analog(21.0), 0)
station.Apply(values.Build())
station.Enable()
time.sleep(0.3)
say(ready=True)
while True:
    time.sleep(1)
