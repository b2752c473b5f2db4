"""What the host tells the first process: where things are, what to start and which limits to watch. Travels as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Spec:
    """`uid` is the user to become before anything else (0: stay). Wall clock and printed bytes are the host's to watch."""

    argv: tuple[str, ...]
    files: str  # folder whose files are copied into the working folder
    work: str  # the working folder, made new
    volume: str = ""  # the file system of a fixed size that holds `work`; "" when the folder itself must be measured
    uid: int = 0
    memory_mb: int = 0  # 0: something outside (a control group) limits memory
    own_ipc: bool = False  # System V shared memory here is all the job's
    processes: int = 64
    limit_tasks: bool = False  # RLIMIT_NPROC counts this sandbox alone
    disk_mb: int = 512
    control_group: bool = False  # /sys/fs/cgroup tells of this sandbox alone

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Spec:
        said = json.loads(text)
        return cls(**(said | {"argv": tuple(said["argv"])}))
