//! Texts that nobody would write by hand, through the real command: each ends soon, with the exit code that it should have,
//! and the process never holds much more than `--memory` allows.
//!
//! The witness is the system: the command runs under a limit on its address space (`ulimit -v`), beyond which an allocation
//! fails and Rust aborts, and by signal no exit code comes back.

use std::time::{Duration, Instant};

use crate::command::{Ran, pullback_bytes, pullback_within};

/// What `--memory` says.
const MEMORY: &str = "64MiB";

/// The address space that the command gets, in KiB: that much, as much again (a vector that grows is in two places), and
/// what a process has before it reads a byte: code, libraries, stack.
const ADDRESS_SPACE: u32 = (2 * 64 + 96) << 10;

/// None of these takes longer than a few seconds alone on a slow machine; exponential time would be for ever.
const LONGEST: Duration = Duration::from_secs(100);

fn ran(arguments: &[&str], source: &[u8]) -> Ran {
    let start = Instant::now();
    let ran = match cfg!(target_os = "linux") {
        true => pullback_within(ADDRESS_SPACE, arguments, source),
        false => pullback_bytes(arguments, source),
    };
    assert!(start.elapsed() < LONGEST, "{arguments:?}: {:?}", start.elapsed());
    ran
}

/// A text, and what is said of it; nothing, where it is valid.
struct Case {
    name: &'static str,
    source: String,
    says: &'static str,
}

fn case(name: &'static str, source: impl Into<String>, says: &'static str) -> Case {
    Case { name, source: source.into(), says }
}

/// `open` so many times, then x, then `close` as often.
fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("x = [1, 2]\nL = sum({}x{})\n", open.repeat(levels), close.repeat(levels))
}

/// x, joined with itself by an operator.
fn row(operator: &str, length: usize) -> String {
    format!("x = [[1, 2], [3, 4]]\nL = sum({})\n", vec!["x"; length].join(operator))
}

/// One statement for each number below `count`.
fn statements(count: usize, statement: impl Fn(usize) -> String) -> String {
    (0..count).map(statement).collect()
}

fn cases() -> Vec<Case> {
    let megabytes = |piece: &str| piece.repeat(10_000_000 / piece.len());
    let deep = "nested deeper than 200 levels";
    let long = "more than 1000 operations deep";
    vec![
        case(
            "a line of numbers",
            format!("x = [{}1]\nL = sum(x)", megabytes("1, ")),
            "--memory sets the limit",
        ),
        case("a line of brackets", megabytes("("), "--memory sets the limit"),
        case("a line of semicolons", megabytes(";"), "--memory sets the limit"),
        case("a long name", format!("x = {}", megabytes("a")), "a name of 10000000 bytes"),
        case("a long number", format!("x = {}", megabytes("1")), "this number is too large"),
        case(
            "a long path",
            format!("x = load(\"{}\")", megabytes("a")),
            "a text in quotes of 10000002 bytes",
        ),
        case("a long comment", format!("x = 1\n# {}\nL = x^2", megabytes("a")), ""),
        case("more than there may be", " ".repeat(17 << 20), "longer than 16 MiB"),
        case("parentheses", nested("(", ")", 10_000), deep),
        case("lists", nested("[", "]", 10_000), deep),
        case("calls", nested("exp(", ")", 10_000), deep),
        case("signs", nested("-", "", 10_000), deep),
        case("indices", nested("x[", "]", 10_000), deep),
        case("powers", row("^", 100_000), deep),
        case("products", row(" @ ", 100_000), long),
        case("sums", row(" + ", 100_000), long),
        case("a row that fits", row(" + ", 990), ""),
        case("a product that fits", row(" @ ", 300), ""),
        case("no elements", "x: [0, 1000000000000] ~ randn\nL = sum(x)\ndL/dx = zeros(0, 1000000000000)", ""),
        case("many elements", "x: [1000000000000] ~ randn\nL = sum(x)", "7.3 TiB"),
        case("more than a size has", "x: [4294967296, 4294967296] ~ randn\nL = sum(x)", "overflows"),
        case("no size", "x: [99999999999999999999999] ~ randn\nL = sum(x)", "size"),
        case("a size below zero", "x: [-1] ~ randn\nL = sum(x)", "size"),
        case(
            "axes",
            format!("x: [{}] ~ randn\nL = sum(x)", "1, ".repeat(50_000)),
            "50000 axes are declared; 64",
        ),
        case("new axes", format!("x = [1, 2]\nL = sum(x[{}:])", "None, ".repeat(100)), "101 axes; 64"),
        case("an identity", "x = [1, 2]\nL = sum(eye(10^12)) + sum(x)", "overflows"),
        case("a Kronecker product", "x = [1, 2]\nL = sum(kron(eye(1000000), x))", "7.3 TiB"),
        case("an infinite number", "x = [1, 1e999]\nL = sum(x)", "this number is too large"),
        case("NUL", "x = [1, 2]\nL = sum(\0x)", "U+0000"),
        case(
            "a function that calls itself",
            "fn f(a) = f(a) + 1\nx = [1, 2]\nL = sum(f(x))",
            "more than 260 deep",
        ),
        case(
            "functions that double their calls",
            statements(60, |k| match k {
                0 => "fn f0(a) = a + a\n".into(),
                _ => format!("fn f{k}(a) = f{}(a) + f{}(a)\n", k - 1, k - 1),
            }) + "x = [1, 2]\nL = sum(f59(x))",
            "makes more than 10000 calls",
        ),
        case(
            "a sum of 2⁶⁰ paths",
            format!("fn f(a) = a + a\nx = [1, 2]\nL = sum({}x{})", "f(".repeat(60), ")".repeat(60)),
            "",
        ),
        case(
            "2⁴⁰ terms",
            statements(40, |k| format!("b{k} = [{k}, 2]\nfn f{k}(a) = a + a * b{k}\n"))
                + &format!(
                    "x = [1, 2]\nL = sum({}x{})",
                    statements(40, |k| format!("f{k}(")),
                    ")".repeat(40)
                ),
            "",
        ),
        case(
            "definitions that square the one before",
            "x0 = [1, 1]\n".to_string()
                + &statements(2000, |k| format!("x{} = x{k} * x{k}\n", k + 1))
                + "L = sum(x2000)",
            "",
        ),
        case(
            "many definitions",
            "x = [1, 2]\n".to_string() + &statements(100_000, |k| format!("y{k} = x + {k}\n")) + "L = sum(x)",
            "--memory sets the limit",
        ),
        case(
            "a product of 300",
            format!("x: [20] ~ randn\nL[] = {}", statements(300, |k| format!("x[i{k}] * ")) + "x[j]"),
            "a product of 301 operands; 64 are the most",
        ),
        case(
            "forty axes of two",
            format!(
                "x: [2, 2] ~ randn\nZ[{}] = {}\nL = sum(Z)",
                statements(40, |k| format!("i{k}, ")),
                statements(19, |k| format!("x[i{}, i{}] * ", 2 * k, 2 * k + 1)) + "x[i38, i39]",
            ),
            "--memory sets the limit",
        ),
    ]
}

#[test]
fn each_ends_soon_and_holds_little() {
    let mut failures = Vec::new();
    for Case { name, source, says } in cases() {
        for command in ["check", "run", "derive"] {
            let ran = ran(&[command, "-", "--memory", MEMORY], source.as_bytes());
            let said = format!("{}{}", ran.stdout, ran.stderr);
            // `derive` evaluates nothing: what cannot be computed may be derived all the same.
            let valid = says.is_empty() || (command == "derive" && ran.code == 0);
            // A text that is valid is judged where it claims something.
            let unclaimed = command == "check" && !source.contains("/d");
            let as_it_should = match valid {
                true if unclaimed => ran.code == 2 && said.contains("the file claims nothing"),
                true => ran.code == 0,
                false => {
                    let parts = [says, "<stdin>:", "help: "];
                    ran.code == 2 && parts.iter().all(|part| said.contains(part)) && said.len() < 20_000
                }
            };
            if !as_it_should {
                let shown: String = said.chars().take(1000).collect();
                failures.push(format!("{command}, {name}: {}, `{says}` expected in {shown}", ran.code));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A hundred thousand claims are either judged or refused for their memory; nothing is said of them as often.
#[test]
fn very_many_claims() {
    let source =
        "x = [1, 1]\n".to_string() + &statements(100_000, |k| format!("y{k} = sum(x^2)\ndy{k}/dx = 2 * x\n"));
    let ran = ran(&["check", "-", "--memory", MEMORY], source.as_bytes());
    assert!(ran.code == 2 && ran.stdout.contains("--memory sets the limit"), "{}", ran.stdout.len());
    assert!(ran.stdout.matches("error: ").count() <= pullback::lang::MAX_ERRORS, "{}", ran.stdout.len());
}

/// Memory that is refused somewhere on the way to a verdict is an error; it does not make a right claim less than right.
#[test]
fn little_memory_changes_no_verdict() {
    for entries in [50_000, 1_000_000, 4_000_000] {
        let source = format!("x: [{entries}] ~ randn\nL = sum(x^2)\ndL/dx = 2 * x");
        let ran = ran(&["check", "-", "--memory", MEMORY], source.as_bytes());
        let expected = if entries > 50_000 { (2, "--memory sets the limit") } else { (0, "holds") };
        assert!(ran.code == expected.0 && ran.stdout.contains(expected.1), "{entries}: {}", ran.stdout);
    }
}

#[test]
fn bytes_that_are_no_text() {
    for bytes in [&b"\0".repeat(5000)[..], b"\xff\xfex\0=\0", b"x = \x80"] {
        for command in ["check", "run", "derive"] {
            assert_eq!(ran(&[command, "-", "--memory", MEMORY], bytes).code, 2, "{command} {bytes:?}");
        }
    }
    if cfg!(target_os = "linux") {
        let endless = ran(&["check", "/dev/zero", "--memory", MEMORY], b"");
        assert!(endless.code == 2 && endless.stdout.contains("longer than 16 MiB"), "{}", endless.stdout);
        let closed = ran(&["check", "/dev/null", "--memory", MEMORY], b"");
        assert!(closed.code == 2 && closed.stdout.contains("states nothing"), "{}", closed.stdout);
    }
}

/// A block of a transformer: arrays of many sizes come and go, and what is freed is given back.
#[test]
fn freed_arrays_do_not_count_twice() {
    let source = "x: [B=2, T=64, C=32] ~ randn; W1: [C, H=128] ~ randn; W2: [H, C] ~ randn
        Wq: [C, C] ~ randn; Wk: [C, C] ~ randn; Wv: [C, C] ~ randn
        fn cen(x) = x - mean(x, axis=-1, keepdims=true)
        fn ln(x) = cen(x) / sqrt(mean(cen(x)^2, axis=-1, keepdims=true) + 1e-5)
        h = ln(x); q = h @ Wq; k = h @ Wk; v = h @ Wv
        y = x + softmax(q @ transpose(k, 1, 2)) @ v
        z = y + tanh(y @ W1) @ W2
        L = sum(z^3)
        dL/dx = z";
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        // The limit, and a third of it for the program, its libraries and its stack: with what glibc keeps it took 220.
        let ran = pullback_within(208 << 10, &["check", "-", "--memory", "160MiB"], source.as_bytes());
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert!(
            ran.stdout.contains("dL/dx  wrong") && !ran.stdout.contains("out of memory"),
            "{}",
            ran.stdout
        );
    }
}
