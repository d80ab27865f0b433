"""Unpacks what a build needs from wheels: TensorFlow's libraries and headers, and NVIDIA's libraries.

Usage: unpack_wheels.py DESTINATION WHEEL...   Prints "DONE TOTAL" in bytes as it goes, then a line per wheel:
"wheel NAME VERSION SHA256".
"""

import hashlib
import re
import sys
import zipfile

WANTED = re.compile(
    r"tensorflow/include/|tensorflow/libtensorflow[^/]*$"
    r"|nvidia/[^/]+/lib/|nvidia/cuda_nvcc/(bin|nvvm)/|nvidia/cu\d+/(lib|bin|nvvm)/"
)
REPORT_EVERY_BYTES = 16 << 20


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def main(destination, wheels):
    archives = [zipfile.ZipFile(wheel) for wheel in wheels]
    entries = [(a, i) for a in archives for i in a.infolist() if WANTED.match(i.filename)]
    total = sum(info.file_size for _, info in entries)
    done = reported = 0
    for archive, info in entries:
        archive.extract(info, destination)
        done += info.file_size
        if done - reported >= REPORT_EVERY_BYTES or done == total:
            reported = done
            print(done, total, flush=True)
    for wheel in wheels:
        name, version = wheel.replace("\\", "/").rsplit("/", 1)[-1].split("-")[:2]
        print("wheel", name, version, sha256(wheel), flush=True)


main(sys.argv[1], sys.argv[2:])
