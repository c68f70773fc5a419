"""Refuses every connection to another machine, in each Python process that the tests start.

Python imports a module of this name when it starts, if the module's folder is on PYTHONPATH. conftest.py
puts it there, so the rule also holds in Jupyter kernels and in the `course` command. It sits in Python's
audit events, below every library. What is refused raises an `OSError`, as without a network.
"""

import ipaddress
import socket
import sys


def is_this_machine(host: str | bytes | None) -> bool:
    """Whether `host`, a name or an address, stands for this machine (None and "": any of its addresses)."""
    name = host.decode() if isinstance(host, bytes) else host
    if not name or name in ("localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def refuse(event: str, arguments: tuple) -> None:
    """The audit hook: `arguments` are those of the audited socket call."""
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(arguments[1], tuple):
        host = arguments[1][0]  # a Unix socket has a path instead of a tuple
    else:
        return
    if not is_this_machine(host):
        raise ConnectionRefusedError(f"the tests block the network: {event} to {host!r}")


sys.addaudithook(refuse)
