"""A stand-in for the Hugging Face hub: the part of its protocol that reading and pushing data sets takes."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

LFS = (".parquet", ".zst", ".gz")


@dataclass
class Commit:
    """The files of a data set at one moment."""

    sha: str
    files: dict[str, bytes]


@dataclass
class Repo:
    """A data set: branches of commits."""

    private: bool = False
    gated: bool = False
    branches: dict[str, list[Commit]] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], branch: str = "main") -> str:
        told = json.dumps({p: hashlib.sha256(b).hexdigest() for p, b in sorted(files.items())})
        number = len(self.branches.setdefault(branch, []))
        sha = hashlib.sha1(f"{branch}{number}{told}".encode()).hexdigest()
        self.branches[branch].append(Commit(sha, dict(files)))
        return sha

    def at(self, revision: str) -> Commit | None:
        if self.branches.get(revision):
            return self.branches[revision][-1]
        return next((c for b in self.branches.values() for c in b if c.sha == revision), None)


@dataclass
class HubServer:
    """The hub: its data sets, what was asked of it, and the faults it is to show."""

    token: str = "hf_hunter2"
    repos: dict[str, Repo] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    breaks: int = 0
    """How many downloads still to be cut in the middle."""
    busy: int = 0
    """How many calls still to be answered with 503."""
    down: bool = False

    def __enter__(self) -> HubServer:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.down = True
        self._server.shutdown()
        self._server.server_close()

    def commits(self, name: str) -> list[Commit]:
        return self.repos[name].branches.get("main", [])


def oid_of(path: str, data: bytes) -> str:
    """The git object id of a small file, the SHA-256 of a large one."""
    if path.endswith(LFS):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _head_of(readme: bytes) -> dict[str, Any]:
    text = readme.decode()
    return yaml.safe_load(text.split("---")[1]) if text.startswith("---") else {}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer

    def do_GET(self) -> None:
        self._route("GET")

    def do_HEAD(self) -> None:
        self._route("HEAD")

    def do_POST(self) -> None:
        self._route("POST")

    def do_PUT(self) -> None:
        self._route("PUT")

    def log_message(self, *_: Any) -> None:
        return

    def _route(self, method: str) -> None:
        parts = [unquote(p) for p in urlsplit(self.path).path.split("/") if p]
        self.body = self._read()
        if self.hub.down:
            self.close_connection = True
            return None
        self.hub.asked.append(f"{method} /{'/'.join(parts)}")
        if self.hub.busy:
            self.hub.busy -= 1
            return self._refuse(503, "")
        if parts[:1] == ["upload"]:
            self.hub.blobs[parts[1]] = self.body
            return self._json({})
        if parts == ["api", "repos", "create"]:
            return self._create()
        if parts == ["api", "validate-yaml"]:
            return self._json({"errors": [], "warnings": []})
        if parts[:1] == ["datasets"] and parts[2].endswith(".git"):
            return self._batch()
        at = 2 if parts[0] == "api" else 1
        name, rest = "/".join(parts[at : at + 2]), parts[at + 2 :]
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and not self._known()):
            return self._refuse(401 if not self._known() else 404, "RepoNotFound")
        if repo.gated and not self._known():
            return self._refuse(403, "GatedRepo")
        return self._api(repo, name, rest) if parts[0] == "api" else self._resolve(repo, rest, method)

    def _api(self, repo: Repo, name: str, rest: list[str]) -> None:
        action = rest[0] if rest else "revision"
        if action in ("preupload", "commit"):
            return self._preupload(repo) if action == "preupload" else self._commit(repo, name)
        commit = repo.at(rest[1] if len(rest) > 1 else "main")
        if commit is None:
            return self._refuse(404, "RevisionNotFound")
        if action == "tree":
            return self._json([_entry(p, b) for p, b in sorted(commit.files.items())])
        if action == "paths-info":
            wanted = (
                parse_qs(self.body.decode())["paths"]
                if self.body[:1] != b"{"
                else json.loads(self.body)["paths"]
            )
            return self._json([_entry(p, commit.files[p]) for p in wanted if p in commit.files])
        readme = commit.files.get("README.md", b"")
        return self._json({"id": name, "sha": commit.sha, "private": repo.private, "cardData": _head_of(readme),
                           "siblings": [{"rfilename": p} for p in commit.files], "tags": [], "downloads": 0})  # fmt: skip

    def _resolve(self, repo: Repo, rest: list[str], method: str) -> None:
        commit, path = repo.at(rest[1]), "/".join(rest[2:])
        if commit is None or path not in commit.files:
            return self._refuse(404, "EntryNotFound")
        data = commit.files[path]
        start, end = self._range(len(data))
        told = {"X-Repo-Commit": commit.sha, "ETag": f'"{oid_of(path, data)}"', "X-Linked-Size": str(len(data)),
                "Accept-Ranges": "bytes"}  # fmt: skip
        if self.headers.get("Range"):
            told["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
        return self._send(
            206 if self.headers.get("Range") else 200, data[start:end], told, body=method == "GET"
        )

    def _range(self, size: int) -> tuple[int, int]:
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        if not first:
            return max(0, size - int(last)), size
        return int(first), min(size, int(last) + 1) if last else size

    def _create(self) -> None:
        asked = json.loads(self.body)
        if not self._known():
            return self._refuse(401, "")
        name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
        told = {"url": f"{self.hub.url}/datasets/{name}", "name": name, "id": name}
        if name in self.hub.repos:
            return self._json(told | {"error": "You already created this dataset repo"}, 409)
        self.hub.repos[name] = Repo(
            private=bool(asked.get("private")) or asked.get("visibility") == "private"
        )
        self.hub.repos[name].commit({".gitattributes": b"*.parquet filter=lfs\n"})
        return self._json(told)

    def _preupload(self, repo: Repo) -> None:
        now = repo.at("main")
        files = now.files if now else {}
        self._json({"files": [
            {"path": f["path"], "uploadMode": "lfs" if f["path"].endswith(LFS) else "regular", "shouldIgnore": False,
             "oid": oid_of(f["path"], files[f["path"]]) if f["path"] in files else None}
            for f in json.loads(self.body)["files"]
        ]})  # fmt: skip

    def _batch(self) -> None:
        objects = []
        for asked in json.loads(self.body)["objects"]:
            made: dict[str, Any] = {"oid": asked["oid"], "size": asked["size"]}
            if asked["oid"] not in self.hub.blobs:
                made["actions"] = {"upload": {"href": f"{self.hub.url}/upload/{asked['oid']}"}}
            objects.append(made)
        self._json({"transfer": "basic", "objects": objects})

    def _commit(self, repo: Repo, name: str) -> None:
        if not self._known():
            return self._refuse(403, "")
        now = repo.at("main")
        files = dict(now.files) if now else {}
        for line in self.body.splitlines():
            told = json.loads(line)
            value = told["value"]
            if told["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif told["key"] == "lfsFile":
                files[value["path"]] = self.hub.blobs[value["oid"]]
            elif told["key"] == "deletedFile":
                del files[value["path"]]
        sha = repo.commit(files)
        return self._json({"commitOid": sha, "commitUrl": f"{self.hub.url}/datasets/{name}/commit/{sha}"})

    def _known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {self.hub.token}"

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, b'{"error":"no"}', {"X-Error-Code": code, "X-Error-Message": "no"})

    def _json(self, value: Any, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, data: bytes, headers: dict[str, str], *, body: bool = True) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD" or not body:
            return
        if self.hub.breaks and "X-Repo-Commit" in headers:
            self.hub.breaks -= 1
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self.wfile.write(data)


def _entry(path: str, data: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data)}
    if path.endswith(LFS):
        sha = hashlib.sha256(data).hexdigest()
        return entry | {"oid": sha[:40], "lfs": {"oid": sha, "size": len(data), "pointerSize": 134}}
    return entry | {"oid": oid_of(path, data)}
