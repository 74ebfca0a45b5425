"""A server of one file on this machine, as good or as bad as a test wants it."""

import contextlib
import http.server
import threading


class FileServer(http.server.ThreadingHTTPServer):
    """Attributes:
    content: the file, under any path.
    headers: sent with it, such as an ETag, by which a client's If-Range is judged.
    cuts: for each coming answer, after how many bytes its connection breaks.
    status: an error to answer instead; 0: none.
    asked: the headers of each request so far.
    """

    daemon_threads = True

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content, self.headers, self.cuts, self.status, self.asked = content, {}, [], 0, []

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/somewhere/{name}"

    @contextlib.contextmanager
    def running(self):
        thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append(dict(self.headers))
        if server.status:
            self.send_error(server.status)
            return
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        if self.headers.get("If-Range", server.headers.get("ETag")) != server.headers.get("ETag"):
            start = 0
        size = len(server.content)
        if start >= size:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - start))
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        end = start + server.cuts.pop(0) if server.cuts else size
        self.wfile.write(server.content[start:end])
        self.close_connection = True

    def log_message(self, *_):
        pass
