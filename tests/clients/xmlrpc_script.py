"""Calls methods of XML-RPC, on any Python: arguments are a URL, and JSON of methods and their arguments."""

import json
import sys

try:
    from xmlrpc.client import Fault, ServerProxy
except ImportError:
    from xmlrpclib import Fault, ServerProxy


def called(proxy, method, arguments):
    """What comes back, a fault by its code."""
    try:
        return getattr(proxy, method)(*arguments)
    except Fault as fault:
        return {"fault": fault.faultCode, "said": fault.faultString}


if __name__ == "__main__":
    server = ServerProxy(sys.argv[1], allow_none=True)
    asked = json.loads(sys.argv[2])
    json.dump({method: called(server, method, given) for method, given in asked.items()}, sys.stdout)
