"""The first bytes of files of many kinds, enough for a reader that goes by them."""

from __future__ import annotations

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 32
WAV = b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 32
FILES = {
    "image/png": PNG,
    "image/jpeg": JPEG,
    "image/gif": b"GIF89a" + b"\0" * 16,
    "image/webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "image/bmp": b"BM" + b"\0" * 30,
    "image/tiff": b"II*\x00" + b"\0" * 16,
    "image/avif": b"\0\0\0\x20ftypavif",
    "audio/wav": WAV,
    "audio/mpeg": b"ID3\x04\0\0",
    "audio/flac": b"fLaC\0\0\0\x22",
    "audio/ogg": b"OggS\0\x02",
    "audio/mp4": b"\0\0\0\x20ftypM4A ",
}
