"""What findings on installed files say, and what they advise."""

from __future__ import annotations

from typing import Any

from making import SITE, environment_of

from mlenv.knowledge import Knowledge
from mlenv.model.finding import Finding
from mlenv.rules.installed_files import files_missing_or_altered, files_overwritten


def found(**table: Any) -> Finding:
    environment = environment_of(table)
    (finding,) = [
        *files_overwritten.check(environment, Knowledge()),
        *files_missing_or_altered.check(environment),
    ]
    assert isinstance(finding, Finding)
    return finding


def overlap(*owners: str, holder: str, file: str, **more: Any) -> dict[str, Any]:
    return {
        "owners": list(owners),
        "paths": [f"{SITE}/{file}"],
        "count": 3,
        "holder": holder,
        "identical": 36,
        **more,
    }


def test_whose_copy_lies_there_and_who_needs_the_other() -> None:
    finding = found(
        distributions=[
            {"name": "torch", "version": "2.15.0", "requires": ["nvidia-nccl-cu13==2.30.7"]},
            {"name": "xgboost", "version": "3.1.1", "requires": ["nvidia-nccl-cu12"]},
            {"name": "nvidia-nccl-cu13", "version": "2.30.7"},
            {"name": "nvidia-nccl-cu12", "version": "2.32.3"},
        ],
        overlaps=[
            overlap(
                *("nvidia-nccl-cu13", "nvidia-nccl-cu12"),
                holder="nvidia-nccl-cu12",
                file="nvidia/nccl/lib/libnccl.so.2",
            )
        ],
    )
    assert finding.message == (
        "nvidia-nccl-cu13 2.30.7 and nvidia-nccl-cu12 2.32.3 are installed over each other: "
        "nvidia/nccl/lib/libnccl.so.2 is that of nvidia-nccl-cu12, and torch 2.15.0 needs "
        "nvidia-nccl-cu13"
    )
    assert finding.help == (
        "take all frameworks for one major version of CUDA; uv pip install --reinstall "
        "nvidia-nccl-cu13==2.30.7 puts its files back"
    )
    assert finding.evidence[0].fact == "3 of 39 files that they share differ"
    assert finding.evidence[1].fact.startswith("then one libnccl.so.2 for two versions of CUDA")


def test_the_one_whose_files_lie_there_is_the_one_to_keep() -> None:
    finding = found(
        made_by="venv",
        packages={"alpha": "1.0", "beta": "2.0", "gamma": "3.0"},
        overlaps=[overlap("alpha", "beta", "gamma", holder="beta", file="common/core.py")],
    )
    assert finding.message == (
        "alpha 1.0, beta 2.0 and gamma 3.0 are installed over each other: common/core.py is that "
        "of beta"
    )
    assert finding.help == (
        "keep one of them, such as by pip uninstall alpha gamma, then pip install "
        "--force-reinstall --no-deps beta==2.0, some of whose files go with the others"
    )


def test_two_parts_of_one_project_are_taken_in_one_version() -> None:
    finding = found(
        distributions=[
            {"name": "mlflow", "version": "3.18.0", "requires": ["mlflow-skinny==3.18.0"]},
            {"name": "mlflow-skinny", "version": "3.17.2"},
        ],
        overlaps=[overlap("mlflow-skinny", "mlflow", holder="mlflow", file="mlflow/version.py")],
    )
    assert finding.message.endswith("mlflow/version.py is that of mlflow")
    assert finding.help == (
        "both are one project's: install mlflow-skinny==3.18.0, which mlflow asks for"
    )


def test_what_overlaps_with_conda_is_said_elsewhere() -> None:
    environment = environment_of(
        {"overlaps": [overlap("a", holder="a", file="m/a.py", conda="b")], "packages": {"a": "1"}}
    )
    assert [*files_overwritten.check(environment, Knowledge())] == []


def test_what_is_missing_and_how_to_put_it_back() -> None:
    finding = found(
        packages={"opencv-python": "4.10.0.84"},
        altered=[
            {
                "name": "opencv-python",
                "missing": [f"{SITE}/cv2/cv2.abi3.so", f"{SITE}/cv2/version.py"],
                "changed": [f"{SITE}/cv2/utils.py"],
                "looked_at": 54,
                "recorded": 89,
            }
        ],
    )
    assert finding.message == (
        "opencv-python 4.10.0.84 is not whole: 2 files of it are missing or empty and 1 file is "
        "not as installed, such as cv2/cv2.abi3.so"
    )
    assert finding.help == "uv pip install --reinstall opencv-python==4.10.0.84"
    (evidence,) = finding.evidence
    assert evidence.fact.endswith("54 of 89 recorded files were looked at")
