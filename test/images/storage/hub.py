"""hub.py ORGANISATION/MODEL FILE CONTENTS: answers what Hugging Face's client asks of a repository with one file.

https://huggingface.co/docs/hub/api
"""

import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_, repository, file, contents = sys.argv
data = contents.encode()
commit = hashlib.sha1(data).hexdigest()
etag = f'"{hashlib.sha1(data + b"0").hexdigest()}"'


class Hub(BaseHTTPRequestHandler):
    def answer(self, body, headers=()):
        self.send_response(200)
        for name, value in {"Content-Length": str(len(body)), **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path.startswith(f"/api/models/{repository}/tree/"):
            entry = {"type": "file", "path": file, "size": len(data), "oid": etag.strip('"')}
            self.answer(json.dumps([entry]).encode(), {"Content-Type": "application/json"})
        elif path.startswith(f"/api/models/{repository}"):
            about = {"id": repository, "modelId": repository, "sha": commit, "private": False, "gated": False}
            about |= {"tags": [], "downloads": 0, "likes": 0, "siblings": [{"rfilename": file}]}
            self.answer(json.dumps(about).encode(), {"Content-Type": "application/json"})
        elif path.startswith(f"/{repository}/resolve/") and path.endswith(f"/{file}"):
            self.answer(data, {"ETag": etag, "X-Repo-Commit": commit, "Accept-Ranges": "bytes"})
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_HEAD = do_GET


ThreadingHTTPServer(("0.0.0.0", 9090), Hub).serve_forever()
