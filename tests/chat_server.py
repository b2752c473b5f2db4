"""A server on loopback that speaks OpenAI's chat protocol and gives scripted replies."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = str | tuple[int, str] | float  # an answer; a status with its message; a pause in seconds before a late answer


class ChatServer(ThreadingHTTPServer):
    """Gives the scripted replies in order, or what `answer` says to a question, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: list[Reply] = []
        self.answer: Callable[[dict[str, Any]], Reply] | None = None
        self.usage = (1000, 100)  # tokens asked and answered, as they are told with every reply
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.finish_reason = "stop"
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)
        self.server.keys.append(self.headers.get("Authorization", ""))
        reply = self._reply(asked)
        if isinstance(reply, tuple):
            self._send(reply[0], reply[1] if reply[1].startswith("<") else json.dumps({"error": {"message": reply[1]}}))
            return
        if isinstance(reply, float):
            time.sleep(reply)
            reply = "late"
        message = {"role": "assistant", "content": reply}
        choice = {"index": 0, "message": message, "finish_reason": self.server.finish_reason}
        tokens = self.server.usage
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
        self._send(200, json.dumps({"id": "1", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}))

    def _reply(self, asked: dict[str, Any]) -> Reply:
        if self.server.answer:
            return self.server.answer(asked)
        return self.server.replies.pop(0) if self.server.replies else (500, "nothing is scripted")

    def _send(self, status: int, body: str) -> None:
        data = body.encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            return  # the client no longer waits


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """The server, running while the block runs."""
    with ChatServer() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()
