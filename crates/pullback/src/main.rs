//! The command `pullback`. Here, and nowhere else, arguments are read, files opened, and results printed.

use std::process::ExitCode;

mod command_line;

/// `--memory` holds for all that a file makes the command hold, not for its arrays alone.
#[global_allocator]
static ALLOCATOR: pullback::array::memory::Counted = pullback::array::memory::Counted;

fn main() -> ExitCode {
    command_line::run()
}
