//! What `derive` writes as the right side of a claim is one, and it holds.

use pullback::check::Verdict;
use pullback::report::{Format, Page, Steps, derive_page};
use pullback::session::{Code, Derived, check_source, derive_source, derive_statements};

use crate::command::examples;

#[test]
fn the_code_of_every_derivation_holds_as_a_claim() {
    let mut tried = 0;
    for (name, bytes) in examples() {
        let report = derive_source(&name, &bytes, ".".as_ref(), &Derived::default())
            .unwrap_or_else(|invalid| panic!("{name}: {:?}", invalid.errors));
        // The claims of the file make way for the derived ones; the cotangent that is given is no claim.
        let source = String::from_utf8(bytes).expect("UTF-8");
        let is_claim = |line: &&str| {
            let head = line.split_once(" = ").map_or("", |(head, _)| head);
            (head.starts_with('d') && head.contains("/d")) || head.starts_with("shape(")
        };
        let kept: Vec<&str> = source.lines().filter(|line| !is_claim(line)).collect();
        for (wrt, _, derivation) in &report.derivations {
            let Some(code) = &derivation.code else { continue };
            let of = derivation.loss();
            // What comes back to an output with axes is given.
            let given = format!("d{of}/d{}: ", report.of.0);
            let dims: Vec<String> = report.of.1.iter().map(|dim| dim.size().to_string()).collect();
            let with_given = match report.of.1.is_empty() || source.contains(&given) {
                true => String::new(),
                false => format!("{given}[{}] ~ randn\n", dims.join(", ")),
            };
            let with_claim = format!("{}\n{with_given}d{of}/d{wrt} = {code}\n", kept.join("\n"));
            let checked = check_source(&name, with_claim.as_bytes(), ".".as_ref());
            assert!(checked.errors.is_empty(), "{name}: {code}: {:?}", checked.errors);
            let verdict = checked.claims.last().map(|claim| claim.judgement.verdict);
            assert_eq!(verdict, Some(Verdict::Holds), "{name}: d{of}/d{wrt} = {code}");
            tried += 1;
        }
    }
    assert!(tried >= 6, "only {tried} derivations have code");
}

/// What a call has beside its operands is part of the code: without it the claim would be another one.
#[test]
fn arguments_stay_in_the_code() {
    let cases: [(&str, &str, Option<&str>); 11] = [
        ("sum(A, axis=0) * x", "x", Some("dL/dZ * sum(A, axis=0)")),
        ("sum(max(X, axis=0) * y)", "y", Some("max(X, axis=0)")),
        ("mean(X, axis=1) * y", "y", Some("dL/dZ * mean(X, axis=1)")),
        ("logsumexp(X, axis=0) * y", "y", Some("dL/dZ * logsumexp(X, axis=0)")),
        ("Z[i,j] = X[i,k] * W[k,j]", "X", Some("dL/dZ @ W.T")),
        // The payload is deeper than a formula is written on paper.
        (
            "sum(tanh(tanh(W @ x + b) + b))",
            "W",
            Some("outer((1 - tanh(tanh(W @ x + b) + b)^2) * (1 - tanh(W @ x + b)^2), x)"),
        ),
        ("y = X[0:2]; sum(y^2)", "X", Some("2 * pad(y, [[0, N - 2], [0, 0]])")),
        // A determinant that is divided by is gone, and a matrix is turned before it is scaled.
        ("log(det(X)^2)", "X", Some("2 * inv(X).T")),
        ("sum(X * X.T)", "X", Some("2 * X.T")),
        // All of it cancels.
        ("sum(sin(x)^2 + cos(x)^2)", "x", Some("zeros([N])")),
        ("Q[i,j] = x[i] + y[j]; sum(Q^2)", "x", Some("2 * sum(Q, axis=1)")),
    ];
    for (text, wrt, code) in cases {
        let report = derive_statements(text, &Derived { wrt: Some(wrt), ..Derived::default() })
            .unwrap_or_else(|invalid| panic!("{text}: {:?}", invalid.errors));
        assert_eq!(report.derivations[0].2.code.as_deref(), code, "{text}");
    }
}

/// No line of any example is untrue, and each notation is made of each.
#[test]
fn every_example_is_derived_in_every_notation() {
    for (name, bytes) in examples() {
        let report = derive_source(&name, &bytes, ".".as_ref(), &Derived::default())
            .unwrap_or_else(|invalid| panic!("{name}: {:?}", invalid.errors));
        let faults: Vec<&str> = report
            .warnings
            .iter()
            .map(|warning| warning.message.as_str())
            .filter(|text| text.contains("fault"))
            .collect();
        assert_eq!(faults, [""; 0], "{name}");
        for format in [Format::Markdown, Format::Latex, Format::Html] {
            let page = Page { format, steps: Steps::Full, document: true };
            let text = derive_page(&report, page);
            balanced(&text, format, &name);
            let delta = if format == Format::Html { "<mi>δ</mi>" } else { "\\delta_" };
            let is_told = text.contains("is 1 where i and m are the same");
            assert_eq!(is_told, text.contains(delta), "{name}: a sign and what it stands for");
        }
    }
}

/// Whatever is opened is closed: braces and environments of LaTeX, elements of HTML, fences of Markdown.
fn balanced(text: &str, format: Format, name: &str) {
    match format {
        Format::Markdown => {
            assert_eq!(text.lines().filter(|line| line.starts_with("```")).count() % 2, 0, "{name}")
        }
        Format::Latex => {
            let bare = text.replace("\\{", "").replace("\\}", "");
            assert_eq!(bare.matches('{').count(), bare.matches('}').count(), "{name}: {text}");
            assert_eq!(text.matches("\\begin{").count(), text.matches("\\end{").count(), "{name}");
            assert_eq!(text.matches("\\left").count(), text.matches("\\right").count(), "{name}: {text}");
            assert!(
                text.is_ascii(),
                "{name}: a plain LaTeX has no {:?}",
                text.chars().find(|c| !c.is_ascii())
            );
        }
        Format::Html => {
            assert!(
                !text.contains("http://")
                    || text.matches("http://").count()
                        == text.matches("http://www.w3.org/1998/Math/MathML").count()
            );
            let mut open: Vec<&str> = Vec::new();
            for tag in text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
                let word = tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap_or_default();
                let is_void = tag.ends_with('/') || matches!(word, "!DOCTYPE" | "meta");
                match tag.strip_prefix('/') {
                    Some(closed) => assert_eq!(open.pop(), Some(closed), "{name}: {tag}"),
                    None if !is_void => open.push(word),
                    None => {}
                }
            }
            assert_eq!(open, [""; 0], "{name}");
        }
    }
}

/// The backward pass as a file of the language: its claims hold.
#[test]
fn the_pass_as_a_file_holds() {
    let mut judged = 0;
    for (name, bytes) in examples() {
        let wanted = Derived { code: Some(Code::Grad), ..Derived::default() };
        let Ok(report) = derive_source(&name, &bytes, ".".as_ref(), &wanted) else { continue };
        let text = report.code.expect("it was wanted");
        let checked = check_source(&name, text.as_bytes(), ".".as_ref());
        assert!(checked.errors.is_empty(), "{name}: {:?}\n{text}", checked.errors);
        for claim in &checked.claims {
            assert!(
                claim.judgement.passes(),
                "{name}: {} is {:?}\n{text}",
                claim.key,
                claim.judgement.verdict
            );
            judged += 1;
        }
    }
    assert!(judged > 20, "{judged} claims");
}
