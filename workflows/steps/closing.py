"""How a run closes for people: its report and its MLflow runs. Every run closes, however it ended."""

from __future__ import annotations

from agents.autotrain.report import write_report
from workflows.context import Context
from workflows.steps.track import track
from workflows.steps.view import report_view


def report(ctx: Context, status: str, reason: str) -> None:
    """report.html and report.md in the run's folder, and everything in MLflow."""
    write_report(report_view(ctx, status, reason), ctx.folder.root)
    run_id = track(ctx, status, reason)
    ctx.folder.write_text("mlflow_run.txt", run_id)
