"""Packs a folder so that the same files give the same bytes: pack.py FOLDER ARCHIVE (.zip or .tar.gz)"""

import gzip
import io
import pathlib
import sys
import tarfile
import zipfile

folder, archive = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
paths = sorted((path for path in folder.rglob("*") if path.is_symlink() or path.is_file()), key=lambda path: path.as_posix())
PROGRAMS = {"cortexkey", "cortexkey.exe", "install.sh"}


def mode(path):
    return 0o755 if path.name in PROGRAMS else 0o644


def name(path):
    return f"{folder.name}/{path.relative_to(folder).as_posix()}"


if archive.suffix == ".zip":
    with zipfile.ZipFile(archive, "w") as packed:
        for path in paths:
            about = zipfile.ZipInfo(name(path), (1980, 1, 1, 0, 0, 0))
            about.compress_type, about.create_system = zipfile.ZIP_DEFLATED, 3
            about.external_attr = (0o100000 | mode(path)) << 16
            packed.writestr(about, path.read_bytes(), compresslevel=9)
else:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.GNU_FORMAT) as packed:
        for path in paths:
            about = tarfile.TarInfo(name(path))
            about.mode = mode(path)
            if path.is_symlink():
                about.type, about.linkname = tarfile.SYMTYPE, str(path.readlink())
                packed.addfile(about)
            else:
                content = path.read_bytes()
                about.size = len(content)
                packed.addfile(about, io.BytesIO(content))
    archive.write_bytes(gzip.compress(tar.getvalue(), 9, mtime=0))
