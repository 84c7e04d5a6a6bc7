"""In CI a skipped test is a failure, unless its reason is listed here."""

from __future__ import annotations

import os

import pytest

ALLOWED_SKIPS = (
    "real test data not found: set ABLATION_TEST_DATA",
    # rules.yaml is no part of the project; what tests/terms.toml holds of it is tested without it, too
    "evidence not found beside the data: set ABLATION_TEST_DATA",
)

_unlisted: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(allowed in reason for allowed in ALLOWED_SKIPS):
            _unlisted.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    is_controller = not hasattr(session.config, "workerinput")
    if os.environ.get("CI") and is_controller and _unlisted and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    _print_tables(terminalreporter)
    if os.environ.get("CI") and _unlisted:
        terminalreporter.section("skipped for a reason that is not listed in tests/conftest.py")
        for line in _unlisted:
            terminalreporter.write_line(line)


def _print_tables(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded by `record_property("table: TITLE", line)`, a table per title."""
    tables: dict[str, list[str]] = {}
    for report in terminalreporter.getreports("passed"):
        for name, line in getattr(report, "user_properties", ()):
            if report.when == "call" and name.startswith("table: "):
                tables.setdefault(name.removeprefix("table: "), []).append(str(line))
    for title, lines in tables.items():
        terminalreporter.section(title)
        for line in sorted(lines):
            terminalreporter.write_line(line)
