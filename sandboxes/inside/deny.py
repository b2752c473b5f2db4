"""Takes from the job the system calls that no model needs: new namespaces, mounts, tracing, kernel keys and programs.

A new user namespace would let it mount file systems without a size limit. A list of what is denied is not a proof: it narrows
the way to the kernel, as Docker's own filter does. On processors other than x86-64 and arm64 it does nothing.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # offsets in struct seccomp_data
_CLONE_NEWUSER = 0x10000000

# mount calls, since 5.2 numbered alike everywhere: open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr
_NEW_MOUNT = (428, 429, 430, 431, 432, 433, 442)
_IO_URING = (425, 426, 427)
_MEMFD_SECRET = 447  # like memfd_create: memory that no limit sees once its descriptor is on the way through a socket
_CLONE3 = 435
# machine: (audit number, clone, denied: unshare setns mount umount2 pivot_root chroot ptrace process_vm_readv process_vm_writev
# add_key request_key keyctl bpf perf_event_open userfaultfd kexec_load init_module finit_module swapon memfd_create)
_MACHINES = {
    "x86_64": (
        0xC000003E,
        56,
        (272, 308, 165, 166, 155, 161, 101, 310, 311, 248, 249, 250, 321, 298, 323, 246, 175, 313, 167, 319),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        (97, 268, 40, 39, 41, 51, 117, 270, 271, 217, 218, 219, 280, 241, 282, 104, 105, 273, 224, 279),
    ),
}


class _Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def inherited_capabilities() -> None:
    """Gives up the capabilities that a change of user leaves in the inheritable set."""
    header, none = struct.pack("=II", 0x20080522, 0), struct.pack("=6I", *[0] * 6)
    ctypes.CDLL(None, use_errno=True).capset(header, none)


def unneeded_system_calls() -> None:
    """Denies them to this process and all it starts, for good. Also forbids gaining rights by setuid programs."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    code = program(platform.machine())
    if not code:
        return
    held = ctypes.create_string_buffer(code, len(code))
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(_Program(len(code) // 8, ctypes.addressof(held))), 0, 0)


def program(machine: str) -> bytes:
    """The filter in the kernel's packet-filter code, b"" where the machine's call numbers are not known here."""
    if machine not in _MACHINES:
        return b""
    arch, clone, denied = _MACHINES[machine]
    steps = [
        _step(_LOAD, _ARCH_AT),
        _step(_EQUAL, arch, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
        _step(_AT_LEAST, 0x40000000, 0, 1),  # the second x86-64 table of the same calls
        _step(_RETURN, _ERRNO | errno.ENOSYS),
        _step(_EQUAL, _CLONE3, 0, 1),  # its flags lie behind a pointer; the C library falls back to clone
        _step(_RETURN, _ERRNO | errno.ENOSYS),
    ]
    for number in (*denied, *_NEW_MOUNT, *_IO_URING, _MEMFD_SECRET):
        steps += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _ERRNO | errno.EPERM)]
    steps += [
        _step(_EQUAL, clone, 0, 3),
        _step(_LOAD, _FIRST_ARGUMENT_AT),
        _step(_ANY_BIT, _CLONE_NEWUSER, 0, 1),
        _step(_RETURN, _ERRNO | errno.EPERM),
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(steps)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
