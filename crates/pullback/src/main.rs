//! The command `pullback`. Here, and nowhere else, arguments are read, files opened, and results printed.

use std::process::ExitCode;

mod command_line;

fn main() -> ExitCode {
    command_line::run()
}
