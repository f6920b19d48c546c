"""A proxy that refuses every request with the status that it is given; writes its address to the file `at`."""

import os
import socket
import sys

server = socket.create_server(("127.0.0.1", 0))
with open("at.new", "w") as file:
    file.write(f"127.0.0.1:{server.getsockname()[1]}")
os.rename("at.new", "at")
while True:
    connection = server.accept()[0]
    with connection:
        read = b""
        while b"\r\n\r\n" not in read and (data := connection.recv(65536)):
            read += data
        connection.sendall(
            f"HTTP/1.1 {sys.argv[1]}\r\nContent-Length: 9\r\nConnection: close\r\n\r\nno secret".encode()
        )
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
