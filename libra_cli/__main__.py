"""`python -m libra_cli` is `libra`."""

from libra_cli.stream.module_path import leave_out_current_folder

if __name__ == "__main__":
    leave_out_current_folder()  # before the first import that is not the package's own
    from libra_cli.main import run

    run()
