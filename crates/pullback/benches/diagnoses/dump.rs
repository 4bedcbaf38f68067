//! The gradients of a program as numbers that other code has dumped: one of them wrong, and no expression anywhere.

use pullback::array::Array;
use pullback::array::file::Dump;
use pullback::lang::StatementKind;
use pullback::lang::program::Claimed;

use crate::mutate::Mutant;
use crate::scene::Scene;
use crate::source::{Edit, is_claim};

/// What other code would hand over.
pub struct Dumped {
    /// The forward pass, without claims and without what needs them.
    pub forward: Vec<usize>,
    /// The gradients, by the names of their claims; the wrong one comes last.
    pub dump: Dump,
}

/// The claims of a program as numbers; none where the mutant is not about such a claim.
pub fn dumped(scene: &Scene, mutant: &Mutant) -> Option<Dumped> {
    let source = &scene.source;
    let plain = mutant.edits.iter().all(|edit| is_plain(scene, edit.statement));
    if mutant.in_definition || !plain {
        return None;
    }
    let forward = source
        .all()
        .into_iter()
        .filter(|&at| source.needs(at).iter().all(|&needed| !is_claim(&source.file.statements[needed].kind)));
    let mut claims: Vec<usize> = source.claims().into_iter().filter(|&at| is_plain(scene, at)).collect();
    claims.retain(|&at| at != mutant.claim);
    claims.push(mutant.claim);
    let mut arrays: Vec<(String, Array)> = Vec::new();
    for at in claims {
        let edit = mutant.edits.iter().find(|edit| edit.statement == at);
        arrays.push((scene.program.claims[source.claim_number(at)].key.clone(), array(scene, at, edit)?));
    }
    let dump = Dump::from_bytes("dump.safetensors", safetensors(&arrays)).ok()?;
    Some(Dumped { forward: forward.collect(), dump })
}

/// Is it a claim whose key is that of a derivative and nothing else, as a dump has it?
fn is_plain(scene: &Scene, statement: usize) -> bool {
    match &scene.source.file.statements[statement].kind {
        StatementKind::Claim(claim) => {
            let key = &claim.key;
            key.wrt.len() == 1 && key.fixed.is_empty() && key.layout == pullback::lang::Layout::Default
        }
        _ => false,
    }
}

/// What a claim says, or would say.
fn array(scene: &Scene, statement: usize, edit: Option<&Edit>) -> Option<Array> {
    let number = scene.source.claim_number(statement);
    match (edit, &scene.program.claims[number].claimed) {
        (Some(edit), _) => {
            let val = scene.program.reclaimed(number, &edit.expr, &std::collections::HashMap::new()).ok()?;
            val.array().ok().cloned()
        }
        (None, Claimed::Value { val, .. }) => val.array().ok().cloned(),
        (None, Claimed::Shape(_)) => None,
    }
}

/// Arrays in double precision as the bytes of a safetensors file.
fn safetensors(arrays: &[(String, Array)]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut numbers: Vec<u8> = Vec::new();
    for (name, array) in arrays {
        let start = numbers.len();
        numbers.extend(array.to_vec_f64().iter().flat_map(|number| number.to_le_bytes()));
        let described = serde_json::json!({
            "dtype": "F64", "shape": array.shape(), "data_offsets": [start, numbers.len()],
        });
        header.insert(name.clone(), described);
    }
    let header = serde_json::Value::Object(header).to_string().into_bytes();
    [&(header.len() as u64).to_le_bytes()[..], &header, &numbers].concat()
}
