"""HTTP to OpenAI-compatible servers: requests and their answers, and facts about a server.

The key appears in the Authorization header and nowhere else. It goes to the given addresses only (redirects are not
followed, proxies of the environment are not used). It is removed from every text that comes from a server, as are the
secrets in the addresses of servers and proxy. Cookies are neither kept nor sent.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import re
import resource
import socket
import ssl
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from libra_cli import __version__
from libra_cli.engines.openai.addresses import server_address
from libra_cli.engines.openai.chat_api import Body, ChatAnswer, read_chat_answer
from libra_cli.engines.openai.completions_api import CompletionAnswer, read_completion_answer
from libra_cli.engines.openai.endpoints import without_query
from libra_cli.engines.openai.http_answer import CODING, MAX_RESPONSE_BYTES, AnswerReader, HttpAnswer
from libra_cli.engines.openai.redaction import Redactor, secrets_in
from libra_cli.engines.openai.retry import Failure, Trouble
from libra_cli.engines.openai.usage import TokenUsage
from libra_cli.engines.reward.api import ClassifyAnswer, read_classify_answer
from libra_cli.exits import Exit, Fatal
from libra_cli.plural import duration

CONNECT_SECONDS = 10.0
_KEEP_SECONDS = 3.0
"""Idle connections are closed before servers close them (uvicorn: 5 s), else a request could meet a closing one."""
_GONE = (502, 503, 504)
_NO_CONNECTION = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT)
"""What a system says of a connection that did not come about; one that broke may say other things."""
_PROXY_KEY = 407
_PROXY_REFUSES = re.compile("4(?!08|25|29)[0-9][0-9]")
"""How a proxy says that it will not connect; the others may pass."""
_CERTIFICATE_CURES = {
    "mismatch": "give the name that its certificate holds in {flag}",
    "expired": "it has to be renewed, unless the clock of this machine is wrong",
    "not yet valid": "check the clock of this machine",
}
"""What OpenSSL says of a certificate -> what helps, where its authority is not what is missing."""
_LONGEST_NAME = 200
_IDS = 1 << 31
_SOCKET_OPTIONS = [
    ("SO_KEEPALIVE", 1),
    ("TCP_KEEPIDLE", 60),
    ("TCP_KEEPINTVL", 20),
    ("TCP_KEEPCNT", 5),
    ("TCP_USER_TIMEOUT", 120_000),
]
"""A peer that vanished is noticed within three minutes; one that is silent because it works is left alone."""


@dataclass(frozen=True)
class Header:
    """A header of every request; a secret one is removed from what servers say."""

    name: str
    value: str
    is_secret: bool = False


@dataclass(frozen=True)
class Facts:
    """Facts about a server beyond the standard; None if it does not report them."""

    version: str | None = None
    opened_thinking: bool | None = None


class ChatClient:
    """Connections to the servers of one model; its methods are called inside one event loop."""

    def __init__(
        self,
        base_urls: Sequence[str],
        api_key: str | None,
        timeout: float,
        proxy: str | None,
        concurrency: int,
        note: Callable[[str], None],
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        flag: str = "--base-url",
        headers: Sequence[Header] = (),
        usage: TokenUsage | None = None,
    ):
        """`headers` are sent with every request; `flag` names the servers' option; `usage` counts tokens."""
        try:
            import httpx
        except ImportError:
            needs = "--engine openai" if flag == "--base-url" else flag
            raise Fatal(Exit.USAGE, f"{needs} needs httpx: pip install 'libra-cli[openai]'") from None
        self._httpx = httpx
        self.timeout, self._flag = timeout, flag
        self._usage = TokenUsage() if usage is None else usage
        self.urls = list(dict.fromkeys(server_address(url, flag) for url in base_urls))
        self._key = api_key or None
        if self._key and not (self._key.isascii() and self._key.isprintable() and " " not in self._key):
            cause = "the API key holds a space, a newline or another character that no key has"
            raise Fatal(Exit.USAGE, f"{cause}; check its file or variable")
        if (self._key or any(header.is_secret for header in headers)) and (
            open_hosts := [url for url in self.urls if _is_open(url)]
        ):
            note(f"{without_query(open_hosts[0])}: the key goes there unencrypted; use https")
        # Raise this process's own limit of open files if so many connections need it.
        n_files, (soft, hard) = concurrency + 256, resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < n_files:
            n_files = n_files if hard == resource.RLIM_INFINITY else min(n_files, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n_files), hard))
        secret = [header.value for header in headers if header.is_secret]
        self._redact = Redactor([self._key, *secret, *secrets_in([*self.urls, *([proxy] if proxy else [])])])
        self._reader = AnswerReader(max_response_bytes, self._redact)
        self._headers = {"Accept": "*/*", "Accept-Encoding": CODING, "User-Agent": f"libra/{__version__}"}
        if self._key:
            self._headers["Authorization"] = f"Bearer {self._key}"
        for header in headers:  # names of headers are equal in any case
            same = [name for name in self._headers if name.lower() == header.name.lower()]
            self._headers = {name: value for name, value in self._headers.items() if name not in same}
            self._headers[header.name] = header.value
        self._proxy = proxy
        self._trust = self._trusted()
        # One transport for each connection: the time that httpx needs to find a free one among n grows with n. A client
        # of httpx around it would read answers whole, however large, and keep a server's cookies.
        self._idle: defaultdict[str, list[Any]] = defaultdict(list)
        self._idle[urlsplit(self.urls[0]).netloc].append(self._open())  # now, so that a wrong proxy is reported at once
        self._reached: set[str] = set()

    def _trusted(self) -> ssl.SSLContext:
        """The authorities whose certificates are trusted; raises Fatal(2) if the file that names them is unreadable."""
        if not any(url.startswith("https:") for url in (*self.urls, self._proxy or "")):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody: nothing is to be encrypted
        try:
            context: ssl.SSLContext = self._httpx.create_ssl_context()
            return context
        except OSError as error:
            variable = next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)), None)
            if variable is None:
                cure = "reinstall them: pip install --force-reinstall certifi"
                raise Fatal(Exit.USAGE, f"the certificates of certifi cannot be read ({error}); {cure}") from None
            reason = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            cure = f"name a file with the certificates of authorities (PEM), or unset {variable}"
            raise Fatal(Exit.USAGE, f"{variable}={os.environ[variable]}: {reason}; {cure}") from None

    def _open(self) -> Any:
        httpx = self._httpx
        kept = httpx.Limits(max_keepalive_connections=1, keepalive_expiry=_KEEP_SECONDS)
        levels = {"SO": socket.SOL_SOCKET, "TCP": socket.IPPROTO_TCP}
        options = [
            (levels[name.split("_")[0]], getattr(socket, name), value)
            for name, value in _SOCKET_OPTIONS
            if hasattr(socket, name)  # not every system has all of them
        ]
        reaching = {"verify": self._trust, "proxy": self._proxy, "limits": kept, "socket_options": options}
        try:
            return httpx.AsyncHTTPTransport(trust_env=False, **reaching)
        except ImportError:  # of SOCKS, which httpx alone does not speak
            cure = "socksio, which is not installed; pip install 'httpx[socks]', or name an HTTP proxy"
            raise Fatal(Exit.USAGE, f"--proxy: {self._proxy_name} needs {cure}") from None
        except (ValueError, httpx.InvalidURL):  # their words may hold the proxy's password
            cure = "write http://HOST:PORT"
            raise Fatal(Exit.USAGE, f"--proxy: the value is no address of a proxy; {cure}") from None

    async def _request(self, method: str, url: str, body: Body | None, seconds: float, kept: bool = True) -> HttpAnswer:
        idle = self._idle[urlsplit(url).netloc]
        is_used = bool(idle) and kept
        transport = idle.pop() if is_used else self._open()
        try:
            return await asyncio.wait_for(self._exchange(transport, method, url, body, is_used), seconds)
        finally:
            if kept:
                idle.append(transport)
            else:
                await transport.aclose()

    async def _exchange(self, transport: Any, method: str, url: str, body: Body | None, is_used: bool) -> HttpAnswer:
        """Sends a request; once more if a used connection breaks before its answer: the server had closed it idle."""
        httpx = self._httpx
        times = httpx.Timeout(None, connect=CONNECT_SECONDS).as_dict()
        request = httpx.Request(method, url, headers=self._headers, json=body, extensions={"timeout": times})
        try:
            response = await transport.handle_async_request(request)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            if not is_used:
                raise
            response = await transport.handle_async_request(request)
        try:
            return await self._reader.read(response)
        finally:
            await response.stream.aclose()  # before its end: the connection is closed

    @property
    def has_key(self) -> bool:
        return self._key is not None

    async def close(self) -> None:
        """Closes all connections; no request may be at work."""
        for transport in chain(*self._idle.values()):
            await transport.aclose()

    async def ask(self, url: str, body: Body) -> ChatAnswer:
        """Sends one chat request; its failures are answers too. Raises Fatal as `read_chat_answer` does."""
        return await self._ask(url, _at(url, "/chat/completions"), body, read_chat_answer)

    async def classify(self, url: str, body: Body) -> ClassifyAnswer:
        """Sends one conversation to vLLM's `/classify`; as `ask`, read by `read_classify_answer`."""
        return await self._ask(url, _root(url, "/classify"), body, read_classify_answer)

    async def complete(self, url: str, body: Body) -> CompletionAnswer:
        """Continues a prompt of token ids; as `ask`, read by `read_completion_answer`."""
        return await self._ask(url, _at(url, "/completions"), body, read_completion_answer)

    async def control(self, url: str, method: str, path: str, body: Body | None, seconds: float) -> Any:
        """The answer (HttpAnswer) of an endpoint that a server keeps outside the API, or a Failure to get one.

        On a connection of its own: a kept one may just be closing, and what changes the server is not sent twice.
        """
        return await self._send(url, method, _root(url, path), body, seconds, kept=False)

    async def _ask(self, url: str, address: str, body: Body, read: Callable[..., Any]) -> Any:
        answer = await self._send(url, "POST", address, body, self.timeout)
        self._usage.add(None if isinstance(answer, Failure) else answer)
        if isinstance(answer, Failure):
            return answer
        try:
            return read(answer, body)
        except Fatal as error:
            error.args = (f"{without_query(url)}: {error}",)
            raise

    async def _send(
        self, url: str, method: str, address: str, body: Body | None, seconds: float, kept: bool = True
    ) -> Any:
        httpx = self._httpx
        try:
            answer = await self._request(method, address, body, seconds, kept)
        except asyncio.TimeoutError:
            return Failure(Trouble.TIMEOUT, f"no reply within {duration(seconds)} (--request-timeout)")
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            return self._unreachable(url, error)
        except httpx.HTTPError as error:
            return Failure(Trouble.BROKEN, f"the connection broke ({self._reason(error)})")
        except zlib.error:
            return Failure(Trouble.BROKEN, "the answer cannot be unpacked")
        if answer.status == _PROXY_KEY:
            raise self._refused_by_proxy(url, answer.error[0].partition(":")[0])
        self._reached.add(url)
        return answer

    def _unreachable(self, url: str, error: Exception) -> Failure:
        """A failure that may pass; raises Fatal for one of names or certificates, which does not."""
        reason, name = self._reason(error), without_query(url)
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            known = (cure.format(flag=self._flag) for part, cure in _CERTIFICATE_CURES.items() if part in reason)
            cure = next(known, "name the file of its authority in SSL_CERT_FILE")
            raise Fatal(Exit.USAGE, f"{name}: its certificate cannot be trusted ({reason}); {cure}")
        if isinstance(error, self._httpx.ProxyError) and _PROXY_REFUSES.match(reason):
            raise self._refused_by_proxy(url, reason)
        is_proxy = self._is_of_proxy(url, error)
        # Only the name service's final answer counts, not a failure to ask it.
        unknown = any(isinstance(one, socket.gaierror) and one.errno == socket.EAI_NONAME for one in _causes(error))
        if url not in self._reached and unknown:
            what, where = (f"--proxy {self._proxy_name}", "it") if is_proxy else (name, self._flag)
            raise Fatal(Exit.USAGE, f"{what}: there is no such host ({reason}); check {where}")
        if is_proxy:
            cure = "check --proxy, or start the proxy"
            return Failure(Trouble.UNREACHABLE, f"the proxy {self._proxy_name} cannot be reached ({reason})", cure=cure)
        return Failure(Trouble.UNREACHABLE, f"cannot be reached ({reason})")

    def _is_of_proxy(self, url: str, error: Exception) -> bool:
        """Whether no connection to the proxy came about: all are to it, but TLS inside one is with the server."""
        if self._proxy is None or isinstance(error, self._httpx.ProxyError):
            return False
        causes = [one for one in _causes(error) if isinstance(one, OSError)]
        is_failed = any(isinstance(one, socket.gaierror) or one.errno in _NO_CONNECTION for one in causes)
        return is_failed or url.startswith("http:")

    @property
    def _proxy_name(self) -> str:
        """The address of the proxy without its name and password."""
        scheme, _, rest = (self._proxy or "").partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"

    def _refused_by_proxy(self, url: str, reason: str) -> Fatal:
        """The error of a proxy that lets nothing pass; `reason` begins with its HTTP status."""
        if not reason.startswith(str(_PROXY_KEY)):
            cure = "check --proxy, and whether it may connect to this server"
        elif "@" in (self._proxy or ""):
            cure = "check the name and password in --proxy"
        else:
            cure = "it wants a name and a password: write NAME:PASSWORD@ before its host in --proxy"
        status = Exit.BACKEND if url in self._reached else Exit.USAGE
        return Fatal(status, f"{without_query(url)}: the proxy refuses the request ({reason}); {cure}")

    async def is_alive(self, url: str) -> bool:
        """Whether a server that failed answers again; vLLM's `/health` includes the state of its engine."""
        for path in (_root(url, "/health"), _at(url, "/models")):
            answer = await self._quickly("GET", path)
            if answer is None or answer.status in _GONE:
                return False
        return True

    async def model_list(self, url: str) -> HttpAnswer | Failure:
        """What the server answers when it is asked for its models; raises Fatal as `ask` does."""
        return await self._send(url, "GET", _at(url, "/models"), None, self.timeout)

    async def models(self, url: str) -> list[str] | None:
        """The server's names for its models; None if it does not list them."""
        answer = await self._quickly("GET", _at(url, "/models"))
        entries = _fields(answer).get("data")
        if answer is None or not isinstance(entries, list):
            return None
        names = [entry.get("id") for entry in entries if isinstance(entry, dict)]
        return [answer.words(name, _LONGEST_NAME) for name in names if isinstance(name, str)]

    async def version(self, url: str) -> str | None:
        """The version of the server's software; None if it has no `/version` (vLLM does). May raise ConnectionError."""
        answer = await self._quickly("GET", _root(url, "/version"))
        if answer is None:
            raise ConnectionError(url)
        version = _fields(answer).get("version")
        return answer.words(version, _LONGEST_NAME) if isinstance(version, str) else None

    async def prompt(self, url: str, body: Body) -> tuple[str, list[int]] | None:
        """Text and token ids that the chat template makes of messages, by vLLM's `/tokenize`; None on other servers."""
        ids = _fields(await self._quickly("POST", _root(url, "/tokenize"), body)).get("tokens")
        if not (isinstance(ids, list) and all(type(each) is int and 0 <= each < _IDS for each in ids)):
            return None
        shown = await self._quickly("POST", _root(url, "/detokenize"), {"model": body["model"], "tokens": ids})
        text = _fields(shown).get("prompt")
        return (shown.text(text), ids) if shown is not None and isinstance(text, str) else None

    async def _quickly(self, method: str, url: str, body: Body | None = None) -> HttpAnswer | None:
        """The answer to a request that takes no time; None if none comes within CONNECT_SECONDS."""
        try:
            return await self._request(method, url, body, CONNECT_SECONDS, kept=False)
        except (asyncio.TimeoutError, self._httpx.HTTPError, zlib.error):
            return None

    def _reason(self, error: BaseException) -> str:
        """The system's own message if there is one: "Connection refused" is clearer than the words around it.

        Others may hold what the server sent.
        """
        of_system = [cause for cause in _causes(error) if isinstance(cause, OSError) and cause.errno]
        if of_system and isinstance(of_system[0], (socket.gaierror, ssl.SSLError)):  # with error numbers of their own
            text = str(of_system[0].strerror)
        else:
            text = os.strerror(of_system[0].errno or 0) if of_system else str(error)
        return self._redact(" ".join(text.split()))[:_LONGEST_NAME] or type(error).__name__


def _fields(answer: HttpAnswer | None) -> dict[str, Any]:
    """The JSON object that a server answered with; {} if it did not."""
    try:
        fields = answer.json() if answer is not None and answer.status == 200 else None
    except ValueError:
        fields = None
    return fields if isinstance(fields, dict) else {}


def _at(url: str, path: str) -> str:
    """`url` with `path` appended to its own; a query (`?api-version=`) stays at the end."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path + path))


def _root(url: str, path: str) -> str:
    """`url` with `path` instead of its last /v1: servers keep their own endpoints outside the API."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.removesuffix("/v1") + path))


def _is_open(url: str) -> bool:
    """Whether others can read what goes to `url` on the way there."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost" or host.endswith(".localhost")
    return parts.scheme == "http" and not local


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
