//! `cargo xtask test`: all tests, those of Rust and those of the Python package; `cargo xtask test rust` and `cargo xtask test python` run
//! the ones or the others.
//!
//! Python's need a Python with NumPy and pytest; those of PyTorch and of JAX skip, and say so, where these are not there. It is the one
//! that `PULLBACK_PYTHON` names, or else one in `target/python`, a virtual environment that is made for it, and into which all of
//! these are installed: PyTorch's wheel takes 6 GB. Where no Python can be had the tests of Python are left out, loudly; in CI (`CI`
//! is set) that fails.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs all tests, or those of one side; whether they pass.
pub fn run_all(root: &Path, side: Option<&str>) -> bool {
    match side {
        None => rust(root) & python(root),
        Some("rust") => rust(root),
        Some("python") => python(root),
        Some(other) => {
            eprintln!("`{other}`: the tests are `rust` and `python`");
            false
        }
    }
}

fn rust(root: &Path) -> bool {
    run(Command::new("cargo").args(["test", "--workspace", "--locked"]).current_dir(root))
}

fn python(root: &Path) -> bool {
    let Some(python) = interpreter(root) else {
        let advice = "set PULLBACK_PYTHON to a Python of 3.9 or later that has numpy and pytest";
        let line = "=".repeat(78);
        eprintln!("{line}\nNO PYTHON: THE TESTS OF THE PYTHON PACKAGE DID NOT RUN. {advice}\n{line}");
        return std::env::var_os("CI").is_none();
    };
    extension(root, &python) && run(&mut pytest(root, &python))
}

/// The Python that runs the tests.
fn interpreter(root: &Path) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("PULLBACK_PYTHON") {
        return Some(PathBuf::from(named)).filter(|python| run(Command::new(python).arg("--version")));
    }
    let folder = root.join("target/python");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let requirements = root.join("python/tests/requirements.txt");
    let wanted = std::fs::read(&requirements).ok()?;
    let installed = folder.join("requirements.txt");
    if std::fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Some(python);
    }
    eprintln!(
        "making {} for the tests of the Python package, with PyTorch and JAX: some 6 GB; PULLBACK_PYTHON names \
         a Python that has them already",
        folder.display()
    );
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        && run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&requirements));
    // What is written last says that all of it is there.
    (made && std::fs::write(&installed, wanted).is_ok()).then_some(python)
}

/// Builds the Rust side into the package, for this Python, from what the tests of Rust have built already.
fn extension(root: &Path, python: &Path) -> bool {
    let built = run(Command::new("cargo")
        .args(["build", "--locked", "--manifest-path", "python/Cargo.toml", "--target-dir", "target"])
        .env("PYO3_PYTHON", python)
        .current_dir(root));
    let (library, module) = match std::env::consts::OS {
        "windows" => ("_pullback.dll", "_pullback.pyd"),
        "macos" => ("lib_pullback.dylib", "_pullback.abi3.so"),
        _ => ("lib_pullback.so", "_pullback.abi3.so"),
    };
    let copied =
        || std::fs::copy(root.join("target/debug").join(library), root.join("python/pullback").join(module));
    built && copied().inspect_err(|error| eprintln!("{library}: {error}")).is_ok()
}

fn pytest(root: &Path, python: &Path) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "pytest", "-q", "-p", "pullback._pytest"]);
    command.env("PYTHONPATH", root.join("python")).current_dir(root.join("python"));
    command
}

fn run(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("{}: {error}", command.get_program().to_string_lossy());
            false
        }
    }
}
