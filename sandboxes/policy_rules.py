"""The code policy's lists: what generated code may import and name, and for each thing denied what to do instead."""

# ruff: noqa: E501 - lists of names

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MOST_BYTES = 256 << 10
MOST_DEPTH = 100  # of the syntax tree

ALLOWED_MODULES = frozenset(
    ("__future__", "collections.abc", "dataclasses", "math", "sandboxes.kit", "sandboxes.kit.layers", "typing")
)

TORCH_MODULES = frozenset(
    ("torch", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.nn.utils", "torch.nn.utils.rnn", "torch.linalg", "torch.special", "torch.fft")
)  # fmt: skip

ALLOWED_DUNDERS = frozenset(
    ("__init__", "__post_init__", "__all__", "__repr__", "__len__", "__iter__", "__getitem__", "__name__")
)

_REFLECTION = "write the name out as `object.name`"
_NO_CODE = "write the code itself"
_NO_FILES = "data reach the model as a Batch only"
_NO_TALK = "the trainer reports what is to be known"

FORBIDDEN_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "eval": _NO_CODE,
        "exec": _NO_CODE,
        "compile": f"{_NO_CODE}; the trainer compiles models where that pays",
        "__import__": "use import statements of allowed modules",
        "open": _NO_FILES,
        "input": "pass values to the constructor",
        "breakpoint": "remove it",
        "help": "remove it",
        "exit": "raise ValueError when arguments do not fit",
        "quit": "raise ValueError when arguments do not fit",
        "globals": "pass values as arguments",
        "locals": "pass values as arguments",
        "vars": "use plain attributes",
        "dir": "use plain attributes",
        "getattr": _REFLECTION,
        "setattr": "assign as `self.name = value`, or use nn.ModuleDict, nn.ModuleList or register_buffer",
        "delattr": "do not delete attributes",
        "hasattr": "set the attribute in __init__",
        "memoryview": "use tensors",
        "object": "derive from nn.Module or from nothing",
        "type": "use isinstance, and derive classes by class statements",
        "classmethod": "write a plain function",
        "BaseException": "catch the exception you expect by its name",
        "Exception": "catch the exception you expect by its name",
    }
)

_RANDOM = "seeds belong to the trainer; draw with torch.rand and its like"
_OUTSIDE = "a model does not read or write files, load code or start processes"
_GLOBAL = "process-wide settings belong to the trainer"

# Attributes denied on whatever object: they lead to frames, code, memory, files, or undo what the trainer set.
FORBIDDEN_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("gi_frame", "gi_code", "cr_frame", "cr_code", "ag_frame", "ag_code", "f_back"), "a model needs no frames"
        ),
        **dict.fromkeys(("f_globals", "f_locals", "f_builtins", "f_code", "tb_frame", "tb_next"), "a model needs no frames"),
        **dict.fromkeys(("co_code", "func_globals", "mro"), "a model needs no code objects"),
        **dict.fromkeys(
            ("data_ptr", "untyped_storage", "storage", "set_", "numpy", "tofile"), "work on tensors by torch's functions"
        ),
        **dict.fromkeys(("from_file", "from_buffer", "frombuffer", "share_memory_", "share_memory"), _NO_FILES),
        **dict.fromkeys(("register_full_backward_pre_hook", "register_module_forward_hook"), "write the computation in forward"),
        **dict.fromkeys(
            ("manual_seed", "manual_seed_all", "set_rng_state", "get_rng_state", "fork_rng", "initial_seed"), _RANDOM
        ),
        **dict.fromkeys(("format_map", "attrgetter", "methodcaller"), _REFLECTION),
        **dict.fromkeys(("load_library", "import_ir_module", "import_module", "load_state_dict_from_url"), _OUTSIDE),
        **dict.fromkeys(
            ("ctypes", "builtins", "subprocess", "importlib", "torch", "np", "os", "sys", "inspect", "functools", "stdlib_re"),
            "a model needs no modules but those it imports",
        ),
        **dict.fromkeys(("get_type_hints", "ForwardRef", "make_dataclass"), "they run texts as code; write the code itself"),
    }
)

# Dotted names under `torch.`; what begins with one of them is denied too.
FORBIDDEN_TORCH: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("load", "save", "serialization", "package", "export", "onnx", "jit", "hub", "from_file", "frombuffer"), _OUTSIDE),
        **dict.fromkeys(("classes", "ops", "library", "utils", "multiprocessing", "distributed", "futures", "monitor"), _OUTSIDE),
        **dict.fromkeys(("compiler", "fx", "overrides", "testing", "profiler", "autograd.profiler", "version"), _OUTSIDE),
        **dict.fromkeys(("os", "sys", "builtins", "ctypes", "inspect", "importlib", "functools", "platform", "threading"), _OUTSIDE),
        **dict.fromkeys(("math", "typing", "types", "textwrap", "glob", "warnings"), "import allowed modules by their own names"),
        **dict.fromkeys(("storage", "UntypedStorage", "TypedStorage", "DisableTorchFunction", "from_dlpack", "to_dlpack"), _OUTSIDE),
        **dict.fromkeys(("compile", "inductor"), "the trainer compiles models where that pays"),
        **dict.fromkeys(("random", "seed", "manual_seed", "initial_seed", "set_rng_state", "get_rng_state", "Generator", "default_generator"), _RANDOM),
        **dict.fromkeys(("set_default_dtype", "set_default_device", "set_default_tensor_type", "set_num_threads"), _GLOBAL),
        **dict.fromkeys(("set_num_interop_threads", "set_grad_enabled", "use_deterministic_algorithms", "backends"), _GLOBAL),
        **dict.fromkeys(("set_float32_matmul_precision", "set_flush_denormal", "set_printoptions", "cuda", "mps", "xpu"), _GLOBAL),
        **dict.fromkeys(("set_deterministic_debug_mode", "set_warn_always", "autograd.set_detect_anomaly"), _GLOBAL),
        **dict.fromkeys(("nn.modules", "nn.parallel", "nn.qat", "nn.quantized", "nn.intrinsic", "nn.backends"), "use torch.nn itself"),
    }
)  # fmt: skip
