"""Fetches one address over http or https, within limits, and never from inside the network this machine stands in."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies

import httpx

from agents.autotrain.reading.pieces import shorten
from agents.errors import SourceUnreachable, UnreadablePaper

MAX_BYTES = 100 * 2**20
MAX_REDIRECTS = 5
TIMEOUT_S = 30.0
TOTAL_TIMEOUT_S = 180.0
AGENT = "AgenticRS/0.1 (paper reader; one request at a time)"
_APPLICATIONS = "pdf xhtml x-tex x-latex gzip x-gzip x-eprint x-eprint-tar x-tar tar zip octet-stream"
ACCEPTED = ("text/", *(f"application/{kind}" for kind in _APPLICATIONS.split()))


def resolve(host: str) -> Sequence[str]:
    """The addresses of a host."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Response:
    url: str
    data: bytes
    content_type: str


@dataclass(frozen=True)
class Web:
    """How to reach the network; tests give a transport, a resolver and a sleep of their own."""

    transport: httpx.BaseTransport | None = None
    resolver: Callable[[str], Sequence[str]] = resolve
    sleep: Callable[[float], None] = time.sleep
    retries: int = 2
    pause_s: float = field(default=3.0)  # before a retry, doubled each time; arXiv asks for three seconds between requests

    def get(self, url: str) -> Response | None:
        """What the address gives, None when it is not there (404 and the like).

        Raises UnreadablePaper when the address is not allowed, its content no paper or too large; SourceUnreachable
        when the network or the server fails after retries.
        """
        for attempt in range(self.retries + 1):
            if attempt:
                self.sleep(self.pause_s * 2 ** (attempt - 1))
            try:
                return self._follow(url)
            except (httpx.TransportError, _Busy):
                continue
            except (httpx.InvalidURL, httpx.HTTPError, httpx.StreamError, UnicodeError, ValueError):
                raise UnreadablePaper(f"{shorten(url)} is not a valid web address; check it, or give a file's path.") from None
        raise SourceUnreachable(
            f"{shorten(urlsplit(url).hostname or url)} could not be reached; try again later, or give a file's path."
        )

    def _follow(self, url: str) -> Response | None:
        """Follows redirects by hand, since every hop must be checked before it is asked."""
        deadline = time.monotonic() + TOTAL_TIMEOUT_S
        with httpx.Client(
            transport=self.transport, timeout=TIMEOUT_S, follow_redirects=False, trust_env=self.transport is None
        ) as client:
            for _ in range(MAX_REDIRECTS + 1):
                self.check(url)
                with client.stream("GET", url, headers={"User-Agent": AGENT, "Accept": "*/*"}) as answer:
                    if answer.is_redirect:
                        url = urljoin(url, answer.headers.get("location", ""))
                        continue
                    self._check_peer(answer, url)
                    return _read(answer, url, deadline)
        raise UnreadablePaper(
            f"{shorten(url)} redirects too often; give the final address, or download the paper and give its path."
        )

    def check(self, url: str) -> None:
        """Raises UnreadablePaper unless the address is http(s) and all its host's addresses are public."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UnreadablePaper(f"{shorten(url)} is not a web address of a paper; only http and https are read.")
        if parts.username or parts.password:
            raise UnreadablePaper(f"{shorten(url)} names a user, and is not asked; download the paper and give its path.")
        try:
            addresses = [parts.hostname] if _literal(parts.hostname) else list(self.resolver(parts.hostname))
        except OSError:
            if self.transport is None and getproxies():
                return  # behind a proxy, which alone knows addresses
            raise httpx.ConnectError(f"no address for {parts.hostname}") from None
        if not addresses or not all(_is_public(address) for address in addresses):
            raise UnreadablePaper(
                f"{shorten(url)} leads into a private network, which is not read; download the paper and give its path."
            )

    def _check_peer(self, answer: httpx.Response, url: str) -> None:
        """The host may have had another address when it was asked than when it was checked."""
        stream = answer.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream is not None and not getproxies() else None
        if peer and not _is_public(str(peer[0])):
            raise UnreadablePaper(
                f"{shorten(url)} leads into a private network, which is not read; download the paper and give its path."
            )


class _Busy(Exception):
    """The server asks to come back later."""


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_public(address: str) -> bool:
    """Whether the address is on the public internet, an IPv4 address inside an IPv6 one looked at as itself."""
    try:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip
    return ip.is_global and not ip.is_multicast


def _read(answer: httpx.Response, url: str, deadline: float) -> Response | None:
    """The body, within size and time."""
    if answer.status_code in (429, 500, 502, 503, 504):
        raise _Busy
    if answer.status_code in (401, 403, 407, 451):
        raise UnreadablePaper(
            f"{shorten(url)} is not open to readers (HTTP {answer.status_code}); download the paper and give its path."
        )
    if answer.status_code >= 400:
        return None
    kind = answer.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if kind and not kind.startswith(ACCEPTED):
        raise UnreadablePaper(f"{shorten(url)} gives {shorten(kind, 40)}, not a paper; give the address of its PDF or HTML.")
    data = bytearray()
    for chunk in answer.iter_bytes(65536):
        data += chunk
        if len(data) > MAX_BYTES:
            raise UnreadablePaper(f"{shorten(url)} gives more than {MAX_BYTES // 2**20} MB; give the address of the paper alone.")
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the whole answer took too long")
    return Response(url, bytes(data), kind)
