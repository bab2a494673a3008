"""The `dataflow` command."""


def main() -> None:
    """Run the command of `sys.argv`, and exit with its status."""
    from dataflow.cli.app import app

    app(prog_name="dataflow")
