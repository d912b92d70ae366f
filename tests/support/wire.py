"""What a pod's program does on the network: `wire.py listen ADDRESS PORT…`, and `wire.py ask tcp|udp ADDRESS PORT`.

A script of the standard library alone: it runs in network namespaces that have nothing else.
"""

from __future__ import annotations

import socket
import sys
import threading

ANSWER = b"here"
TYPES = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
ASK_SECONDS = 2


def listen(address: str, ports: list[int]) -> None:
    """Answers on those ports, by TCP and by UDP, until the process is ended; says so once all are open."""
    threads: list[threading.Thread] = []
    for port in ports:
        stream, datagram = socket.create_server((address, port)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagram.bind((address, port))
        threads.append(threading.Thread(target=_answer_connections, args=(stream,)))
        threads.append(threading.Thread(target=_answer_datagrams, args=(datagram,)))
    for thread in threads:
        thread.start()
    print("open", flush=True)


def _answer_connections(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(ANSWER)


def _answer_datagrams(listener: socket.socket) -> None:
    while True:
        _, sender = listener.recvfrom(64)
        listener.sendto(ANSWER, sender)


def ask(protocol: str, address: str, port: int) -> bool:
    """Whether an answer comes."""
    with socket.socket(socket.AF_INET, TYPES[protocol]) as connection:
        connection.settimeout(ASK_SECONDS)
        try:
            connection.connect((address, port))
            if protocol == "udp":
                connection.send(b"who")
            return connection.recv(64) == ANSWER
        except OSError:
            return False


if __name__ == "__main__":
    if sys.argv[1] == "listen":
        listen(sys.argv[2], [int(port) for port in sys.argv[3:]])
    else:
        print("answer" if ask(sys.argv[2], sys.argv[3], int(sys.argv[4])) else "nothing")
