"""Where an engine listens: a socket in its data directory that only its own user can reach."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PATH_MAX: Final = 100
"""Longer paths do not fit into a socket address; the directory is then named by a descriptor."""
_PEER: Final = struct.Struct("3i")


def socket_path(data_dir: Path) -> Path:
    """Return the socket of the engine that holds a data directory."""
    return data_dir / "run" / "engine.sock"


@contextmanager
def address(path: Path) -> Iterator[str]:
    """Yield `path` as a socket address, however long it is."""
    if len(os.fsencode(path)) <= _PATH_MAX:
        yield str(path)
        return
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{path.name}"
    finally:
        os.close(fd)


def listening(path: Path) -> socket.socket:
    """Return a socket that listens at `path`, replacing what an engine before left there.

    Call it with the data directory held: nobody else listens then.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with address(path) as name:
            server.bind(name)
        path.chmod(0o600)
        server.listen(64)
        server.setblocking(False)
    except BaseException:
        server.close()
        raise
    return server


def connected(path: Path) -> socket.socket:
    """Return a blocking socket to the engine at `path`.

    Never waits. Raises OSError if none listens, or one that is frozen has a full queue.
    """
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        client.setblocking(False)  # a local connection is there at once, or BlockingIOError is
        with address(path) as name:
            client.connect(name)
        client.setblocking(True)
        peer = peer_of(client)
        if peer is not None and peer[1] not in {os.getuid(), 0}:
            raise PermissionError(f"{path} is served by user {peer[1]}")
    except BaseException:
        client.close()
        raise
    return client


def peer_of(connection: socket.socket) -> tuple[int, int] | None:
    """Return process and user id at the other end, as the kernel knows them; None: it cannot say.

    Where it cannot, the permissions of socket and directory are what keeps others out.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    pid, uid, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _PEER.size))
    return pid, uid
