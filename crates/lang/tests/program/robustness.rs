//! Files that nobody would write: nothing in one makes the program panic, and every error has a place in the text.

use std::path::Path;

use proptest::prelude::*;
use pullback_lang::parse;
use pullback_lang::program::{Claimed, elaborate};

/// Statements that use most of the language.
const SOURCE: &str = "\
seed 3
dtype f32
X: [N=5, D=3] ~ randn
W: [D, M=2] ~ randn
b: [M] ~ uniform(-1, 1)
A: [D, D] ~ spd
k: [2] ~ randint(0, 3)
c = [1, 2, 3]
fn rms(a) = sqrt(mean(a^2))
fn f(a, b) = exp(a) * b - rms(a)
Z[i,j] = X[i,k] * W[k,j] + b[j]
Y[i,j] = (delta[i,j] - c[i] * c[j]) * 2 / (1 + A[i,i]^2)
u = X[k][:, ::-1] @ inv(A) / (2 * N)
v = softmax(Z[1:, None, 0], axis=-1)
t = reshape(vec(W, col), [M, -1]).T
q = f(c, 1/3) + unvec(c, [D]) - zeros(D)
dL/dZ: [N, M] ~ randn
dL/db = sum(dL/dZ, axis=0)
dL/dW = X.T @ dL/dZ
dZ[i,j]/dX[m,n] = delta[i,m] * W[n,j]
dZ/dW [col] = kron(eye(M), X)
shape(dZ/db) = [N, M, M]
E = sum(c^2)
d2E/dc2 = 2 * eye(D)
dE/dc [E fixed] = zeros(D)
";

/// The words and signs of the source, and some that are not in it.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut joins = false;
    for character in text.chars() {
        let is_word = character.is_alphanumeric() || character == '_';
        match tokens.last_mut() {
            Some(last) if joins && is_word => last.push(character),
            _ => tokens.push(character.to_string()),
        }
        joins = is_word;
    }
    tokens
}

fn run(source: &str) {
    // One for the whole process, in which no other test needs more.
    pullback_array::memory::set_limit(64 << 20);
    let parsed = parse(source);
    match elaborate(&parsed.file, Path::new(".")) {
        Ok((program, _)) => {
            // What can be computed, is; what cannot, is an error.
            for value in &program.values {
                let _ = program.array(&value.val, value.span);
            }
            for claim in &program.claims {
                if let Claimed::Value { val, .. } = &claim.claimed {
                    let _ = program.array(val, claim.expr_span);
                }
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(error.span().end <= source.len() && !error.message().is_empty(), "{error:?}");
            }
        }
    }
}

#[test]
fn the_source_itself_is_right() {
    let parsed = parse(SOURCE);
    assert_eq!(parsed.errors, []);
    elaborate(&parsed.file, Path::new(".")).unwrap_or_else(|errors| panic!("{errors:?}"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: prop::test_runner::RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    /// A few tokens deleted, doubled, or replaced by others.
    #[test]
    fn mistakes_do_not_panic(edits in prop::collection::vec((0usize..4000, 0usize..4000, 0u8..4), 1..6)) {
        let known = tokens(SOURCE);
        let mut edited = known.clone();
        for (place, other, kind) in edits {
            let place = place % edited.len();
            match kind {
                0 => { edited.remove(place); }
                1 => edited[place] = known[other % known.len()].clone(),
                2 => edited.insert(place, known[other % known.len()].clone()),
                _ => edited[place] = ["0", "1e9", "-1", "delta", "9999999999", "[]", "None", "...", "T", "L"][other % 10].to_owned(),
            }
        }
        run(&edited.concat());
    }
}
