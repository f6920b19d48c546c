"""Certificates that a server shows: what is wrong with one is named, with its own cure."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess

import pytest

from libra_cli.engines.openai.chat_client import ChatClient
from libra_cli.exits import Exit, Fatal

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates with openssl")


def certificate(folder, names):
    """PEM files of a certificate for `names`, which is its own authority, and of its key."""
    files = str(folder / "certificate.pem"), str(folder / "key.pem")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=libra"]
    ends = ["-addext", f"subjectAltName={names}", "-days", "30", "-out", files[0], "-keyout", files[1]]
    subprocess.run(["openssl", "req", "-x509", *key, *ends], check=True, capture_output=True)
    return files


async def ask(files, through_proxy=False):
    """The status of a list of models that a server with the certificate in `files` gives."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"data":[]}')
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

    async def tunnel(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        ends = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])

        async def pump(source, target):
            while data := await source.read(4096):
                target.write(data)
            target.close()

        await asyncio.gather(pump(reader, ends[1]), pump(ends[0], writer), return_exceptions=True)

    proxy = await asyncio.start_server(tunnel, "127.0.0.1", 0)
    through = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}" if through_proxy else None
    client = ChatClient([url], None, 10, through, 1, print)
    try:
        return (await client.model_list(url)).status
    finally:
        await client.close()
        server.close()
        proxy.close()


def test_a_certificate_with_a_known_authority_and_the_right_name_is_trusted(tmp_path, monkeypatch):
    files = certificate(tmp_path, "IP:127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", files[0])
    assert asyncio.run(ask(files)) == 200


def test_a_certificate_behind_a_proxy_is_that_of_the_server(tmp_path, monkeypatch):
    files = certificate(tmp_path, "IP:127.0.0.1")
    with pytest.raises(Fatal, match=r"https://127\.0\.0\.1:\d+/v1: its certificate cannot be trusted"):
        asyncio.run(ask(files, through_proxy=True))
    monkeypatch.setenv("SSL_CERT_FILE", files[0])
    assert asyncio.run(ask(files, through_proxy=True)) == 200


@pytest.mark.parametrize(
    ("names", "is_known", "cure"),
    [
        ("DNS:other.example", True, "; give the name that its certificate holds in --base-url"),
        ("IP:127.0.0.1", False, "; name the file of its authority in SSL_CERT_FILE"),
    ],
)
def test_each_fault_of_a_certificate_has_its_cure(tmp_path, monkeypatch, names, is_known, cure):
    files = certificate(tmp_path, names)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", files[0])
    with pytest.raises(Fatal, match="its certificate cannot be trusted") as caught:
        asyncio.run(ask(files))
    assert str(caught.value).endswith(cure)
    assert caught.value.status == Exit.USAGE
