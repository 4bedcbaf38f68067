//! The examples hold.

use crate::command::{examples, pullback};

#[test]
fn every_claim_of_every_example_holds() {
    let files: Vec<String> = examples().into_iter().map(|(name, _)| name).collect();
    let mut arguments = vec!["check"];
    arguments.extend(files.iter().map(String::as_str));
    let ran = pullback(&arguments, "");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stderr, "");
    assert!(ran.stdout.lines().last().is_some_and(|line| line.ends_with("claims hold")), "{}", ran.stdout);
    for file in &files {
        assert!(ran.stdout.contains(file.as_str()), "{file} is not mentioned");
    }
}

#[test]
fn quiet_says_nothing_of_what_holds() {
    let ran = pullback(&["check", "--quiet", "examples/003-closed-form.grad"], "");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
}

#[test]
fn standard_input_is_checked_as_a_file_is() {
    let (_, bytes) = examples().remove(0);
    let source = String::from_utf8(bytes).expect("UTF-8");
    let ran = pullback(&["check", "-"], &source);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.starts_with("<stdin>\n"));
}
