//! The command `pullback`: [`pullback::command_line`], with its arguments and its exit code.

use std::process::ExitCode;

/// `--memory` holds for all that a file makes the command hold, not for its arrays alone.
#[global_allocator]
static ALLOCATOR: pullback::array::memory::Counted = pullback::array::memory::Counted;

fn main() -> ExitCode {
    ExitCode::from(pullback::command_line::run(std::env::args_os()))
}
