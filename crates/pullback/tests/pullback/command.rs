//! The command as its users start it, and the files of the repository.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the repository, where the tests of the command start it.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folders of examples that are right, beside the first.
const FIELDS: [&str; 4] = ["generative", "networks", "physics", "statistics"];

/// Every `.grad` file in `examples/` and the folders of its fields that is right, as (path from the root, bytes).
pub fn examples() -> Vec<(String, Vec<u8>)> {
    let mut names: Vec<String> = Vec::new();
    for field in std::iter::once("").chain(FIELDS) {
        let directory = root().join("examples").join(field);
        for entry in std::fs::read_dir(directory).expect("there are examples") {
            let name = entry.expect("the directory can be read").file_name().into_string().expect("UTF-8");
            if name.ends_with(".grad") && name != "mistakes.grad" {
                names.push(if field.is_empty() { name } else { format!("{field}/{name}") });
            }
        }
    }
    names.sort();
    assert!(names.len() >= 6, "the examples are gone: {names:?}");
    let read = |name: String| {
        let bytes = std::fs::read(root().join("examples").join(&name)).expect("the example can be read");
        (format!("examples/{name}"), bytes)
    };
    names.into_iter().map(read).collect()
}

/// What a run of the command left behind.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the command at the root of the repository, with a source on standard input.
pub fn pullback(arguments: &[&str], stdin: &str) -> Ran {
    pullback_bytes(arguments, stdin.as_bytes())
}

/// The same with any bytes on standard input.
pub fn pullback_bytes(arguments: &[&str], stdin: &[u8]) -> Ran {
    ran(Command::new(env!("CARGO_BIN_EXE_pullback")).args(arguments), stdin)
}

/// The same in an address space of so many KiB: where more is allocated, no exit code comes back.
pub fn pullback_within(kibibytes: u32, arguments: &[&str], stdin: &[u8]) -> Ran {
    let script = format!("ulimit -v {kibibytes} && exec \"$0\" \"$@\"");
    ran(Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_pullback")]).args(arguments), stdin)
}

fn ran(command: &mut Command, stdin: &[u8]) -> Ran {
    let mut child = command
        .current_dir(root())
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command was built");
    // A command that does not read its input closes it: no failure of the test.
    let _ = child.stdin.take().expect("standard input is piped").write_all(stdin);
    let output = child.wait_with_output().expect("the command ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the command prints UTF-8");
    let ran = Ran {
        code: output.status.code().unwrap_or_else(|| panic!("{command:?}: {}", output.status)),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    };
    assert!(!ran.stderr.contains("panicked"), "{command:?} panicked: {}", ran.stderr);
    ran
}

/// The text with `ε` for what rounding leaves and depends on the processor: small errors and tolerances, and whatever is
/// below 1e-9.
pub fn without_noise(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n', ',']);
    let mut result = String::new();
    let mut before = "";
    for word in words {
        let number = word.trim_end_matches([' ', '\n', ',', ')']);
        let measured = matches!(before, "error " | "tolerance " | "than ");
        match number.parse::<f64>() {
            Ok(value) if value != 0.0 && value.abs() < if measured { 1e-3 } else { 1e-9 } => {
                result.push('ε');
                result += &word[number.len()..];
            }
            _ => result += word,
        }
        before = word;
    }
    result
}
