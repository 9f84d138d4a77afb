"""Descriptions of machines, code and saved models: well-formed ones, and what they are made of."""

from __future__ import annotations

MACHINE_KINDS = ("target-toml", "target-json", "target-inline")
CODE_KINDS = ("python", "notebook", "model")
OTHER_KINDS = (*MACHINE_KINDS, *CODE_KINDS)
"""What the program reads beside the files of a project that it audits."""

OTHER_PATHS = {
    "target-toml": "machine.toml",
    "target-json": "machine.json",
    "target-inline": "inline",
    "python": "train.py",
    "notebook": "train.ipynb",
    "model": "config.json",
}

OTHER_SAMPLES = {
    "target-toml": """\
[machine]
os = "Ubuntu 22.04"
arch = "x86_64"
glibc = "2.35"
python = "3.10.12"
driver = "535.104.05"
driver_cuda = "12.2"
cuda_toolkit = "11.8"
cudnn = "8.9.2"
image_cuda = "12.1"
wants_gpu = true
builds_extensions = true
missing_libraries = ["libGL.so.1"]
gpus = ["8xA100", { name = "Tesla T4", compute_capability = "7.5", count = 2 }]
[environment]
complete = true
manager = "venv"
packages = { torch = "2.1.0+cu118", numpy = "2.0.0", torchvision = "0.15.0" }
conda_packages = { pytorch = "2.1.0" }
[environment.torch]
cuda = "11.8"
arch_list = ["sm_80", "compute_90"]
""",
    "target-json": """\
{
  "machine": {"os": "linux", "driver": "470.82", "python": "3.12", "gpus": ["RTX 4090", "H100"]},
  "environment": {
    "complete": false,
    "packages": {"tensorflow": "2.15.0", "numpy": "2.1.0", "pandas": "1.5.3"},
    "torch": {"cuda": "none", "arch_list": ["sm_70"]}
  }
}
""",
    "target-inline": "driver=535.104,gpu=8xA100+T4,python=3.10,os=linux,cuda=12.2,wants-gpu=yes",
    "python": """\
from __future__ import annotations
import numpy as np
import transformers
from transformers import AdamW, TrainingArguments as Arguments
import pkg_resources, tensorflow as tf

try:
    from torch._six import string_classes
except ImportError:
    string_classes = (str, bytes)

@property
def f(x: np.float_ = np.float_(1), *, y=lambda np: np.int, **k) -> "np.bool":
    if hasattr(np, "product"):
        return np.product(x)
    return [np.alltrue(x) for np in y if (z := np.int0(1))]

class A(tf.contrib.layers.Layer):
    é = np.Inf; "\\d"
    match = transformers.TrainingArguments(
        evaluation_strategy="no", **{"a": 1})

np.float_ = np.float64
with np.errstate() as a, open(a) as b:
    assert np.__version__ < "2", f"{np.NaN!r:>{np.Inf}}"
while True: break
""",
    "notebook": """\
{"cells": [
 {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": 1,
  "source": ["%matplotlib inline\\n", "!pip install numpy\\\\\\n", " torch\\n",
             "import numpy as np\\n", "x = np.float_(1)\\t# \\u00e9\\n", "np.product?"]},
 {"cell_type": "code", "source": "%%time\\nfrom transformers import AdamW\\nnp.Inf"},
 {"cell_type": "code", "source": "%%bash\\npip install x"},
 {"cell_type": "markdown", "source": ["# a"]}],
 "metadata": {"kernelspec": {"name": "python3", "language": "python"}},
 "worksheets": [{"cells": [{"cell_type": "code", "input": ["np.NaN"]}]}],
 "nbformat": 4, "nbformat_minor": 5}
""",
    "model": '{"model_type": "x", "transformers_version": "4.45.0", "peft_version": "0.13.2"}\n',
}

_MACHINE = (
    *("driver", "gpus", "gpu", "python", "packages", "machine", "environment", "torch", "os"),
    *("glibc", "count", "compute_capability", "arch_list", "conda_packages", "cc", "cuda"),
    *("535", "470.82.01", "12.2", "9999999", "1e999", "nan", "-1", "0x10", "true", "null", "8.6"),
    *("A100", "8xA100", "0xT4", "H100+T4", "Radeon", "GTX 1080 Ti", "sm_86", "B200", "Apple M2"),
    *("linux", "windows", "macos", "aarch64", "2.1.0+cu118", "\\u001b[31m", "\x1b]0;x\x07"),
)
_CODE = (
    *("import ", "from ", "as ", "numpy", "np.", "float_", "np.product(", "transformers.", "AdamW"),
    *(
        "tensorflow.contrib",
        "pkg_resources",
        "try:\n ",
        "except ImportError:\n ",
        "def f(",
        "):\n ",
    ),
    *(
        "class A",
        "lambda: ",
        "async ",
        "await ",
        "with ",
        "for x in ",
        "yield ",
        "*",
        "**",
        ":=",
        "->",
    ),
    *("match x:\n case ", "if ", " else ", "elif ", "hasattr(np, 'x')", 'f"{', '}"', "global np\n"),
    *("setattr(np, 'float_', 1)", "del np\n", "assert ", "@", "\t", "\x0c", "# coding: utf-7\n"),
    *("evaluation_strategy=1", "é", "\U0001f600", "np.bool", "TrainingArguments(", "pass\n", "%%"),
)
OTHER_PIECES = {
    "target-toml": (*_MACHINE, "[machine]\n", "[environment]\n", "[environment.packages]\n", " = "),
    "target-json": (*_MACHINE, '{"machine": {', '"environment": {', '"gpus": [', "}}", "NaN"),
    "target-inline": (*_MACHINE, "wants-gpu=", "gpu=", "driver=", "cuda=", "toolkit=", ",", ",,"),
    "python": _CODE,
    "notebook": (*_CODE, '{"cells": [', '"cell_type": "code"', '"source": ["', "\\n", "\\ud800"),
    "model": ('"transformers_version": "', '"_diffusers_version": "4.', "\\n", "null", '": "'),
}

WELL_KNOWN = (
    *("numpy==2.0.0", "numpy<2", "numpy==1.21.0", "numpy", "torch==2.1.0", "torch", "torch==1.7.1"),
    *("torch==2.1.0+cu118", "torch==2.7.0", "torchvision==0.15.0", "torchaudio==2.0.1", "xformers"),
    *("transformers==4.30.0", "transformers>=4.40", "tokenizers==0.13.3", "huggingface-hub==0.1"),
    *("tensorflow==2.15.0", "tensorflow-gpu==1.15", "keras==3.0", "jax[cuda12]==0.4.20", "jaxlib"),
    *("pandas==1.5.3", "scipy==1.7.0", "scikit-learn==0.24", "opencv-python==4.8.0.74", "protobuf"),
    *("flash-attn==2.5.0", "vllm==0.4.0", "triton==2.1.0", "bitsandbytes==0.41", "deepspeed"),
    *("nvidia-cudnn-cu12==8.9.2.26", "cupy-cuda11x", "onnxruntime-gpu==1.16", "setuptools<70"),
    *("python=3.12", "python=3.7", "cudatoolkit=11.3", "pytorch-cuda=12.1", "pytorch=2.1"),
    *(
        "apex",
        "pip",
        "wheel",
        "mmcv-full==1.7.0",
        "dgl",
        "torch-scatter",
        "spacy==3.5",
        "gym==0.21",
    ),
)
"""Requirements of distributions that the records speak of, for files of every kind."""
