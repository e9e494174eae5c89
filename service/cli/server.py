"""The web server, which lets open streams go when it is told to stop."""

from __future__ import annotations

import socket
from pathlib import Path

import uvicorn

from service.app import build_app
from service.wiring import KeyOf, key_of


class Server(uvicorn.Server):
    """Uvicorn waits for open connections to end by themselves, and a stream of events never does."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first, then stop as usual."""
        self.config.app.state.watches.end()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def server_of(studies: Path, host: str, port: int, key_of: KeyOf = key_of) -> Server:
    """A server of the pages over a folder of studies; port 0 takes a free one."""
    return Server(
        uvicorn.Config(
            build_app(studies, key_of), host=host, port=port, log_level="warning", log_config=None, access_log=False,
            server_header=False, timeout_graceful_shutdown=2,
        )
    )  # fmt: skip
