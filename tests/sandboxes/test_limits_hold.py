"""Attacks on limits: each ends as the limit it ran into, in time, in every sandbox."""

from __future__ import annotations

import time
from dataclasses import replace

from sandbox_host import SMALL, Bench, leftovers

QUICK = replace(SMALL, timeout_s=2.0)


def test_an_endless_loop_is_timed_out(sandbox: Bench) -> None:
    result = sandbox.run("while True: pass", QUICK)
    assert result.status == "timed_out"
    assert "2 s" in result.reason


def test_ignoring_sigterm_does_not_help(sandbox: Bench) -> None:
    code = """
        import signal, time
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        while True: time.sleep(1)
    """
    assert sandbox.run(code, QUICK).status == "timed_out"


def test_a_sleeper_that_closed_its_output_is_timed_out(sandbox: Bench) -> None:
    assert sandbox.run("import os, time; os.close(1); os.close(2); time.sleep(60)", QUICK).status == "timed_out"


def test_a_fork_bomb_is_stopped(sandbox: Bench) -> None:
    code = """
        import os
        while True:
            try: os.fork()
            except OSError: pass
    """
    assert sandbox.run(code).status == "over_limit"


def test_a_bomb_of_threads_is_stopped(sandbox: Bench) -> None:
    code = """
        import threading, time
        while True:
            try: threading.Thread(target=time.sleep, args=(60,)).start()
            except RuntimeError: time.sleep(0.1)
    """
    assert sandbox.run(code).status == "over_limit"


def test_memory_taken_bit_by_bit_is_out_of_memory(sandbox: Bench) -> None:
    code = """
        import time
        held = []
        while True:
            held.append(bytearray(b"x") * (8 << 20))
            time.sleep(0.005)
    """
    assert sandbox.run(code).status == "out_of_memory"


def test_one_absurd_allocation_is_out_of_memory(sandbox: Bench) -> None:
    assert sandbox.run("x = bytearray(64 << 30); x[::4096] = b'1' * len(x[::4096])").status == "out_of_memory"


def test_memory_held_by_children_counts(sandbox: Bench) -> None:
    code = """
        import os, time
        for _ in range(6):
            if os.fork() == 0:
                held = bytearray(b"x") * (80 << 20)
                time.sleep(60)
        time.sleep(60)
    """
    assert sandbox.run(code).status == "out_of_memory"


NAMELESS = r"ctypes.CDLL(None).prctl(15, b'\xff) R 1\xfe', 0, 0, 0)"  # a name that is not text, and looks like a line of /proc


def test_a_process_does_not_hide_its_memory_by_its_name(sandbox: Bench) -> None:
    code = f"""
        import ctypes, time
        {NAMELESS}
        held = []
        while True:
            held.append(bytearray(b"x") * (8 << 20))
            time.sleep(0.005)
    """
    assert sandbox.run(code).status == "out_of_memory"


def test_a_daemon_does_not_outlive_the_run_by_its_name(sandbox: Bench) -> None:
    code = f"""
        import ctypes, os, time
        if os.fork() == 0:
            os.setsid()
            {NAMELESS}
            time.sleep(60)
        time.sleep(0.3)
    """
    assert sandbox.run(code).ok


def test_memory_without_a_process_cannot_be_had(sandbox: Bench) -> None:
    """Files in memory, sent into a socket and closed, would be seen by no measure: they are not to be had at all."""
    code = """
        import os
        try: os.memfd_create("x")
        except OSError: print("no memory files")
    """
    assert "no memory files" in sandbox.run(code).stdout


def test_a_full_disk_is_over_limit(sandbox: Bench) -> None:
    code = """
        with open("big", "wb", buffering=0) as file:
            while file.write(b"x" * (1 << 20)): pass
    """
    result = sandbox.run(code)
    assert (result.status, "disk" in result.reason) == ("over_limit", True)


def test_disk_held_by_a_file_without_a_name_counts(sandbox: Bench) -> None:
    code = """
        import os, time
        fds = []
        for i in range(8):
            fd = os.open(f"hidden{i}", os.O_RDWR | os.O_CREAT)
            os.unlink(f"hidden{i}")
            fds.append(fd)
            try: os.write(fd, b"x" * (4 << 20))
            except OSError: pass
        time.sleep(60)
    """
    assert sandbox.run(code).status == "over_limit"


def test_very_many_empty_files_are_over_limit(sandbox: Bench) -> None:
    code = """
        n = 0
        while True:
            open(f"f{n}", "w").close()
            n += 1
    """
    assert sandbox.run(code).status == "over_limit"


def test_a_gigabyte_on_stdout_is_over_limit(sandbox: Bench) -> None:
    code = """
        import os
        for _ in range(1024): os.write(1, b"x" * (1 << 20))
    """
    result = sandbox.run(code)
    assert (result.status, len(result.stdout) <= 64 << 10) == ("over_limit", True)


def test_a_gigabyte_on_stderr_is_over_limit(sandbox: Bench) -> None:
    code = """
        import os
        for _ in range(1024): os.write(2, b"x" * (1 << 20))
    """
    result = sandbox.run(code)
    assert (result.status, len(result.stderr) <= 64 << 10) == ("over_limit", True)


def test_a_flood_of_progress_is_over_limit(sandbox: Bench) -> None:
    code = """
        with open("out/progress.jsonl", "w") as file:
            while True: file.write("{}\\n" * 10_000)
    """
    lines: list[str] = []
    assert sandbox.run(code, progress=lines.append).status == "over_limit"
    assert len(lines) <= 50_000


def test_progress_comes_while_the_run_goes_on(sandbox: Bench) -> None:
    code = """
        import time
        with open("out/progress.jsonl", "w", buffering=1) as file:
            for i in range(3):
                print(i, file=file)
                time.sleep(0.4)
            file.write("an unfinished line")
    """
    seen: list[tuple[float, str]] = []
    sandbox.run(code, progress=lambda line: seen.append((time.monotonic(), line)))
    assert [line for _, line in seen] == ["0", "1", "2"]
    assert seen[-1][0] - seen[0][0] > 0.4


def test_a_daemon_does_not_outlive_the_run(sandbox: Bench) -> None:
    code = """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.chdir("/")
                for fd in range(3): os.close(fd)
                time.sleep(60)
            os._exit(0)
        os.wait()
    """
    began = time.monotonic()
    assert sandbox.run(code).ok
    assert time.monotonic() - began < 10.0


def test_a_grandchild_that_holds_the_output_open_does_not_hold_the_run(sandbox: Bench) -> None:
    assert sandbox.run("import os, time\nif os.fork() == 0: time.sleep(60)").ok


def test_standard_input_is_empty(sandbox: Bench) -> None:
    result = sandbox.run("import sys; print(repr(sys.stdin.read()))")
    assert (result.status, result.stdout) == ("ok", "''\n")


def test_a_run_can_be_cancelled(sandbox: Bench) -> None:
    began = time.monotonic()
    result = sandbox.run("import time; time.sleep(60)", cancelled=lambda: time.monotonic() - began > 1.0)
    assert result.status == "cancelled"
    assert time.monotonic() - began < 10.0


def test_killing_every_process_in_reach_ends_only_the_run(wall: Bench) -> None:
    """What the code can reach is its own process table: the first process there cannot be killed from inside."""
    result = wall.run("import os, signal; os.kill(1, signal.SIGKILL); os.kill(-1, signal.SIGKILL); os.abort()")
    assert result.status == "failed"


def test_interrupting_the_watcher_ends_the_run(wall: Bench) -> None:
    result = wall.run("import os, signal, time; os.kill(1, signal.SIGINT); os.kill(1, signal.SIGTERM); time.sleep(60)", QUICK)
    assert result.status in ("failed", "timed_out")


def test_an_exception_is_a_failed_run_with_its_last_line(sandbox: Bench) -> None:
    result = sandbox.run("raise ValueError('B and T differ')")
    assert (result.status, result.exit_code) == ("failed", 1)
    assert "ValueError: B and T differ" in result.reason


def test_a_crash_of_the_interpreter_is_a_failed_run(sandbox: Bench) -> None:
    result = sandbox.run("import ctypes; ctypes.string_at(0)")
    assert result.status == "failed"
    assert "signal 11" in result.reason


def test_a_reason_holds_no_codes_that_steer_a_terminal(sandbox: Bench) -> None:
    result = sandbox.run("import sys; sys.stderr.write('\\x1b]0;pwned\\x07\\x1b[2J'); sys.exit(3)")
    assert (result.status, result.exit_code) == ("failed", 3)
    assert result.reason.isprintable()


def test_nothing_is_left_when_the_caller_raises(sandbox: Bench) -> None:
    def raising(line: str) -> None:
        raise KeyError(line)

    try:
        sandbox.start("open('out/progress.jsonl', 'w').write('x\\n'); import time; time.sleep(60)", progress=raising)
    except KeyError:
        assert leftovers() == []
    else:
        raise AssertionError("the caller's own exception must reach the caller")
