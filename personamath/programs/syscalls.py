"""Calls of the system that a program may not make, as a filter for Linux's seccomp.

A program needs memory, the clock, files to read (modules) and its output. It may not start processes, signal or trace
others, use the network, write or change files, or mount. Numbers are those of x86_64 and aarch64; other processors get
no filter.
"""

import errno
import platform
import struct
from collections.abc import Iterator
from typing import NamedTuple

# A call's numbers on x86_64 and on aarch64, which lacks the old calls.
_NETWORK = {"socket": (41, 198), "socketpair": (53, 199), "bind": (49, 200), "connect": (42, 203)}
_PROCESSES = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "setpgid": (109, 154),
    "setsid": (112, 157),
    "unshare": (272, 97),
    "setns": (308, 268),
}
_OTHERS = {
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
}
_FILES = {
    "creat": (85, None),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
}
_KERNEL = {
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "io_uring_setup": (425, 425),  # its operations pass by every filter
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "memfd_create": (319, 279),  # memory beyond the limit
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "mq_open": (240, 180),
}
REFUSED = _NETWORK | _PROCESSES | _OTHERS | _FILES | _KERNEL

CLONE_THREAD = 0x10000
WRITES = 0o3 | 0o100 | 0o1000
"""Flags of `open`: to write, to create, to truncate."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000
"""Numbers from here on are x86_64's calls with pointers of 32 bits."""


class _Processor(NamedTuple):
    audit: int
    """What the kernel calls it."""
    column: int
    """Its numbers in the tables."""
    opens: dict[int, int]
    """Calls that open a file, with the place of their flags."""
    clone: int
    prlimit: int


_PROCESSORS = {
    "x86_64": _Processor(0xC000003E, 0, {2: 1, 257: 2}, 56, 302),
    "aarch64": _Processor(0xC00000B7, 1, {56: 2}, 220, 261),
}
_CLONE3, _OPENAT2 = 435, 437
"""On both; their arguments are behind pointers, where no filter can see them."""


def seccomp_filter() -> bytes:
    """The filter as the kernel takes it, an array of `sock_filter`; empty for other systems and processors."""
    processor = _PROCESSORS.get(platform.machine()) if platform.system() == "Linux" else None
    return b"".join(_instructions(processor)) if processor else b""


def _instructions(processor: _Processor) -> Iterator[bytes]:
    refused, unknown = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
    yield _step(_LOAD, _ARCHITECTURE)
    yield _step(_EQUAL, processor.audit, then=1)
    yield _step(_RETURN, _KILL)
    yield _step(_LOAD, _NUMBER)
    yield _step(_AT_LEAST, _X32, otherwise=1)
    yield _step(_RETURN, unknown)
    # libraries then take the older call, whose arguments can be seen
    for number in (_CLONE3, _OPENAT2):
        yield _step(_EQUAL, number, otherwise=1)
        yield _step(_RETURN, unknown)
    for number, place in processor.opens.items():
        yield from _if_any_bit(number, place, WRITES, refused, _ALLOW)
    yield from _if_any_bit(processor.clone, 0, CLONE_THREAD, _ALLOW, refused)
    yield from _if_any_bit(processor.prlimit, 0, 0xFFFFFFFF, refused, _ALLOW)  # 0 is the caller itself
    for numbers in REFUSED.values():
        if (mine := numbers[processor.column]) is not None:
            yield _step(_EQUAL, mine, otherwise=1)
            yield _step(_RETURN, refused)
    yield _step(_RETURN, _ALLOW)


def _if_any_bit(number: int, place: int, bits: int, then: int, otherwise: int) -> Iterator[bytes]:
    """For one call: what happens if its argument at a place has any of these bits, and otherwise."""
    yield _step(_EQUAL, number, otherwise=4)
    yield _step(_LOAD, _ARGUMENTS + 8 * place)
    yield _step(_ANY_BIT, bits, otherwise=1)
    yield _step(_RETURN, then)
    yield _step(_RETURN, otherwise)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction; it goes on after as many more as `then` or `otherwise` says."""
    return struct.pack("<HBBI", code, then, otherwise, value)
