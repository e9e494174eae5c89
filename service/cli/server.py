"""The web server, which lets open streams go when it is told to stop."""

from __future__ import annotations

import socket
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Reach:
    """How others come to the pages: under which names, by our own TLS, or through proxies at these addresses alone."""

    names: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    proxies: tuple[str, ...] = ()


def server_of(studies: Path, host: str, port: int, key_of: KeyOf = key_of, reach: Reach = Reach()) -> Server:
    """A server of the pages over a folder of studies; port 0 takes a free one.

    What a proxy says of who asks and how (X-Forwarded-For, X-Forwarded-Proto) is believed from those in `reach` alone.
    """
    return Server(
        uvicorn.Config(
            build_app(studies, key_of, reach.names), host=host, port=port, log_level="warning", log_config=None,
            access_log=False, server_header=False, timeout_graceful_shutdown=2, ssl_certfile=reach.tls_cert,
            ssl_keyfile=reach.tls_key, proxy_headers=bool(reach.proxies), forwarded_allow_ips=list(reach.proxies),
        )
    )  # fmt: skip
