//! The JSON of every command fits its committed schema. The schemas leave room for keys of later versions; here there is
//! none, so that no key is printed that is not described.

use serde_json::{Value, json};

use crate::command::{pullback, pullback_bytes, root};

/// The schema of a command, with every object closed.
fn schema(command: &str) -> Value {
    let path = root().join("schemas").join(format!("{command}.json"));
    let text = std::fs::read_to_string(path).expect("the schema is there");
    let mut schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
    jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{command}: {error}"));
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            // What has both is a schema of an object; `properties` alone may be the name of one.
            if object.get("type") == Some(&json!("object")) && object.contains_key("properties") {
                object.insert("additionalProperties".to_string(), json!(false));
            }
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

const WRONG: &str = "
x = [1, 2, 3]
L = sum(x^2)
dL/dx = x
";

#[test]
fn every_output_fits_its_schema() {
    let rmsnorm = "examples/000-rmsnorm-layer.grad";
    let gone = "gone.grad";
    let linear = "crates/pullback/tests/golden/dumps/linear.grad";
    let kink = "x = [0, 1]; L = sum(relu(x)); dL/dx = step(x)";
    let tie = "x = [2, 2, 1]\ny = max(x)\ndy/dx = [1, 0, 0]";
    let infinite = "x = [0, 1]; y = 1 / x; L = sum(y); dL/dx = -1 / x^2";
    let unchanged = "z: [5] ~ randn\nL = sum(softmax(z))\ndL/dz = z - z";
    let both_nan = "x = [0, 0]; n = sqrt(sum(x^2)); dn/dx = x / n";
    let overflow = "dtype f32; x = [1, 100]; L = sum(exp(x)); dL/dx = exp(x)";
    let shape = "x = [1, 2]; L = sum(x^2); dL/dx = 2; dL_dx = 2 * x";
    let syntax = "x = [1\nm = 2; m = 3";
    let several = "x: [M=2] ~ randn; L = sum(reshape(x, [2, 1])^2) / 2; dL/dx = 2 * x";
    let cases: [(&str, &[&str], &str); 35] = [
        ("check", &[linear, "--data", "crates/pullback/tests/golden/dumps/linear-wrong.npz"], ""),
        ("check", &[linear, "--data", "crates/pullback/tests/golden/dumps/tanh-bf16.safetensors"], ""),
        ("check", &["examples/mistakes.grad"], ""),
        ("check", &["-"], several),
        ("check", &["examples/000-rmsnorm-layer.grad", "examples/003-composition.grad"], ""),
        ("check", &["-"], WRONG),
        ("check", &["-"], kink),
        ("check", &["-"], tie),
        ("check", &["-"], infinite),
        ("check", &["-"], both_nan),
        ("check", &["-"], unchanged),
        ("check", &["-"], overflow),
        ("check", &["-"], shape),
        ("check", &["-"], syntax),
        ("check", &["-"], "x = [1]\nx = [2]"),
        ("check", &["-"], "x = [1, 2]; y = [3]; L = sum(y); dL/dx = zeros(2)"),
        ("check", &["-", gone], "x = [1, 2]; L = sum(x^2); dL/dx = x; d2L/dx2 = 2 * eye(2)"),
        ("check", &["-"], "x = [1, 2]; a = 2 * x; L = sum(a^2); dL/da = a; dL/dx = 2 * dL/da"),
        ("run", &[rmsnorm], ""),
        ("run", &["examples/003-linear-layer.grad"], ""),
        ("run", &["-"], infinite),
        ("run", &["-"], syntax),
        ("run", &[gone], ""),
        ("jacobian", &[rmsnorm, "--of", "v", "--wrt", "W"], ""),
        ("jacobian", &[rmsnorm, "--of", "v", "--wrt", "W", "--dense"], ""),
        ("jacobian", &[rmsnorm, "--of", "a", "--wrt", "W", "--vec", "col"], ""),
        ("jacobian", &[rmsnorm, "--of", "q", "--wrt", "W"], ""),
        ("jacobian", &["-", "--of", "y", "--wrt", "x", "--dense"], infinite),
        ("derive", &["examples/003-linear-layer.grad"], ""),
        ("derive", &["-e", "X @ W + b"], ""),
        ("derive", &["-e", "X @"], ""),
        ("derive", &["-e", "sum(x^2)", "--wrt", "q"], ""),
        ("ops", &["no_such_op"], ""),
        ("ops", &[], ""),
        ("ops", &["softmax"], ""),
    ];
    for (command, arguments, stdin) in cases {
        fits(command, arguments, stdin.as_bytes());
    }
}

/// A matrix has both of its notations, whatever numbers are asked for.
#[test]
fn a_jacobian_is_a_matrix_in_both_orders() {
    let program = b"A: [2, N=3] ~ randn\nX: [N, M=4] ~ randn\nF = A @ X";
    let (_, found) = fits("jacobian", &["-", "--of", "F", "--wrt", "X"], program);
    assert_eq!((&found["matrix"], &found["matrix_col"]), (&json!("A ⊗ I_M"), &json!("I_M ⊗ A")));
}

/// Runs a command with `--json` and holds what it prints, one line on standard output and nothing else, to its schema.
fn fits(command: &str, arguments: &[&str], stdin: &[u8]) -> (i32, Value) {
    let all = [&[command], arguments, &["--json"]].concat();
    let ran = pullback_bytes(&all, stdin);
    assert_eq!(ran.stderr, "", "{all:?}");
    assert_eq!(ran.stdout.lines().count(), 1, "{all:?}: one line");
    let instance: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{all:?}: {error}"));
    let validator = jsonschema::validator_for(&schema(command)).expect("the schema is one");
    let errors: Vec<String> = validator
        .iter_errors(&instance)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{all:?}: {errors:#?}\n{instance:#}");
    assert_eq!(instance["schema"], 1);
    (ran.code, instance)
}

/// Whatever makes input invalid, every command that reads a file says so in JSON, with exit code 2.
#[test]
fn every_refusal_fits_its_schema() {
    let memory = "x: [1000, 1000] ~ randn\ny = x @ x\nL = sum(y)\ndL/dx = x";
    let inputs: [(&str, &str, &[u8]); 9] = [
        ("a missing file", "gone.grad", b""),
        ("a folder", "examples", b""),
        ("nothing", "-", b""),
        ("no text", "-", b"x = [1]\ny = \xff"),
        ("a syntax error", "-", b"x = [1, 2\nL = sum(x)"),
        ("a name that is bound twice", "-", b"x = [1]\nx = [2]\nL = sum(x)"),
        ("shapes that do not fit", "-", b"x: [2, 3] ~ randn\nL = sum(x @ x)"),
        ("a missing data file", "-", b"x = load(\"gone.npy\")\nL = sum(x)"),
        ("memory", "-", memory.as_bytes()),
    ];
    let commands: [(&str, &[&str]); 4] =
        [("check", &[]), ("run", &[]), ("jacobian", &["--of", "L", "--wrt", "x"]), ("derive", &[])];
    for (name, file, bytes) in inputs {
        for (command, options) in commands {
            let arguments = [&[file, "--memory", "1MiB"], options].concat();
            let (code, instance) = fits(command, &arguments, bytes);
            assert_eq!(code, 2, "{command}, {name}: {instance}");
            let errors = match command {
                "check" => &instance["files"][0]["errors"],
                _ => &instance["errors"],
            };
            assert!(errors[0]["message"].is_string(), "{command}, {name}: {instance}");
        }
    }
}

#[test]
fn a_wrong_claim_in_json() {
    let ran = pullback(&["check", "-", "--json"], WRONG);
    let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let claim = &json["files"][0]["claims"][0];
    assert_eq!(json["files"][0]["file"], "<stdin>");
    assert_eq!(claim["claim"], "dL/dx");
    assert_eq!(claim["verdict"], "wrong");
    assert_eq!(claim["shape"], json!([3]));
    // dL/dx = 2x, and x is claimed: the entry with the largest x is off by 3.
    assert_eq!(claim["routes"]["autograd"], 3);
    assert_eq!(claim["worst"]["at"], json!([2]));
    assert_eq!(claim["worst"]["claimed"], 3);
    assert_eq!(claim["worst"]["expected"], 6);
    assert_eq!(claim["span"], json!({"start": 28, "end": 37, "line": 4, "column": 1}));
    assert_eq!(claim.get("inherits"), None);
    assert_eq!(json["files"][0].get("errors"), None);
}

#[test]
fn a_diagnosis_in_json() {
    let source = "W: [n=2, n] ~ randn; x: [n] ~ randn; z = W @ x\nJ = W.T\ndz/dx = J\n";
    let ran = pullback(&["check", "-", "--json"], source);
    let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let diagnosis = &json["files"][0]["claims"][0]["diagnosis"];
    assert_eq!(diagnosis["cause"], "transposed-factor");
    assert_eq!(diagnosis["definition"], "J");
    assert_eq!(diagnosis["fix"], "W");
    assert!(diagnosis["residual"].as_f64().is_some_and(|residual| residual < 1e-12), "{diagnosis}");
    let explanation =
        "`W.T` stands where `W` belongs. It is square, [n=2, n=2], so that the shapes fit either way.";
    assert_eq!(diagnosis["explanation"], explanation);
    assert_eq!(diagnosis["span"], json!({"start": 51, "end": 54, "line": 2, "column": 5}));
    assert_eq!(diagnosis.get("with"), None);
}

/// Both claims follow from the definition of the cotangent, 2 Z / (N M) of a mean square.
#[test]
fn a_mistake_that_several_claims_share_in_json() {
    let source = b"X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; Z = X @ W; L = mean(Z^2); dZ = 2 * Z / N
dL/dW = X.T @ dZ; dL/dX = dZ @ W.T";
    let (code, instance) = fits("check", &["-"], source);
    assert_eq!(code, 1);
    for number in 0..2 {
        let claim = &instance["files"][0]["claims"][number];
        assert_eq!(claim["shared_by"], serde_json::json!(["dL/dW", "dL/dX"]));
        assert_eq!(claim["diagnosis"]["definition"], "dZ");
        assert_eq!(claim["diagnosis"]["fix"], "2 * Z / (N * M)");
    }
}

#[test]
fn numbers_without_a_notation_are_strings() {
    let ran = pullback(&["run", "-", "--json"], "x = [0, 1]; y = 1 / x; z = log(x - 1); L = sum(x)");
    let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(json["definitions"][0]["values"], json!(["Infinity", 1]));
    assert_eq!(json["definitions"][1]["values"], json!(["NaN", "-Infinity"]));
}
