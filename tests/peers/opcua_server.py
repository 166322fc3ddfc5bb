"""A server of OPC UA (asyncua) with variables and a method; prints what reaches its application."""
import asyncio
import json
import sys

from asyncua import Server, ua, uamethod


class Written:
    def datachange_notification(self, node, value, data):
        print(json.dumps({"node": str(node.nodeid.Identifier), "value": str(value)}), flush=True)


@uamethod
def start(parent, speed):
    print(json.dumps({"called": "Start", "speed": str(speed)}), flush=True)
    return True


async def main():
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://{sys.argv[1]}:4840/plant")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:plant")
    machine = await server.nodes.objects.add_object(ua.NodeId("Machine", space), "Machine")
    speed = await machine.add_variable(ua.NodeId("Machine.Speed", space), "Speed", 1.5)
    limit = await machine.add_variable(ua.NodeId("Machine.Limit", space), "Limit", 100.0)
    for variable in (speed, limit):
        await variable.set_writable()
    method = ua.NodeId("Machine.Start", space)
    await machine.add_method(method, "Start", start, [ua.VariantType.Double], [ua.VariantType.Boolean])
    async with server:
        watched = await server.create_subscription(20, Written())
        await watched.subscribe_data_change([speed, limit])
        await asyncio.sleep(0.2)
        print(json.dumps({"ready": True}), flush=True)
        while True:
            await asyncio.sleep(1)


asyncio.run(main())
