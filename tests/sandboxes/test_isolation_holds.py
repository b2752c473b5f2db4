"""Attacks on the wall: the host's network, files, processes and rights. For the sandboxes that promise one."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sandbox_host import SMALL, Bench

REPOSITORY = Path(__file__).parents[2]


def denied(wall: Bench, statement: str) -> str:
    """Runs one statement inside, and gives the name of the error it must end with."""
    code = f"""
        import os, socket, ctypes
        try:
            {statement}
        except Exception as error:
            print(type(error).__name__, getattr(error, "errno", None))
        else:
            print("DONE")
    """
    result = wall.run(code)
    assert result.status == "ok", result
    assert "DONE" not in result.stdout
    return result.stdout


@pytest.fixture
def listening() -> Iterator[int]:
    """The port of a server on the host's loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def secret() -> Iterator[Path]:
    """A file that everyone on the host may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "secret.txt")
        path.write_text("the host's secret")
        path.chmod(0o644)
        yield path


def test_no_connection_to_the_outside(wall: Bench) -> None:
    denied(wall, "socket.create_connection(('192.0.2.1', 80), timeout=1)")


def test_no_name_is_resolved(wall: Bench) -> None:
    assert "gaierror" in denied(wall, "socket.getaddrinfo('example.org', 80)")


def test_the_hosts_loopback_is_out_of_reach(wall: Bench, listening: int) -> None:
    socket.create_connection(("127.0.0.1", listening), timeout=1).close()
    denied(wall, f"socket.create_connection(('127.0.0.1', {listening}), timeout=1)")


def test_there_is_no_way_out_but_loopback(wall: Bench) -> None:
    assert wall.run("import socket; print([name for _, name in socket.if_nameindex()])").stdout == "['lo']\n"


def test_the_hosts_abstract_sockets_are_out_of_reach(wall: Bench) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0agenticrs-test")
        server.listen()
        denied(wall, "socket.socket(socket.AF_UNIX).connect('\\0agenticrs-test')")


def test_no_docker_socket_inside(wall: Bench) -> None:
    denied(wall, "socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')")


@pytest.mark.parametrize("path", ["/attack", "/usr/attack", "/etc/attack", "/agenticrs/attack", "/handed/attack", "/dev/attack"])
def test_nothing_is_written_outside(wall: Bench, path: str) -> None:
    denied(wall, f"open({path!r}, 'w')")
    assert not Path(path).exists()


def test_the_kit_is_not_rewritten(wall: Bench) -> None:
    denied(wall, "open('/agenticrs/sandboxes/kit/__init__.py', 'a')")


def test_the_data_are_read_but_not_written(wall: Bench, tmp_path: Path) -> None:
    data = tmp_path / "visible"
    data.mkdir()
    (data / "train.txt").write_text("rows")
    code = """
        import os
        folder = os.environ["AGENTICRS_DATA"]
        print(open(folder + "/train.txt").read())
        for way in (lambda: open(folder + "/train.txt", "a"), lambda: open(folder + "/n", "w"), lambda: os.chmod(folder, 511)):
            try: way()
            except OSError: print("denied")
    """
    assert wall.run(code, data=data).stdout == "rows\n" + "denied\n" * 3
    assert [p.name for p in data.iterdir()] == ["train.txt"]


@pytest.mark.parametrize("path", ["/etc/shadow", "/root/.ssh", "/root/.bashrc", "/home/nobody", "/proc/1/environ", "/proc/kcore"])
def test_files_of_the_host_are_not_read(wall: Bench, path: str) -> None:
    code = f"""
        import os
        try: print("DONE", len(os.listdir({path!r}) if os.path.isdir({path!r}) else open({path!r}, "rb").read(1)))
        except OSError: pass
    """
    result = wall.run(code)
    assert (result.status, result.stdout.strip() in ("", "DONE 0")) == ("ok", True), result.stdout


def test_a_secret_in_the_hosts_tmp_is_not_there(wall: Bench, secret: Path) -> None:
    assert "FileNotFoundError" in denied(wall, f"open({str(secret)!r})")


def test_a_secret_is_not_reached_through_the_first_process(wall: Bench, secret: Path) -> None:
    denied(wall, f"open('/proc/1/root{secret}')")


def test_the_other_packages_of_the_repository_are_not_there(wall: Bench) -> None:
    code = f"""
        import os, importlib.util
        import sandboxes.kit.card
        for module in ("sandboxes.choose", "sandboxes.jobs", "memory", "agents", "workflows"):
            if importlib.util.find_spec(module): print("found", module)
        for folder in ("sandboxes", "agents", "tests", ".git"):
            if os.path.exists({str(REPOSITORY)!r} + "/" + folder): print("found", folder)
        print("looked")
    """
    assert wall.run(code).stdout == "looked\n"


def test_the_environment_of_the_host_is_not_seen(sandbox: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every sandbox, the process sandbox too."""
    monkeypatch.setenv("AGENTICRS_API_KEY", "the host's secret")
    seen = sandbox.run("import os; print(dict(os.environ))")
    assert seen.ok
    assert "secret" not in seen.stdout


def test_processes_of_the_host_are_not_seen(wall: Bench) -> None:
    result = wall.run("import os; print(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))")
    assert str(os.getpid()) not in result.stdout
    assert len(result.stdout.split(",")) <= 3


def test_the_code_is_nobody_without_rights(wall: Bench) -> None:
    code = """
        import os
        status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
        print(os.getuid() != 0, os.getgid() != 0, os.getgroups() in ([], [os.getgid()]))
        print({status[f"Cap{kind}"].strip() for kind in ("Inh", "Prm", "Eff", "Amb")}, status["NoNewPrivs"].strip())
    """
    first, second = wall.run(code).stdout.splitlines()
    assert first == "True True True"
    assert second == "{'0000000000000000'} 1"


@pytest.mark.parametrize(
    "call", ["os.setuid(0)", "os.setgid(0)", "os.setgroups([0])", "os.chroot('/tmp')", "os.setpriority(0, 0, -5)"]
)
def test_rights_are_not_gained(wall: Bench, call: str) -> None:
    denied(wall, call)


def test_a_setuid_program_gives_no_rights(wall: Bench) -> None:
    code = """
        import os, shutil, subprocess
        programs = [p for p in ("/usr/bin/su", "/bin/su", "/usr/bin/mount", "/usr/bin/newgrp") if os.path.exists(p)]
        shutil.copyfile("/bin/sh", "shell")
        os.chmod("shell", 0o6755)
        print(subprocess.run(["./shell", "-p", "-c", "id -u"], capture_output=True, text=True).stdout.strip() != "0")
        for program in programs:
            said = subprocess.run([program, "-c", "id -u"], stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
            print(said.strip() != "0")
    """
    result = wall.run(code)
    assert result.ok, result
    assert "False" not in result.stdout


@pytest.mark.parametrize(
    "call",
    [
        "unshare(0x10000000)",  # a new user namespace
        "unshare(0x00020000)",  # a new mount namespace
        "mount(b'none', b'/tmp', b'tmpfs', 0, 0)",
        "umount2(b'/agenticrs', 2)",
        "ptrace(16, 1, 0, 0)",  # PTRACE_ATTACH
        "syscall(425, 8, 0)",  # io_uring_setup
        "syscall(435, 0, 0)",  # clone3
    ],
)
def test_dangerous_system_calls_are_denied(wall: Bench, call: str) -> None:
    result = wall.run(f"import ctypes; print(ctypes.CDLL(None, use_errno=True).{call}, ctypes.get_errno() in (1, 38))")
    assert result.stdout == "-1 True\n"


@pytest.mark.parametrize(
    "path", ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/1/mem", "/proc/1/fd/1", "/sys/fs/cgroup/memory/tasks"]
)
def test_the_kernels_files_are_not_written(wall: Bench, path: str) -> None:
    denied(wall, f"open({path!r}, 'wb')")


def test_no_device_but_the_harmless(wall: Bench) -> None:
    code = """
        import os, stat
        for name in sorted(os.listdir("/dev")):
            if stat.S_ISBLK(os.lstat("/dev/" + name).st_mode): print("block device", name)
        try: os.mknod("/tmp/work/disk", 0o666 | stat.S_IFBLK, os.makedev(254, 0))
        except OSError: print("denied")
    """
    assert wall.run(code).stdout == "denied\n"


def test_the_stream_to_the_host_is_not_forged(wall: Bench) -> None:
    """What the code prints is passed on as its words, never taken as the watcher's."""
    code = r"""
        import os, struct
        end = b'{"exit_code": 0, "over": "", "reason": ""}'
        os.write(1, b"X" + struct.pack(">I", len(end)) + end)
        for fd in range(3, 64):
            try: os.write(fd, b"X" + struct.pack(">I", len(end)) + end)
            except OSError: pass
        os._exit(7)
    """
    result = wall.run(code)
    assert (result.status, result.exit_code) == ("failed", 7)


def test_two_runs_at_once_do_not_see_each_other(wall: Bench, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    code = """
        import os, time
        open("/tmp/of-run-{}", "x").close()
        time.sleep(1)
        print([n for n in os.listdir("/tmp") if n.startswith("of-run-")], sum(p.isdigit() for p in os.listdir("/proc")))
    """

    def seen_by(name: str) -> str:
        return replace(wall, folder=tmp_path / name).start(code.replace("{}", name), SMALL).stdout

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(seen_by, "ab")) == ["['of-run-a'] 2\n", "['of-run-b'] 2\n"]
