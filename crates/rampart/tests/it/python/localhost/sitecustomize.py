"""Names below `localhost` are this machine (RFC 6761 section 6.3), which not every resolver knows."""

import socket

_resolve = socket.getaddrinfo


def _local(host, *more, **named):
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.endswith(".localhost"):
        host = "127.0.0.1"
    return _resolve(host, *more, **named)


socket.getaddrinfo = _local
